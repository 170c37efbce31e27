package events

import (
	"context"
	"strings"

	"fargo"
	"fargo/aws"
	"fargo/aws/events"
	"fargo/record"
	"fargo/store"
)

// CreateEventBus makes a bus.
func (s *Server) CreateEventBus(ctx context.Context, in *events.CreateEventBusInput) (*events.CreateEventBusOutput, error) {
	switch {
	case in.EventSourceName != nil:
		return nil, notImplemented("partner event sources")
	case strings.Contains(*in.Name, "/"):
		return nil, invalid("Event bus name must not contain '/'.")
	}
	if err := tagRules.Check(in.Tags); err != nil {
		return nil, err
	}
	out := &events.CreateEventBusOutput{}
	return out, s.update(ctx, func(tx *store.Tx, scope fargo.Scope) error {
		if store.HasEventBus(tx, scope, *in.Name) {
			return events.ResourceAlreadyExistsException("Event bus %s already exists.", *in.Name)
		}
		b := newBus(scope, *in.Name)
		b.Tags = in.Tags
		b.Bus.Description, b.Bus.KmsKeyIdentifier, b.Bus.DeadLetterConfig, b.Bus.LogConfig = in.Description, in.KmsKeyIdentifier, in.DeadLetterConfig, in.LogConfig
		store.EventBuses.Put(tx, b)
		*out = events.CreateEventBusOutput{
			EventBusArn: b.Bus.Arn, Description: in.Description, KmsKeyIdentifier: in.KmsKeyIdentifier,
			DeadLetterConfig: in.DeadLetterConfig, LogConfig: in.LogConfig,
		}
		return nil
	})
}

func newBus(scope fargo.Scope, name string) *record.EventBus {
	at := now()
	return &record.EventBus{Scope: scope, Bus: events.DescribeEventBusOutput{
		Name: &name, Arn: new(scope.ARN("events", "event-bus/"+name)), CreationTime: &at, LastModifiedTime: &at,
	}}
}

// bus gives a bus, and a new record of the default one if it has none.
func bus(r store.Reader, scope fargo.Scope, given *string) (*record.EventBus, error) {
	name, err := findBus(r, scope, given)
	if err != nil {
		return nil, err
	}
	if b, ok := store.EventBuses.Get(r, scope.Key(name)); ok {
		return b, nil
	}
	return newBus(scope, name), nil
}

// ensureDefault gives the default bus its record, so that it always shows the same times.
func (s *Server) ensureDefault(ctx context.Context) error {
	view, scope := s.read(ctx)
	if _, ok := store.EventBuses.Get(view, scope.Key(record.DefaultEventBus)); ok {
		return nil
	}
	return s.changeBus(ctx, nil, func(*record.EventBus) error { return nil })
}

// changeBus changes a bus.
func (s *Server) changeBus(ctx context.Context, given *string, change func(*record.EventBus) error) error {
	return s.update(ctx, func(tx *store.Tx, scope fargo.Scope) error {
		b, err := bus(tx, scope, given)
		if err != nil {
			return err
		}
		changed := *b
		if err := change(&changed); err != nil {
			return err
		}
		store.EventBuses.Put(tx, &changed)
		return nil
	})
}

// UpdateEventBus replaces what a bus was made with.
func (s *Server) UpdateEventBus(ctx context.Context, in *events.UpdateEventBusInput) (*events.UpdateEventBusOutput, error) {
	out := &events.UpdateEventBusOutput{}
	return out, s.changeBus(ctx, in.Name, func(b *record.EventBus) error {
		b.Bus.Description, b.Bus.KmsKeyIdentifier, b.Bus.DeadLetterConfig, b.Bus.LogConfig = in.Description, in.KmsKeyIdentifier, in.DeadLetterConfig, in.LogConfig
		b.Bus.LastModifiedTime = new(now())
		*out = events.UpdateEventBusOutput{
			Arn: b.Bus.Arn, Name: b.Bus.Name, Description: in.Description, KmsKeyIdentifier: in.KmsKeyIdentifier,
			DeadLetterConfig: in.DeadLetterConfig, LogConfig: in.LogConfig,
		}
		return nil
	})
}

// DescribeEventBus shows a bus.
func (s *Server) DescribeEventBus(ctx context.Context, in *events.DescribeEventBusInput) (*events.DescribeEventBusOutput, error) {
	if err := s.ensureDefault(ctx); err != nil {
		return nil, err
	}
	view, scope := s.read(ctx)
	b, err := bus(view, scope, in.Name)
	if err != nil {
		return nil, err
	}
	return new(b.Bus), nil
}

// ListEventBuses lists buses by their names.
func (s *Server) ListEventBuses(ctx context.Context, in *events.ListEventBusesInput) (*events.ListEventBusesOutput, error) {
	if err := s.ensureDefault(ctx); err != nil {
		return nil, err
	}
	view, scope := s.read(ctx)
	prefix := scope.Key(aws.Value(in.NamePrefix))
	found, next, err := listed(in, in.NextToken, in.Limit, store.EventBuses.Prefix(view, prefix), (*record.EventBus).Key, func(b *record.EventBus) events.EventBus {
		return events.EventBus{
			Name: b.Bus.Name, Arn: b.Bus.Arn, Description: b.Bus.Description, Policy: b.Bus.Policy,
			CreationTime: b.Bus.CreationTime, LastModifiedTime: b.Bus.LastModifiedTime,
		}
	})
	return &events.ListEventBusesOutput{EventBuses: found, NextToken: next}, err
}

// DeleteEventBus deletes a bus without rules.
func (s *Server) DeleteEventBus(ctx context.Context, in *events.DeleteEventBusInput) (*events.DeleteEventBusOutput, error) {
	if *in.Name == record.DefaultEventBus {
		return nil, invalid("Cannot delete event bus %s.", *in.Name)
	}
	return &events.DeleteEventBusOutput{}, s.update(ctx, func(tx *store.Tx, scope fargo.Scope) error {
		name, err := findBus(tx, scope, in.Name)
		if err != nil {
			return err
		}
		for range store.EventRules.Prefix(tx, scope.Key(name, "")) {
			return invalid("Event bus %s can't be deleted since it has rules.", name)
		}
		store.EventBuses.Delete(tx, scope.Key(name))
		return nil
	})
}

package events

import (
	"context"
	"strings"

	"github.com/google/uuid"

	"fargo"
	"fargo/aws"
	"fargo/aws/events"
	"fargo/record"
	"fargo/store"
)

// defaultRate is how many calls a second an API destination gets at most, if it does not
// say (recorded).
const defaultRate = 300

// CreateApiDestination makes an API destination.
func (s *Server) CreateApiDestination(ctx context.Context, in *events.CreateApiDestinationInput) (*events.CreateApiDestinationOutput, error) {
	out := &events.CreateApiDestinationOutput{}
	return out, s.update(ctx, func(tx *store.Tx, scope fargo.Scope) error {
		if _, ok := store.APIDestinations.Get(tx, scope.Key(*in.Name)); ok {
			return events.ResourceAlreadyExistsException("An api-destination '%s' already exists.", *in.Name)
		}
		if err := checkConnectionARN(tx, scope, *in.ConnectionArn); err != nil {
			return err
		}
		at := now()
		d := &record.APIDestination{Scope: scope, Destination: events.DescribeApiDestinationOutput{
			Name: in.Name, Description: in.Description, ConnectionArn: in.ConnectionArn, InvocationEndpoint: in.InvocationEndpoint,
			HttpMethod: in.HttpMethod, InvocationRateLimitPerSecond: new(aws.ValueOr(in.InvocationRateLimitPerSecond, defaultRate)),
			ApiDestinationArn: new(scope.ARN("events", "api-destination/"+*in.Name+"/"+uuid.NewString())), CreationTime: &at, LastModifiedTime: &at,
		}}
		store.APIDestinations.Put(tx, d)
		*out = events.CreateApiDestinationOutput{
			ApiDestinationArn: d.Destination.ApiDestinationArn, ApiDestinationState: destinationState(tx, d), CreationTime: &at, LastModifiedTime: &at,
		}
		return nil
	})
}

// connectionOf is the connection with an ARN.
func connectionOf(r store.Reader, scope fargo.Scope, arn string) (*record.EventConnection, bool) {
	_, resource, _ := strings.Cut(arn, ":connection/")
	name, _, _ := strings.Cut(resource, "/")
	c, ok := store.EventConnections.Get(r, scope.Key(name))
	return c, ok && *c.Connection.ConnectionArn == arn
}

func checkConnectionARN(r store.Reader, scope fargo.Scope, arn string) error {
	if _, ok := connectionOf(r, scope, arn); !ok {
		return events.ResourceNotFoundException("Connection '%s' does not exist.", arn)
	}
	return nil
}

// destinationState is that of an API destination, which follows its connection.
func destinationState(r store.Reader, d *record.APIDestination) events.ApiDestinationState {
	c, ok := connectionOf(r, d.Scope, *d.Destination.ConnectionArn)
	if ok && c.Connection.ConnectionState == events.ConnectionStateAuthorized {
		return events.ApiDestinationStateActive
	}
	return events.ApiDestinationStateInactive
}

// findDestination is an API destination; doing says what it is wanted for.
func findDestination(r store.Reader, scope fargo.Scope, name, doing string) (*record.APIDestination, error) {
	d, ok := store.APIDestinations.Get(r, scope.Key(name))
	if !ok {
		return nil, events.ResourceNotFoundException("Failed to %s the api-destination(s). An api-destination '%s' does not exist.", doing, name)
	}
	return d, nil
}

// UpdateApiDestination changes what the call names.
func (s *Server) UpdateApiDestination(ctx context.Context, in *events.UpdateApiDestinationInput) (*events.UpdateApiDestinationOutput, error) {
	out := &events.UpdateApiDestinationOutput{}
	return out, s.update(ctx, func(tx *store.Tx, scope fargo.Scope) error {
		old, err := findDestination(tx, scope, *in.Name, "update")
		if err != nil {
			return err
		}
		changed := *old
		d := &changed.Destination
		if in.ConnectionArn != nil {
			if err := checkConnectionARN(tx, scope, *in.ConnectionArn); err != nil {
				return err
			}
			d.ConnectionArn = in.ConnectionArn
		}
		if in.Description != nil {
			d.Description = in.Description
		}
		if in.InvocationEndpoint != nil {
			d.InvocationEndpoint = in.InvocationEndpoint
		}
		if in.HttpMethod != "" {
			d.HttpMethod = in.HttpMethod
		}
		if in.InvocationRateLimitPerSecond != nil {
			d.InvocationRateLimitPerSecond = in.InvocationRateLimitPerSecond
		}
		d.LastModifiedTime = new(now())
		store.APIDestinations.Put(tx, &changed)
		*out = events.UpdateApiDestinationOutput{
			ApiDestinationArn: d.ApiDestinationArn, ApiDestinationState: destinationState(tx, &changed),
			CreationTime: d.CreationTime, LastModifiedTime: d.LastModifiedTime,
		}
		return nil
	})
}

// DescribeApiDestination shows an API destination.
func (s *Server) DescribeApiDestination(ctx context.Context, in *events.DescribeApiDestinationInput) (*events.DescribeApiDestinationOutput, error) {
	view, scope := s.read(ctx)
	d, err := findDestination(view, scope, *in.Name, "describe")
	if err != nil {
		return nil, err
	}
	out := d.Destination
	out.ApiDestinationState = destinationState(view, d)
	return &out, nil
}

// ListApiDestinations lists API destinations by their names.
func (s *Server) ListApiDestinations(ctx context.Context, in *events.ListApiDestinationsInput) (*events.ListApiDestinationsOutput, error) {
	view, scope := s.read(ctx)
	of := only(store.APIDestinations.Prefix(view, scope.Key(aws.Value(in.NamePrefix))), func(d *record.APIDestination) bool {
		return in.ConnectionArn == nil || *in.ConnectionArn == *d.Destination.ConnectionArn
	})
	found, next, err := listed(in, in.NextToken, in.Limit, of, (*record.APIDestination).Key, func(r *record.APIDestination) events.ApiDestination {
		d := &r.Destination
		return events.ApiDestination{
			ApiDestinationArn: d.ApiDestinationArn, Name: d.Name, ApiDestinationState: destinationState(view, r), ConnectionArn: d.ConnectionArn,
			InvocationEndpoint: d.InvocationEndpoint, HttpMethod: d.HttpMethod, InvocationRateLimitPerSecond: d.InvocationRateLimitPerSecond,
			CreationTime: d.CreationTime, LastModifiedTime: d.LastModifiedTime,
		}
	})
	return &events.ListApiDestinationsOutput{ApiDestinations: found, NextToken: next}, err
}

// DeleteApiDestination deletes an API destination.
func (s *Server) DeleteApiDestination(ctx context.Context, in *events.DeleteApiDestinationInput) (*events.DeleteApiDestinationOutput, error) {
	return &events.DeleteApiDestinationOutput{}, s.update(ctx, func(tx *store.Tx, scope fargo.Scope) error {
		d, err := findDestination(tx, scope, *in.Name, "delete")
		if err != nil {
			return err
		}
		store.APIDestinations.Delete(tx, d.Key())
		return nil
	})
}

// Package events implements the operations of Amazon EventBridge: buses, rules and their
// targets, events, and where HTTP endpoints are. It knows names, limits and texts; what
// an event matches is the business of package eventbus, and sending it that of the
// controllers.
package events

import (
	"context"
	"strings"
	"time"

	"fargo"
	"fargo/api"
	"fargo/api/page"
	"fargo/aws"
	"fargo/aws/events"
	"fargo/aws/protocol"
	"fargo/eventbus"
	"fargo/record"
	"fargo/store"
)

// Config is what a Server needs.
type Config struct {
	DB *store.DB
	// Router finds the rules that events match.
	Router *eventbus.Router
	// Keep adds an event, by its JSON, to the history. It may be nil.
	Keep func(ctx context.Context, scope fargo.Scope, bus, event string, at time.Time)
	// Callable reports whether there is a function with an ARN that can be called. nil:
	// there are none.
	Callable func(functionARN string) bool
}

// Server answers the operations of EventBridge.
type Server struct {
	db     *store.DB
	router *eventbus.Router
	keep   func(ctx context.Context, scope fargo.Scope, bus, event string, at time.Time)

	callable func(functionARN string) bool
}

// New makes a server.
func New(c Config) *Server {
	if c.Keep == nil {
		c.Keep = func(context.Context, fargo.Scope, string, string, time.Time) {}
	}
	if c.Callable == nil {
		c.Callable = func(string) bool { return false }
	}
	return &Server{db: c.DB, router: c.Router, keep: c.Keep, callable: c.Callable}
}

// update runs fn in a transaction with the caller's scope.
func (s *Server) update(ctx context.Context, fn func(tx *store.Tx, scope fargo.Scope) error) error {
	scope := api.CallFrom(ctx).Scope()
	return s.db.Update(ctx, func(tx *store.Tx) error { return fn(tx, scope) })
}

// read gives what has been committed, and the caller's scope.
func (s *Server) read(ctx context.Context) (*store.Snapshot, fargo.Scope) {
	return s.db.View(), api.CallFrom(ctx).Scope()
}

// now is a time as EventBridge keeps it.
func now() time.Time { return time.Now().UTC().Truncate(time.Second) }

// invalid is EventBridge's answer to a parameter it cannot take. The model lacks it.
func invalid(format string, args ...any) error {
	return protocol.Errorf("ValidationException", format, args...)
}

// notImplemented names something that would change what happens, if Fargo knew how.
func notImplemented(what string) error { return invalid("Fargo does not implement %s.", what) }

func noBus(name string) error {
	return events.ResourceNotFoundException("Event bus %s does not exist.", name)
}

func noRule(name, bus string) error {
	return events.ResourceNotFoundException("Rule %s does not exist on EventBus %s.", name, bus)
}

// pages are those of every list. Source: EventBridge API, the bounds of Limit.
var pages = page.Rules{
	Default:  100,
	BadToken: func(string) error { return invalid("Parameter NextToken is not valid.") },
}

// busName is the name of the bus that a call names, by its name, its ARN or not at all.
func busName(scope fargo.Scope, given *string) (string, error) {
	name := aws.ValueOr(given, record.DefaultEventBus)
	a, isARN := fargo.ParseARN(name)
	if !isARN {
		return name, nil
	}
	name = strings.TrimPrefix(a.Resource, "event-bus/")
	if a.Scope() != scope {
		return "", noBus(name)
	}
	return name, nil
}

// findBus is the name of a bus that is there.
func findBus(r store.Reader, scope fargo.Scope, given *string) (string, error) {
	name, err := busName(scope, given)
	if err == nil && !store.HasEventBus(r, scope, name) {
		err = noBus(name)
	}
	return name, err
}

// findRule is a rule of a bus.
func findRule(r store.Reader, scope fargo.Scope, name, bus *string) (*record.EventRule, error) {
	on, err := findBus(r, scope, bus)
	if err != nil {
		return nil, err
	}
	rule, ok := store.EventRules.Get(r, scope.Key(on, *name))
	if !ok {
		return nil, noRule(*name, on)
	}
	return rule, nil
}

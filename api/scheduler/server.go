// Package scheduler implements the operations of Amazon EventBridge Scheduler: schedules
// and their groups. It knows names, limits and texts; when a schedule is due is the
// business of package schedule, and firing it that of the controllers.
package scheduler

import (
	"context"
	"time"

	"fargo"
	"fargo/api"
	"fargo/api/page"
	"fargo/aws/scheduler"
	"fargo/store"
)

// Config is what a Server needs.
type Config struct {
	DB *store.DB
	// Assumable reports whether a role exists and trusts an AWS service
	// ("scheduler.amazonaws.com") that acts for a resource.
	Assumable func(r store.Reader, roleARN, service, resourceARN string) bool
	// Callable reports whether there is a function with an ARN that can be called. nil:
	// there are none.
	Callable func(functionARN string) bool
}

// Server answers the operations of EventBridge Scheduler.
type Server struct {
	db        *store.DB
	assumable func(r store.Reader, roleARN, service, resourceARN string) bool
	callable  func(functionARN string) bool
}

// New makes a server.
func New(c Config) *Server {
	if c.Callable == nil {
		c.Callable = func(string) bool { return false }
	}
	return &Server{db: c.DB, assumable: c.Assumable, callable: c.Callable}
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

// now is a time as Scheduler keeps it.
func now() time.Time { return time.Now().UTC().Truncate(time.Millisecond) }

func invalid(format string, args ...any) error { return scheduler.ValidationException(format, args...) }

// notImplemented names something that would change what happens, if Fargo knew how.
func notImplemented(what string) error { return invalid("Fargo does not implement %s.", what) }

// pages are those of every list. Source: EventBridge Scheduler API, the bounds of MaxResults.
var pages = page.Rules{
	Default:  100,
	BadToken: func(string) error { return invalid("Invalid NextToken.") },
}

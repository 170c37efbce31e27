// Package ssm implements two parts of AWS Systems Manager. Of Parameter Store:
// parameters with their versions and labels, and those that AWS publishes. Of Session
// Manager: the sessions of containers in ECS tasks. It refuses to know the rest of
// Systems Manager.
package ssm

import (
	"context"
	"time"

	"fargo"
	"fargo/api"
	"fargo/api/execsession"
	"fargo/api/page"
	"fargo/aws/ssm"
	"fargo/store"
)

// Config is what a Server needs.
type Config struct {
	DB *store.DB
	// ExecAgent is that of ECS Exec in tasks. Nil means that it never connects.
	ExecAgent execsession.Agent
}

// Server answers the operations, from and into the store.
type Server struct {
	db       *store.DB
	sessions execsession.Sessions
}

// New makes a server.
func New(c Config) *Server {
	return &Server{db: c.DB, sessions: execsession.Sessions{DB: c.DB, Agent: c.ExecAgent}}
}

// update runs fn in a transaction with the caller's scope.
func (s *Server) update(ctx context.Context, fn func(tx *store.Tx, scope fargo.Scope) error) error {
	scope := api.CallFrom(ctx).Scope()
	return s.db.Update(ctx, func(tx *store.Tx) error { return fn(tx, scope) })
}

// now is a time as Systems Manager has it: milliseconds, UTC.
func now() time.Time { return time.Now().UTC().Truncate(time.Millisecond) }

// pages are those of lists; the bounds of a page are in the model.
var pages = page.Rules{
	Default:  50,
	BadToken: func(string) error { return ssm.InvalidNextToken("The next token is not valid.") },
}

// invalid is Parameter Store's answer to what it cannot take.
func invalid(format string, args ...any) error { return ssm.ValidationException(format, args...) }

// notImplemented names something that would change what happens, if Fargo knew how.
func notImplemented(what string) error {
	return ssm.UnsupportedOperationException("Fargo does not implement %s.", what)
}

// notFound is the answer to a name that no parameter has. It says nothing more.
func notFound() error { return ssm.ParameterNotFound("") }

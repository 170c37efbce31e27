// Package cloudwatch implements the operations of Amazon CloudWatch: check, make one
// change, answer. It knows the API's names, limits and texts; it refuses to know how
// samples are kept and aggregated.
package cloudwatch

import (
	"context"
	"time"

	"fargo"
	"fargo/api"
	"fargo/aws/protocol"
	"fargo/metrics"
	"fargo/store"
)

// Config is what a Server needs.
type Config struct {
	DB      *store.DB
	Metrics *metrics.Store
	Now     func() time.Time
	// Pace divides the periods of alarms, and the waiting times of composite ones.
	Pace fargo.Pace
}

// Server answers the operations of CloudWatch.
type Server struct {
	db      *store.DB
	metrics *metrics.Store
	now     func() time.Time
	pace    fargo.Pace
}

// New makes a server.
func New(c Config) *Server { return &Server{db: c.DB, metrics: c.Metrics, now: c.Now, pace: c.Pace} }

// update runs fn in a transaction with the caller's scope.
func (s *Server) update(ctx context.Context, fn func(tx *store.Tx, scope fargo.Scope) error) error {
	scope := scopeOf(ctx)
	return s.db.Update(ctx, func(tx *store.Tx) error { return fn(tx, scope) })
}

func scopeOf(ctx context.Context) fargo.Scope { return api.CallFrom(ctx).Scope() }

// invalid is the error of input that the query protocol's services share.
func invalid(format string, args ...any) error {
	return protocol.Errorf("ValidationError", format, args...)
}

// Package ecs implements the operations of Amazon ECS: check, one transaction,
// answer. It knows ECS's nouns, rules and texts. It refuses to know how a task
// comes to run: it writes the desired state, and controllers reconcile it.
package ecs

import (
	"cmp"
	"context"
	"errors"
	"time"

	"fargo"
	"fargo/api"
	"fargo/api/execsession"
	"fargo/aws"
	"fargo/aws/ecs"
	"fargo/record"
	"fargo/store"
)

// Config is what a Server needs.
type Config struct {
	DB *store.DB
	// Assumable reports whether a role exists and trusts an AWS service
	// ("ecs-tasks.amazonaws.com") that acts for a resource.
	Assumable func(r store.Reader, roleARN, service, resourceARN string) bool
	// EnsureServiceRole makes the role that ECS has for itself in the account of a caller,
	// with the caller's permissions, unless it is there. Nil: there are no such roles.
	EnsureServiceRole func(ctx context.Context, service string) error
	// TrySysctl says whether the kernel of the machines takes a setting in a
	// network and an IPC namespace of a task's, and why not. Nil means that nobody
	// can say.
	TrySysctl func(name, value string) error
	// TryUlimit says the same of a hard limit; -1 means none.
	TryUlimit func(name string, hard int64) error
	// ExecAgent is that of ECS Exec in tasks. Nil means that it never connects.
	ExecAgent execsession.Agent
}

// Server answers the ECS operations, from and into the store.
type Server struct {
	db                *store.DB
	assumable         func(r store.Reader, roleARN, service, resourceARN string) bool
	trySysctl         func(name, value string) error
	tryUlimit         func(name string, hard int64) error
	ensureServiceRole func(ctx context.Context, service string) error
	sessions          execsession.Sessions
}

// New makes a server.
func New(c Config) *Server {
	return &Server{
		db: c.DB, ensureServiceRole: c.EnsureServiceRole, assumable: c.Assumable, trySysctl: c.TrySysctl, tryUlimit: c.TryUlimit,
		sessions: execsession.Sessions{DB: c.DB, Agent: c.ExecAgent},
	}
}

// defaultCluster is what a call means that names no cluster.
const defaultCluster = "default"

// inactive marks clusters that were deleted but can still be described.
const (
	statusActive   = "ACTIVE"
	statusInactive = "INACTIVE"
)

// cluster finds an active cluster by name or ARN; nil means "default".
func cluster(r store.Reader, scope fargo.Scope, id *string) (*record.Cluster, error) {
	name, err := clusterIDs.Name(scope, cmp.Or(aws.Value(id), defaultCluster))
	if err != nil {
		return nil, err
	}
	c, ok := store.Clusters.Get(r, scope.Key(name))
	switch {
	case !ok:
		return nil, ecs.ClusterNotFoundException("Cluster not found.")
	case *c.Cluster.Status == statusInactive:
		return nil, ecs.ClusterNotFoundException("The referenced cluster was inactive.")
	}
	return c, nil
}

// invalid is ECS's answer to a parameter it cannot take.
func invalid(format string, args ...any) error {
	return ecs.InvalidParameterException(format, args...)
}

// update runs fn in a transaction with the caller's scope.
func (s *Server) update(ctx context.Context, fn func(tx *store.Tx, scope fargo.Scope, now time.Time) error) error {
	scope := api.CallFrom(ctx).Scope()
	err := s.db.Update(ctx, func(tx *store.Tx) error { return fn(tx, scope, time.Now()) })
	if errors.Is(err, store.ErrClosed) {
		return ecs.ServerException("Service is shutting down.")
	}
	return err
}

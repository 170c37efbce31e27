// Package applicationautoscaling implements the operations of Application Auto Scaling.
// It knows the API's names, limits and texts; when and how far something is scaled is
// not for it to know. It has the services of ECS as scalable targets, and no others.
package applicationautoscaling

import (
	"context"
	"time"

	"fargo"
	"fargo/api"
	"fargo/api/page"
	"fargo/aws"
	autoscaling "fargo/aws/applicationautoscaling"
	"fargo/plan"
	"fargo/record"
	"fargo/store"
)

// Config is what a Server needs.
type Config struct {
	DB *store.DB
	// EnsureServiceRole makes the role that a service has for itself in the account of a
	// caller, with the caller's permissions, unless it is there.
	EnsureServiceRole func(ctx context.Context, service string) error
}

// Server answers the operations of Application Auto Scaling.
type Server struct {
	db                *store.DB
	ensureServiceRole func(ctx context.Context, service string) error
}

// New makes a server.
func New(c Config) *Server { return &Server{db: c.DB, ensureServiceRole: c.EnsureServiceRole} }

// update runs fn in a transaction with the caller's scope.
func (s *Server) update(ctx context.Context, fn func(tx *store.Tx, scope fargo.Scope) error) error {
	scope := scopeOf(ctx)
	return s.db.Update(ctx, func(tx *store.Tx) error { return fn(tx, scope) })
}

func scopeOf(ctx context.Context) fargo.Scope { return api.CallFrom(ctx).Scope() }

func now() time.Time { return time.Now().UTC() }

func invalid(format string, args ...any) error {
	return autoscaling.ValidationException(format, args...)
}

// notImplemented names something that would change what happens, if Fargo knew how.
func notImplemented(what string) error { return invalid("Fargo does not implement %s.", what) }

// pages are those of every list. Source: Application Auto Scaling API, MaxResults.
var pages = page.Rules{
	Default: 50, Most: 50,
	BadLimit: func(most int) error { return invalid("MaxResults must be between 1 and %d.", most) },
	BadToken: func(string) error { return autoscaling.InvalidNextTokenException("The next token is not valid.") },
}

// A targetName is how calls name a scalable target.
type targetName struct {
	namespace autoscaling.ServiceNamespace
	resource  string
	dimension autoscaling.ScalableDimension
}

// key is the target's place in the store.
func (n targetName) key(scope fargo.Scope) string {
	return record.ScalingKey(scope, n.namespace, n.resource, n.dimension)
}

// check refuses what cannot be a scalable target here.
func (n targetName) check() error {
	if n.namespace != autoscaling.ServiceNamespaceEcs {
		return notImplemented("the scaling of " + string(n.namespace))
	}
	if n.dimension != autoscaling.ScalableDimensionEcsServiceDesiredCount {
		return invalid("Unsupported service namespace, resource type or scalable dimension")
	}
	if cluster, service := plan.ScaledService(n.resource); cluster == "" || service == "" {
		return invalid("Unsupported service namespace, resource type or scalable dimension")
	}
	return nil
}

// find gives the scalable target that a call names.
func (n targetName) find(r store.Reader, scope fargo.Scope) (*record.ScalableTarget, error) {
	t, ok := store.ScalableTargets.Get(r, n.key(scope))
	if !ok {
		return nil, autoscaling.ObjectNotFoundException("No scalable target registered for service namespace: %s, resource ID: %s, scalable dimension: %s", n.namespace, n.resource, n.dimension)
	}
	return t, nil
}

// listed is what a call lists: all of a namespace, of a resource, or of a target.
func listed(scope fargo.Scope, namespace autoscaling.ServiceNamespace, resource *string, dimension autoscaling.ScalableDimension) (prefix string, err error) {
	switch {
	case resource == nil && dimension != "":
		return "", invalid("ScalableDimension requires a ResourceId.")
	case resource == nil:
		return scope.Key(string(namespace), ""), nil
	case dimension == "":
		return scope.Key(string(namespace), aws.Value(resource), ""), nil
	}
	return record.ScalingKey(scope, namespace, *resource, dimension, ""), nil
}

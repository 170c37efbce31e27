// Package elbv2 implements the operations of Elastic Load Balancing v2:
// application and network load balancers, their listeners and rules, target
// groups and targets. It knows their rules, defaults and texts. It refuses to
// know how a request is forwarded or a target is checked: it writes the desired
// state, and the balancers of nodes apply it.
package elbv2

import (
	"context"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"fargo"
	"fargo/api"
	"fargo/aws/elbv2"
	"fargo/aws/protocol"
	"fargo/store"
)

// Server answers the ELBv2 operations, from and into the store.
type Server struct {
	db                *store.DB
	public            netip.Prefix
	buckets           Buckets
	ensureServiceRole func(ctx context.Context, service string) error
}

// Config is what a [Server] needs.
type Config struct {
	DB *store.DB
	// Public is the range of public IPv4 addresses. The zero Prefix: there are none.
	Public netip.Prefix
	// Buckets are for logs. nil: there are none.
	Buckets Buckets
	// EnsureServiceRole makes the role that the service has for itself in the account of a
	// caller, with the caller's permissions, unless it is there. Nil: there are no such roles.
	EnsureServiceRole func(ctx context.Context, service string) error
}

// New makes a server.
func New(c Config) *Server {
	return &Server{db: c.DB, public: c.Public, buckets: c.Buckets, ensureServiceRole: c.EnsureServiceRole}
}

// service is the name of Elastic Load Balancing in ARNs.
const service = "elasticloadbalancing"

// update runs fn in a transaction with the caller's scope.
func (s *Server) update(ctx context.Context, fn func(tx *store.Tx, scope fargo.Scope, now time.Time) error) error {
	scope := api.CallFrom(ctx).Scope()
	return s.db.Update(ctx, func(tx *store.Tx) error { return fn(tx, scope, time.Now().Round(0).UTC()) })
}

// view is the store as it is now, and the caller's scope.
func (s *Server) view(ctx context.Context) (store.Reader, fargo.Scope) {
	return s.db.View(), api.CallFrom(ctx).Scope()
}

// invalid is the error of a parameter that cannot be, which the model does not
// name.
func invalid(format string, args ...any) error {
	return protocol.Errorf("ValidationError", format, args...)
}

// unfit is the error of settings that are valid, but not for what they are set on, or
// not together.
func unfit(format string, args ...any) error {
	return elbv2.InvalidConfigurationRequestException(format, args...)
}

// notImplemented names something that would change what happens, if Fargo knew
// how.
func notImplemented(what string) error {
	return elbv2.OperationNotPermittedException("Fargo does not implement %s.", what)
}

// integer reads a number written as its digits are and in no other way.
func integer(s string) (n int, ok bool) {
	n, err := strconv.Atoi(s)
	return n, err == nil && strconv.Itoa(n) == s
}

// gap is a parameter that Fargo does not implement, and whether it is asked for.
type gap struct {
	what string
	is   bool
}

// refuse refuses the first gap that is asked for.
func refuse(gaps ...gap) error {
	for _, g := range gaps {
		if g.is {
			return notImplemented(g.what)
		}
	}
	return nil
}

// checkTargetGroupName holds what a target group's name may be.
// Source: ELBv2 API, CreateTargetGroup.
func checkTargetGroupName(name string) error {
	switch {
	case len(name) > 32:
		return invalid("Target group name '%s' cannot be longer than '32' characters", name)
	case name == "" || !plain(name):
		return invalid("Target group name '%s' can only contain characters that are alphanumeric characters or hyphens(-)", name)
	case strings.Trim(name, "-") != name:
		return invalid("Target group name '%s' cannot begin or end with '-'", name)
	}
	return nil
}

func plain(name string) bool {
	return !strings.ContainsFunc(name, func(c rune) bool {
		return c != '-' && (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z')
	})
}

// sameSet reports whether two lists have the same members.
func sameSet(a, b []string) bool {
	a, b = slices.Clone(a), slices.Clone(b)
	slices.Sort(a)
	slices.Sort(b)
	return slices.Equal(slices.Compact(a), slices.Compact(b))
}

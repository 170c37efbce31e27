// Package api is the front of the house: it takes a request apart, finds out
// who sent it and what it asks for, and hands it to the service that means it.
// Each folder below is one AWS service and says what its operations mean: check,
// one transaction, answer. Nothing here knows of containers, kernels or nodes.
package api

import (
	"context"

	"fargo"
)

// Call is what the chain has found out about the request being served.
type Call struct {
	RequestID    string
	Service      string // our name: "ecs"
	Operation    string // "RunTask"
	Account      string
	Region       string
	PrincipalARN string // "arn:aws:iam::123456789012:user/admin"
	PrincipalID  string // "AIDA…", as STS shows it
	AccessKeyID  string
}

// Scope is where the call's resources live.
func (c *Call) Scope() fargo.Scope { return fargo.Scope{Account: c.Account, Region: c.Region} }

type callKey struct{}

// WithCall gives a context that carries c.
func WithCall(ctx context.Context, c *Call) context.Context {
	return context.WithValue(ctx, callKey{}, c)
}

// CallFrom gives the call a handler is serving. It panics outside of one: that
// is a bug in the wiring, not a condition.
func CallFrom(ctx context.Context) *Call { return ctx.Value(callKey{}).(*Call) }

// Gap is a field that an operation stores and shows but does not act on. The
// coverage page lists them all.
type Gap struct {
	Operation string // "RunTask"
	Field     string // by its wire path: "overrides.ephemeralStorage"
	Why       string // what a user should know, in a few words
}

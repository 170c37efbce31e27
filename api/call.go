// Package api serves the AWS APIs: it parses a request, authenticates its caller,
// decides by IAM policies what the caller may do, and calls the service's method
// for the operation. Each folder below is one AWS service: what its operations do
// (check, one transaction, answer) and, in actions.go, what they ask IAM for.
// Nothing here knows of containers, kernels or nodes.
package api

import (
	"context"
	"net/http"

	"fargo"
)

// Call describes the request that is being served.
type Call struct {
	RequestID string
	Service   string // our name: "ecs"
	Operation string // "RunTask"
	// Account and Region are where the resources are that the request names: the
	// caller's account, and the region it signed for.
	Account string
	Region  string
	// Host is what the client has called us by, perhaps with a port: the Host header.
	Host string
	// Size is that of the request's body in bytes, as it was sent: compressed, if it was.
	Size int
	Caller
	// Reply is what a handler adds to the answer that its output has no member for.
	Reply Reply
}

// Reply is a part of an answer, of a success or an error.
type Reply struct {
	Status int         // HTTP, of a success; 0 is the operation's
	Header http.Header // nil for none
}

// SetHeader sets a header of the answer.
func (c *Call) SetHeader(name, value string) {
	if c.Reply.Header == nil {
		c.Reply.Header = http.Header{}
	}
	c.Reply.Header.Set(name, value)
}

// Scope is the account and region of the call's resources.
func (c *Call) Scope() fargo.Scope { return fargo.Scope{Account: c.Account, Region: c.Region} }

type callKey struct{}

// WithCall gives a context that carries c.
func WithCall(ctx context.Context, c *Call) context.Context {
	return context.WithValue(ctx, callKey{}, c)
}

// CallFrom gives the call that a handler is serving. It panics when the context
// has none, which is a programming error.
func CallFrom(ctx context.Context) *Call { return ctx.Value(callKey{}).(*Call) }

// Gap is a field that an operation stores and shows but does not act on. The
// coverage page lists all gaps.
type Gap struct {
	Operation string // "RunTask"
	Field     string // by its wire path: "overrides.ephemeralStorage"
	Why       string // an explanation for users, in a few words
}

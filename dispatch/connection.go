package dispatch

import (
	"context"
	"sync"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/stats"
	"google.golang.org/grpc/status"
)

// connection is one transport connection of a node. What is called on it is called by
// the node whose session was opened on it: a call names no node, so that none can name
// another's.
type connection struct {
	mu   sync.Mutex
	node string // "" before the first session
}

// claim makes the connection node's for good. It fails when it is another's.
func (c *connection) claim(node string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.node != "" && c.node != node {
		return status.Errorf(codes.PermissionDenied, "the connection is that of node %s", c.node)
	}
	c.node = node
	return nil
}

// owner is the node whose connection it is.
func (c *connection) owner() (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.node == "" {
		return "", status.Error(codes.Unavailable, "no session has been opened on this connection")
	}
	return c.node, nil
}

type connectionKey struct{}

// connectionOf is the connection that a call came on.
func connectionOf(ctx context.Context) *connection {
	return ctx.Value(connectionKey{}).(*connection)
}

// connections has each call know its connection: gRPC derives the contexts of all
// calls from the one that TagConn gives.
type connections struct{}

// TagConn implements [stats.Handler].
func (connections) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context {
	return context.WithValue(ctx, connectionKey{}, &connection{})
}

// TagRPC implements [stats.Handler].
func (connections) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context { return ctx }

// HandleRPC implements [stats.Handler].
func (connections) HandleRPC(context.Context, stats.RPCStats) {}

// HandleConn implements [stats.Handler].
func (connections) HandleConn(context.Context, stats.ConnStats) {}

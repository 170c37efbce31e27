package api

import (
	"context"

	"fargo/aws/protocol"
)

// Prechecker is a server that checks every call before its operation: for what all
// operations of the service have in common, such as EC2's dry runs.
type Prechecker interface {
	Precheck(ctx context.Context, in any) error
}

// prechecked calls a server's Precheck, if it has one, before a handler.
func prechecked(server any, h protocol.Handler) protocol.Handler {
	p, ok := server.(Prechecker)
	if !ok || h == nil {
		return h
	}
	return func(ctx context.Context, in any) (any, error) {
		if err := p.Precheck(ctx, in); err != nil {
			return nil, err
		}
		return h(ctx, in)
	}
}

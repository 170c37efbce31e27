package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"fargo/aws/protocol"
)

// Observer is told of each request whose caller is known, before its answer is sent.
type Observer interface {
	// Served is called by many goroutines at once. It delays the answer.
	Served(*Served)
}

// Served is a request and its answer. What it leads to must not be changed, and not be
// used after [Observer.Served] has returned.
type Served struct {
	*Call
	Of        *protocol.Service
	Operation *protocol.Operation // of a forwarded service only a name
	Input     any                 // [*Forwarded] for a forwarded service; nil if it could not be decoded
	Output    any                 // nil of a failure, and of a forwarded service
	Err       *protocol.Error     // nil of a success
	HTTP      *http.Request       // nil of a call that Fargo makes itself
	Started   time.Time
}

// observe tells the observers. An anonymous caller is known only when an operation has
// accepted what it brought.
func (x *exchange) observe() {
	if !x.callerKnown || x.refused != nil && x.call.PrincipalARN == "" {
		return
	}
	s := Served{
		Call: &x.call, Of: x.operation.service, Operation: x.operation.Operation,
		Input: x.in, Output: x.out, Err: x.refused, HTTP: x.http, Started: x.started,
	}
	for _, o := range x.Observers {
		o.Served(&s)
	}
}

// Calls is what calls that Fargo makes itself, as somebody, go through.
type Calls struct {
	Authorizer Authorizer
	Observers  []Observer
}

// CallAs authorizes a call of a service, validates and does it, as is done with
// requests. c needs no names of the service.
func CallAs[In, Out any](
	ctx context.Context, through Calls, service *protocol.Service, c *Call, in *In, do func(context.Context, *In) (*Out, error),
) (*Out, error) {
	c.Service = service.Name
	s := Served{Call: c, Of: service, Operation: &protocol.Operation{Name: c.Operation}, Input: in, Started: time.Now()}
	out, err := callAs(ctx, through.Authorizer, service, c, in, do)
	if err == nil {
		s.Output = out
	}
	through.tell(&s, err)
	return out, err
}

// Authorize authorizes a call of a service that is not done through [CallAs]: what the
// observers are told is how this ends.
func (through Calls) Authorize(ctx context.Context, service *protocol.Service, c *Call, in any) error {
	c.Service = service.Name
	s := Served{Call: c, Of: service, Operation: &protocol.Operation{Name: c.Operation}, Input: in, Started: time.Now()}
	err := through.Authorizer.Authorize(ctx, c, in)
	through.tell(&s, err)
	return err
}

func (through Calls) tell(s *Served, err error) {
	if err != nil && !errors.As(err, &s.Err) {
		s.Err = internalFailure
	}
	for _, o := range through.Observers {
		o.Served(s)
	}
}

func callAs[In, Out any](
	ctx context.Context, a Authorizer, service *protocol.Service, c *Call, in *In, do func(context.Context, *In) (*Out, error),
) (*Out, error) {
	ctx = WithCall(ctx, c)
	if err := a.Authorize(ctx, c, in); err != nil {
		return nil, err
	}
	if violations := protocol.Validate(in); len(violations) > 0 {
		return nil, service.Refusal(c.Operation, violations)
	}
	return do(ctx, in)
}

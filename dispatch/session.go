package dispatch

import (
	"context"
	"errors"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"fargo"
	"fargo/desired"
)

// session serves one node until it disconnects, opens another session, or the
// server stops.
func (s *Server) session(stream grpc.ServerStream) error {
	var first up
	if err := stream.RecvMsg(&first); err != nil {
		return err
	}
	hello := helloOf(&first)
	if hello.ID == "" {
		return status.Error(codes.InvalidArgument, "a session begins with the node's name")
	}
	if !desired.Compatible(hello.Contract) {
		return status.Errorf(codes.FailedPrecondition,
			"the node has version %d of the contract with the control plane, which has version %d: they may differ by one", hello.Contract, desired.Version)
	}
	if err := connectionOf(stream.Context()).claim(hello.ID); err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(stream.Context())
	defer cancel(nil)
	leave, err := s.register(ctx, hello.ID, cancel)
	if err != nil {
		return toStatus(ctx, err)
	}
	defer leave()
	err = s.plane.Hello(ctx, hello)
	if err == nil && first.Hello == nil {
		err = s.plane.ReportEmpty(ctx, hello.ID) // it could not say so
	}
	if err != nil {
		return status.Error(codes.Unavailable, err.Error())
	}

	s.log.Info("node connected", "node", hello.ID)
	err = s.exchange(ctx, cancel, hello, stream)
	s.log.Info("node disconnected", "node", hello.ID, "reason", err)
	return status.Error(codes.Unavailable, err.Error())
}

// helloOf is what the first message of a session says of its node.
func helloOf(first *up) desired.Hello {
	h := desired.Hello{ID: first.Node}
	if first.Hello != nil {
		h = *first.Hello
	}
	h.Contract = first.Contract
	return h
}

// errReplaced ends a session whose node has opened a newer one.
var errReplaced = errors.New("the node has opened a newer session")

// register makes this the node's only session, ending the one before it. A node
// that lost its connection often reconnects before the loss is noticed here.
func (s *Server) register(ctx context.Context, node string, cancel context.CancelCauseFunc) (leave func(), err error) {
	mine := &activeSession{cancel: cancel, done: make(chan struct{})}
	s.mu.Lock()
	before := s.mu.sessions[node]
	s.mu.sessions[node] = mine
	s.mu.Unlock()
	leave = func() {
		s.mu.Lock()
		if s.mu.sessions[node] == mine {
			delete(s.mu.sessions, node)
		}
		s.mu.Unlock()
		close(mine.done)
	}
	if before != nil {
		before.cancel(errReplaced)
		<-before.done // its calls to the plane end with its context
	}
	if err := ctx.Err(); err != nil {
		leave()
		return nil, err
	}
	return leave, nil
}

// exchange sends and receives until either fails, and gives the first error.
// The goroutine that reads the stream ends only after the handler has returned,
// so it calls nothing else.
func (s *Server) exchange(ctx context.Context, cancel context.CancelCauseFunc, hello desired.Hello, stream grpc.ServerStream) error {
	received := make(chan up)
	acks := make(chan uint64)
	go func() {
		for {
			var m up
			if err := stream.RecvMsg(&m); err != nil {
				cancel(err)
				return
			}
			select {
			case received <- m:
			case <-ctx.Done():
				return
			}
		}
	}()
	var both sync.WaitGroup
	both.Go(func() { cancel(s.commit(ctx, hello.ID, received, acks)) })
	both.Go(func() { cancel(s.send(ctx, hello, stream, acks)) })
	both.Wait()
	return context.Cause(ctx)
}

// commit hands each batch of reports to the plane; those of tasks it then has
// acknowledged.
func (s *Server) commit(ctx context.Context, node string, received <-chan up, acks chan<- uint64) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case m := <-received:
			if len(m.Targets) > 0 {
				if err := whenWritable(ctx, func() error { return s.plane.ReportTargets(ctx, node, m.Targets) }); err != nil {
					return err
				}
			}
			if m.Empty {
				if err := whenWritable(ctx, func() error { return s.plane.ReportEmpty(ctx, node) }); err != nil {
					return err
				}
			}
			if len(m.Reports) == 0 {
				continue
			}
			if err := whenWritable(ctx, func() error { return s.plane.Report(ctx, node, m.Reports) }); err != nil {
				return err
			}
			select {
			case <-ctx.Done():
				return ctx.Err()
			case acks <- m.Version:
			}
		}
	}
}

// writablePause is how often is tried what the plane has no room for.
const writablePause = time.Second

// whenWritable calls fn until it fails for another reason than that nothing can be
// written now. The node keeps what it has reported until then, and its session:
// what the node is sent needs no writing.
func whenWritable(ctx context.Context, fn func() error) error {
	for {
		err := fn()
		if !errors.Is(err, fargo.ErrNotWritable) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(writablePause):
		}
	}
}

// send is the one writer of the stream: the whole first, then what changes,
// and acknowledgements in between.
func (s *Server) send(ctx context.Context, hello desired.Hello, stream grpc.ServerStream, acks <-chan uint64) error {
	ctx, cancel := context.WithCancel(ctx)
	var following sync.WaitGroup
	defer following.Wait()
	defer cancel()
	deltas, followed := make(chan desired.Delta), make(chan error, 1)
	following.Go(func() {
		followed <- s.plane.Follow(ctx, hello.ID, func(d desired.Delta) error {
			select {
			case deltas <- d:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
	})
	var ready <-chan uint64 // acks, once the whole is sent
	for {
		var m down
		select {
		case err := <-followed:
			return err
		case m.Acknowledged = <-ready:
		case d := <-deltas:
			if m.Delta = &d; ready == nil {
				whole := desired.Apply(desired.State{}, &d)
				m, ready = down{Desired: &whole}, acks
			}
		}
		if err := stream.SendMsg(&m); err != nil {
			return err
		}
	}
}

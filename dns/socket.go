package dns

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"time"

	"github.com/miekg/dns"
)

// The delays between attempts to open a socket: doubling from the first to the
// maximum.
const (
	firstRetry = 10 * time.Millisecond
	maxRetry   = 250 * time.Millisecond
)

// idle is how long a TCP connection may be silent. Source: RFC 7766, 6.2.3.
const idle = 10 * time.Second

// checkInterval is how often sockets are checked without an event.
const checkInterval = 5 * time.Second

// serve keeps a socket open at every endpoint, until ctx ends.
//
// A socket outlives its router, and a new router may have replaced the old one; or
// the socket may have failed. In both cases the address takes another socket, which
// then replaces the old one.
func (s *Server) serve(ctx context.Context) {
	defer s.closeOthers(nil)
	delay := firstRetry
	for {
		wait := checkInterval
		if err := s.openSockets(ctx); err != nil {
			wait, delay = delay, min(2*delay, maxRetry)
			if wait < maxRetry && delay == maxRetry { // not each time
				s.cfg.Logger.Warn("the resolver does not listen everywhere", "err", err)
			}
		} else {
			delay = firstRetry
		}
		select {
		case <-ctx.Done():
			return
		case <-s.sockets:
			delay = firstRetry
		case <-time.After(wait):
		}
	}
}

// openSockets opens the sockets of the view that are not open. The error is of those
// that are still missing.
func (s *Server) openSockets(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	v := s.view.Load()
	if v == nil {
		return nil
	}
	var missing []error
	for _, e := range v.endpoints() {
		before := s.mu.serving[e]
		stop, err := s.listen(ctx, e)
		switch {
		case err == nil:
			if before != nil {
				before()
			}
			s.mu.serving[e] = stop
		case before == nil:
			missing = append(missing, fmt.Errorf("%s in %s: %w", e.addr, e.vpc, err))
		}
	}
	return errors.Join(missing...)
}

// closeOthers closes the sockets that are not at wanted and returns when they
// are closed.
func (s *Server) closeOthers(wanted []endpoint) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for e, stop := range s.mu.serving {
		if !slices.Contains(wanted, e) {
			stop()
			delete(s.mu.serving, e)
		}
	}
}

// listen answers at an endpoint until stop is called. stop cancels the queries under
// way and returns when the socket is closed.
func (s *Server) listen(ctx context.Context, e endpoint) (stop func(), err error) {
	ctx, cancel := context.WithCancel(ctx)
	server := &dns.Server{
		UDPSize:     datagram,
		ReadTimeout: idle,
		IdleTimeout: func() time.Duration { return idle },
		Handler: dns.HandlerFunc(func(w dns.ResponseWriter, msg *dns.Msg) {
			answer := s.resolve(ctx, e.vpc, msg)
			fit(answer, msg, e.tcp)
			if err := w.WriteMsg(answer); err != nil {
				s.cfg.Logger.Debug("answer not sent", "to", w.RemoteAddr(), "err", err)
			}
		}),
	}
	if e.tcp {
		server.Listener, err = s.cfg.Network.ListenTCP(e.vpc, e.addr)
	} else {
		var c *net.UDPConn
		c, err = s.cfg.Network.ListenUDP(e.vpc, e.addr)
		server.PacketConn = c
	}
	if err != nil {
		cancel()
		return nil, err
	}
	begun, ended := make(chan struct{}), make(chan struct{})
	server.NotifyStartedFunc = func() { close(begun) }
	go func() {
		defer close(ended)
		_ = server.ActivateAndServe() // openSockets finds a socket that broke
	}()
	return func() {
		cancel()
		select {
		case <-begun: // only then can it be shut down
			_ = server.Shutdown()
		case <-ended:
		}
		<-ended
	}, nil
}

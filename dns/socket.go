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

// How soon to try again for a socket that cannot be had yet: doubling from the
// first to the last.
const (
	firstTry = 10 * time.Millisecond
	lastTry  = 250 * time.Millisecond
)

// idle is how long a TCP connection may be silent. Source: RFC 7766, 6.2.3.
const idle = 10 * time.Second

// lookEvery is how often sockets are looked after without a cause.
const lookEvery = 5 * time.Second

// serve keeps a socket wherever one should be, until ctx ends.
//
// A socket outlives its router, and a new router may have taken the place of
// the old one, or the socket may have broken. All that comes to the same: the
// address takes another one, which then replaces it.
func (s *Server) serve(ctx context.Context) {
	defer s.closeAllBut(nil)
	try := firstTry
	for {
		wait := lookEvery
		if err := s.follow(ctx); err != nil {
			wait, try = try, min(2*try, lastTry)
			if wait < lastTry && try == lastTry { // not each time
				s.cfg.Logger.Warn("names cannot be asked for everywhere", "err", err)
			}
		} else {
			try = firstTry
		}
		select {
		case <-ctx.Done():
			return
		case <-s.sockets:
			try = firstTry
		case <-time.After(wait):
		}
	}
}

// follow has sockets where the view wants them. The error is of those that are
// still missing.
func (s *Server) follow(ctx context.Context) error {
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

// closeAllBut closes the sockets that are not at wanted and returns when they
// are closed.
func (s *Server) closeAllBut(wanted []endpoint) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for e, stop := range s.mu.serving {
		if !slices.Contains(wanted, e) {
			stop()
			delete(s.mu.serving, e)
		}
	}
}

// listen answers at an endpoint until stop, which cuts questions short that are
// under way, and returns when the socket is closed.
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
		_ = server.ActivateAndServe() // follow finds a socket that broke
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

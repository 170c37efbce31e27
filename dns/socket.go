package dns

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"syscall"
	"time"

	"github.com/miekg/dns"
)

// How soon to try again for a socket that cannot be had yet: doubling from the
// first to the last.
const (
	firstTry = 10 * time.Millisecond
	lastTry  = 250 * time.Millisecond
)

// lookEvery is how often sockets are looked after without a cause.
const lookEvery = 5 * time.Second

// serve keeps a socket wherever one should be, until ctx ends.
//
// A socket outlives its router, and a new router may have taken the place of
// the old one, or the socket may have broken. All that comes to the same: the
// address takes another one, which then replaces it.
func (s *Server) serve(ctx context.Context) {
	var all sync.WaitGroup
	defer all.Wait()
	serving := map[endpoint]context.CancelFunc{}
	defer func() {
		for _, stop := range serving {
			stop()
		}
	}()
	try := firstTry
	for {
		wait := lookEvery
		if err := s.follow(ctx, &all, serving); err != nil {
			if wait = try; wait == lastTry {
				s.cfg.Logger.Warn("names cannot be asked for everywhere", "err", err)
			}
			try = min(2*try, lastTry)
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

// follow makes serving what the view wants. The error is of sockets that are
// still missing.
func (s *Server) follow(ctx context.Context, all *sync.WaitGroup, serving map[endpoint]context.CancelFunc) error {
	v := s.view.Load()
	if v == nil {
		return nil
	}
	wanted := map[endpoint]bool{}
	var missing []error
	for _, e := range v.endpoints() {
		wanted[e] = true
		server, err := s.listen(ctx, e)
		switch stop := serving[e]; {
		case err == nil:
			if stop != nil {
				stop()
			}
			serving[e] = start(ctx, all, server)
		case stop == nil:
			missing = append(missing, fmt.Errorf("%s in %s: %w", e.addr, e.vpc, err))
		case !errors.Is(err, syscall.EADDRINUSE):
			stop() // the router is gone, or the address
			delete(serving, e)
			missing = append(missing, fmt.Errorf("%s in %s: %w", e.addr, e.vpc, err))
		}
	}
	for e, stop := range serving {
		if !wanted[e] {
			stop()
			delete(serving, e)
		}
	}
	return errors.Join(missing...)
}

// listen makes a socket and what answers from it.
func (s *Server) listen(ctx context.Context, e endpoint) (*dns.Server, error) {
	server := &dns.Server{
		UDPSize:     datagram,
		ReadTimeout: 10 * time.Second,
		IdleTimeout: func() time.Duration { return 10 * time.Second },
		Handler: dns.HandlerFunc(func(w dns.ResponseWriter, msg *dns.Msg) {
			answer := s.resolve(ctx, e.vpc, msg)
			fit(answer, msg, e.tcp)
			if err := w.WriteMsg(answer); err != nil {
				s.cfg.Logger.Debug("answer not sent", "to", w.RemoteAddr(), "err", err)
			}
		}),
	}
	if e.tcp {
		l, err := s.cfg.Network.ListenTCP(e.vpc, e.addr)
		server.Listener = l
		return server, err
	}
	c, err := s.cfg.Network.ListenUDP(e.vpc, e.addr)
	server.PacketConn = c
	return server, err
}

// start has a server answer until stop is called or ctx ends.
func start(ctx context.Context, all *sync.WaitGroup, server *dns.Server) (stop context.CancelFunc) {
	ctx, stop = context.WithCancel(ctx)
	begun, ended := make(chan struct{}), make(chan struct{})
	server.NotifyStartedFunc = func() { close(begun) }
	all.Go(func() {
		defer close(ended)
		_ = server.ActivateAndServe() // a socket that broke is found by follow
	})
	all.Go(func() {
		defer stop()
		select {
		case <-ended: // before it began
			return
		case <-begun:
		}
		select {
		case <-ended:
		case <-ctx.Done():
			_ = server.Shutdown() // returns when all answers under way are given
		}
	})
	return stop
}

// Package sockets keeps a server at every place where there should be one, also at
// those that cannot be listened at yet, or whose network was made anew. It does not
// know what a place is, nor what is served there.
package sockets

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"
)

// The delays between attempts to open a socket: doubling from the first to the
// maximum.
const (
	firstRetry = 10 * time.Millisecond
	maxRetry   = 250 * time.Millisecond
)

// checkInterval is how often sockets are checked without an event.
const checkInterval = 5 * time.Second

// Place is where a socket may be. Two that are equal take one socket.
type Place interface {
	comparable
	fmt.Stringer
}

// Config is the configuration of a set. All fields are required.
type Config[P Place] struct {
	// Name is of what is served, for the log: "resolver".
	Name string
	// Listen serves at a place until stop is called, which returns when the socket is
	// closed. It must fail when the place has a socket already: that is how a set
	// finds out that the network it was in has been replaced.
	Listen func(ctx context.Context, at P) (stop func(), err error)
	Logger *slog.Logger
}

// Set is a set of places, with a socket at each.
type Set[P Place] struct {
	cfg     Config[P]
	changed chan struct{} // has an element when there is a newer set

	mu struct {
		sync.Mutex
		wanted  []P
		serving map[P]func() // what closes it
	}
}

// New makes an empty set; Run opens its sockets.
func New[P Place](cfg Config[P]) *Set[P] {
	s := &Set[P]{cfg: cfg, changed: make(chan struct{}, 1)}
	s.mu.serving = map[P]func(){}
	return s
}

// Set replaces the places. It may be called before Run. When it returns, sockets
// elsewhere are closed; those at new places are opened as soon as they can be.
func (s *Set[P]) Set(places []P) {
	s.mu.Lock()
	s.mu.wanted = places
	s.closeOthers(places)
	s.mu.Unlock()
	select {
	case s.changed <- struct{}{}:
	default:
	}
}

// Run keeps a socket open at every place, until ctx ends; then all are closed.
//
// A socket outlives its network, and a new one may have replaced that; or the socket
// may have failed. In both cases the place takes another socket, which then replaces
// the old one.
func (s *Set[P]) Run(ctx context.Context) {
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.closeOthers(nil)
	}()
	delay := firstRetry
	for {
		wait := checkInterval
		if err := s.open(ctx); err != nil {
			wait, delay = delay, min(2*delay, maxRetry)
			if wait < maxRetry && delay == maxRetry { // not each time
				s.cfg.Logger.Warn("the "+s.cfg.Name+" does not listen everywhere", "err", err)
			}
		} else {
			delay = firstRetry
		}
		select {
		case <-ctx.Done():
			return
		case <-s.changed:
			delay = firstRetry
		case <-time.After(wait):
		}
	}
}

// open opens the sockets that are not open. The error is of those that are still
// missing.
func (s *Set[P]) open(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var missing []error
	for _, p := range s.mu.wanted {
		before := s.mu.serving[p]
		stop, err := s.cfg.Listen(ctx, p)
		switch {
		case err == nil:
			if before != nil {
				before()
			}
			s.mu.serving[p] = stop
		case before == nil:
			missing = append(missing, fmt.Errorf("%s: %w", p, err))
		}
	}
	return errors.Join(missing...)
}

// closeOthers closes the sockets that are not at wanted, and returns when they are
// closed. mu is held.
func (s *Set[P]) closeOthers(wanted []P) {
	for p, stop := range s.mu.serving {
		if !slices.Contains(wanted, p) {
			stop()
			delete(s.mu.serving, p)
		}
	}
}

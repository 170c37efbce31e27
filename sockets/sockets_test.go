package sockets

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

type place string

func (p place) String() string { return string(p) }

// network is what places are in: each takes one socket.
type network struct {
	sync.Mutex
	taken map[place]*struct{ int } // the socket there
	gone  map[place]bool           // cannot be listened at
	log   []string
}

func (n *network) Listen(_ context.Context, at place) (func(), error) {
	n.Lock()
	defer n.Unlock()
	if n.gone[at] || n.taken[at] != nil {
		return nil, errors.New("no")
	}
	socket := &struct{ int }{}
	n.taken[at] = socket
	n.log = append(n.log, "+"+string(at))
	return func() {
		n.Lock()
		defer n.Unlock()
		if n.taken[at] == socket {
			n.taken[at] = nil
		}
		n.log = append(n.log, "-"+string(at))
	}, nil
}

// since gives what was opened and closed since the last call, once nothing more is.
func (n *network) since() string {
	synctest.Wait()
	n.Lock()
	defer n.Unlock()
	log := n.log
	n.log = nil
	slices.Sort(log)
	return strings.Join(log, " ")
}

func TestSet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &network{taken: map[place]*struct{ int }{}, gone: map[place]bool{"late": true}}
		s := New(Config[place]{Name: "test", Listen: n.Listen, Logger: slog.New(slog.DiscardHandler)})
		expect := func(what, want string) {
			t.Helper()
			if got := n.since(); got != want {
				t.Errorf("%s: %q, want %q", what, got, want)
			}
		}
		s.Set([]place{"a", "b", "late"})
		expect("before Run", "")
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { defer close(ended); s.Run(ctx) }()
		expect("a place that cannot be listened at keeps no other from it", "+a +b")
		n.Lock()
		n.gone["late"] = false
		n.Unlock()
		<-time.After(2 * maxRetry)
		expect("it is there", "+late")
		s.Set([]place{"b", "late"})
		n.Lock()
		closed := n.taken["a"] == nil
		n.Unlock()
		if !closed {
			t.Error("a is open when Set has returned")
		}
		expect("one less", "-a")
		n.Lock()
		n.taken["b"] = nil // its network was made anew
		n.Unlock()
		<-time.After(2 * checkInterval)
		expect("anew", "+b -b")
		cancel()
		<-ended
		expect("the end", "-b -late")
	})
}

package netconn

import (
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// coalescingPair gives a connection whose writes are coalesced, the other end of it, and what is to
// be waited for.
func coalescingPair(t *testing.T, idle time.Duration) (*Coalescing, net.Conn, *sync.WaitGroup) {
	c, peer := pair(t)
	tasks := new(sync.WaitGroup)
	return Coalesce(c, idle, tasks), peer, tasks
}

// What several goroutines write arrives in full before the end, each one's in its
// order.
func TestCoalesce(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		sizes := rapid.SliceOfN(rapid.SliceOfN(rapid.IntRange(1, 100<<10), 0, 10), 1, 4).Draw(r, "sizes by writer")
		g, peer, tasks := coalescingPair(t, time.Hour)
		tasks.Add(1)
		var writing sync.WaitGroup
		total := 0
		for i, of := range sizes {
			for _, size := range of {
				total += size
			}
			writing.Go(func() {
				for _, size := range of {
					line := strings.Repeat(string(rune('a'+i)), size)
					if n, err := g.Write([]byte(line)); n != size || err != nil {
						t.Errorf("%d of %d: %v", n, size, err)
					}
				}
			})
		}
		go func() {
			defer tasks.Done()
			writing.Wait()
			if err := g.Close(); err != nil {
				t.Error(err)
			}
		}()
		got, err := io.ReadAll(peer)
		if len(got) != total || err != nil {
			r.Fatalf("%d bytes of %d, %v", len(got), total, err)
		}
		for i, of := range sizes {
			want := 0
			for _, size := range of {
				want += size
			}
			if n := strings.Count(string(got), string(rune('a'+i))); n != want {
				r.Fatalf("writer %d: %d bytes of %d", i, n, want)
			}
		}
		tasks.Wait()
		if _, err := g.Write([]byte("x")); !errors.Is(err, net.ErrClosed) {
			r.Fatalf("a write after the end: %v", err)
		}
	})
}

// Writes that follow each other become one.
func TestCoalesceAtOnce(t *testing.T) {
	counting := &countingConn{}
	g := Coalesce(counting, time.Hour, new(sync.WaitGroup))
	g.mu.scheduled = true // that somebody will write
	for i := range 100 {
		fmt.Fprintf(g, "%d,", i)
	}
	g.tasks.Add(1)
	g.flushLater()
	if counting.writes != 1 || !strings.HasPrefix(counting.got, "0,1,2,") || !strings.HasSuffix(counting.got, ",98,99,") {
		t.Errorf("%d writes: %s", counting.writes, counting.got)
	}
}

type countingConn struct {
	net.Conn
	writes int
	got    string
}

func (c *countingConn) SetWriteDeadline(time.Time) error { return nil }
func (c *countingConn) Write(b []byte) (int, error) {
	c.writes++
	c.got += string(b)
	return len(b), nil
}

// A client that takes nothing for the idle time is let go, and so is one when its
// connection is closed.
func TestCoalesceWithoutReader(t *testing.T) {
	for name, test := range map[string]struct {
		idle time.Duration
		end  func(*Coalescing)
	}{
		"idle":   {0, func(*Coalescing) {}},
		"closed": {time.Hour, func(g *Coalescing) { g.Close() }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g, _, tasks := coalescingPair(t, test.idle)
			full := make(chan error, 1)
			tasks.Go(func() {
				for {
					if _, err := g.Write(make([]byte, 1<<20)); err != nil {
						full <- err
						return
					}
				}
			})
			test.end(g)
			if err := <-full; !IsTimeout(err) && !errors.Is(err, net.ErrClosed) {
				t.Error(err)
			}
			tasks.Wait()
		})
	}
}

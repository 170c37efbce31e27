package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/containerd/errdefs"
	"golang.org/x/sys/unix"

	"fargo/desired"
	"fargo/dispatch/dispatchtest"
	"fargo/secret"
)

const testTimeout = 20 * time.Second

// shipping is an output on a real folder with the kernel's watcher, and a
// control plane that may be away.
type shipping struct {
	*output
	t     *testing.T
	plane *dispatchtest.Plane
	dir   string
	mu    sync.Mutex
	away  bool
	sent  []desired.LogBatch
}

func newShipping(t *testing.T) *shipping {
	s := &shipping{t: t, plane: dispatchtest.New(), dir: t.TempDir()}
	s.plane.AddGroup("g")
	return s
}

func (s *shipping) OpenLog(ctx context.Context, t desired.LogTarget) error {
	return s.plane.OpenLog(ctx, t)
}

func (s *shipping) Secret(context.Context, desired.SecretID) (secret.Text, error) {
	return secret.Text{}, errdefs.ErrNotFound
}

func (s *shipping) AppendLogs(ctx context.Context, b desired.LogBatch) (int64, error) {
	s.mu.Lock()
	away := s.away
	s.sent = append(s.sent, b)
	s.mu.Unlock()
	if away {
		<-ctx.Done()
		return 0, ctx.Err()
	}
	return s.plane.AppendLogs(ctx, b)
}

// begin ships until the function returned is called.
func (s *shipping) begin() (stop func()) {
	s.t.Helper()
	disk := disk{dir: s.dir, memory: s.dir}
	if err := disk.prepare(); err != nil {
		s.t.Fatal(err)
	}
	s.output = newOutput(disk, s, Inotify{}, slog.New(slog.NewTextHandler(s.t.Output(), nil)))
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	if err := s.open(ctx, &all, func(string) bool { return true }); err != nil {
		s.t.Fatal(err)
	}
	var once sync.Once
	stop = func() { once.Do(func() { cancel(); all.Wait() }) }
	s.t.Cleanup(stop)
	return stop
}

func (s *shipping) append(id, text string) {
	s.t.Helper()
	f, err := os.OpenFile(s.path(id), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		s.t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString(text); err != nil {
		s.t.Fatal(err)
	}
}

func (s *shipping) start(id string, target desired.LogTarget) {
	s.t.Helper()
	target.Group, target.Stream = "g", id
	if err := s.output.begin(id, target); err != nil {
		s.t.Fatal(err)
	}
}

func (s *shipping) wait(id string, want ...string) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), testTimeout)
	defer cancel()
	if s.plane.Wait(ctx, func() bool { return slices.Equal(s.plane.Messages("g", id), want) }) != nil {
		s.t.Fatalf("%s has %.300q", id, s.plane.Messages("g", id))
	}
}

func (s *shipping) end(id string) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), testTimeout)
	defer cancel()
	if err := s.finish(ctx, id); err != nil {
		s.t.Fatal(err)
	}
	for _, path := range []string{s.path(id), s.path(id) + ".json"} {
		if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
			s.t.Errorf("%s is left: %v", path, err)
		}
	}
}

func TestOutputIsShipped(t *testing.T) {
	s := newShipping(t)
	s.begin()
	s.start("c", desired.LogTarget{})
	s.append("c", "one\ntwo\nhal")
	s.wait("c", "one", "two")
	s.append("c", "f\nlast")
	s.wait("c", "one", "two", "half")
	s.end("c")
	s.wait("c", "one", "two", "half", "last")
	s.end("c") // again
}

func TestMultilineEventsAreJoined(t *testing.T) {
	s := newShipping(t)
	s.begin()
	s.start("c", desired.LogTarget{MultilineStart: "^ERROR"})
	s.append("c", "ERROR a\n at x\nERROR b\n")
	s.wait("c", "ERROR a\n at x", "ERROR b") // b once nothing follows
	s.end("c")
}

// A node that restarts, with the control plane away or there, ships each line
// once.
func TestShippingGoesOnAfterRestart(t *testing.T) {
	s := newShipping(t)
	stop := s.begin()
	s.start("c", desired.LogTarget{})
	s.append("c", "one\n")
	s.wait("c", "one")
	s.mu.Lock()
	s.away = true
	s.mu.Unlock()
	s.append("c", "two\n")
	stop()
	s.append("c", "three\n")
	s.mu.Lock()
	s.away = false
	s.mu.Unlock()
	s.begin()
	s.wait("c", "one", "two", "three")
	s.end("c")
}

// A node that died before it noted where the control plane is asks, and goes on
// from there.
func TestShippingFollowsTheReceiver(t *testing.T) {
	s := newShipping(t)
	stop := s.begin()
	s.start("c", desired.LogTarget{})
	s.append("c", "one\ntwo\n")
	s.wait("c", "one", "two")
	stop()
	l := newShipper(s.output, "c")
	l.cursor = cursor{Target: desired.LogTarget{Group: "g", Stream: "c"}}
	if err := l.save(); err != nil {
		t.Fatal(err)
	}
	s.append("c", "three\n")
	s.begin()
	s.wait("c", "one", "two", "three")
	s.end("c")
}

func TestDeletedGroupDropsOutput(t *testing.T) {
	s := newShipping(t)
	stop := s.begin()
	s.start("c", desired.LogTarget{})
	s.plane.RemoveGroup("g")
	s.append("c", "one\n")
	deadline := time.Now().Add(testTimeout)
	for {
		var c cursor
		if err := load(s.path("c")+".json", &c); err != nil {
			t.Fatal(err)
		}
		if c.Dropped {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("not dropped")
		}
	}
	stop()
	s.append("c", "two\n")
	s.begin()
	s.end("c")
}

// Much output comes in batches within the bounds, in order, and the room of
// what is delivered is given back while the container still runs.
func TestMuchOutput(t *testing.T) {
	s := newShipping(t)
	s.begin()
	s.start("c", desired.LogTarget{})
	var want []string
	var text strings.Builder
	for i := range 60_000 {
		want = append(want, fmt.Sprintf("line %d %s", i, strings.Repeat("x", i%100)))
		fmt.Fprintln(&text, want[i])
	}
	s.append("c", text.String())
	s.wait("c", want...)
	s.mu.Lock()
	for _, b := range s.sent {
		size := 0
		for _, e := range b.Events {
			size += len(e.Message) + eventOverhead
		}
		if len(b.Events) > maxBatchEvents || size > maxBatchBytes {
			t.Errorf("batch of %d events, %d bytes", len(b.Events), size)
		}
	}
	s.mu.Unlock()
	info, err := os.Stat(s.path("c"))
	if err != nil {
		t.Fatal(err)
	}
	if used := info.Sys().(*syscall.Stat_t).Blocks * 512; used > punchStep+maxBatchBytes && canPunch(t) {
		t.Errorf("%d bytes of %d still on disk", used, info.Size())
	}
	s.end("c")
}

// canPunch reports whether the filesystem of temporary folders can.
func canPunch(t *testing.T) bool {
	f, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	return unix.Fallocate(int(f.Fd()), unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE, 0, 1) == nil
}

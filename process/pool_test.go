package process

import (
	"context"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// poolOf is a pool of children in dir, which ends them with the test.
func poolOf(t *testing.T, dir, build string) *Pool {
	t.Helper()
	members := filepath.Join(dir, "pool")
	p := &Pool{
		Name: "test", Dir: members, Log: filepath.Join(dir, "log"),
		Args: []string{child, members, build, bySignal}, Build: build,
		Listen: func(path string) (*os.File, error) {
			l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
			if err != nil {
				return nil, err
			}
			l.SetUnlinkOnClose(false)
			defer l.Close()
			return l.File()
		},
		Grace: time.Minute, Logger: slog.New(slog.DiscardHandler),
	}
	t.Cleanup(func() {
		if err := p.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return p
}

func startMember(t *testing.T, p *Pool) *Member {
	t.Helper()
	m, err := p.Start()
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// pids are those of the members that a pool finds, with whether each is current.
func pids(t *testing.T, p *Pool) map[int]bool {
	t.Helper()
	members, err := p.Find(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	found := map[int]bool{}
	for _, m := range members {
		found[m.PID()] = m.Current()
	}
	return found
}

// The next pool of the same directory finds what the last one started, at once.
func TestPoolFindsItsMembers(t *testing.T) {
	dir := t.TempDir()
	p := poolOf(t, dir, "one")
	if found := pids(t, p); len(found) != 0 {
		t.Errorf("before any was started: %v", found)
	}
	first, second := startMember(t, p), startMember(t, p)
	if first.Socket() == second.Socket() {
		t.Errorf("both have %s", first.Socket())
	}
	for build, current := range map[string]bool{"one": true, "two": false} {
		found := pids(t, poolOf(t, dir, build))
		if got, ok := found[first.PID()]; !ok || got != current {
			t.Errorf("build %s finds %v", build, found)
		}
		if got, ok := found[second.PID()]; !ok || got != current || len(found) != 2 {
			t.Errorf("build %s finds %v", build, found)
		}
	}
}

// What has ended leaves nothing behind, whichever way it went.
func TestPoolForgetsWhatHasEnded(t *testing.T) {
	p := poolOf(t, t.TempDir(), "one")
	left, killed, abandoned := startMember(t, p), startMember(t, p), startMember(t, p)
	pids(t, p) // until all have started
	if err := left.Leave(); err != nil {
		t.Fatal(err)
	}
	if err := killed.Kill(); err != nil {
		t.Fatal(err)
	}
	for _, m := range []*Member{left, killed} {
		if err := m.Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	// Another process may see it end without waiting for it.
	if err := abandoned.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := abandoned.process.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	if found := pids(t, p); len(found) != 0 {
		t.Errorf("found %v", found)
	}
	if files, err := os.ReadDir(p.Dir); err != nil || len(files) != 0 {
		t.Errorf("the pool's directory has %v, %v", files, err)
	}
}

// A member that is about to end is not found, keeps its number, and is ended by
// Stop.
func TestPoolStopsWhatIsAboutToEnd(t *testing.T) {
	p := poolOf(t, t.TempDir(), "one")
	ending := startMember(t, p)
	pids(t, p)
	if err := ending.files.RemoveSocket(); err != nil {
		t.Fatal(err)
	}
	if found := pids(t, p); len(found) != 0 {
		t.Errorf("found %v", found)
	}
	next := startMember(t, p)
	if next.files.Number != ending.files.Number+1 {
		t.Errorf("the next has number %d", next.files.Number)
	}
	if err := p.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, m := range []*Member{ending, next} {
		if how := m.process.reap(); how != "signal: interrupt" {
			t.Errorf("%d ended by %q", m.files.Number, how)
		}
	}
}

package node

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/tinylib/msgp/msgp"
)

// logRouter listens where a task's log router would.
type logRouter struct {
	t        *testing.T
	listener net.Listener
	messages chan []any
}

func listen(t *testing.T, socket string) *logRouter {
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	r := &logRouter{t: t, listener: l, messages: make(chan []any, 100)}
	t.Cleanup(r.close)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go r.read(c)
		}
	}()
	return r
}

func (r *logRouter) close() { r.listener.Close() }

func (r *logRouter) read(c net.Conn) {
	defer c.Close()
	in := msgp.NewReader(bufio.NewReader(c))
	for {
		m, err := in.ReadIntf()
		if err != nil {
			return
		}
		r.messages <- m.([]any)
	}
}

func (r *logRouter) wait(want ...string) {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), testTimeout)
	defer cancel()
	for _, log := range want {
		select {
		case m := <-r.messages:
			if got := m[2].(map[string]any)["log"]; got != log {
				r.t.Fatalf("%q, want %q", got, log)
			}
		case <-ctx.Done():
			r.t.Fatalf("no %q", log)
		}
	}
}

func (s *shipping) route(id, socket string) {
	s.t.Helper()
	err := s.beginAt(id, cursor{Route: &route{Socket: socket, Tag: "app-firelens-t", ContainerID: "t-1", ContainerName: "app", Source: "stderr"}})
	if err != nil {
		s.t.Fatal(err)
	}
}

// What a container writes is in the records that the log router gets.
func TestOutputIsRouted(t *testing.T) {
	s := newShipping(t)
	s.begin()
	socket := filepath.Join(t.TempDir(), "fluent.sock")
	r := listen(t, socket)
	s.route("c", socket)
	s.append("c", "one\n")
	ctx, cancel := context.WithTimeout(t.Context(), testTimeout)
	defer cancel()
	select {
	case m := <-r.messages:
		want := map[string]any{"log": "one", "source": "stderr", "container_id": "t-1", "container_name": "app"}
		if m[0] != "app-firelens-t" || fmt.Sprint(m[2]) != fmt.Sprint(want) {
			t.Errorf("%v", m)
		}
	case <-ctx.Done():
		t.Fatal("nothing came")
	}
	s.append("c", "two\nthree")
	s.end("c")
	r.wait("two", "three")
}

// Output waits for its log router: one that has not begun yet, one that is started again,
// and over the node's own restart.
func TestRoutedOutputWaits(t *testing.T) {
	s := newShipping(t)
	stop := s.begin()
	socket := filepath.Join(t.TempDir(), "fluent.sock")
	s.route("c", socket)
	s.append("c", "one\n")
	r := listen(t, socket)
	r.wait("one")
	stop()
	r.close()
	s.append("c", "two\n")
	s.begin()
	s.append("c", "three\n")
	listen(t, socket).wait("two", "three")
}

// A log router cannot lead the node to a socket that is not its own.
func TestNoLinkIsFollowed(t *testing.T) {
	dir := t.TempDir()
	own, link := filepath.Join(dir, "own"), filepath.Join(dir, "fluent.sock")
	listen(t, own)
	if err := os.Symlink(own, link); err != nil {
		t.Fatal(err)
	}
	if c, err := (&route{Socket: link}).dial(); err == nil {
		c.Close()
		t.Error("the link was followed")
	}
	if err := os.WriteFile(filepath.Join(dir, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := (&route{Socket: filepath.Join(dir, "file")}).dial(); err == nil {
		t.Error("a file was taken for a socket")
	}
	if c, err := (&route{Socket: own}).dial(); err != nil {
		t.Error(err)
	} else {
		c.Close()
	}
}

// Output that nobody takes any more goes when its container has ended, and its files with
// it: the log router has ended too.
func TestRoutedOutputIsGivenUp(t *testing.T) {
	s := newShipping(t)
	s.begin()
	s.routerTimeout = 0
	s.route("c", filepath.Join(t.TempDir(), "fluent.sock"))
	s.append("c", "one\n")
	s.end("c")
}

// Names of sockets may be longer than the kernel's limit for them.
func TestLongSocketName(t *testing.T) {
	dir := filepath.Join(t.TempDir(), string(slices.Repeat([]byte("d"), 120)))
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	short := filepath.Join(t.TempDir(), "s")
	listen(t, short)
	if err := os.Rename(short, filepath.Join(dir, "fluent.sock")); err != nil {
		t.Fatal(err)
	}
	c, err := (&route{Socket: filepath.Join(dir, "fluent.sock")}).dial()
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
}

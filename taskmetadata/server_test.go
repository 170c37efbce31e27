package taskmetadata

import (
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"testing"
	"time"

	"fargo/desired"
)

// network1 is a Network without sockets.
type network1 struct{ *machine }

func (network1) ListenTCP(string, netip.AddrPort) (net.Listener, error) {
	return nil, errors.New("there are no sockets")
}

// loopback is a Network in which each VPC's address is a port of this machine.
type loopback struct {
	*machine
	mu    sync.Mutex
	ports map[string]string
}

func (l *loopback) ListenTCP(vpc string, at netip.AddrPort) (net.Listener, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if at != Address {
		return nil, errors.New("not where tasks ask")
	}
	if l.ports[vpc] != "" {
		return nil, errors.New("in use")
	}
	c, err := net.Listen("tcp4", "127.0.0.1:0")
	if err == nil {
		l.ports[vpc] = c.Addr().String()
	}
	return c, err
}

func (l *loopback) port(vpc string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.ports[vpc]
}

// Each VPC has a socket, which goes with it.
func TestServer(t *testing.T) {
	m := newMachine()
	m.tasks[netip.MustParseAddr("127.0.0.1")] = m.tasks[netip.MustParseAddr("10.0.0.7")]
	network := &loopback{machine: m, ports: map[string]string{}}
	s := New(Config{
		Containers: m, Network: network, Tasks: m, Logger: slog.New(slog.DiscardHandler),
		Clock: func() (time.Duration, bool, error) { return 0, false, errors.New("no clock") },
	})
	s.Set([]desired.VPC{{ID: "vpc-1"}, {ID: "vpc-2"}}, "")
	var running sync.WaitGroup
	running.Go(func() {
		if err := s.Run(t.Context()); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(running.Wait)
	get := func(vpc string) (int, error) {
		answer, err := http.Get("http://" + network.port(vpc) + "/v4/" + theID + "/task")
		if err != nil {
			return 0, err
		}
		defer answer.Body.Close()
		_, err = io.ReadAll(answer.Body)
		return answer.StatusCode, err
	}
	for vpc, want := range map[string]int{"vpc-1": 200, "vpc-2": 404} { // there, another may have the address
		for deadline := time.Now().Add(20 * time.Second); network.port(vpc) == "" && time.Now().Before(deadline); {
			time.Sleep(time.Millisecond)
		}
		if status, err := get(vpc); status != want {
			t.Errorf("in %s: %d, %v", vpc, status, err)
		}
	}
	s.Set([]desired.VPC{{ID: "vpc-2"}}, "")
	if status, err := get("vpc-1"); err == nil {
		t.Errorf("in a VPC that has gone: %d", status)
	}
}

var _ Tasks = (*machine)(nil)

package node_test

import (
	"context"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"fargo/desired"
	"fargo/host"
	"fargo/node"
	"fargo/node/nodetest"
)

// A node says that it holds nothing when that is so, and not before: not while there
// are containers that nobody knows, tasks on their way out, or interfaces of load
// balancers.
func TestEmpty(t *testing.T) {
	simulated(t, func(t *testing.T) {
		h := newFixture(t, map[string]nodetest.Script{"web": {Lingers: 2 * time.Second}, "old": {}})
		left := host.ContainerSpec{ID: "left-1", TaskID: "left", ContainerAssignment: desired.ContainerAssignment{Image: "old"}}
		if err := h.runtime.Create(t.Context(), left); err != nil {
			t.Fatal(err)
		}
		n := node.New(node.Config{
			Runtime: h.runtime, Network: h.network, Cgroups: h.cgroups, Storage: nodetest.Storage{Dir: filepath.Join(h.dir, "storage")}, Kept: nodetest.Storage{Dir: filepath.Join(h.dir, "volumes"), Keep: true}, Link: h, Watcher: h.runtime,
			Dir: h.dir, MemoryDir: h.memory, FileSystemsDir: filepath.Join(h.dir, "efs"), SecretsDir: filepath.Join(h.memory, "secrets"), Logger: slog.New(slog.DiscardHandler),
		})
		ctx, cancel := context.WithCancel(t.Context())
		var all sync.WaitGroup
		defer all.Wait()
		defer cancel()
		all.Go(func() {
			if err := n.Run(ctx); err != nil {
				t.Error(err)
			}
		})
		all.Go(func() { h.exchangeReports(ctx, n) })
		is := func(what string, want bool) {
			t.Helper()
			synctest.Wait()
			if empty, _ := n.Empty(); empty != want {
				t.Errorf("%s: empty is %v", what, empty)
			}
		}
		is("a container of nobody is left", false)
		time.Sleep(time.Second)
		is("it is removed", true)

		web := task("a", desired.ContainerAssignment{Name: "web", Image: "web", Essential: true})
		n.Assign(desired.State{Tasks: []desired.Assignment{web}})
		if empty, _ := n.Empty(); empty {
			t.Error("empty with a task that is assigned")
		}
		time.Sleep(time.Second)
		is("a task runs", false)
		n.Assign(desired.State{})
		is("it is to end", false)
		time.Sleep(time.Minute)
		is("it has ended", true)
		if left, _ := h.runtime.List(t.Context()); len(left) > 0 {
			t.Errorf("empty with %v", left)
		}

		n.Assign(desired.State{Balancers: []desired.Balancer{{ARN: "lb", Interfaces: []desired.Interface{{ID: "eni-lb", VPC: "vpc-1", Address: netip.MustParseAddr("10.0.0.9")}}}}})
		is("a load balancer's interface", false)
		n.Assign(desired.State{})
		time.Sleep(time.Second)
		is("it is elsewhere", true)
	})
}

// A node keeps its id, and is a new one when it has lost it.
func TestIdentity(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "node")
	ids := 0
	newID := func() string { ids++; return strings.Repeat("0", 31) + string(rune('0'+ids)) }
	id := func() string {
		t.Helper()
		id, err := node.Identity(dir, newID)
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	first := id()
	if again := id(); again != first {
		t.Errorf("it was %s and is %s", first, again)
	}
	for _, damage := range []func() error{
		func() error { return os.RemoveAll(dir) },
		func() error { return os.WriteFile(filepath.Join(dir, "id"), nil, 0o600) },
		func() error { return os.WriteFile(filepath.Join(dir, "id"), []byte("1a2b\n"), 0o600) },
		func() error { return os.Remove(filepath.Join(dir, "id")) },
	} {
		before := id()
		if err := damage(); err != nil {
			t.Fatal(err)
		}
		if next := id(); next == before || id() != next {
			t.Errorf("it was %s, is %s, and will be %s", before, next, id())
		}
	}
}

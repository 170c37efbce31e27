package node_test

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"fargo"
	"fargo/desired"
	"fargo/host"
	"fargo/node"
	"fargo/node/nodetest"
	"fargo/secret"
)

// balancers is a follower that records its calls, and what the network was when
// each began and ended.
type balancers struct {
	network *nodetest.Network

	mu       sync.Mutex
	state    desired.State
	secrets  map[desired.SecretID]secret.Text // with the last call
	called   []string                         // "<balancers>: <interfaces> <interfaces>"
	failures int                              // of the next calls
}

func (b *balancers) Follow(ctx context.Context, d desired.State, secrets map[desired.SecretID]secret.Text) error {
	names := func(of []desired.Interface) string {
		var ids []string
		for _, i := range of {
			ids = append(ids, i.ID)
		}
		return "[" + strings.Join(ids, " ") + "]"
	}
	var line []string
	for _, lb := range d.Balancers {
		line = append(line, lb.ARN)
	}
	before, _ := b.network.Now()
	time.Sleep(100 * time.Millisecond) // to let go
	after, _ := b.network.Now()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.state, b.secrets = d, secrets
	b.called = append(b.called, strings.Join(line, " ")+": "+names(before.Interfaces)+" "+names(after.Interfaces))
	if b.failures > 0 {
		b.failures--
		return errors.New("not now")
	}
	return ctx.Err()
}

// calls lets time pass and gives the calls of Follow since.
func (b *balancers) calls() []string {
	time.Sleep(10 * time.Second)
	synctest.Wait()
	b.mu.Lock()
	defer b.mu.Unlock()
	called := b.called
	b.called = nil
	return called
}

// given are the secrets that came with the last call. It forgets them.
func (b *balancers) given() map[desired.SecretID]secret.Text {
	b.mu.Lock()
	defer b.mu.Unlock()
	secrets := b.secrets
	b.secrets = nil
	return secrets
}

// chains are those of all listeners' certificates.
func (b *balancers) chains() (all []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, lb := range b.state.Balancers {
		for _, l := range lb.Listeners {
			for _, c := range l.Certificates {
				all = append(all, c.Chain)
			}
		}
	}
	return all
}

func withBalancers(names ...string) desired.State {
	var d desired.State
	for _, name := range names {
		d.VPCs = []desired.VPC{{ID: "vpc-1", CIDRs: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/16")}, Groups: []desired.SecurityGroup{{ID: "sg-1"}}}}
		d.Balancers = append(d.Balancers, desired.Balancer{ARN: name, Interfaces: []desired.Interface{{ID: "eni-" + name, VPC: "vpc-1", Groups: []string{"sg-1"}}}})
	}
	return d
}

func expect(t *testing.T, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("called with %q, want %q", got, want)
	}
}

// A follower is given only what has an interface, and has let go of it before the
// interface is removed.
func TestFollowersSeeTheirInterfaces(t *testing.T) {
	simulated(t, func(t *testing.T) {
		h := newFixture(t, nil)
		b := &balancers{network: h.network}
		h.followers = []node.Follower{b}
		defer h.start()()
		h.plane.Set(machine, withBalancers("a"))
		if got := b.calls(); len(got) == 0 || got[len(got)-1] != "a: [eni-a] [eni-a]" {
			t.Errorf("called with %q", got)
		}
		h.plane.Set(machine, withBalancers("a", "b"))
		expect(t, b.calls(), "a b: [eni-a eni-b] [eni-a eni-b]")
		h.plane.Set(machine, withBalancers("b"))
		expect(t, b.calls(), "b: [eni-a eni-b] [eni-a eni-b]")
		h.plane.Set(machine, withBalancers())
		expect(t, b.calls(), ": [eni-b] [eni-b]")
		if now, _ := h.network.Now(); len(now.Interfaces)+len(now.VPCs) > 0 {
			t.Errorf("the network has still %+v", now)
		}
	})
}

// A node that comes back without a control plane has its followers do what they
// did, and no interface is taken away meanwhile.
func TestFollowersAfterRestart(t *testing.T) {
	simulated(t, func(t *testing.T) {
		h := newFixture(t, nil)
		b := &balancers{network: h.network}
		h.followers = []node.Follower{b}
		stop := h.start()
		h.plane.Set(machine, withBalancers("a"))
		b.calls()
		stop()
		h.disconnected = true
		defer h.start()()
		expect(t, b.calls(), "a: [eni-a] [eni-a]")
	})
}

// away is a runtime that is not there.
type away struct{ node.Runtime }

func (away) List(context.Context) ([]host.ContainerState, error) {
	return nil, errors.New("connection refused")
}

// Followers do not wait for the runtime.
func TestFollowersWithoutRuntime(t *testing.T) {
	simulated(t, func(t *testing.T) {
		h := newFixture(t, nil)
		b := &balancers{network: h.network}
		h.followers = []node.Follower{b}
		stop := h.start()
		h.plane.Set(machine, withBalancers("a"))
		b.calls()
		stop()
		h.through = away{h.runtime}
		defer h.start()()
		expect(t, b.calls(), "a: [eni-a] [eni-a]")
	})
}

// A follower that fails is called again, and keeps its interfaces until it has let
// go of them; an interface that cannot be made keeps nobody waiting.
func TestFollowerThatFails(t *testing.T) {
	simulated(t, func(t *testing.T) {
		h := newFixture(t, nil)
		b := &balancers{network: h.network}
		h.followers = []node.Follower{b}
		defer h.start()()
		h.plane.Set(machine, withBalancers("a"))
		b.calls()
		b.failures = 2
		astray := withBalancers("b")
		astray.Balancers[0].Interfaces = append(astray.Balancers[0].Interfaces, desired.Interface{ID: "eni-astray", VPC: "vpc-none"})
		h.plane.Set(machine, astray)
		expect(t, b.calls(),
			"b: [eni-a eni-b] [eni-a eni-b]", "b: [eni-a eni-b] [eni-a eni-b]", "b: [eni-a eni-b] [eni-a eni-b]")
		if now, _ := h.network.Now(); len(now.Interfaces) != 1 || now.Interfaces[0].ID != "eni-b" {
			t.Errorf("the network has %+v", now.Interfaces)
		}
	})
}

// A control group that will not go keeps its task, and nobody else, waiting.
func TestBusyCgroup(t *testing.T) {
	simulated(t, func(t *testing.T) {
		h := newFixture(t, map[string]nodetest.Script{"image": {}})
		defer h.start()()
		stuck, other := one("stuck", "image"), one("other", "image")
		h.assign(stuck)
		h.reach(0, fargo.TaskRunning)
		h.cgroups.Hold("stuck")
		h.stopTask(0, fargo.StopUserInitiated, "Task stopped by user")
		h.reach(0, fargo.TaskDeprovisioning)
		time.Sleep(time.Minute)
		began := time.Now()
		h.assign(h.tasks[0], other)
		h.reach(1, fargo.TaskRunning)
		if took := time.Since(began); took > time.Second/2 {
			t.Errorf("the other task took %s", took)
		}
		if s := h.report(0).Status; s != fargo.TaskDeprovisioning {
			t.Errorf("the stuck task is %s", s)
		}
		h.cgroups.Let("stuck")
		h.reach(0, fargo.TaskStopped)
		h.empty()
	})
}

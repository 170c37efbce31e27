package node_test

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"fargo"
	"fargo/desired"
	"fargo/host"
	"fargo/node"
	"fargo/node/nodetest"
)

// crashing is a runtime that kills the node at its nth call, before or after the
// call has had its effect.
type crashing struct {
	node.Runtime
	calls atomic.Int64
	die   func(call int64, after bool)
}

func (m *crashing) call(do func() error) error {
	n := m.calls.Add(1)
	m.die(n, false)
	err := do()
	m.die(n, true)
	return err
}

func (m *crashing) Pull(ctx context.Context, image string, src desired.PullSource, login host.Login) (i host.Image, err error) {
	err = m.call(func() error { i, err = m.Runtime.Pull(ctx, image, src, login); return err })
	return i, err
}

func (m *crashing) Create(ctx context.Context, s host.ContainerSpec) error {
	return m.call(func() error { return m.Runtime.Create(ctx, s) })
}

func (m *crashing) Start(ctx context.Context, id string) error {
	return m.call(func() error { return m.Runtime.Start(ctx, id) })
}

func (m *crashing) Signal(ctx context.Context, id, signal string) error {
	return m.call(func() error { return m.Runtime.Signal(ctx, id, signal) })
}

func (m *crashing) Remove(ctx context.Context, id string) error {
	return m.call(func() error { return m.Runtime.Remove(ctx, id) })
}

func (m *crashing) Inspect(ctx context.Context, id string) (s host.ContainerState, err error) {
	err = m.call(func() error { s, err = m.Runtime.Inspect(ctx, id); return err })
	return s, err
}

// life is a task with everything: order, health, output, a volume, a stubborn
// container.
func lifecycleTask() (map[string]nodetest.Script, desired.Assignment) {
	scripts := map[string]nodetest.Script{
		"init": {Exits: true, After: 20 * time.Millisecond, Output: []string{"ready"}},
		"web":  {Output: []string{"one", "two", "three"}, Lingers: time.Second},
		"side": {Lingers: -1},
	}
	log := func(name string) *desired.LogTarget { return &desired.LogTarget{Group: "g", Stream: name} }
	a := task("a",
		desired.ContainerAssignment{Name: "web", Image: "web", Essential: true, Log: log("web"), DependsOn: []desired.Dependency{{Container: "init", Condition: "SUCCESS"}, {Container: "side", Condition: "START"}}},
		desired.ContainerAssignment{Name: "init", Image: "init", Log: log("init")},
		desired.ContainerAssignment{Name: "side", Image: "side", StopTimeout: 2 * time.Second},
	)
	a.Volumes = []string{"data"}
	a.BlockVolumes = []desired.BlockVolume{{Volume: "block", ID: "vol-1", FileSystem: "xfs"}}
	return scripts, a
}

// A node killed at each of its calls in turn, before and after the effect,
// leads the task through the same life.
func TestKilledAtEveryCall(t *testing.T) {
	for _, after := range []bool{false, true} {
		for at := int64(1); ; at++ {
			died := false
			t.Run(fmt.Sprintf("call %d after=%v", at, after), func(t *testing.T) {
				simulated(t, func(t *testing.T) {
					scripts, a := lifecycleTask()
					h := newFixture(t, scripts)
					died = runLifecycle(h, a, func(call int64, effect bool) bool { return call == at && effect == after })
				})
			})
			if !died || t.Failed() {
				break
			}
		}
	}
}

// runLifecycle lets a task live, restarting the node wherever kill says so, and
// checks what must be true of any life.
func runLifecycle(h *fixture, a desired.Assignment, kill func(call int64, effect bool) bool) (died bool) {
	h.plane.AddGroup("g")
	dead := make(chan struct{}, 1)
	runtime := &crashing{Runtime: h.runtime}
	runtime.die = func(call int64, effect bool) {
		if kill(call, effect) {
			h.mu.Lock()
			died = true
			h.cancel()
			h.mu.Unlock()
			select {
			case dead <- struct{}{}:
			default:
			}
		}
	}
	h.through = runtime
	ctx, cancel := context.WithCancel(h.t.Context())
	defer cancel()
	begun := make(chan func(), 1)
	begun <- h.start()
	go func() { // raises the dead
		for {
			select {
			case <-ctx.Done():
				return
			case <-dead:
				(<-begun)()
				begun <- h.start()
			}
		}
	}()
	h.assign(a)
	h.reach(0, fargo.TaskRunning)
	h.stopTask(0, fargo.StopUserInitiated, "Task stopped by user")
	h.reach(0, fargo.TaskStopped)
	h.empty()
	cancel()
	synctest.Wait()
	(<-begun)()
	h.check()
	return died
}

// check holds the invariants of any life of the tasks of [life].
func (h *fixture) check() {
	h.t.Helper()
	count := map[string]int{}
	for _, what := range h.runtime.History() {
		count[what]++
	}
	for _, id := range []string{"a-0", "a-1", "a-2"} {
		if n := count["start "+id]; n != 1 {
			h.t.Errorf("%s started %d times: %v", id, n, h.runtime.History())
		}
	}
	for arn, reports := range h.seen {
		var last fargo.TaskStatus
		for _, r := range reports {
			if r.Status.Before(last) {
				h.t.Errorf("%s moved back from %s to %s", arn, last, r.Status)
			}
			last = r.Status
		}
	}
	for stream, want := range map[string]string{"web": "one two three", "init": "ready"} {
		if got := strings.Join(h.plane.Messages("g", stream), " "); got != want {
			h.t.Errorf("stream %s has %q", stream, got)
		}
	}
}

// A node killed at random moments, many times, leads the task through the same
// life.
func TestKilledAtRandom(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		calls := rapid.SliceOfN(rapid.Int64Range(1, 60), 1, 12).Draw(rt, "calls")
		effect := rapid.Bool().Draw(rt, "effect")
		ok := t.Run("", func(t *testing.T) {
			simulated(t, func(t *testing.T) {
				scripts, a := lifecycleTask()
				runLifecycle(newFixture(t, scripts), a, func(call int64, after bool) bool {
					for _, c := range calls {
						if c == call && after == effect {
							return true
						}
					}
					return false
				})
			})
		})
		if !ok {
			rt.Fatalf("killed at calls %v, after their effect: %v", calls, effect)
		}
	})
}

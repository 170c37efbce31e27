package node_test

import (
	"context"
	"fmt"
	"io/fs"
	"log/slog"
	"net/netip"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"fargo"
	"fargo/desired"
	"fargo/dispatch/dispatchtest"
	"fargo/node"
	"fargo/node/nodetest"
	"fargo/secret"
)

const machine = "m"

// fixture is a control plane and a machine, both in memory, and a node on the
// machine that can be stopped and started.
type fixture struct {
	t            *testing.T
	plane        *dispatchtest.Plane
	runtime      *nodetest.Runtime
	network      *nodetest.Network
	cgroups      *nodetest.Cgroups
	dir          string
	memory       string
	tasks        []desired.Assignment
	seen         map[string][]desired.TaskReport // by ARN, in the order they came
	logger       *slog.Logger
	secret       func(context.Context, desired.SecretID) (secret.Text, error) // nil: as plane gives them
	mu           sync.Mutex
	through      node.Runtime // what nodes see of runtime
	cancel       func()       // ends the present node without waiting
	unresponsive bool         // the control plane opens no logs, and does not answer
	disconnected bool         // nodes started from now on have no control plane
	followers    []node.Follower
	node         *node.Node // the present one
}

func newFixture(t *testing.T, scripts map[string]nodetest.Script) *fixture {
	h := &fixture{
		t: t, plane: dispatchtest.New(), runtime: nodetest.NewRuntime(scripts),
		network: &nodetest.Network{}, cgroups: &nodetest.Cgroups{}, dir: t.TempDir(), memory: t.TempDir(),
		seen: map[string][]desired.TaskReport{},
	}
	h.through = h.runtime
	h.logger = slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
	h.runtime.Delay, h.network.Delay, h.cgroups.Delay = 3*time.Millisecond, 5*time.Millisecond, time.Millisecond
	return h
}

// start runs a node until the function returned is called.
func (h *fixture) start() (stop func()) {
	ctx, cancel := context.WithCancel(h.t.Context())
	h.mu.Lock()
	h.cancel = cancel
	h.mu.Unlock()
	n := node.New(node.Config{
		Runtime: h.through, Network: h.network, Cgroups: h.cgroups, Storage: nodetest.Storage{Dir: filepath.Join(h.dir, "storage")}, Kept: nodetest.Storage{Dir: filepath.Join(h.dir, "volumes"), Keep: true},
		Link: h, Watcher: h.runtime, Followers: h.followers, Dir: h.dir, MemoryDir: h.memory, FileSystemsDir: filepath.Join(h.dir, "efs"), SecretsDir: filepath.Join(h.memory, "secrets"),
		Logger: h.logger,
	})
	h.node = n
	var all sync.WaitGroup
	all.Go(func() {
		if err := n.Run(ctx); err != nil {
			h.t.Error(err)
		}
	})
	if !h.disconnected {
		all.Go(func() { h.assignDesired(ctx, n) })
		all.Go(func() { h.exchangeReports(ctx, n) })
	}
	return func() { cancel(); all.Wait() }
}

// assignDesired and exchangeReports stand for package dispatch, without a wire.
func (h *fixture) assignDesired(ctx context.Context, n *node.Node) {
	changed := h.plane.Changed(ctx, machine)
	for {
		d, err := h.plane.Desired(ctx, machine)
		if err != nil {
			h.t.Error(err)
		}
		n.Assign(d)
		select {
		case <-ctx.Done():
			return
		case <-changed:
		}
	}
}

func (h *fixture) exchangeReports(ctx context.Context, n *node.Node) {
	var version uint64
	for {
		reports, now, newer := n.Reports(version)
		h.mu.Lock()
		for _, r := range reports {
			h.seen[r.TaskARN] = append(h.seen[r.TaskARN], r)
		}
		h.mu.Unlock()
		if err := h.plane.Report(ctx, machine, reports); err != nil {
			h.t.Error(err)
		}
		version = now
		n.Acknowledged(now)
		select {
		case <-ctx.Done():
			return
		case <-newer:
		}
	}
}

func (h *fixture) OpenLog(ctx context.Context, t desired.LogTarget) error {
	if h.unresponsive {
		<-ctx.Done()
		return ctx.Err()
	}
	return h.plane.OpenLog(ctx, t)
}

func (h *fixture) Secret(ctx context.Context, id desired.SecretID) (secret.Text, error) {
	if h.unresponsive || h.disconnected {
		<-ctx.Done()
		return secret.Text{}, ctx.Err()
	}
	if h.secret != nil {
		return h.secret(ctx, id)
	}
	return h.plane.Secret(ctx, machine, id)
}

func (h *fixture) AppendLogs(ctx context.Context, b desired.LogBatch) (int64, error) {
	if h.disconnected {
		<-ctx.Done()
		return 0, ctx.Err()
	}
	return h.plane.AppendLogs(ctx, b)
}

// assign makes these tasks the node's.
func (h *fixture) assign(tasks ...desired.Assignment) {
	h.tasks = tasks
	group := desired.SecurityGroup{ID: "sg-1"}
	for _, a := range tasks {
		group.Members = append(group.Members, a.Interface.Address)
	}
	h.plane.Set(machine, desired.State{Tasks: tasks, VPCs: []desired.VPC{{
		ID: "vpc-1", CIDRs: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/16")}, Groups: []desired.SecurityGroup{group},
	}}})
}

// stopTask asks for a task's end.
func (h *fixture) stopTask(i int, code fargo.StopCode, reason string) {
	tasks := append([]desired.Assignment(nil), h.tasks...)
	tasks[i].DesiredStatus, tasks[i].StopCode, tasks[i].StoppedReason = fargo.TaskStopped, code, reason
	h.assign(tasks...)
}

// report is the last of a task.
func (h *fixture) report(i int) desired.TaskReport {
	return h.plane.Reports(machine)[h.tasks[i].TaskARN]
}

// reach lets time pass until a task has come to a status.
func (h *fixture) reach(i int, s fargo.TaskStatus) desired.TaskReport {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(h.t.Context(), 3*time.Hour)
	defer cancel()
	if h.plane.Wait(ctx, func() bool { return !h.report(i).Status.Before(s) }) != nil {
		h.t.Fatalf("the task never came to %s: %+v", s, h.report(i))
	}
	if r := h.report(i); r.Status != s {
		h.t.Fatalf("the task went past %s: %+v", s, r)
	}
	return h.report(i)
}

// empty checks that nothing is left on the machine once nothing is assigned.
func (h *fixture) empty() {
	h.t.Helper()
	h.assign()
	time.Sleep(time.Minute)
	synctest.Wait()
	if left, err := h.runtime.List(h.t.Context()); err != nil || len(left) > 0 {
		h.t.Errorf("containers left: %v %v", left, err)
	}
	if now, _ := h.network.Now(); len(now.Interfaces)+len(now.VPCs) > 0 && len(now.Interfaces) > 0 {
		h.t.Errorf("network left: %v", now)
	}
	if now := h.cgroups.Now(); len(now) > 0 {
		h.t.Errorf("control groups left: %v", now)
	}
	err := filepath.WalkDir(h.dir, func(path string, d fs.DirEntry, err error) error {
		if d != nil && d.IsDir() && d.Name() == "damaged" {
			return filepath.SkipDir // kept for whoever wants to look into it
		}
		if err == nil && !d.IsDir() {
			h.t.Errorf("file left: %s", path)
		}
		return err
	})
	if err != nil {
		h.t.Error(err)
	}
}

// task is an assignment with an interface; containers get names to ids.
func task(id string, containers ...desired.ContainerAssignment) desired.Assignment {
	a := desired.Assignment{
		TaskARN: "arn:aws:ecs:us-east-1:123456789012:task/default/" + id, ID: id,
		DesiredStatus: fargo.TaskRunning, CPU: 256, Memory: 512,
		Interface: &desired.Interface{
			ID: "eni-" + id, VPC: "vpc-1", Prefix: netip.MustParsePrefix("10.0.0.0/24"),
			Address: netip.MustParseAddr("10.0.0.7"), Groups: []string{"sg-1"},
		},
	}
	for i, c := range containers {
		c.RuntimeID = fmt.Sprintf("%s-%d", id, i)
		if c.StopTimeout == 0 {
			c.StopTimeout = 30 * time.Second
		}
		a.Containers = append(a.Containers, c)
	}
	return a
}

// simulated runs a test with simulated time.
func simulated(t *testing.T, f func(t *testing.T)) { t.Helper(); synctest.Test(t, f) }

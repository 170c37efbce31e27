package dispatch_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/containerd/errdefs"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"fargo"
	"fargo/aws/elbv2"
	"fargo/desired"
	"fargo/dispatch"
	"fargo/dispatch/dispatchtest"
)

const testTimeout = 20 * time.Second

// machine is a node that remembers what it is assigned.
type machine struct {
	mu struct {
		sync.Mutex
		desired      desired.State
		assigned     int
		acknowledged uint64
		reports      []desired.TaskReport // the version of each is its place, from 1
		health       []desired.TargetReport
		empty        bool
		changed      chan struct{}
	}
}

func newMachine() *machine {
	m := &machine{}
	m.mu.changed = make(chan struct{})
	return m
}

var (
	_ dispatch.Node    = (*machine)(nil)
	_ dispatch.Targets = (*machine)(nil)
)

func (m *machine) touch() { close(m.mu.changed); m.mu.changed = make(chan struct{}) }

func (m *machine) Assign(d desired.State) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.mu.desired = d
	m.mu.assigned++
	m.touch()
}

func (m *machine) Reports(version uint64) ([]desired.TaskReport, uint64, <-chan struct{}) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.mu.reports[version:], uint64(len(m.mu.reports)), m.mu.changed
}

func (m *machine) Health() ([]desired.TargetReport, <-chan struct{}) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.mu.health, m.mu.changed
}

func (m *machine) Acknowledged(version uint64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.mu.acknowledged = version
	m.touch()
}

func (m *machine) Empty() (bool, <-chan struct{}) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.mu.empty, m.mu.changed
}

func (m *machine) setEmpty(empty bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.mu.empty = empty
	m.touch()
}

func (m *machine) report(r desired.TaskReport) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.mu.reports = append(m.mu.reports, r)
	m.touch()
}

func (m *machine) sees(all ...desired.TargetReport) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.mu.health = all
	m.touch()
}

func (m *machine) wait(t *testing.T, what string, cond func() bool) {
	t.Helper()
	deadline := time.After(testTimeout)
	for {
		m.mu.Lock()
		ok, changed := cond(), m.mu.changed
		m.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-changed:
		case <-deadline:
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

func quietly() *slog.Logger { return slog.New(slog.DiscardHandler) }

// serve runs a server on the socket until the function returned is called.
func serve(t *testing.T, plane dispatch.Plane, socket string) (stop func()) {
	t.Helper()
	l, err := dispatch.Listen(socket)
	if err != nil {
		t.Fatal(err)
	}
	return serveOn(t, plane, l)
}

func serveOn(t *testing.T, plane dispatch.Plane, l net.Listener) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		done <- dispatch.NewServer(dispatch.ServerConfig{Plane: plane, Logger: quietly()}).Serve(ctx, l)
	}()
	var once sync.Once
	stop = func() {
		once.Do(func() {
			cancel()
			if err := <-done; err != nil {
				t.Error(err)
			}
		})
	}
	t.Cleanup(stop)
	return stop
}

func connect(t *testing.T, socket, node string, m *machine) (*dispatch.Client, func()) {
	t.Helper()
	c, err := dispatch.NewClient(dispatch.ClientConfig{Target: "unix://" + socket, Hello: desired.Hello{ID: node, Former: "1a2b", CPU: 2048}, Logger: quietly()})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx, m, m) }()
	var once sync.Once
	stop := func() {
		once.Do(func() {
			cancel()
			if err := <-done; err != nil {
				t.Error(err)
			}
		})
	}
	t.Cleanup(stop)
	return c, stop
}

func waitPlane(t *testing.T, p *dispatchtest.Plane, what string, cond func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), testTimeout)
	defer cancel()
	if p.Wait(ctx, cond) != nil {
		t.Fatalf("waited in vain: %s", what)
	}
}

func tasks(ids ...string) (d desired.State) {
	for _, id := range ids {
		d.Tasks = append(d.Tasks, desired.Assignment{TaskARN: "arn:" + id, ID: id})
	}
	return d
}

func TestSocketIsPrivate(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "s")
	serve(t, dispatchtest.New(), socket)
	info, err := os.Stat(socket)
	if err != nil {
		t.Fatal(err)
	}
	if mode := info.Mode().Perm(); mode != 0o600 {
		t.Errorf("mode is %o", mode)
	}
}

func TestAssignmentsAreFollowed(t *testing.T) {
	plane, socket, m := dispatchtest.New(), filepath.Join(t.TempDir(), "s"), newMachine()
	plane.Set("n1", tasks("a"))
	plane.Set("n2", tasks("z"))
	serve(t, plane, socket)
	connect(t, socket, "n1", m)
	has := func(ids ...string) func() bool {
		return func() bool {
			if len(m.mu.desired.Tasks) != len(ids) || m.mu.assigned == 0 {
				return false
			}
			for i, id := range ids {
				if m.mu.desired.Tasks[i].ID != id {
					return false
				}
			}
			return true
		}
	}
	m.wait(t, "the whole", has("a"))
	plane.Set("n1", tasks("a", "b"))
	m.wait(t, "one more", has("a", "b"))
	plane.Set("n1", tasks("b"))
	m.wait(t, "one less", has("b"))
	plane.Set("n1", tasks())
	m.wait(t, "nothing", has())
}

// A control plane that comes back gets every report again, and the node what
// changed meanwhile.
func TestReconnect(t *testing.T) {
	plane, socket, m := dispatchtest.New(), filepath.Join(t.TempDir(), "s"), newMachine()
	stop := serve(t, plane, socket)
	connect(t, socket, "n", m)
	m.report(desired.TaskReport{TaskARN: "arn:a", Status: fargo.TaskRunning})
	m.wait(t, "acknowledgement", func() bool { return m.mu.acknowledged == 1 })
	stop()
	waitPlane(t, plane, "the session's end", func() bool { return plane.Sessions("n") == 0 })
	m.report(desired.TaskReport{TaskARN: "arn:b", Status: fargo.TaskStopped})

	fresh := dispatchtest.New()
	fresh.Set("n", tasks("c"))
	serve(t, fresh, socket)
	m.wait(t, "acknowledgement after reconnect", func() bool { return m.mu.acknowledged == 2 })
	m.wait(t, "assignment after reconnect", func() bool { return len(m.mu.desired.Tasks) == 1 })
	if got := fresh.Reports("n"); got["arn:a"].Status != fargo.TaskRunning || got["arn:b"].Status != fargo.TaskStopped {
		t.Errorf("reports after reconnect: %v", got)
	}
}

// A node that comes back before its old connection was missed replaces it.
func TestSecondSessionReplacesFirst(t *testing.T) {
	plane, socket := dispatchtest.New(), filepath.Join(t.TempDir(), "s")
	serve(t, plane, socket)
	first, second := newMachine(), newMachine()
	connect(t, socket, "n", first)
	first.wait(t, "first session", func() bool { return first.mu.assigned > 0 })
	_, stop := connect(t, socket, "n", second)
	second.wait(t, "second session", func() bool { return second.mu.assigned > 0 })
	stop()
	waitPlane(t, plane, "the first one's return", func() bool { return plane.Sessions("n") == 1 })
}

// A plane that cannot commit a report gets it again.
func TestFailedReportComesAgain(t *testing.T) {
	plane, socket, m := dispatchtest.New(), filepath.Join(t.TempDir(), "s"), newMachine()
	serve(t, &unsure{Plane: plane}, socket)
	connect(t, socket, "n", m)
	m.report(desired.TaskReport{TaskARN: "arn:a", Status: fargo.TaskRunning})
	m.wait(t, "acknowledgement", func() bool { return m.mu.acknowledged == 1 })
}

// unsure fails the first report.
type unsure struct {
	*dispatchtest.Plane
	once sync.Once
}

func (u *unsure) Report(ctx context.Context, node string, r []desired.TaskReport) (err error) {
	u.once.Do(func() { err = errors.New("disk full") })
	if err != nil {
		return err
	}
	return u.Plane.Report(ctx, node, r)
}

// A plane that can write nothing for a while keeps the node's session, and gets
// when it can.
func TestReportsWaitForRoom(t *testing.T) {
	plane, socket, m := dispatchtest.New(), filepath.Join(t.TempDir(), "s"), newMachine()
	f := &full{Plane: plane}
	serve(t, f, socket)
	connect(t, socket, "n", m)
	m.report(desired.TaskReport{TaskARN: "arn:a", Status: fargo.TaskRunning})
	m.sees(desired.TargetReport{Group: "g", ID: "10.0.0.1", Port: 80})
	m.wait(t, "acknowledgement", func() bool { return m.mu.acknowledged == 1 })
	waitPlane(t, plane, "targets", func() bool { return len(plane.Targets("n")) == 1 })
	if n := f.hellos.Load(); n != 1 {
		t.Errorf("the node had %d sessions", n)
	}
}

// full has no room for the first report of each kind.
type full struct {
	*dispatchtest.Plane
	hellos           atomic.Int64
	reports, targets atomic.Bool
}

func (f *full) Hello(ctx context.Context, h desired.Hello) error {
	f.hellos.Add(1)
	return f.Plane.Hello(ctx, h)
}

func (f *full) Report(ctx context.Context, node string, r []desired.TaskReport) error {
	if !f.reports.Swap(true) {
		return fmt.Errorf("commit: %w", fargo.ErrNotWritable)
	}
	return f.Plane.Report(ctx, node, r)
}

func (f *full) ReportTargets(ctx context.Context, node string, r []desired.TargetReport) error {
	if !f.targets.Swap(true) {
		return fmt.Errorf("commit: %w", fargo.ErrNotWritable)
	}
	return f.Plane.ReportTargets(ctx, node, r)
}

// What a node sees of targets comes to the plane: as it changes, and all of it
// after a reconnect.
func TestTargetsAreReported(t *testing.T) {
	plane, socket, m := dispatchtest.New(), filepath.Join(t.TempDir(), "s"), newMachine()
	stop := serve(t, plane, socket)
	connect(t, socket, "n", m)
	has := func(p *dispatchtest.Plane, want ...string) func() bool {
		return func() bool {
			var got []string
			for _, r := range p.Targets("n") {
				got = append(got, r.ID+" "+r.State)
			}
			slices.Sort(got)
			return slices.Equal(got, want)
		}
	}
	target := func(id, state string) desired.TargetReport {
		return desired.TargetReport{Group: "g", ID: id, Port: 80, State: state}
	}
	m.sees(target("10.0.0.1", "initial"))
	waitPlane(t, plane, "the first state", has(plane, "10.0.0.1 initial"))
	m.sees(target("10.0.0.1", "healthy"))
	waitPlane(t, plane, "the second", has(plane, "10.0.0.1 healthy"))
	m.sees(target("10.0.0.1", "healthy"), target("10.0.0.2", "initial"))
	waitPlane(t, plane, "another target", has(plane, "10.0.0.1 healthy", "10.0.0.2 initial"))
	stop()

	fresh := dispatchtest.New()
	serve(t, fresh, socket)
	waitPlane(t, fresh, "all of it again", has(fresh, "10.0.0.1 healthy", "10.0.0.2 initial"))
}

// What a node says of itself comes to the plane, under its id; that it is empty is
// said once in each session, when it is so.
func TestHello(t *testing.T) {
	plane, socket, m := dispatchtest.New(), filepath.Join(t.TempDir(), "s"), newMachine()
	stop := serve(t, plane, socket)
	connect(t, socket, "n", m)
	want := desired.Hello{ID: "n", Former: "1a2b", CPU: 2048, Contract: desired.Version}
	waitPlane(t, plane, "the hello", func() bool { return plane.LastHello("n") == want })
	m.wait(t, "an assignment", func() bool { return m.mu.assigned > 0 })
	if n := plane.Empty("n"); n != 0 {
		t.Errorf("it has said %d times that it is empty", n)
	}
	m.setEmpty(true)
	waitPlane(t, plane, "that it is empty", func() bool { return plane.Empty("n") == 1 })
	m.setEmpty(false)
	m.setEmpty(true)
	m.report(desired.TaskReport{TaskARN: "arn:a", Status: fargo.TaskRunning})
	m.wait(t, "an acknowledgement", func() bool { return m.mu.acknowledged == 1 })
	if n := plane.Empty("n"); n != 1 {
		t.Errorf("it has said %d times that it is empty", n)
	}
	stop()
	fresh := dispatchtest.New()
	serve(t, fresh, socket)
	waitPlane(t, fresh, "that it is empty, in the next session", func() bool { return fresh.Empty("n") == 1 })
}

// Load balancers and target groups travel like tasks.
func TestBalancersAreFollowed(t *testing.T) {
	plane, socket, m := dispatchtest.New(), filepath.Join(t.TempDir(), "s"), newMachine()
	serve(t, plane, socket)
	connect(t, socket, "n", m)
	port := int32(80)
	balancer := desired.Balancer{ARN: "lb", Listeners: []desired.BalancerListener{{ARN: "l", Port: 80, Rules: []desired.BalancerRule{{
		Priority: "default", Actions: []elbv2.Action{{Type: elbv2.ActionTypeEnumForward}},
	}}}}}
	group := desired.BalancerGroup{ARN: "tg", Group: elbv2.TargetGroup{Port: &port}, Targets: []desired.BalancerTarget{{
		ID: "10.0.0.1", Port: 80, Address: netip.MustParseAddrPort("10.0.0.1:80"), RegisteredAt: time.Unix(1, 0).UTC(),
	}}}
	for _, want := range []desired.State{
		{Balancers: []desired.Balancer{balancer}, Groups: []desired.BalancerGroup{group}},
		{Balancers: []desired.Balancer{balancer}},
		{Groups: []desired.BalancerGroup{group}},
		{},
	} {
		plane.Set("n", want)
		m.wait(t, fmt.Sprintf("%+v", want), func() bool {
			return cmp.Equal(m.mu.desired, want, cmpopts.EquateEmpty(), cmpopts.EquateComparable(netip.Addr{}, netip.AddrPort{}, netip.Prefix{}))
		})
	}
}

func TestLogs(t *testing.T) {
	plane, socket := dispatchtest.New(), filepath.Join(t.TempDir(), "s")
	c, _ := connect(t, socket, "n", newMachine())
	ctx, cancel := context.WithTimeout(context.Background(), testTimeout)
	defer cancel()
	serve(t, plane, socket) // the calls below wait for it

	target := desired.LogTarget{Group: "g", Stream: "s"}
	err := c.OpenLog(ctx, target)
	if want := "ResourceInitializationError: failed to validate logger args: The specified log group does not exist.: g"; err == nil || err.Error() != want {
		t.Errorf("error is %v, want %s", err, want)
	}
	target.Create = true
	if err := c.OpenLog(ctx, target); err != nil {
		t.Error(err)
	}
	batch := desired.LogBatch{Target: target, Source: "f", To: 6, Events: []desired.LogEvent{{Timestamp: 1, Message: "hello"}}}
	for range 2 {
		if to, err := c.AppendLogs(ctx, batch); err != nil || to != 6 {
			t.Errorf("position %d, error %v", to, err)
		}
	}
	if got := plane.Messages("g", "s"); len(got) != 1 || got[0] != "hello" {
		t.Errorf("messages %q", got)
	}
	plane.RemoveGroup("g")
	if _, err := c.AppendLogs(ctx, batch); !errdefs.IsNotFound(err) {
		t.Errorf("error is %v, want not found", err)
	}
}

package control

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"net/netip"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"fargo"
	"fargo/api/acm"
	"fargo/aws/ec2"
	"fargo/aws/ecs"
	"fargo/desired"
	"fargo/plan"
	"fargo/record"
	"fargo/secret"
	"fargo/store"
)

var home = fargo.Scope{Account: fargo.DefaultAccount, Region: fargo.DefaultRegion}

type noImages struct{}

func (noImages) Resolve(store.Reader, fargo.Scope, string) string { return "" }

func (noImages) Source(*record.Task, *ecs.ContainerDefinition) desired.PullSource {
	return desired.PullSource{}
}

// allowed is everything.
func allowed(Caller, string, string, any) error { return nil }

func (noImages) Password(t *record.Task) secret.Text { return secret.New("password of " + t.ID) }

// world is a store with one small subnet, a cluster and a definition, and the
// controllers at work on it.
type world struct {
	db    *store.DB
	plane *Plane
	ctx   context.Context //nolint:containedctx // until stop
	stop  func()
}

func newWorld(t interface{ Fatal(...any) }) *world {
	db, err := store.Open(context.Background(), store.NewMemory())
	if err != nil {
		t.Fatal(err)
	}
	w := &world{db: db, plane: &Plane{DB: db, Sessions: NewSessions(), Logger: slog.New(slog.DiscardHandler)}}
	w.update(func(tx *store.Tx) {
		store.EC2VPCs.Put(tx, &record.EC2VPC{Scope: home, VPC: ec2.Vpc{VpcId: new("vpc-1"), CidrBlockAssociationSet: []ec2.VpcCidrBlockAssociation{{CidrBlock: new("10.0.0.0/16")}}}})
		store.EC2Subnets.Put(tx, &record.EC2Subnet{Scope: home, Subnet: ec2.Subnet{
			SubnetId: new("subnet-1"), VpcId: new("vpc-1"), CidrBlock: new("10.0.0.0/28"), AvailabilityZone: new("us-east-1a"),
		}})
		store.Nodes.Put(tx, &record.Node{ID: "a", State: record.NodeActive})
		store.TaskDefinitions.Put(tx, &record.TaskDefinition{Scope: home, Definition: ecs.TaskDefinition{
			Family: new("web"), Revision: new(int32(1)), TaskDefinitionArn: new("arn:aws:ecs:us-east-1:123456789012:task-definition/web:1"),
			Status: ecs.TaskDefinitionStatusActive, ContainerDefinitions: []ecs.ContainerDefinition{{Name: new("app"), Image: new("i")}},
		}})
	})
	ctx, cancel := context.WithCancel(context.Background())
	w.ctx = ctx
	w.plane.Sessions.open(ctx, "a")
	done := make(chan error, 1)
	go func() {
		done <- Run(ctx, db, slog.New(slog.DiscardHandler), Controllers(Config{Images: noImages{}, Assumable: func(store.Reader, string, string, string) bool { return true }, Renew: acm.Renew, IssuePlatform: acm.IssuePlatform, Logger: slog.New(slog.DiscardHandler), Sessions: w.plane.Sessions}))
	}()
	w.stop = func() {
		cancel()
		<-done
		db.Close()
	}
	return w
}

func (w *world) update(fn func(*store.Tx)) {
	if err := w.db.Update(context.Background(), func(tx *store.Tx) error { fn(tx); return nil }); err != nil {
		panic(err)
	}
}

// join has a node say hello that holds nothing, and stay until the session is ended.
func (w *world) join(h desired.Hello) (leave context.CancelFunc) {
	ctx, cancel := context.WithCancel(w.ctx)
	if err := errors.Join(w.plane.Hello(ctx, h), w.plane.ReportEmpty(ctx, h.ID)); err != nil {
		panic(err)
	}
	return cancel
}

func (w *world) run() *record.Task { return w.runIn("subnet-1") }

func (w *world) runIn(subnet string) *record.Task {
	var t *record.Task
	w.update(func(tx *store.Tx) {
		d, _ := store.TaskDefinitionByARN(tx, "arn:aws:ecs:us-east-1:123456789012:task-definition/web:1")
		t = plan.NewTask(plan.TaskSpec{
			Scope: home, Definition: d, LaunchType: ecs.LaunchTypeFargate,
			Cluster: &record.Cluster{Scope: home, Cluster: ecs.Cluster{ClusterName: new("c"), ClusterArn: new("arn:aws:ecs:us-east-1:123456789012:cluster/c")}},
			Network: &ecs.AwsVpcConfiguration{Subnets: []string{subnet}, AssignPublicIp: ecs.AssignPublicIpDisabled},
		}, time.Now(), fargo.NewHex)
		store.Tasks.Put(tx, t)
	})
	return t
}

func (w *world) tasks() []*record.Task { return slices.Collect(store.Tasks.All(w.db.View())) }

// TestAddresses holds, for any order of starts and ends: no address is with two
// tasks, a task gets one whenever one is free, one that does not is told why in
// EC2's words, and in the end all are free again.
func TestAddresses(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		synctest.Test(t, func(*testing.T) {
			w := newWorld(rt)
			defer w.stop()
			for range rapid.IntRange(1, 40).Draw(rt, "steps") {
				w.step(rt)
				synctest.Wait()
				w.check(rt)
			}
			for _, task := range w.tasks() {
				w.report(task, fargo.TaskStopped)
			}
			synctest.Wait()
			for i := range store.EC2NetworkInterfaces.All(w.db.View()) {
				rt.Fatalf("left behind: %v", i.Address())
			}
		})
	})
}

func (w *world) step(rt *rapid.T) {
	tasks := w.tasks()
	if len(tasks) == 0 || rapid.Bool().Draw(rt, "start") {
		w.run()
		return
	}
	task := rapid.SampledFrom(tasks).Draw(rt, "task")
	w.report(task, rapid.SampledFrom([]fargo.TaskStatus{fargo.TaskActivating, fargo.TaskRunning, fargo.TaskStopped}).Draw(rt, "status"))
}

func (w *world) report(task *record.Task, s fargo.TaskStatus) {
	if task.Node == "" {
		return
	}
	if err := w.plane.Report(context.Background(), task.Node, []desired.TaskReport{{TaskARN: task.ARN(), Status: s, StoppedAt: time.Now()}}); err != nil {
		panic(err)
	}
}

func (w *world) check(rt *rapid.T) {
	subnet := netip.MustParsePrefix("10.0.0.0/28")
	owners := map[netip.Addr]string{}
	full := 0
	for _, task := range w.tasks() {
		switch {
		case task.Interface == nil:
			full++
			want := "Unexpected EC2 error while attempting to Create Network Interface with public IP assignment disabled in subnet 'subnet-1': InsufficientFreeAddressesInSubnet"
			if !task.Stopped() || task.StoppedReason != want || task.StopCode != fargo.StopTaskFailedToStart {
				rt.Fatalf("task without an interface: %s %s %q", task.LastStatus(), task.StopCode, task.StoppedReason)
			}
		case !task.Stopped():
			if other := owners[task.Interface.Address]; other != "" {
				rt.Fatalf("%v is with %s and %s", task.Interface.Address, other, task.ID)
			}
			owners[task.Interface.Address] = task.ID
		}
	}
	if got := len(slices.Collect(store.EC2NetworkInterfaces.All(w.db.View()))); got != len(owners) {
		rt.Fatalf("%d interfaces for %d tasks", got, len(owners))
	}
	if full > 0 && len(owners) > plan.Capacity(subnet) {
		rt.Fatalf("%d addresses in %v", len(owners), subnet)
	}
}

// ECS API, DescribeTasks: stopped tasks are described for at least an hour.
func TestStoppedTasksAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.stop()
		w.run()
		synctest.Wait()
		w.report(w.tasks()[0], fargo.TaskStopped)
		time.Sleep(time.Hour - time.Second)
		synctest.Wait()
		if len(w.tasks()) != 1 {
			t.Fatal("forgotten before an hour had passed")
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if len(w.tasks()) != 0 {
			t.Fatal("not forgotten")
		}
	})
}

// ECS API, DeleteTaskDefinitions: a revision stays until no task uses it.
func TestDefinitionOutlivesItsTasks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.stop()
		w.run()
		synctest.Wait()
		w.update(func(tx *store.Tx) {
			d, _ := store.TaskDefinitionByARN(tx, "arn:aws:ecs:us-east-1:123456789012:task-definition/web:1")
			c := *d
			c.Definition.Status = ecs.TaskDefinitionStatusDeleteInProgress
			store.TaskDefinitions.Put(tx, &c)
		})
		synctest.Wait()
		if len(slices.Collect(store.TaskDefinitions.All(w.db.View()))) != 1 {
			t.Fatal("deleted while a task runs")
		}
		w.report(w.tasks()[0], fargo.TaskStopped)
		synctest.Wait()
		if len(slices.Collect(store.TaskDefinitions.All(w.db.View()))) != 0 {
			t.Fatal("still there")
		}
	})
}

// Putting the machine away waits for the tasks that a node has, also for one that
// load balancers know and one that is draining already, and for no other.
func TestDrain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.stop()
		w.run()
		synctest.Wait()
		w.update(func(tx *store.Tx) {
			balanced := *w.tasks()[0]
			balanced.Targets = []record.TargetRef{{Group: "g", ID: "10.0.0.4", Port: 80}}
			store.Tasks.Put(tx, &balanced)
			store.ELBTargets.Put(tx, &record.ELBTarget{Group: "g", ID: "10.0.0.4", Port: 80})
			draining := balanced
			draining.ID, draining.Interface, draining.Desired = fargo.NewHex(32), nil, fargo.TaskStopped
			draining.StopCode = fargo.StopServiceSchedulerInitiated
			draining.Targets = []record.TargetRef{{Group: "g", ID: "10.0.0.5", Port: 80}}
			store.Tasks.Put(tx, &draining)
			waiting := *w.tasks()[0]
			waiting.ID, waiting.Node, waiting.Interface = fargo.NewHex(32), "", nil
			waiting.Network = &ecs.AwsVpcConfiguration{Subnets: []string{"subnet-1"}}
			store.Nodes.Delete(tx, "a") // so that it goes on waiting
			store.Tasks.Put(tx, &waiting)
		})
		drained := make(chan error, 1)
		go func() { drained <- w.plane.Drain(t.Context(), "put away") }()
		synctest.Wait()
		for _, task := range w.tasks() {
			if task.Desired != fargo.TaskStopped || task.Held() {
				t.Errorf("%s is wanted %s, held %v", task.LastStatus(), task.Desired, task.Held())
			}
			if drains := task.StopCode == fargo.StopServiceSchedulerInitiated; drains == (task.StoppedReason == "put away") {
				t.Errorf("%s is stopped for %q", task.StopCode, task.StoppedReason)
			}
			w.report(task, fargo.TaskStopped)
		}
		if err := <-drained; err != nil {
			t.Error(err)
		}
	})
}

// TestFailureDoesNotSpread holds that a key that fails is tried again, and that
// the others of its batch are done meanwhile.
func TestFailureDoesNotSpread(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db, err := store.Open(t.Context(), store.NewMemory())
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		failures := 3
		c := Controller{
			Name:  "test",
			All:   func(store.Reader) iter.Seq[string] { return slices.Values([]string{"bad", "x", "y"}) },
			Scope: func(store.Reader, store.Change) iter.Seq[string] { return slices.Values([]string(nil)) },
			Reconcile: func(tx *store.Tx, key string, _ time.Time) (time.Time, error) {
				if key == "bad" && failures > 0 {
					failures--
					return time.Time{}, errors.New("not now")
				}
				store.Nodes.Put(tx, &record.Node{ID: key})
				return time.Time{}, nil
			},
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- Run(ctx, db, slog.New(slog.DiscardHandler), []Controller{c}) }()
		synctest.Wait()
		if got := names(db); got != "[x y]" {
			t.Errorf("after the first round: %s", got)
		}
		time.Sleep(2 * retryAfter)
		synctest.Wait()
		if got := names(db); got != "[bad x y]" {
			t.Errorf("after the failures: %s", got)
		}
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("Run returned %v", err)
		}
	})
}

func names(db *store.DB) string {
	var out []string
	for n := range store.Nodes.All(db.View()) {
		out = append(out, n.ID)
	}
	return fmt.Sprint(out)
}

// A service is not found under tasks of its past, however many there are. No
// controller runs: one would take the stopped task out of its target group.
func TestPastTasksAreNotLookedAt(t *testing.T) {
	db, err := store.Open(t.Context(), store.NewMemory())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	under := func() (n int) {
		for range store.Tasks.By(db.View(), store.TaskByService, home.Key("c", "web")) {
			n++
		}
		return n
	}
	task := record.Task{Scope: home, Cluster: "c", Service: "web", Intent: ecs.Task{
		TaskArn: new("arn:aws:ecs:us-east-1:123456789012:task/c/past"), ClusterArn: new("arn:aws:ecs:us-east-1:123456789012:cluster/c"),
		TaskDefinitionArn: new("arn:aws:ecs:us-east-1:123456789012:task-definition/web:1"),
	}}
	task.Report = &desired.TaskReport{Status: fargo.TaskStopped}
	task.Targets = []record.TargetRef{{Group: theGroup, ID: "10.0.0.9", Port: 80}}
	for _, step := range []struct {
		what string
		do   func()
		want int
	}{
		{"stopped, not counted, in a target group", func() {}, 1},
		{"counted", func() { task.Counted = true }, 1},
		{"out of its target group", func() { task.Targets = nil }, 0},
	} {
		step.do()
		next := task
		if err := db.Update(t.Context(), func(tx *store.Tx) error { store.Tasks.Put(tx, &next); return nil }); err != nil {
			t.Fatal(err)
		}
		if got := under(); got != step.want {
			t.Errorf("a task that is %s is found %d times", step.what, got)
		}
	}
}

// full is a journal without room, for a while.
type full struct {
	store.Journal
	full atomic.Bool
}

func (f *full) Commit(ctx context.Context, epoch store.Epoch, writes []store.Write) (store.Revision, error) {
	if f.full.Load() {
		return 0, fargo.ErrNotWritable
	}
	return f.Journal.Commit(ctx, epoch, writes)
}

// Controllers say nothing of a disk that is full, which is known by then, and go on
// when it is not any more.
func TestFullDiskIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := &full{Journal: store.NewMemory()}
		db, err := store.Open(t.Context(), j)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		c := Controller{
			Name:  "test",
			All:   func(store.Reader) iter.Seq[string] { return slices.Values([]string{"x", "y"}) },
			Scope: func(store.Reader, store.Change) iter.Seq[string] { return slices.Values([]string(nil)) },
			Reconcile: func(tx *store.Tx, key string, _ time.Time) (time.Time, error) {
				store.Nodes.Put(tx, &record.Node{ID: key})
				return time.Time{}, nil
			},
		}
		var said bytes.Buffer
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		j.full.Store(true)
		go func() { done <- Run(ctx, db, slog.New(slog.NewTextHandler(&said, nil)), []Controller{c}) }()
		time.Sleep(10 * retryAfter)
		synctest.Wait()
		if got := names(db); got != "[]" || said.Len() > 0 {
			t.Errorf("while it is full there are %s, and is said %s", got, said.String())
		}
		j.full.Store(false)
		time.Sleep(2 * retryAfter)
		synctest.Wait()
		if got := names(db); got != "[x y]" {
			t.Errorf("with room there are %s", got)
		}
		cancel()
		<-done
	})
}

package control

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"fargo"
	"fargo/aws/ec2"
	"fargo/desired"
	"fargo/record"
	"fargo/store"
)

func (w *world) node(id string) *record.Node {
	n, _ := store.Nodes.Get(w.db.View(), id)
	return n
}

// follow collects what a node is told to do, until the session is ended.
func (w *world) follow(node string) (known func() desired.State, leave context.CancelFunc) {
	ctx, cancel := context.WithCancel(w.ctx)
	var state desired.State
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = w.plane.Follow(ctx, node, func(d desired.Delta) error { state = desired.Apply(state, &d); return nil }) // ends with ctx
	}()
	return func() desired.State { synctest.Wait(); return state }, func() { cancel(); <-ended }
}

// TestLostNode follows tasks of a node that falls silent: they have stopped, however
// many they are, their addresses are free, and what the node says of them when it is
// back changes nothing. It is told to do nothing, and takes new tasks only when it
// holds none.
func TestLostNode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.stop()
		w.plane.Puller = noImages{}
		leave := w.join(desired.Hello{ID: "b"})
		synctest.Wait()
		const subnet = "subnet-2"
		w.wide(subnet)
		for range 2 * (endedAtOnce + 10) {
			w.runIn(subnet)
		}
		synctest.Wait()
		var lost []string
		for _, task := range w.tasks() {
			if task.Node == "b" {
				lost = append(lost, task.ARN())
			}
			w.report(task, fargo.TaskRunning)
		}
		if len(lost) <= endedAtOnce {
			t.Fatalf("%d tasks on the node that will be lost", len(lost))
		}
		leave()
		time.Sleep(2*time.Minute + time.Second)
		synctest.Wait()
		if n := w.node("b"); n.State != record.NodeLost || time.Since(n.Seen) < 2*time.Minute {
			t.Fatalf("the node is %s, and was seen at %s", n.State, n.Seen)
		}
		check := func() {
			t.Helper()
			synctest.Wait()
			interfaces := 0
			for range store.EC2NetworkInterfaces.All(w.db.View()) {
				interfaces++
			}
			left := 0
			for _, task := range w.tasks() {
				switch {
				case task.Node == "a" && task.LastStatus() == fargo.TaskRunning:
					left++
				case task.Node != "b" || !task.Stopped() || task.StopCode != fargo.StopTerminationNotice || task.StoppedReason != "Host (node b) was lost.":
					t.Fatalf("task on %s: %s %s %q", task.Node, task.LastStatus(), task.StopCode, task.StoppedReason)
				}
			}
			if interfaces != left {
				t.Errorf("%d interfaces for %d tasks", interfaces, left)
			}
		}
		check()

		ctx, leave := context.WithCancel(w.ctx)
		defer leave()
		if err := w.plane.Hello(ctx, desired.Hello{ID: "b"}); err != nil {
			t.Fatal(err)
		}
		known, end := w.follow("b")
		defer end()
		var reports []desired.TaskReport
		for _, arn := range lost {
			reports = append(reports, desired.TaskReport{TaskARN: arn, Status: fargo.TaskRunning})
		}
		if err := w.plane.Report(ctx, "b", reports); err != nil {
			t.Fatal(err)
		}
		check()
		if d := known(); len(d.Tasks) > 0 || w.node("b").State != record.NodeLost {
			t.Errorf("a %s node is told of %d tasks", w.node("b").State, len(d.Tasks))
		}
		for range 10 {
			if task := w.runIn(subnet); w.after(task).Node != "a" {
				t.Errorf("a task is placed on %q", w.after(task).Node)
			}
		}
		if err := w.plane.ReportEmpty(ctx, "b"); err != nil {
			t.Fatal(err)
		}
		if n := w.node("b"); n.State != record.NodeActive {
			t.Errorf("it holds nothing and is %s", n.State)
		}
		for again := 0; w.after(w.runIn(subnet)).Node != "b"; again++ { // tasks of no service go anywhere
			if again == 50 {
				t.Fatal("no task comes to it")
			}
		}
		if d := known(); len(d.Tasks) != 1 {
			t.Errorf("it is told of %d tasks", len(d.Tasks))
		}
	})
}

// wide adds a subnet with room for all.
func (w *world) wide(id string) {
	w.update(func(tx *store.Tx) {
		store.EC2Subnets.Put(tx, &record.EC2Subnet{Scope: home, Subnet: ec2.Subnet{
			SubnetId: &id, VpcId: new("vpc-1"), CidrBlock: new("10.0.16.0/20"), AvailabilityZone: new("us-east-1a"),
		}})
	})
}

// after is a task as it is when the controllers rest.
func (w *world) after(t *record.Task) *record.Task {
	synctest.Wait()
	now, _ := store.Tasks.Get(w.db.View(), t.Key())
	return now
}

// A node that says that it holds nothing before anybody has noticed that it was lost
// is not lost for ever.
func TestEmptyBeforeLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.stop()
		w.join(desired.Hello{ID: "b"})
		synctest.Wait()
		lost := *w.node("b")
		lost.State = record.NodeLost
		w.update(func(tx *store.Tx) { store.Nodes.Put(tx, &lost) })
		synctest.Wait()
		if n := w.node("b"); n.State != record.NodeActive {
			t.Errorf("it is %s", n.State)
		}
	})
}

// The machine's node under a new id has the one before be gone at once, with its
// tasks; its record is forgotten after the last of them.
func TestReplacedNode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.stop()
		w.update(func(tx *store.Tx) { store.Nodes.Delete(tx, "a") })
		leave := w.join(desired.Hello{ID: "b", Machine: "m"})
		w.join(desired.Hello{ID: "c", Machine: "other"})
		old := w.after(w.run())
		for old.Node != "b" {
			old = w.after(w.run())
		}
		leave()
		ctx, end := context.WithCancel(w.ctx)
		defer end()
		if err := w.plane.Hello(ctx, desired.Hello{ID: "d", Machine: "m"}); err != nil {
			t.Fatal(err)
		}
		if old = w.after(old); !old.Stopped() || w.node("b").State != record.NodeGone || w.node("c").State != record.NodeActive || w.node("d").State != record.NodeLost {
			t.Errorf("task %s, nodes %+v %+v %+v", old.LastStatus(), w.node("b"), w.node("c"), w.node("d"))
		}
		time.Sleep(time.Hour + 2*time.Minute)
		synctest.Wait()
		if n := w.node("b"); n != nil || w.after(old) != nil {
			t.Errorf("%+v is remembered", n)
		}
	})
}

// A node of a version without ids is on record under its machine's name. Its id takes
// over what it had, and nothing of it stops.
func TestFormerName(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.stop()
		task := w.after(w.run())
		w.report(task, fargo.TaskRunning)
		w.balanced()
		synctest.Wait()
		id := fargo.NewHex(32)
		registered := w.node("a").RegisteredAt
		if err := w.plane.Hello(w.ctx, desired.Hello{ID: id, Former: "a", Machine: "m"}); err != nil {
			t.Fatal(err)
		}
		if n := w.node(id); w.node("a") != nil || n.State != record.NodeActive || !n.RegisteredAt.Equal(registered) || n.Hello.Machine != "m" {
			t.Errorf("on record: %+v, and the id %+v", w.node("a"), n)
		}
		if now := w.after(task); now.Node != id || now.LastStatus() != fargo.TaskRunning || now.Version != w.after(task).Version {
			t.Errorf("the task is %s on %s", now.LastStatus(), now.Node)
		}
		w.plane.Puller = noImages{}
		if d := w.desired(id); len(d.Tasks) != 1 || len(d.Balancers) != 1 {
			t.Errorf("it is told of %d tasks and %d load balancers", len(d.Tasks), len(d.Balancers))
		}
	})
}

// A node that says hello as it did before is let in when nothing can be written.
func TestHelloWritesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		defer w.stop()
		h := desired.Hello{ID: "b", Machine: "m", CPU: 2048}
		w.join(h)
		synctest.Wait()
		before := w.db.View()
		w.join(h)
		synctest.Wait()
		if w.db.View() != before {
			t.Error("the second hello was written")
		}
		h.CPU = 4096
		w.join(h)
		if n := w.node("b"); n.Hello.CPU != 4096 || n.State != record.NodeActive {
			t.Errorf("on record: %+v", n)
		}
	})
}

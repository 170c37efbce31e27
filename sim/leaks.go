package sim

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"fargo"
	"fargo/aws/ecs"
	"fargo/aws/elbv2"
	"fargo/plan"
	"fargo/record"
	"fargo/store"
)

// inventory is what a machine should have.
type inventory struct {
	tasks      map[string]*record.Task // by id
	interfaces map[string]bool         // of tasks and load balancers, by id
}

// leaks is what is there and should not be, or is missing, once the state has
// converged: in the store, and on every machine.
func (w *World) leaks() error {
	view := w.plane.db.View()
	var errs []error
	want := map[string]inventory{}
	for _, m := range w.present() {
		want[m.nodeID()] = inventory{map[string]*record.Task{}, map[string]bool{}}
	}
	interfaces, targets := map[string]bool{}, map[string]bool{}
	for lb := range store.ELBLoadBalancers.All(view) {
		for _, i := range lb.Interfaces {
			interfaces[i.ID] = true
			on, there := want[lb.Nodes[i.ID]]
			if n, known := store.Nodes.Get(view, lb.Nodes[i.ID]); !there || !known || !n.Active() {
				errs = append(errs, fmt.Errorf("the interface %s of %s is on %q", i.ID, lb.Key(), lb.Nodes[i.ID]))
				continue
			}
			on.interfaces[i.ID] = true
		}
	}
	for t := range store.Tasks.All(view) {
		if t.Stopped() {
			continue
		}
		on, there := want[t.Node]
		if n, known := store.Nodes.Get(view, t.Node); !there || !known || !n.Active() {
			errs = append(errs, fmt.Errorf("task %.8s is %s on node %q, which is not there", t.ID, t.LastStatus(), t.Node))
			continue
		}
		on.tasks[t.ID], on.interfaces[t.Interface.ID], interfaces[t.Interface.ID] = t, true, true
		for _, ref := range t.Targets {
			targets[ref.Key()] = true
		}
	}
	for i := range store.EC2NetworkInterfaces.All(view) {
		if id := *i.Interface.NetworkInterfaceId; !interfaces[id] {
			errs = append(errs, fmt.Errorf("the interface %s of task %q is left", id, i.TaskARN))
		}
	}
	for _, on := range want {
		for _, t := range on.tasks {
			if !t.Interface.Public.IsValid() {
				errs = append(errs, fmt.Errorf("task %.8s has no public address", t.ID))
			}
		}
	}
	for t := range store.ELBTargets.All(view) {
		if !targets[t.Key()] {
			errs = append(errs, fmt.Errorf("the target %s is left", t.Key()))
		}
	}
	for _, m := range w.present() {
		errs = append(errs, m.leaks(want[m.nodeID()])...)
	}
	return errors.Join(errs...)
}

// leaks compares a machine with what it should have.
func (m *machine) leaks(want inventory) (errs []error) {
	wrong := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf(m.name+": "+format, args...))
	}
	containers, groups, interfaces := map[string]bool{}, map[string]bool{}, map[string]bool{}
	all, _ := m.runtime.List(context.Background()) // fails with its context only
	for _, c := range all {
		if containers[c.TaskID] = true; want.tasks[c.TaskID] == nil {
			wrong("container %.8s is left, %s", c.ID, c.State)
		}
	}
	for _, g := range m.cgroups.Now() {
		if groups[g.TaskID] = true; want.tasks[g.TaskID] == nil {
			wrong("the control group of task %.8s is left", g.TaskID)
		}
	}
	now, _ := m.network.Now()
	for _, i := range now.Interfaces {
		if interfaces[i.ID] = true; !want.interfaces[i.ID] {
			wrong("the interface %s is left", i.ID)
		}
	}
	for id := range want.interfaces {
		if !interfaces[id] {
			wrong("the interface %s is missing", id)
		}
	}
	for id, t := range want.tasks {
		if !containers[id] || !groups[id] {
			wrong("task %.8s is %s: container %v, control group %v", id, t.LastStatus(), containers[id], groups[id])
		}
	}
	err := filepath.WalkDir(filepath.Join(m.disk, "tasks"), func(path string, d fs.DirEntry, err error) error {
		if id := filepath.Base(path); err == nil && d.IsDir() && len(id) == 32 && want.tasks[id] == nil {
			wrong("the folder of task %.8s is left", id)
		}
		return err
	})
	return append(errs, err)
}

// tearDown has the user want nothing any more, and checks that nothing is left,
// that no container was started twice, and that each line of output has arrived
// exactly once; and that every change of a task was told.
func (w *World) tearDown() error {
	w.trace.note("the user wants nothing any more")
	view := w.plane.db.View()
	for s := range store.Services.All(view) {
		if s.Status() == "ACTIVE" {
			_, err := w.plane.ecs.DeleteService(call(w.ctx), &ecs.DeleteServiceInput{Cluster: new(clusterName), Service: new(s.Name()), Force: new(true)})
			if err := w.trace.call(err, "delete %s", s.Name()); err != nil {
				return err
			}
		}
	}
	for t := range store.Tasks.All(view) {
		if t.Service == "" && t.Desired == fargo.TaskRunning {
			_, err := w.plane.ecs.StopTask(call(w.ctx), &ecs.StopTaskInput{Cluster: new(clusterName), Task: new(t.ARN())})
			if err := w.trace.call(err, "stop %.8s", t.ID); err != nil {
				return err
			}
		}
	}
	// The longest that stopping may take: draining, a stop timeout, output that waits.
	if err := w.advance(15 * time.Minute); err != nil {
		return err
	}
	for lb := range store.ELBLoadBalancers.All(w.plane.db.View()) {
		_, err := w.plane.elb.DeleteLoadBalancer(call(w.ctx), &elbv2.DeleteLoadBalancerInput{LoadBalancerArn: new(lb.Key())})
		if err != nil {
			return fmt.Errorf("delete %s: %w", lb.Key(), err)
		}
	}
	if err := w.advance(plan.StoppedRetention + time.Minute); err != nil {
		return err
	}
	if err := w.leaks(); err != nil {
		return err
	}
	view = w.plane.db.View()
	for t := range store.Tasks.All(view) {
		return fmt.Errorf("task %.8s is still on record: %s", t.ID, t.LastStatus())
	}
	for s := range store.Services.All(view) {
		return fmt.Errorf("service %s is still on record: %s", s.Name(), s.Status())
	}
	for d := range store.EventDeliveries.All(view) {
		return fmt.Errorf("an event for %s is still on its way", *d.Target.Arn)
	}
	for a := range store.EventArrivals.All(view) {
		return fmt.Errorf("the event %s is not routed", a.ID)
	}
	return errors.Join(w.output(), w.events.missed(), w.follower.compare(w.plane.db.View))
}

// output compares what containers wrote with what has arrived.
func (w *World) output() error {
	var errs []error
	w.logs.mu.Lock()
	defer w.logs.mu.Unlock()
	for _, m := range w.present() {
		started := map[string]int{}
		for _, h := range m.runtime.History() {
			if id, ok := strings.CutPrefix(h, "start "); ok {
				started[id]++
			}
		}
		for id, n := range started {
			if n > 1 {
				errs = append(errs, fmt.Errorf("%s: container %.8s was started %d times", m.name, id, n))
			}
			want, got := images[m.image(id)].Output, w.logs.mu.lines[id]
			if m.outputLost[id] {
				continue // what was not sent is gone; what was may be
			}
			if !slices.Equal(got, want) {
				errs = append(errs, fmt.Errorf("%s: container %.8s wrote %q, and %q arrived", m.name, id, want, got))
			}
		}
	}
	return errors.Join(errs...)
}

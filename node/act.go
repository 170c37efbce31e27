package node

import (
	"context"
	"errors"
	"fmt"
	"time"

	"fargo/desired"
	"fargo/host"
)

// How long steps may take, so that no task waits for ever before it runs. Those of
// containers are the ECS agent's; that a registry says nothing is noticed sooner.
const (
	pullTimeout   = 2 * time.Hour
	createTimeout = 4 * time.Minute
	startTimeout  = 3 * time.Minute
	// planeTimeout is long, because it is the control plane that is waited for, for a
	// log stream or a secret, and a task that is to run should not fail for its
	// absence.
	planeTimeout = time.Hour
)

// act does one action for a task and returns its result. t is the task as it was
// saved before.
func (n *Node) act(ctx context.Context, t *Task, a Action) Result {
	if a.Verb == Make || a.Verb == Drop {
		return Result{Err: n.actOnResource(ctx, t, a)}
	}
	i := t.index(a.Of)
	c := &t.Assignment.Containers[i]
	rt := n.cfg.Runtime
	var r Result
	switch a.Verb {
	case Pull:
		r.Err = within(ctx, pullTimeout, "pulled", func(ctx context.Context) (err error) {
			r.Image, err = rt.Pull(ctx, c.Image, c.Pull, n.login(&c.Pull))
			return err
		})
	case OpenLog:
		r.Err = n.openLog(ctx, *c.Log)
	case Fetch:
		_, r.Err = n.secretEnvironment(ctx, c)
	case Create:
		r.Err = n.create(ctx, t, i)
	case Start:
		r.Err = n.start(ctx, c.RuntimeID)
	case Restart:
		r.Err = n.restart(ctx, t, i)
	case Inspect:
		r.State, r.Err = rt.Inspect(ctx, c.RuntimeID)
	case Signal:
		r.Err = rt.Signal(ctx, c.RuntimeID, rt.StopSignal(ctx, c.RuntimeID))
	case Kill:
		r.Err = rt.Signal(ctx, c.RuntimeID, "SIGKILL")
	case Check:
		r.Exit, r.Err = n.check(ctx, c)
	case Remove:
		if r.Err = rt.Remove(ctx, c.RuntimeID); r.Err == nil {
			for _, id := range outputsOf(c) {
				n.output.seal(id, false)
			}
		}
	case Ship:
		for _, id := range outputsOf(c) {
			r.Err = errors.Join(r.Err, n.output.finish(ctx, id))
		}
	}
	return r
}

func (n *Node) openLog(ctx context.Context, target desired.LogTarget) error {
	bounded, cancel := context.WithTimeout(ctx, planeTimeout)
	defer cancel()
	err := n.cfg.Link.OpenLog(bounded, target)
	if err != nil && ctx.Err() == nil && bounded.Err() != nil {
		return fmt.Errorf("the control plane did not answer for %s", planeTimeout)
	}
	return err
}

func (n *Node) actOnResource(ctx context.Context, t *Task, a Action) error {
	task := &t.Assignment
	switch a {
	case Action{Make, "files"}:
		return n.makeFiles(ctx, task)
	case Action{Drop, "files"}:
		n.cfg.Storage.Drop(task.ID)
		n.dropBlockVolumes(task)
		return n.disk.dropFiles(task)
	case Action{Make, "cgroup"}:
		return n.cgroups.put(ctx, task.ID, taskCgroup(task))
	case Action{Drop, "cgroup"}:
		return n.cgroups.drop(ctx, task.ID)
	case Action{Make, "network"}:
		return n.network.put(ctx, task.Interface.ID, *task.Interface)
	default:
		return n.network.drop(ctx, task.Interface.ID)
	}
}

// makeFiles makes what a task has of files.
func (n *Node) makeFiles(ctx context.Context, a *desired.Assignment) error {
	if a.Storage > 0 {
		if err := n.cfg.Storage.Make(ctx, a.ID, a.Storage); err != nil {
			return err
		}
	}
	if err := n.disk.makeFiles(a, n.volumes(a)); err != nil {
		return err
	}
	if err := n.makeBlockVolumes(ctx, a); err != nil {
		return err
	}
	return n.fileSystems.prepare(a.FileSystems)
}

func taskCgroup(a *desired.Assignment) host.TaskCgroup {
	return host.TaskCgroup{TaskID: a.ID, CPU: a.CPU, Memory: a.Memory, PIDs: a.PIDs}
}

func (n *Node) create(ctx context.Context, t *Task, i int) error {
	spec := n.spec(t, i)
	secrets, err := n.secretEnvironment(ctx, &t.Assignment.Containers[i])
	if err != nil {
		return err
	}
	spec.SecretEnvironment = secrets
	if err := n.beginOutput(&t.Assignment, &t.Assignment.Containers[i]); err != nil {
		return err
	}
	return within(ctx, createTimeout, "created", func(ctx context.Context) error { return n.cfg.Runtime.Create(ctx, spec) })
}

// restart makes a stopped container anew, on a fresh filesystem. Cut short
// anywhere it can be done again.
func (n *Node) restart(ctx context.Context, t *Task, i int) error {
	id := t.Assignment.Containers[i].RuntimeID
	if err := n.cfg.Runtime.Remove(ctx, id); err != nil {
		return err
	}
	if err := n.create(ctx, t, i); err != nil {
		return err
	}
	return n.start(ctx, id)
}

func (n *Node) start(ctx context.Context, id string) error {
	return within(ctx, startTimeout, "running", func(ctx context.Context) error { return n.cfg.Runtime.Start(ctx, id) })
}

func (n *Node) check(ctx context.Context, c *desired.ContainerAssignment) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, c.HealthCheck.Timeout)
	defer cancel()
	return n.cfg.Runtime.Exec(ctx, c.RuntimeID, host.ExecSpec{Args: healthCommand(c.HealthCheck)})
}

// within bounds do, and says so as the ECS agent does when the time is up.
func within(ctx context.Context, limit time.Duration, state string, do func(context.Context) error) error {
	bounded, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	err := do(bounded)
	if err != nil && ctx.Err() == nil && errors.Is(bounded.Err(), context.DeadlineExceeded) {
		return fmt.Errorf("ContainerRuntimeTimeoutError: Could not transition to %s; timed out after waiting %s", state, limit)
	}
	return err
}

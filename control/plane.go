package control

import (
	"context"
	"errors"
	"iter"
	"log/slog"
	"sync"
	"time"

	"fargo"
	"fargo/aws/ecs"
	"fargo/desired"
	"fargo/plan"
	"fargo/record"
	"fargo/secret"
	"fargo/store"
)

// Logs takes what containers write.
type Logs interface {
	OpenLog(ctx context.Context, target desired.LogTarget) error
	Append(ctx context.Context, batch desired.LogBatch) (to int64, err error)
}

// LogObjects puts logs of load balancers into their buckets. errdefs.IsNotFound holds for
// the error when a bucket does not take one.
type LogObjects interface {
	PutLogObject(ctx context.Context, o desired.LogObject) error
}

// Invocations are those of functions, for the tasks of a node that run them. The errors are
// as package dispatch has them.
type Invocations interface {
	NextInvocation(ctx context.Context, node, taskARN string) (desired.Invocation, error)
	PutInvocationResult(ctx context.Context, node string, r desired.InvocationResult) error
}

// Puller says how a node gets an image.
type Puller interface {
	// Source is the same for the same task, container and digest, however often
	// it is asked.
	Source(t *record.Task, c *ecs.ContainerDefinition) desired.PullSource
	// Password is the one that a task's sources name, the same whenever it is asked
	// for. It is empty for a task whose sources name none.
	Password(t *record.Task) secret.Text
}

// Plane is what a node may ask and report: the control plane's side of
// package dispatch. All its answers come from the store.
type Plane struct {
	DB     *store.DB
	Logs   Logs
	Puller Puller
	Values Values // for secrets of tasks
	// Authorize decides by IAM's policies; nil allows everything.
	Authorize Authorize
	// Metrics takes what nodes measure.
	Metrics Metrics
	// Performance takes the log events of Container Insights.
	Performance PerformanceLogs
	// Exporter gives it to Prometheus; nil for nobody.
	Exporter *Exporter
	// LogObjects takes the logs of load balancers to S3.
	LogObjects LogObjects
	// ExecAgent has the permissions of tasks' roles, for sessions of ECS Exec.
	ExecAgent ExecAgent
	Logger    *slog.Logger
	Invocations
	// Sessions notes which nodes are connected. It is the controllers' too.
	Sessions *Sessions
	// Upstream is the base URL of the APIs, for nodes to forward what tasks ask of them
	// to. With none, tasks cannot ask.
	Upstream string
	// InEnvironment has containers told of these APIs by AWS_ENDPOINT_URL.
	InEnvironment bool
	// StrictEgress closes these APIs to tasks that have no way to the Internet.
	StrictEgress bool
	// Pace divides the intervals of container health checks.
	Pace fargo.Pace

	unwritable sync.Map // ARNs of the tasks whose output is dropped, which was logged
}

// Report commits what a node has seen of its tasks. A report about a task of
// another node, or one that is forgotten, says nothing.
func (p *Plane) Report(ctx context.Context, node string, reports []desired.TaskReport) error {
	i := 0
	return p.DB.UpdateInParts(ctx, func(tx *store.Tx) (more bool, err error) {
		for ; i < len(reports); i++ {
			if tx.Full() {
				return true, nil
			}
			r := &reports[i]
			t, ok := taskByARN(tx, r.TaskARN)
			if !ok || t.Node != node || !plan.Advances(t, r) {
				continue
			}
			next := *t
			next.Report = r
			if r.Status.Ending() {
				settleStop(&next, r)
			}
			next.Version = plan.TaskVersion(t, &next)
			store.Tasks.Put(tx, &next)
		}
		return false, nil
	})
}

// settleStop takes over from a report why a task ended, unless the control
// plane ended it and so knows better.
func settleStop(t *record.Task, r *desired.TaskReport) {
	if t.Desired != fargo.TaskStopped {
		t.Desired = fargo.TaskStopped
		t.StopCode, t.StoppedReason = r.StopCode, r.StoppedReason
	}
	if t.StoppingAt.IsZero() {
		t.StoppingAt = r.StoppingAt
	}
}

func taskByARN(r store.Reader, arn string) (*record.Task, bool) {
	a, ok := fargo.ParseARN(arn)
	if !ok {
		return nil, false
	}
	return store.Tasks.Get(r, a.Scope().Key(fargo.ClusterOf(a), a.Name()))
}

// PutLogObject puts a load balancer's log into its bucket.
func (p *Plane) PutLogObject(ctx context.Context, o desired.LogObject) error {
	return p.LogObjects.PutLogObject(ctx, o)
}

// Drain has nodes take nothing new and ends every task at once, as when the machine
// is being put away: no load balancer is waited for. It returns when no node has a
// task any more. The controllers must have ended, or they would start what is being
// stopped anew.
func (p *Plane) Drain(ctx context.Context, reason string) error {
	w := p.DB.Watch()
	defer w.Close()
	if err := p.DB.UpdateInParts(ctx, func(tx *store.Tx) (more bool, err error) {
		for n := range store.Nodes.All(tx) {
			if n.Active() {
				draining := *n
				draining.State, draining.Seen = record.NodeDraining, time.Now()
				store.Nodes.Put(tx, &draining)
			}
		}
		for t := range store.Tasks.All(tx) {
			if t.Desired == fargo.TaskStopped && !t.Held() {
				continue
			}
			if tx.Full() {
				return true, nil
			}
			s := *t
			if t.Desired != fargo.TaskStopped {
				s.Desired, s.StopCode, s.StoppedReason, s.StoppingAt = fargo.TaskStopped, fargo.StopUserInitiated, reason, time.Now()
			}
			s.Version = plan.TaskVersion(t, &s)
			for _, ref := range t.Targets {
				store.ELBTargets.Delete(tx, ref.Key())
			}
			s.Targets = nil
			store.Tasks.Put(tx, &s)
		}
		return false, nil
	}); err != nil {
		return err
	}
	for anyLeft(store.Tasks.All(p.DB.View())) {
		if _, err := w.Next(ctx); err != nil {
			return errors.Join(errors.New("tasks are still stopping"), err)
		}
	}
	return nil
}

// anyLeft reports whether a node still has a task.
func anyLeft(tasks iter.Seq[*record.Task]) bool {
	for t := range tasks {
		if t.Node != "" && !t.Stopped() {
			return true
		}
	}
	return false
}

package lambda

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/containerd/errdefs"

	"fargo"
	"fargo/desired"
)

// nextTimeout is how long a node's question waits before it is asked again.
const nextTimeout = 30 * time.Second

// invocation is an event on its way to a task, and the answer on its way back.
type invocation struct {
	is     desired.Invocation            // without the deadline until it is taken
	taken  chan struct{}                 // closed when the task has the event
	result chan desired.InvocationResult // has room for one
	over   bool                          // a result has come: the event is not given again
}

// wait waits for the result of an invocation, or for the end of its task. The task has the
// time of one function to ask for the event, and then the same again to answer.
func (i *invocation) wait(ctx context.Context, ended <-chan error) error {
	limit := time.NewTimer(timeout)
	defer limit.Stop()
	taken := i.taken
	for {
		select {
		case r := <-i.result:
			return resultError(r)
		case <-taken:
			taken = nil
			limit.Reset(timeout)
		case <-limit.C:
			return functionError("Sandbox.Timedout", fmt.Appendf(nil, "it has not answered within %v", timeout))
		case err := <-ended:
			select {
			case r := <-i.result: // which came just before
				return resultError(r)
			default:
				return err
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func resultError(r desired.InvocationResult) error {
	if r.ErrorType == "" {
		return nil
	}
	return functionError(r.ErrorType, []byte(r.Error))
}

// invocations are those that somebody waits for, by the ARN of the task.
type invocations struct {
	sync.Mutex
	of      map[string]*invocation
	changed chan struct{} // closed when one is added
}

func (m *invocations) add(task string, i *invocation) {
	m.Lock()
	defer m.Unlock()
	m.of[task] = i
	close(m.changed)
	m.changed = make(chan struct{})
}

func (m *invocations) remove(task string) {
	m.Lock()
	defer m.Unlock()
	delete(m.of, task)
}

// take gives the task's event, if there is one; the time of the function begins with the
// first.
func (m *invocations) take(task string) (is desired.Invocation, ok bool, changed <-chan struct{}) {
	m.Lock()
	defer m.Unlock()
	i, ok := m.of[task]
	if !ok || i.over {
		return is, false, m.changed
	}
	if i.is.Deadline.IsZero() {
		i.is.Deadline = time.Now().Add(timeout)
		close(i.taken)
	}
	return i.is, true, m.changed
}

// put gives an invocation its result, the first that comes. An error says that it is not
// the task's.
func (m *invocations) put(r desired.InvocationResult) (known bool, changed <-chan struct{}, err error) {
	m.Lock()
	defer m.Unlock()
	i, ok := m.of[r.TaskARN]
	switch {
	case !ok:
		return false, m.changed, nil
	case r.RequestID != "" && r.RequestID != i.is.RequestID:
		return false, m.changed, errdefs.ErrNotFound
	}
	if !i.over {
		i.over = true
		i.result <- r
	}
	return true, m.changed, nil
}

// NextInvocation gives the event of a task that is the node's. After a restart of this
// process it comes when the caller has come again; after the answer there is no other.
func (t *Tasks) NextInvocation(ctx context.Context, node, task string) (desired.Invocation, error) {
	bounded, cancel := context.WithTimeout(ctx, nextTimeout)
	defer cancel()
	for {
		if _, err := t.check(node, task); err != nil {
			return desired.Invocation{}, err
		}
		i, ok, changed := t.mu.take(task)
		if ok {
			return i, nil
		}
		if err := await(bounded, changed); err != nil {
			return desired.Invocation{}, err
		}
	}
}

// PutInvocationResult takes what a task that is the node's says of its invocation. When
// nobody waits for that yet, as after a restart of this process, it waits for a while.
func (t *Tasks) PutInvocationResult(ctx context.Context, node string, r desired.InvocationResult) error {
	bounded, cancel := context.WithTimeout(ctx, nextTimeout)
	defer cancel()
	for {
		over, err := t.check(node, r.TaskARN)
		if over || err != nil {
			return err
		}
		known, changed, err := t.mu.put(r)
		if known || err != nil {
			return err
		}
		if err := await(bounded, changed); err != nil {
			return err
		}
	}
}

// check reports whether a task's invocation is over; an error when it has none.
func (t *Tasks) check(node, arn string) (over bool, err error) {
	task, ok := taskByARN(t.cfg.DB.View(), arn)
	if !ok || task.Node != node || !ofFunction(task) {
		return false, errdefs.ErrNotFound
	}
	return task.Desired == fargo.TaskStopped, nil
}

// await waits for a change. The error is that nothing has come.
func await(ctx context.Context, changed <-chan struct{}) error {
	select {
	case <-changed:
		return nil
	case <-ctx.Done():
		return errors.Join(errdefs.ErrUnavailable, ctx.Err())
	}
}

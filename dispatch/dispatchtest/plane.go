// Package dispatchtest has a control plane in memory, for tests of package dispatch
// and of nodes, and for simulations. It keeps the whole contract of [dispatch.Plane]
// and knows nothing of how a real one decides.
package dispatchtest

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/containerd/errdefs"

	"fargo/desired"
	"fargo/dispatch"
	"fargo/secret"
)

// Plane is a control plane whose decisions are its owner's: what nodes should
// do is set, what they report is read.
type Plane struct {
	mu struct {
		sync.Mutex
		desired      map[string]desired.State
		watchers     map[string]map[chan struct{}]bool
		reports      map[string]map[string]desired.TaskReport   // by node and task ARN
		targets      map[string]map[target]desired.TargetReport // by node
		hellos       map[string]desired.Hello                   // by node
		empty        map[string]int                             // by node
		groups       map[string]*Group
		sources      map[string]int64
		secrets      map[desired.SecretID]secret.Text
		objects      map[string]desired.LogObject        // by bucket and key
		measurements map[string][]desired.Measurements   // by node
		invocations  map[string]desired.Invocation       // by task ARN
		results      map[string]desired.InvocationResult // by request id
		// execSessions are what was reported last, by node and id.
		execSessions map[string]desired.ExecSessionReport
		changed      chan struct{} // closed when anything above changes
	}
}

var _ dispatch.Plane = (*Plane)(nil)

// Group is a log group: its streams' events by stream name.
type Group map[string][]desired.LogEvent

// target is a registration of a target.
type target struct {
	group, id string
	port      int
	at        int64 // in nanoseconds, so that equal times are equal
}

// New makes a plane that wants nothing done and has no log groups.
func New() *Plane {
	p := &Plane{}
	p.mu.desired = map[string]desired.State{}
	p.mu.watchers = map[string]map[chan struct{}]bool{}
	p.mu.reports = map[string]map[string]desired.TaskReport{}
	p.mu.targets = map[string]map[target]desired.TargetReport{}
	p.mu.hellos, p.mu.empty = map[string]desired.Hello{}, map[string]int{}
	p.mu.groups = map[string]*Group{}
	p.mu.sources = map[string]int64{}
	p.mu.objects = map[string]desired.LogObject{}
	p.mu.measurements = map[string][]desired.Measurements{}
	p.mu.invocations, p.mu.results = map[string]desired.Invocation{}, map[string]desired.InvocationResult{}
	p.mu.execSessions = map[string]desired.ExecSessionReport{}
	p.mu.secrets = map[desired.SecretID]secret.Text{}
	p.mu.changed = make(chan struct{})
	return p
}

// touch wakes those who wait for a change. mu is held.
func (p *Plane) touch() {
	close(p.mu.changed)
	p.mu.changed = make(chan struct{})
}

// Wait returns when cond holds. cond is called without locks, again after each
// change.
func (p *Plane) Wait(ctx context.Context, cond func() bool) error {
	for {
		p.mu.Lock()
		changed := p.mu.changed
		p.mu.Unlock()
		if cond() {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Set changes what node should be doing.
func (p *Plane) Set(node string, d desired.State) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mu.desired[node] = d
	for w := range p.mu.watchers[node] {
		select {
		case w <- struct{}{}:
		default:
		}
	}
	p.touch()
}

// SetSecret makes a secret one that every node may ask for.
func (p *Plane) SetSecret(s desired.Secret) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mu.secrets[s.ID] = s.Value
	p.touch()
}

// RemoveSecret takes it away.
func (p *Plane) RemoveSecret(id desired.SecretID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.mu.secrets, id)
	p.touch()
}

// Reports are the latest of each of node's tasks, by ARN.
func (p *Plane) Reports(node string) map[string]desired.TaskReport {
	p.mu.Lock()
	defer p.mu.Unlock()
	return maps.Clone(p.mu.reports[node])
}

// Targets are the latest reports of node's targets, in no order.
func (p *Plane) Targets(node string) []desired.TargetReport {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Collect(maps.Values(p.mu.targets[node]))
}

// Sessions is how many sessions node has.
func (p *Plane) Sessions(node string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.mu.watchers[node])
}

// AddGroup makes an empty log group, and RemoveGroup takes one away.
func (p *Plane) AddGroup(name string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mu.groups[name] = &Group{}
	p.touch()
}

// RemoveGroup deletes a log group with its streams.
func (p *Plane) RemoveGroup(name string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.mu.groups, name)
	p.touch()
}

// Messages are the messages of a log stream.
func (p *Plane) Messages(group, stream string) []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []string
	if g := p.mu.groups[group]; g != nil {
		for _, e := range (*g)[stream] {
			out = append(out, e.Message)
		}
	}
	return out
}

// Hello lets every node in.
func (p *Plane) Hello(_ context.Context, h desired.Hello) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mu.hellos[h.ID] = h
	p.touch()
	return nil
}

// LastHello is what node last said of itself.
func (p *Plane) LastHello(node string) desired.Hello {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.mu.hellos[node]
}

// ReportEmpty counts how often a node has said that it is empty.
func (p *Plane) ReportEmpty(_ context.Context, node string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mu.empty[node]++
	p.touch()
	return nil
}

// Empty is how often node has said that it is empty.
func (p *Plane) Empty(node string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.mu.empty[node]
}

// Desired is what Set has set.
func (p *Plane) Desired(_ context.Context, node string) (desired.State, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	d := p.mu.desired[node]
	d.Tasks, d.VPCs = slices.Clone(d.Tasks), slices.Clone(d.VPCs)
	d.Balancers, d.Groups, d.Records = slices.Clone(d.Balancers), slices.Clone(d.Groups), slices.Clone(d.Records)
	return d, nil
}

// Changed gives a channel that gets a value after each Set for node.
func (p *Plane) Changed(ctx context.Context, node string) <-chan struct{} {
	w := make(chan struct{}, 1)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.mu.watchers[node] == nil {
		p.mu.watchers[node] = map[chan struct{}]bool{}
	}
	p.mu.watchers[node][w] = true
	p.touch()
	context.AfterFunc(ctx, func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.mu.watchers[node], w)
		p.touch()
	})
	return w
}

// Follow sends what Set has set.
func (p *Plane) Follow(ctx context.Context, node string, send func(desired.Delta) error) error {
	changed := p.Changed(ctx, node)
	var sent desired.State
	for first := true; ; first = false {
		next, err := p.Desired(ctx, node)
		if err != nil {
			return err
		}
		if d := desired.Diff(sent, next); first || !desired.Empty(&d) {
			if err := send(d); err != nil {
				return err
			}
		}
		sent = next
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-changed:
		}
	}
}

// Report keeps the latest report of each task; a task never moves backwards.
func (p *Plane) Report(_ context.Context, node string, reports []desired.TaskReport) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.mu.reports[node] == nil {
		p.mu.reports[node] = map[string]desired.TaskReport{}
	}
	for _, r := range reports {
		if r.Status.Before(p.mu.reports[node][r.TaskARN].Status) {
			continue
		}
		p.mu.reports[node][r.TaskARN] = r
	}
	p.touch()
	return nil
}

// ReportTargets keeps the latest report of each target.
func (p *Plane) ReportTargets(_ context.Context, node string, reports []desired.TargetReport) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.mu.targets[node] == nil {
		p.mu.targets[node] = map[target]desired.TargetReport{}
	}
	for _, r := range reports {
		p.mu.targets[node][target{r.Group, r.ID, r.Port, r.RegisteredAt.UnixNano()}] = r
	}
	p.touch()
	return nil
}

// OpenLog finds or makes a stream in a group that is there, or may be made.
func (p *Plane) OpenLog(_ context.Context, t desired.LogTarget) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	g := p.mu.groups[t.Group]
	if g == nil {
		if !t.Create {
			return errdefs.ErrNotFound.WithMessage("ResourceInitializationError: failed to validate logger args: " +
				"The specified log group does not exist.: " + t.Group)
		}
		g = &Group{}
		p.mu.groups[t.Group] = g
	}
	if _, ok := (*g)[t.Stream]; !ok {
		(*g)[t.Stream] = nil
	}
	return nil
}

// Secret gives what SetSecret has set.
func (p *Plane) Secret(_ context.Context, _ string, id desired.SecretID) (secret.Text, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if s, known := p.mu.secrets[id]; known {
		return s, nil
	}
	return secret.Text{}, fmt.Errorf("secret %s: %w", id, errdefs.ErrNotFound)
}

// TaskTags gives the name of the node as a task's only tag, if the node has the task.
func (p *Plane) TaskTags(ctx context.Context, node, taskARN string) (map[string]string, error) {
	d, err := p.Desired(ctx, node)
	if err != nil {
		return nil, err
	}
	for i := range d.Tasks {
		if d.Tasks[i].TaskARN == taskARN {
			return map[string]string{"node": node}, nil
		}
	}
	return nil, fmt.Errorf("task %s: %w", taskARN, errdefs.ErrNotFound)
}

// AppendLogs keeps events, and the position of each source.
func (p *Plane) AppendLogs(_ context.Context, b desired.LogBatch) (int64, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	g := p.mu.groups[b.Target.Group]
	if g == nil {
		return 0, fmt.Errorf("log group %s: %w", b.Target.Group, errdefs.ErrNotFound)
	}
	if held := p.mu.sources[b.Source]; b.From < held {
		return held, nil
	}
	(*g)[b.Target.Stream] = append((*g)[b.Target.Stream], b.Events...)
	p.mu.sources[b.Source] = b.To
	p.touch()
	return b.To, nil
}

// PutLogObject keeps an object of any bucket that is not called "none".
func (p *Plane) PutLogObject(_ context.Context, o desired.LogObject) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if o.Bucket == "none" {
		return errdefs.ErrNotFound.WithMessage("no such bucket")
	}
	p.mu.objects[o.Bucket+"/"+o.Name] = o
	return nil
}

// PutMeasurements keeps measurements, with the node that they are of.
func (p *Plane) PutMeasurements(_ context.Context, node string, m desired.Measurements) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mu.measurements[node] = append(p.mu.measurements[node], m)
	return nil
}

// Measurements gives what a node has measured, in the order in which it came.
func (p *Plane) Measurements(node string) []desired.Measurements {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.mu.measurements[node])
}

// ReportExecSession keeps a report, with the node that it is of.
func (p *Plane) ReportExecSession(_ context.Context, node string, r desired.ExecSessionReport) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mu.execSessions[node+"/"+r.ID] = r
	return nil
}

// PutExecTranscript takes a transcript of a session that node has reported.
func (p *Plane) PutExecTranscript(_ context.Context, node string, t desired.ExecTranscript) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, known := p.mu.execSessions[node+"/"+t.ID]; !known {
		return errdefs.ErrNotFound.WithMessage("no such session")
	}
	return nil
}

// DecryptExecKey gives the ciphertext back.
func (p *Plane) DecryptExecKey(_ context.Context, _ string, k desired.ExecKey) (secret.Text, error) {
	return secret.New(string(k.Ciphertext)), nil
}

// ExecSession gives what a node has reported of a session.
func (p *Plane) ExecSession(node, id string) (desired.ExecSessionReport, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	r, ok := p.mu.execSessions[node+"/"+id]
	return r, ok
}

// LogObject gives an object that was put.
func (p *Plane) LogObject(bucket, key string) (desired.LogObject, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	o, ok := p.mu.objects[bucket+"/"+key]
	return o, ok
}

// SetInvocation makes an invocation the one of a task, whichever node has it.
func (p *Plane) SetInvocation(taskARN string, i desired.Invocation) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mu.invocations[taskARN] = i
	p.touch()
}

// NextInvocation gives what SetInvocation has set.
func (p *Plane) NextInvocation(_ context.Context, _, taskARN string) (desired.Invocation, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if i, ok := p.mu.invocations[taskARN]; ok {
		return i, nil
	}
	return desired.Invocation{}, fmt.Errorf("task %s: %w", taskARN, errdefs.ErrNotFound)
}

// PutInvocationResult keeps a result of an invocation that SetInvocation has set.
func (p *Plane) PutInvocationResult(_ context.Context, _ string, r desired.InvocationResult) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.mu.invocations[r.TaskARN].RequestID != r.RequestID {
		return fmt.Errorf("invocation %s: %w", r.RequestID, errdefs.ErrNotFound)
	}
	p.mu.results[r.RequestID] = r
	p.touch()
	return nil
}

// InvocationResult is what PutInvocationResult has kept.
func (p *Plane) InvocationResult(requestID string) (desired.InvocationResult, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	r, ok := p.mu.results[requestID]
	return r, ok
}

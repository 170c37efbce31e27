package node

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"fargo/desired"
	"fargo/host"
)

// Config is what a node is made of. All fields but Followers are required.
type Config struct {
	Runtime   Runtime
	Network   Network
	Cgroups   Cgroups
	Storage   Storage
	Kept      KeptStorage
	Link      Link
	Watcher   Watcher    // of log files
	Followers []Follower // asked in this order
	Dir       string     // the node's own folder; nobody else writes there
	// MemoryDir is another one, which need not outlive the machine's memory.
	MemoryDir string
	// FileSystemsDir has the files of file systems, which outlive tasks.
	FileSystemsDir string
	// SecretsDir is for secrets. It must be on a file system in memory: whoever makes
	// a node answers for that.
	SecretsDir string
	Logger     *slog.Logger
}

// Node is the agent of one machine.
type Node struct {
	cfg         Config
	disk        disk
	network     *reconciler[desired.Interface]
	cgroups     *reconciler[host.TaskCgroup]
	output      *output
	records     *Records
	secrets     *secrets
	reports     *reports
	views       views
	fileSystems *fileSystems
	wakeUp      chan struct{} // there is a newer desired state
	known       chan struct{} // closed when the data plane is known: the network is not Set before
	changed     chan struct{} // the data plane has changed: followers are called
	saving      sync.Mutex    // of the data plane

	mu struct {
		sync.Mutex
		desired   *desired.State // newest, not taken yet
		dataPlane dataPlane
		loops     map[string]*loop  // by task ARN
		owners    map[string]string // task ARN by the runtime ids of its containers
		authority string            // in PEM, of the file that caBundle names; "": there is none
		empty     emptiness
	}
}

// New makes a node; Run runs it.
func New(cfg Config) *Node {
	n := &Node{
		cfg: cfg, disk: disk{cfg.Dir, cfg.MemoryDir}, reports: newReports(),
		wakeUp: make(chan struct{}, 1), known: make(chan struct{}), changed: make(chan struct{}, 1),
	}
	n.network = newReconciler("network", cfg.Logger, n.setNetwork)
	n.cgroups = newReconciler("cgroups", cfg.Logger, cfg.Cgroups.Set)
	n.secrets = newSecrets(cfg.SecretsDir, cfg.Link, cfg.Logger)
	n.output = newOutput(n.disk, cfg.Link, cfg.Watcher, cfg.Logger)
	n.records = newRecords(n.output)
	n.fileSystems = newFileSystems(cfg.FileSystemsDir, cfg.Kept, cfg.Logger)
	n.views.at = map[whereabouts]*host.Task{}
	n.mu.dataPlane = newDataPlane()
	n.mu.loops = map[string]*loop{}
	n.mu.owners = map[string]string{}
	n.mu.empty.changing = make(chan struct{})
	return n
}

// Assign replaces all that the node should be doing. It does not block, and may
// be called before Run. The node keeps d.
func (n *Node) Assign(d desired.State) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.mu.desired = &d
	wake(n.wakeUp)
}

// Reports gives the tasks whose report changed after version (all for 0), the
// version they are of, and a channel that is closed when there is a newer one.
func (n *Node) Reports(version uint64) (changed []desired.TaskReport, now uint64, newer <-chan struct{}) {
	return n.reports.since(version)
}

// Acknowledged says that the control plane has committed all reports up to
// version. Tasks that are STOPPED and no longer assigned are forgotten then.
func (n *Node) Acknowledged(version uint64) {
	over := n.reports.acknowledge(version)
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, arn := range over {
		if l := n.mu.loops[arn]; l != nil {
			wake(l.wakeUp)
		}
	}
}

// Run adopts what runs on the machine and steps every task through its lifecycle
// until ctx ends. Then it returns nil; the tasks run on. The error is of a
// folder that cannot be read.
func (n *Node) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	var all sync.WaitGroup
	defer all.Wait()
	defer cancel()

	if err := n.secrets.load(); err != nil {
		return err
	}
	tasks, err := n.loadTasks()
	if err != nil {
		return err
	}
	if err := n.resume(tasks); err != nil {
		return err
	}
	n.secrets.dropAllUnheld()
	used := stored(tasks)
	if err := errors.Join(n.cfg.Storage.Sweep(used), n.cfg.Kept.Sweep(used)); err != nil {
		return err
	}
	all.Go(func() {
		select {
		case <-n.known:
			n.network.run(ctx)
		case <-ctx.Done():
		}
	})
	all.Go(func() { n.cgroups.run(ctx) })
	all.Go(func() { n.fileSystems.run(ctx) })
	all.Go(func() { n.runFollowers(ctx) }) // before the runtime is there, which may take longer
	events := n.cfg.Runtime.Events(ctx)    // before the list, so that nothing is missed
	states, ok := n.list(ctx)
	if !ok {
		return nil
	}
	now := time.Now().UTC().Round(0)
	for i := range tasks {
		tasks[i] = recovered(tasks[i], states, now)
	}
	n.add(ctx, &all, tasks)
	if err := n.output.open(ctx, &all, growing(tasks)); err != nil {
		return err
	}
	n.clear(ctx, &all, states)
	all.Go(func() { n.watch(ctx, events) })
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-n.wakeUp:
			n.take(ctx, &all)
		}
	}
}

// loadTasks reads the tasks in the node's directory.
func (n *Node) loadTasks() ([]Task, error) {
	if err := n.disk.prepare(); err != nil {
		return nil, err
	}
	tasks, broken, err := n.disk.loadTasks()
	for i := range tasks {
		n.secrets.hold(tasks[i].Assignment.TaskARN, tasks[i].secrets())
		if a := &tasks[i].Assignment; a.TaskRole != "" {
			n.secrets.hold(credentialsHolder(a), credentialsIDs(a, time.Now()))
		}
		n.views.set(&tasks[i], tasks[i].report())
	}
	for _, err := range broken {
		n.cfg.Logger.Error("a broken task file was put aside; its containers, if any, are removed", "aside", n.disk.damaged(), "err", err)
	}
	return tasks, err
}

// resume asks for what the machine was last desired to have, for tasks and for the
// data plane, before the first Set, which would take it away. When that is not
// known, networks stay as they are until the control plane is there.
func (n *Node) resume(tasks []Task) error {
	interfaces, groups := holdings(tasks)
	n.cgroups.change(groups)
	d, err := n.disk.loadDataPlane()
	switch {
	case err == nil:
		n.setAuthority(d.Platform.CA)
		n.setDataPlane(d, interfaces)
		wake(n.changed)
		return nil
	case errors.Is(err, errBroken):
		n.cfg.Logger.Error("networks stay as they are until the control plane is there", "err", err)
		if err := n.disk.putDataPlaneAside(); err != nil {
			return err
		}
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	n.network.change(interfaces)
	return nil
}

// list finds all containers, trying until the runtime is there.
func (n *Node) list(ctx context.Context) (map[string]host.ContainerState, bool) {
	for {
		found, err := n.cfg.Runtime.List(ctx)
		if err == nil {
			states := make(map[string]host.ContainerState, len(found))
			for _, s := range found {
				states[s.ID] = s
			}
			return states, true
		}
		if ctx.Err() != nil {
			return nil, false
		}
		n.cfg.Logger.Warn("waiting for the runtime", "err", err)
		pause(ctx, retryAfter)
	}
}

// holdings are what tasks have of the machine, or will want at once.
func holdings(tasks []Task) (map[string]desired.Interface, map[string]host.TaskCgroup) {
	interfaces, groups := map[string]desired.Interface{}, map[string]host.TaskCgroup{}
	for i := range tasks {
		t, a := &tasks[i], &tasks[i].Assignment
		if t.Network == Asked || t.Network == Ready {
			interfaces[a.Interface.ID] = *a.Interface
		}
		if t.Cgroup == Asked || t.Cgroup == Ready {
			groups[a.ID] = taskCgroup(a)
		}
	}
	return interfaces, groups
}

// growing tells whether a container of these tasks may yet write.
func growing(tasks []Task) func(id string) bool {
	grows := map[string]bool{}
	for _, t := range tasks {
		for i, c := range t.Containers {
			for _, id := range outputsOf(&t.Assignment.Containers[i]) {
				grows[id] = !c.Removed
			}
		}
	}
	return func(id string) bool { return grows[id] }
}

// clear removes containers of tasks that were forgotten.
func (n *Node) clear(ctx context.Context, all *sync.WaitGroup, states map[string]host.ContainerState) {
	var unowned []string
	for id := range states {
		if n.owner(id) == nil {
			unowned = append(unowned, id)
		}
	}
	n.mu.Lock()
	n.mu.empty.listed, n.mu.empty.unowned = true, len(unowned)
	n.mayBeEmpty()
	n.mu.Unlock()
	for _, id := range unowned {
		all.Go(func() {
			for ctx.Err() == nil {
				err := n.cfg.Runtime.Remove(ctx, id)
				if err == nil {
					n.mu.Lock()
					defer n.mu.Unlock()
					n.mu.empty.unowned--
					n.mayBeEmpty()
					return
				}
				n.cfg.Logger.Warn("removing a container of no task", "container", id, "err", err)
				pause(ctx, retryAfter)
			}
		})
	}
}

// add begins to step tasks.
func (n *Node) add(ctx context.Context, all *sync.WaitGroup, tasks []Task) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, t := range tasks {
		l := newLoop(n, t)
		n.mu.loops[t.Assignment.TaskARN] = l
		for _, c := range t.Assignment.Containers {
			n.mu.owners[c.RuntimeID] = t.Assignment.TaskARN
		}
		all.Go(func() { n.run(ctx, l) })
	}
}

// run steps a task until ctx ends or the task is forgotten, and has the credentials of
// its role in time.
func (n *Node) run(ctx context.Context, l *loop) {
	a := l.task.Assignment
	var keeping sync.WaitGroup
	running, cancel := context.WithCancel(ctx)
	if a.TaskRole != "" {
		keeping.Go(func() { n.keepCredentials(running, &a) })
	}
	forgotten := l.run(ctx)
	cancel()
	keeping.Wait()
	if forgotten {
		n.secrets.hold(credentialsHolder(&a), nil)
		n.forget(&a)
	}
}

// forget drops a task, which is never assigned again.
func (n *Node) forget(a *desired.Assignment) {
	if err := n.disk.forgetTask(a.ID); err != nil {
		n.cfg.Logger.Warn("forgetting a task", "task", a.ID, "err", err)
	}
	n.reports.forget(a.TaskARN)
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.mu.loops, a.TaskARN)
	n.mayBeEmpty()
	for _, c := range a.Containers {
		delete(n.mu.owners, c.RuntimeID)
	}
}

// owner is the loop of the task that a container belongs to; nil if none.
func (n *Node) owner(runtimeID string) *loop {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.mu.loops[n.mu.owners[runtimeID]]
}

// take applies a new desired state to the tasks and the data plane.
func (n *Node) take(ctx context.Context, all *sync.WaitGroup) {
	n.mu.Lock()
	d := n.mu.desired
	n.mu.desired = nil
	n.mu.empty.taking = d != nil
	absent := maps.Clone(n.mu.loops)
	n.mu.Unlock()
	if d == nil {
		return
	}
	defer n.taken()
	var tasks []Task
	for i := range d.Tasks {
		a := &d.Tasks[i]
		if l := absent[a.TaskARN]; l != nil {
			l.assign(desiredStatusOf(a))
			delete(absent, a.TaskARN)
			continue
		}
		t := NewTask(*a)
		if a.TaskRole != "" {
			t.CredentialsID = uuid.NewString()
		}
		tasks = append(tasks, t)
	}
	n.fileSystems.note(d.DeletedFileSystems)
	n.setAuthority(d.Platform.CA)
	interfaces, groups := holdings(tasks)
	updated := n.setDataPlane(*d, interfaces) // one Set for what is new of the networks and in them
	if len(groups) > 0 {
		n.cgroups.change(groups)
	}
	n.add(ctx, all, tasks)
	for _, l := range absent {
		l.assign(desiredStatus{left: true})
	}
	if updated {
		n.save()
		wake(n.changed)
	}
}

// watch turns the runtime's events into inspections.
func (n *Node) watch(ctx context.Context, events <-chan string) {
	for {
		id, ok := "", false
		select {
		case <-ctx.Done():
			return
		case id, ok = <-events:
		}
		if !ok {
			if ctx.Err() != nil {
				return
			}
			pause(ctx, retryAfter)
			events = n.cfg.Runtime.Events(ctx)
		}
		n.inspect(id)
	}
}

// inspect has the container's task inspect it; all tasks, when id is empty.
func (n *Node) inspect(id string) {
	if id != "" {
		if l := n.owner(id); l != nil {
			l.inspect(l.names(id)...)
		}
		return
	}
	n.mu.Lock()
	loops := slices.Collect(maps.Values(n.mu.loops))
	n.mu.Unlock()
	for _, l := range loops {
		l.inspect(l.names("")...)
	}
}

package kernel

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"fargo/host"
)

// maxParallel is how many scripts run in parallel. The kernel changes links under
// one lock, but making namespaces scales a little.
const maxParallel = 4

// A machine executes plans. It keeps the namespaces it works in open.
type machine struct {
	cfg Config
	own *namespace

	// filling is the goroutine that makes spare namespaces.
	filling sync.WaitGroup

	mu struct {
		sync.Mutex
		open   map[string]*namespace // by name, never ""
		spare  []*os.File            // namespaces without a name
		busy   bool                  // filling runs
		closed bool
	}
}

// maxSpares is how many namespaces are made in advance: the kernel may take
// milliseconds to make one, and a task would wait for it.
const maxSpares = 4

func newMachine(cfg Config) (*machine, error) {
	own, err := openNamespace("/proc/thread-self/ns/net")
	if err != nil {
		return nil, err
	}
	m := &machine{cfg: cfg, own: own}
	m.mu.open = map[string]*namespace{}
	return m, nil
}

func (m *machine) path(name string) string { return filepath.Join(m.cfg.NetNSDir, name) }

// namespace opens the namespace of that name; "" is the machine's own.
func (m *machine) namespace(name string) (*namespace, error) {
	if name == "" {
		return m.own, nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if n, ok := m.mu.open[name]; ok {
		return n, nil
	}
	n, err := openNamespace(m.path(name))
	if err != nil {
		return nil, err
	}
	m.mu.open[name] = n
	return n, nil
}

// closeNamespace closes the namespace of that name, if it is open.
func (m *machine) closeNamespace(name string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if n, ok := m.mu.open[name]; ok {
		n.close()
		delete(m.mu.open, name)
	}
}

// closeNamespaces closes all but the machine's own.
func (m *machine) closeNamespaces() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for name, n := range m.mu.open {
		n.close()
		delete(m.mu.open, name)
	}
}

func (m *machine) close() {
	m.mu.Lock()
	m.mu.closed = true
	m.mu.Unlock()
	m.filling.Wait()
	for _, f := range m.mu.spare {
		f.Close()
	}
	m.mu.spare = nil
	m.closeNamespaces()
	m.own.close()
}

// addNamespace binds a namespace to a name, unless one is.
func (m *machine) addNamespace(name string) error {
	path := m.path(name)
	if bound, err := isNamespace(path); err != nil || bound {
		return err
	}
	fresh, err := m.takeNamespace()
	if err != nil {
		return err
	}
	defer fresh.Close()
	return bind(fresh, path)
}

// takeNamespace returns a spare namespace, or makes one.
func (m *machine) takeNamespace() (*os.File, error) {
	m.mu.Lock()
	if n := len(m.mu.spare); n > 0 {
		defer m.mu.Unlock()
		f := m.mu.spare[n-1]
		m.mu.spare = m.mu.spare[:n-1]
		return f, nil
	}
	m.mu.Unlock()
	return newNamespace()
}

// fillSpares begins to make the spare namespaces that are missing. They end with
// this process.
func (m *machine) fillSpares() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.mu.busy || m.mu.closed {
		return
	}
	m.mu.busy = true
	m.filling.Go(func() {
		for m.addSpare() {
		}
	})
}

// addSpare makes one and reports whether more may be missing.
func (m *machine) addSpare() bool {
	m.mu.Lock()
	if m.mu.busy = len(m.mu.spare) < maxSpares && !m.mu.closed; !m.mu.busy {
		defer m.mu.Unlock()
		return false
	}
	m.mu.Unlock()
	f, err := newNamespace()
	m.mu.Lock()
	defer m.mu.Unlock()
	if err != nil {
		m.cfg.Logger.Debug("making a spare network namespace", "err", err) // whoever needs one gets the error
		m.mu.busy = false
		return false
	}
	m.mu.spare = append(m.mu.spare, f)
	return true
}

func (m *machine) removeNamespace(name string) error {
	m.closeNamespace(name)
	return unbind(m.path(name))
}

// run executes a plan. After a script that failed, those of later phases for the
// same VPC or interface, or for interfaces in the VPC, are not run; the failures
// are returned by id. The error is that of a script for the machine itself, or of
// ctx: nothing more was done then.
func (m *machine) run(ctx context.Context, p plan) (host.Failures, error) {
	failed := host.Failures{}
	for _, phase := range p {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := m.runPhase(phase, failed); err != nil {
			return nil, err
		}
	}
	return failed, nil
}

func (m *machine) runPhase(scripts []script, failed host.Failures) error {
	errs := make([]error, len(scripts))
	tokens := make(chan struct{}, maxParallel)
	var all sync.WaitGroup
	for i, s := range scripts {
		if err := failed[s.vpc]; err != nil {
			errs[i] = fmt.Errorf("vpc %s: %w", s.vpc, err)
			continue
		}
		if failed[s.id] != nil {
			continue
		}
		if len(scripts) == 1 {
			errs[i] = m.runScript(s)
			continue
		}
		tokens <- struct{}{}
		all.Go(func() {
			errs[i] = m.runScript(s)
			<-tokens
		})
	}
	all.Wait()
	for i, s := range scripts {
		switch {
		case errs[i] == nil:
		case s.id == "":
			return errs[i]
		default:
			failed[s.id] = errs[i]
		}
	}
	return nil
}

func (m *machine) runScript(s script) error {
	if s.closes != "" {
		defer m.closeNamespace(s.closes)
	}
	for _, st := range s.steps {
		in, err := m.namespace(st.in)
		if err == nil {
			err = st.op.do(m, in)
		}
		if err != nil {
			if st.in != "" {
				return fmt.Errorf("in %s: %s: %w", st.in, st.op, err)
			}
			return fmt.Errorf("%s: %w", st.op, err)
		}
	}
	return nil
}

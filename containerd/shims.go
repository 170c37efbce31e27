package containerd

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/containerd/errdefs"

	"fargo/process"
)

// readyShims is how many shims are started ahead. One is enough for a task that
// comes alone; each costs some 5 MB.
const readyShims = 2

// shims are the processes that look after containers, one for each task. We
// start them rather than containerd: so they can be ready when a task comes, and
// one program is run where containerd runs two. A shim ends by itself when its
// last container is removed.
//
// A shim is known by its socket, <StateDir>/w/<name>/s. Which task it serves is
// a label of the task's containers, so nothing is lost when we die.
type shims struct {
	taken chan struct{} // one was taken from ready

	mu struct {
		sync.Mutex
		ready  []string
		ofTask map[string]func() (socket string, err error) // may still be starting
	}
}

// Run keeps shims ready until ctx ends, and leaves those for the next Run.
// Everything works without it, a little slower.
func (r *Runtime) Run(ctx context.Context) error {
	if r.config.Binaries.Shim == "" {
		<-ctx.Done()
		return nil
	}
	var all sync.WaitGroup
	defer all.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if err := r.adoptShims(ctx, &all); err != nil {
		return errUnless(ctx, fmt.Errorf("find the shims that run: %w", err))
	}
	if err := r.sweepMemory(r.in(ctx)); err != nil {
		return errUnless(ctx, fmt.Errorf("remove what secrets are left: %w", err))
	}
	for ctx.Err() == nil {
		if err := r.fillShims(ctx); err != nil && ctx.Err() == nil {
			r.config.Logger.Warn("cannot start a shim ahead", "error", err)
		}
		select {
		case <-ctx.Done():
		case <-r.shims.taken:
		}
	}
	return nil
}

// shimOf returns the shim of a task: the one it has, one that is ready, or a new
// one.
func (r *Runtime) shimOf(ctx context.Context, task string) (socket string, err error) {
	r.shims.mu.Lock()
	find, known := r.shims.mu.ofTask[task]
	r.shims.mu.Unlock()
	if known {
		if socket, err := find(); err == nil {
			if _, err := listener(ctx, socket); err == nil {
				return socket, nil
			}
		}
	}
	r.shims.mu.Lock()
	if again := r.shims.mu.ofTask[task]; !known && again != nil {
		find = again // someone was faster
	} else {
		find = sync.OnceValues(func() (string, error) { return r.newShim(context.WithoutCancel(ctx)) })
		r.shims.mu.ofTask[task] = find
	}
	r.shims.mu.Unlock()
	return find()
}

// newShim takes a ready shim or starts one.
func (r *Runtime) newShim(ctx context.Context) (socket string, err error) {
	for {
		r.shims.mu.Lock()
		ready := r.shims.mu.ready
		if len(ready) > 0 {
			socket, r.shims.mu.ready = ready[0], ready[1:]
		}
		r.shims.mu.Unlock()
		if len(ready) == 0 {
			return r.startShim(ctx)
		}
		select {
		case r.shims.taken <- struct{}{}:
		default:
		}
		if _, err := listener(ctx, socket); err == nil {
			return socket, nil
		}
	}
}

func (r *Runtime) fillShims(ctx context.Context) error {
	for {
		r.shims.mu.Lock()
		enough := len(r.shims.mu.ready) >= readyShims
		r.shims.mu.Unlock()
		if enough {
			return nil
		}
		socket, err := r.startShim(ctx)
		if err != nil {
			return err
		}
		r.shims.mu.Lock()
		r.shims.mu.ready = append(r.shims.mu.ready, socket)
		r.shims.mu.Unlock()
	}
}

// startShim runs a shim as "containerd-shim-runc-v2 start" would have left it.
func (r *Runtime) startShim(ctx context.Context) (socket string, err error) {
	dir := filepath.Join(shimsDir(r.config.StateDir), r.unique("s"))
	memory := r.shimMemory(dir)
	if err := errors.Join(os.MkdirAll(dir, 0o700), os.MkdirAll(memory, 0o700)); err != nil {
		return "", err
	}
	socket = filepath.Join(dir, "s")
	// The shim insists on writing to a file of this name where it is.
	log, err := os.OpenFile(filepath.Join(dir, "log"), os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600)
	if err != nil {
		return "", err
	}
	defer log.Close()
	command := exec.Command(r.config.Binaries.Shim,
		"-namespace", r.config.Namespace, "-id", filepath.Base(dir), "-address", r.config.Address, "-socket", socket)
	command.Dir = dir
	command.Stdout, command.Stderr = log, log
	command.Env = []string{
		"PATH=" + os.Getenv("PATH"),
		"GOMAXPROCS=2",
		"TTRPC_ADDRESS=" + r.config.Address + ".ttrpc", // where it tells what happens
		"XDG_RUNTIME_DIR=" + memory,                    // where it writes what runc is to read
	}
	command.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := command.Start(); err != nil {
		return "", errors.Join(err, r.removeShim(dir))
	}
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		r.bury(context.Background(), command.Process.Pid, dir)
		_ = command.Wait() // a shim that was killed is no news: its containers say so
	}()
	if err := joinGroup(r.config.Cgroup, command.Process.Pid); err != nil {
		return "", errors.Join(err, command.Process.Kill())
	}
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for tick := time.NewTicker(time.Millisecond); ; {
		if _, err := listener(ctx, socket); err == nil {
			tick.Stop()
			return socket, nil
		}
		select {
		case <-gone:
			return "", fmt.Errorf("shim ended at once: %s", tail(log, 0))
		case <-ctx.Done():
			return "", errors.Join(context.Cause(ctx), command.Process.Kill())
		case <-tick.C:
		}
	}
}

// bury waits for a shim's end and removes what it leaves. It does not hold a
// thread as Wait alone would.
func (r *Runtime) bury(ctx context.Context, pid int, dir string) {
	shim, err := process.Open(pid)
	if err == nil {
		err = shim.Wait(ctx)
	}
	if ctx.Err() != nil {
		return
	}
	if err = errors.Join(err, r.removeShim(dir)); err != nil {
		r.config.Logger.Warn("cannot clean up after a shim", "error", err)
	}
}

// shimMemory is a directory of a shim's own for what must not be on a disk: what it has
// runc execute, with the environment, is in a file for a moment.
func (r *Runtime) shimMemory(dir string) string {
	return filepath.Join(r.config.MemoryDir, "w", filepath.Base(dir))
}

// removeShim removes the files of a shim that is gone.
func (r *Runtime) removeShim(dir string) error {
	return errors.Join(os.RemoveAll(dir), os.RemoveAll(r.shimMemory(dir)))
}

// releaseShim ends a task's shim if no container uses it: after a failure before
// the first was made.
func (r *Runtime) releaseShim(ctx context.Context, task, socket string) error {
	users, err := r.client.ContainerService().List(ctx, fmt.Sprintf("labels.%q==%q", labelShim, socket))
	if err != nil || len(users) > 0 {
		return err
	}
	r.shims.mu.Lock()
	delete(r.shims.mu.ofTask, task)
	r.shims.mu.Unlock()
	pid, err := listener(ctx, socket)
	if err != nil {
		return nil // gone
	}
	return terminate(ctx, pid)
}

// adoptShims finds what an earlier process of ours has started.
func (r *Runtime) adoptShims(ctx context.Context, all *sync.WaitGroup) error {
	records, err := r.client.ContainerService().List(r.in(ctx))
	if err != nil && !errdefs.IsNotFound(err) {
		return err
	}
	taskOf := map[string]string{}
	for _, record := range records {
		taskOf[record.Labels[labelShim]] = record.Labels[labelTask]
	}
	sockets, err := filepath.Glob(filepath.Join(shimsDir(r.config.StateDir), "*", "s"))
	if err != nil {
		return err
	}
	r.shims.mu.Lock()
	defer r.shims.mu.Unlock()
	for _, socket := range sockets {
		dir := filepath.Dir(socket)
		task, used := taskOf[socket]
		pid, err := listener(ctx, socket)
		if err == nil && !used && !r.current(pid) {
			err = errors.Join(errOutdated, terminate(ctx, pid))
		}
		switch {
		case err != nil && ctx.Err() == nil:
			if err := r.removeShim(dir); err != nil {
				return err
			}
			continue
		case used:
			r.shims.mu.ofTask[task] = func() (string, error) { return socket, nil }
		default:
			r.shims.mu.ready = append(r.shims.mu.ready, socket)
		}
		all.Go(func() { r.bury(ctx, pid, dir) })
	}
	return nil
}

// errOutdated is of a shim that serves nobody yet and is of another build.
var errOutdated = errors.New("shim of another build")

// current reports whether a shim is of the program that we would start: one of another
// build may not do what this one asks of it.
func (r *Runtime) current(pid int) bool {
	program, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", pid))
	return err == nil && program == r.config.Binaries.Shim
}

func shimsDir(stateDir string) string { return filepath.Join(stateDir, "w") }

// shimAddress is a socket as containerd wants it.
func shimAddress(socket string) string { return "ttrpc+unix://" + socket }

// joinGroup moves a process into a control group that exists, in every
// hierarchy.
func joinGroup(group string, pid int) error {
	if group == "" {
		return nil
	}
	files := []string{filepath.Join(cgroupRoot, group, "cgroup.procs")}
	if !unified() {
		var err error
		if files, err = filepath.Glob(filepath.Join(cgroupRoot, "*", group, "cgroup.procs")); err != nil {
			return err
		}
	}
	for _, file := range files {
		if err := os.WriteFile(file, fmt.Append(nil, pid), 0); err != nil && !errors.Is(err, syscall.ESRCH) {
			return fmt.Errorf("move shim to control group %s: %w", strings.TrimSuffix(file, "/cgroup.procs"), err)
		}
	}
	return nil
}

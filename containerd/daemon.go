package containerd

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"fargo/containerd/carried"
	"fargo/process"
)

// Daemon is a containerd of our own. It outlives us: whoever comes next with
// the same StateDir finds it and takes it over. All fields but Cgroup are
// required.
type Daemon struct {
	Binaries carried.Binaries
	// StateDir holds sockets and what is lost when the machine restarts. Paths
	// of sockets are limited to 108 bytes: StateDir to 38.
	StateDir string
	// RootDir holds images and snapshots, and the daemon's log.
	RootDir string
	// Cgroup, "/fargo-containerd", is a control group for the daemon and the
	// shims, so that what happens to ours, such as a service manager's stop,
	// does not happen to them. Empty means that they stay in ours.
	Cgroup string
	Logger *slog.Logger
}

const (
	// maxStateDir leaves room for "/s/" and the 64 hex digits of a shim's
	// socket in the 108 bytes of sun_path (unix(7)).
	maxStateDir = 38
	// startTimeout is far above the 0.1 s that a start takes.
	startTimeout = 30 * time.Second
	stopTimeout  = 10 * time.Second
)

// Address is the path of the daemon's socket, whether it runs or not.
func (d *Daemon) Address() string { return filepath.Join(d.StateDir, "sock") }

// Ensure returns the address of a daemon that answers: the one that runs, or a
// new one. Several callers, in several processes, get the same.
func (d *Daemon) Ensure(ctx context.Context) (address string, err error) {
	_, err = d.ensure(ctx)
	return d.Address(), err
}

// ensure also returns the daemon as a child process if it is our child, and nil if not.
func (d *Daemon) ensure(ctx context.Context) (*child, error) {
	if _, err := d.pid(ctx); err == nil {
		return nil, nil
	}
	if len(d.StateDir) > maxStateDir {
		return nil, fmt.Errorf("containerd's state directory %q is longer than %d bytes", d.StateDir, maxStateDir)
	}
	for _, dir := range []string{d.StateDir, d.RootDir} {
		if err := os.MkdirAll(dir, 0o711); err != nil {
			return nil, err
		}
	}
	starting, err := lock(filepath.Join(d.StateDir, startLock))
	if err != nil {
		return nil, err
	}
	defer starting.Close()
	held, err := d.claim(ctx)
	if err != nil || held == nil {
		return nil, err
	}
	defer held.Close()
	var started *child
	err = d.checkData()
	if err == nil {
		started, err = d.start(ctx, held)
	}
	if unusable(err) {
		started, err = d.startAnew(ctx, held, err)
	}
	if err != nil {
		return nil, fmt.Errorf("start containerd: %w", err)
	}
	return started, nil
}

// startAnew starts a daemon that cannot be started: without its data, if that is
// what it takes.
func (d *Daemon) startAnew(ctx context.Context, held *os.File, why error) (*child, error) {
	// A daemon that also fails without its data has another reason, and keeps it.
	// What is tried knows nothing of the containers either, and must not see them.
	trial := *d
	trial.StateDir = filepath.Join(d.StateDir, "t")
	var err error
	if trial.RootDir, err = os.MkdirTemp(filepath.Dir(d.RootDir), ".trial-"); err != nil {
		return nil, errors.Join(why, err)
	}
	defer os.RemoveAll(trial.RootDir)
	if err := os.MkdirAll(trial.StateDir, 0o711); err != nil {
		return nil, errors.Join(why, err)
	}
	defer os.RemoveAll(trial.StateDir)
	tried, err := trial.start(ctx, held)
	if err != nil {
		return nil, why
	}
	if err := terminate(ctx, tried.pid); err != nil {
		return nil, errors.Join(why, err)
	}
	if err := d.setAside(ctx, why); err != nil {
		return nil, errors.Join(why, err)
	}
	if err := os.MkdirAll(d.RootDir, 0o711); err != nil {
		return nil, err
	}
	return d.start(ctx, held)
}

// claim returns the lock that a daemon holds as long as it lives, for the one
// that is to be started; or nil when a daemon answers meanwhile. A daemon that
// holds the lock and does not answer in time is killed.
func (d *Daemon) claim(ctx context.Context) (held *os.File, err error) {
	path := filepath.Join(d.StateDir, lifeLock)
	bounded, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for tick := time.NewTicker(5 * time.Millisecond); ; {
		if _, err := d.pid(ctx); err == nil {
			tick.Stop()
			return nil, nil // another process was faster
		}
		held, err := tryLock(path)
		if err != nil || held != nil {
			tick.Stop()
			return held, err
		}
		select {
		case <-tick.C:
		case <-bounded.Done():
			tick.Stop()
			if ctx.Err() != nil {
				return nil, context.Cause(ctx)
			}
			d.Logger.Warn("a containerd that does not answer is killed")
			if err := d.endProcesses(ctx); err != nil {
				return nil, err
			}
			return lock(path)
		}
	}
}

// Run keeps a daemon running until ctx ends, which leaves it running. A daemon
// that dies is started again at once; the shims, and so the containers, do not
// notice. One that fails again and again by itself does so for its data: that is
// put aside. One that cannot be started is tried again, for the rest of a machine
// does not need it.
func (d *Daemon) Run(ctx context.Context) error {
	failures := 0
	for wait := time.Duration(0); ; {
		began := time.Now()
		failed, err := d.live(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			d.Logger.Error("cannot keep containerd running, trying again", "err", err)
		default:
			d.Logger.Warn("containerd died, starting it again", "after", time.Since(began))
		}
		// One death is answered at once, one after the other ever later.
		if time.Since(began) > time.Minute {
			wait, failures = 0, 0
		}
		if failed != nil {
			failures++
		}
		if failures == maxFailures {
			failures = 0
			if err := d.giveUpData(ctx, failed); err != nil {
				d.Logger.Error("cannot put containerd's data aside", "err", err)
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(wait):
		}
		wait = min(max(2*wait, 100*time.Millisecond), 10*time.Second)
	}
}

// live lets a daemon live, and returns when it has died or ctx ends: failed is why
// it died, if that was by itself.
func (d *Daemon) live(ctx context.Context) (failed, err error) {
	started, err := d.ensure(ctx)
	if err != nil {
		return nil, err
	}
	if err := d.watch(ctx); err != nil || ctx.Err() != nil {
		return nil, err
	}
	return started.failed(ctx), nil
}

// maxFailures is how often in a row a daemon may fail by itself.
const maxFailures = 3

// giveUpData puts the data of a daemon aside that does not live with it.
func (d *Daemon) giveUpData(ctx context.Context, why error) error {
	starting, err := lock(filepath.Join(d.StateDir, startLock))
	if err != nil {
		return err
	}
	defer starting.Close()
	held, err := d.claim(ctx)
	if err != nil || held == nil {
		return err // another process has started one: it is that one's to see
	}
	defer held.Close()
	return d.setAside(ctx, why)
}

// errUnless hides the error of an operation that ctx ended.
func errUnless(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// Stop ends the daemon, and all that it has left in StateDir: shims, containers
// that were not removed, mounts. It is no error if no daemon runs. The error says
// what is still there.
func (d *Daemon) Stop(ctx context.Context) error {
	if pid, err := d.pid(ctx); err == nil {
		if err := terminate(ctx, pid); err != nil {
			return fmt.Errorf("stop containerd: %w", err)
		}
	}
	if err := d.sweep(ctx); err != nil {
		return fmt.Errorf("stop containerd: %w", err)
	}
	return errors.Join(os.RemoveAll(d.StateDir), removeCgroup(d.Cgroup))
}

// pid returns the daemon's process.
func (d *Daemon) pid(ctx context.Context) (int, error) { return listener(ctx, d.Address()) }

// watch returns nil when the daemon is gone, or ctx ends.
func (d *Daemon) watch(ctx context.Context) error {
	pid, err := d.pid(ctx)
	if err != nil {
		return nil // gone already
	}
	running, err := process.Open(pid)
	if err != nil {
		return err
	}
	return errUnless(ctx, running.Wait(ctx))
}

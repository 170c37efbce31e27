package containerd

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"fargo/containerd/carried"
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
	maxLog       = 16 << 20
)

// Address is the path of the daemon's socket, whether it runs or not.
func (d *Daemon) Address() string { return filepath.Join(d.StateDir, "sock") }

// Ensure returns the address of a daemon that answers: the one that runs, or a
// new one. Several callers, in several processes, get the same.
func (d *Daemon) Ensure(ctx context.Context) (address string, err error) {
	if _, err := d.pid(ctx); err == nil {
		return d.Address(), nil
	}
	if len(d.StateDir) > maxStateDir {
		return "", fmt.Errorf("containerd's state directory %q is longer than %d bytes", d.StateDir, maxStateDir)
	}
	for _, dir := range []string{d.StateDir, d.RootDir} {
		if err := os.MkdirAll(dir, 0o711); err != nil {
			return "", err
		}
	}
	unlock, err := lock(filepath.Join(d.StateDir, "lock"))
	if err != nil {
		return "", err
	}
	defer unlock()
	if _, err := d.pid(ctx); err == nil {
		return d.Address(), nil // another process was faster
	}
	if err := d.start(ctx); err != nil {
		return "", fmt.Errorf("start containerd: %w", err)
	}
	return d.Address(), nil
}

// Run keeps a daemon running until ctx ends, which leaves it running. A daemon
// that dies is started again at once; the shims, and so the containers, do not
// notice. It returns an error only when none can be started.
func (d *Daemon) Run(ctx context.Context) error {
	for wait := time.Duration(0); ; {
		if _, err := d.Ensure(ctx); err != nil {
			return errUnless(ctx, err)
		}
		began := time.Now()
		if err := d.watch(ctx); err != nil || ctx.Err() != nil {
			return errUnless(ctx, err)
		}
		d.Logger.Warn("containerd died, starting it again", "after", time.Since(began))
		// One death is answered at once, one after the other ever later.
		if time.Since(began) > time.Minute {
			wait = 0
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(wait):
		}
		wait = min(max(2*wait, 100*time.Millisecond), 10*time.Second)
	}
}

// errUnless hides the error of an operation that ctx ended.
func errUnless(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// Stop ends the daemon and removes what it keeps in StateDir, unless shims are
// still there: those belong to containers that were not removed. It is no error
// if no daemon runs.
func (d *Daemon) Stop(ctx context.Context) error {
	if pid, err := d.pid(ctx); err == nil {
		if err := terminate(ctx, pid); err != nil {
			return fmt.Errorf("stop containerd: %w", err)
		}
	}
	left, err := filepath.Glob(filepath.Join(d.StateDir, "io.containerd.runtime.v2.task", "*", "*"))
	if err != nil {
		return err
	}
	if len(left) > 0 {
		return fmt.Errorf("stop containerd: %d containers are still there, such as %s", len(left), left[0])
	}
	if err := stopReadyShims(ctx, d.StateDir); err != nil {
		return fmt.Errorf("stop shims: %w", err)
	}
	return errors.Join(os.RemoveAll(d.StateDir), removeCgroup(d.Cgroup))
}

func (d *Daemon) start(ctx context.Context) error {
	configPath := filepath.Join(d.StateDir, "config.toml")
	if err := os.WriteFile(configPath, d.config(), 0o600); err != nil {
		return err
	}
	log, err := openLog(filepath.Join(d.RootDir, "containerd.log"))
	if err != nil {
		return err
	}
	defer log.Close()
	begin, err := log.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	command := exec.Command(d.Binaries.Containerd, "--config", configPath)
	command.Stdout, command.Stderr = log, log
	command.Dir = "/"
	command.Env = d.environment()
	command.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := command.Start(); err != nil {
		return err
	}
	died := make(chan error, 1)
	go func() { died <- command.Wait() }() // it outlives us, but must not become a zombie

	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for tick := time.NewTicker(2 * time.Millisecond); ; {
		select {
		case err := <-died:
			return fmt.Errorf("it ended at once: %w: %s", err, tail(log, begin))
		case <-ctx.Done():
			return errors.Join(context.Cause(ctx), command.Process.Kill())
		case <-tick.C:
			if pid, err := d.pid(ctx); err == nil {
				tick.Stop()
				d.Logger.Info("started containerd", "pid", pid)
				return nil
			}
		}
	}
}

// environment is small on purpose: nothing of ours should change what the
// daemon and the shims do.
func (d *Daemon) environment() []string {
	return []string{
		"PATH=" + filepath.Dir(d.Binaries.Containerd) + ":/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
	}
}

// pid returns the daemon's process.
func (d *Daemon) pid(ctx context.Context) (int, error) { return listener(ctx, d.Address()) }

// watch returns nil when the daemon is gone, or ctx ends.
func (d *Daemon) watch(ctx context.Context) error {
	pid, err := d.pid(ctx)
	if err != nil {
		return nil // gone already
	}
	return waitGone(ctx, pid)
}

func lock(path string) (unlock func(), err error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	// Closing gives the lock back. A starting daemon does not inherit it, for
	// Go opens files close-on-exec.
	for {
		err := unix.Flock(int(file.Fd()), unix.LOCK_EX)
		if err == nil {
			return func() { file.Close() }, nil
		}
		if !errors.Is(err, unix.EINTR) {
			file.Close()
			return nil, &os.PathError{Op: "flock", Path: path, Err: err}
		}
	}
}

// openLog opens the daemon's log to append to it, and begins anew when it has
// grown large.
func openLog(path string) (*os.File, error) {
	flags := os.O_CREATE | os.O_RDWR | os.O_APPEND
	if info, err := os.Stat(path); err == nil && info.Size() > maxLog {
		flags |= os.O_TRUNC
	}
	return os.OpenFile(path, flags, 0o600)
}

// tail is what was logged since begin: why a start failed.
func tail(log *os.File, begin int64) []byte {
	text, err := io.ReadAll(io.NewSectionReader(log, begin, 1<<16))
	if err != nil {
		return []byte(err.Error())
	}
	text = bytes.TrimSpace(text)
	return text[max(0, len(text)-2000):]
}

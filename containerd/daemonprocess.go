package containerd

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"fargo/process"
)

// child is a daemon that is our child.
type child struct {
	pid  int
	over chan struct{}
	// how is how it ended, once over is closed.
	how *os.ProcessState
}

// failed is why a daemon that has ended did so by itself; nil when it was told to
// end, killed, or is not known.
func (c *child) failed(ctx context.Context) error {
	if c == nil {
		return nil
	}
	select {
	case <-c.over:
	case <-ctx.Done():
		return nil
	}
	status, ok := c.how.Sys().(syscall.WaitStatus)
	if !ok || status.ExitStatus() == 0 || status.Signaled() && (status.Signal() == unix.SIGKILL || status.Signal() == unix.SIGTERM) {
		return nil
	}
	return fmt.Errorf("containerd: %s", c.how)
}

// errEnded says that a daemon ended before it answered.
type errEnded struct{ how, said string }

func (e errEnded) Error() string { return "it ended at once: " + e.how + ": " + e.said }

// start starts a daemon, which inherits held: the lock is its own from birth, and
// no other is started while it lives, whether it answers or not.
func (d *Daemon) start(ctx context.Context, held *os.File) (*child, error) {
	configPath := filepath.Join(d.StateDir, "config.toml")
	if err := os.WriteFile(configPath, d.config(), 0o600); err != nil {
		return nil, err
	}
	log, err := process.OpenLog(filepath.Join(d.RootDir, "containerd.log"))
	if err != nil {
		return nil, err
	}
	defer log.Close()
	begin, err := log.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, err
	}
	command := exec.Command(d.Binaries.Containerd, "--config", configPath)
	command.Stdout, command.Stderr = log, log
	command.Dir = "/"
	command.Env = d.environment()
	command.ExtraFiles = []*os.File{held}
	command.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := command.Start(); err != nil {
		return nil, err
	}
	started := &child{pid: command.Process.Pid, over: make(chan struct{})}
	go func() { // it outlives us, but must not become a zombie
		defer close(started.over)
		_ = command.Wait() // its state says the same
		started.how = command.ProcessState
	}()

	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for tick := time.NewTicker(2 * time.Millisecond); ; {
		select {
		case <-started.over:
			tick.Stop()
			return nil, errEnded{started.how.String(), string(tail(log, begin))}
		case <-ctx.Done():
			tick.Stop()
			return nil, errors.Join(context.Cause(ctx), command.Process.Kill())
		case <-tick.C:
			if pid, err := d.pid(ctx); err == nil {
				tick.Stop()
				d.Logger.Info("started containerd", "pid", pid)
				return started, nil
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

const (
	// startLock is held by whoever starts a daemon.
	startLock = "lock"
	// lifeLock is held by the daemon itself. It never lets go of it, and the kernel
	// does when it dies. Source: flock(2): the lock belongs to the open file, which
	// a child inherits.
	lifeLock = "alive"
)

// lock waits for a lock. Closing the file gives it back.
func lock(path string) (*os.File, error) { return flock(path, unix.LOCK_EX) }

// tryLock returns nil when another has the lock.
func tryLock(path string) (*os.File, error) {
	held, err := flock(path, unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		return nil, nil
	}
	return held, err
}

func flock(path string, how int) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	for {
		err := unix.Flock(int(file.Fd()), how)
		if err == nil {
			return file, nil
		}
		if !errors.Is(err, unix.EINTR) {
			file.Close()
			return nil, &os.PathError{Op: "flock", Path: path, Err: err}
		}
	}
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

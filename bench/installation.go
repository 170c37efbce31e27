package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// installation is one data directory and what runs on it.
type installation struct {
	binary string
	data   string
	log    string    // what up writes to stderr
	cmd    *exec.Cmd // the up that was started last
	url    string
}

func newInstallation(binary string) (*installation, error) {
	// In /tmp: its path is short, and so are the sockets' below it.
	dir, err := os.MkdirTemp("", "fargo-bench-")
	if err != nil {
		return nil, err
	}
	return &installation{binary: binary, data: dir, log: dir + ".log"}, nil
}

// up starts the control plane and returns how long it took to be ready.
func (in *installation) up(ctx context.Context) (ready time.Duration, err error) {
	stderr, err := os.Create(in.log)
	if err != nil {
		return 0, err
	}
	defer stderr.Close()
	listen := "127.0.0.1:0"
	if in.url != "" {
		listen = strings.TrimPrefix(in.url, "http://")
	}
	cmd := exec.Command(in.binary, "up", "--data-dir", in.data, "--listen", listen)
	cmd.Stderr = stderr
	// A group of its own: an interrupt of ours goes to us, and we call down.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return 0, err
	}
	begun := time.Now()
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	in.cmd = cmd
	defer context.AfterFunc(ctx, func() { _ = cmd.Process.Kill() })()
	line, err := bufio.NewReader(stdout).ReadString('\n')
	ready = time.Since(begun)
	url, said := strings.CutPrefix(strings.TrimSpace(line), "fargo ready: ")
	if err != nil || !said {
		return 0, fmt.Errorf("fargo up said %q: %w\n%s", line, err, in.logTail())
	}
	in.url = url
	return ready, nil
}

// stopControlPlane ends the control plane alone: tasks, node and containerd run on.
func (in *installation) stopControlPlane(ctx context.Context) error {
	return end(ctx, in.cmd, syscall.SIGTERM)
}

// down ends everything and keeps the data, unless told to purge that too.
func (in *installation) down(ctx context.Context, args ...string) error {
	if _, err := command(ctx, in.binary, append([]string{"down", "--data-dir", in.data}, args...)...); err != nil {
		return err
	}
	if in.cmd != nil && in.cmd.ProcessState == nil {
		return wait(ctx, in.cmd)
	}
	return nil
}

// remove leaves nothing of the installation.
func (in *installation) remove(ctx context.Context) error {
	if err := in.down(ctx, "--purge"); err != nil {
		return fmt.Errorf("%w\nThe data directory is %s, the log %s", err, in.data, in.log)
	}
	// Had it never become an instance, down would not take it for one.
	err := os.RemoveAll(in.data)
	if removed := os.Remove(in.log); !errors.Is(removed, fs.ErrNotExist) {
		err = errors.Join(err, removed)
	}
	return err
}

// logTail is the end of up's log.
func (in *installation) logTail() string {
	b, err := os.ReadFile(in.log)
	if err != nil {
		return err.Error()
	}
	return string(b[max(0, len(b)-2000):])
}

// nodeConnected is when the node connected to the control plane, by up's log; zero
// while it has not.
func (in *installation) nodeConnected() (time.Time, error) {
	b, err := os.ReadFile(in.log)
	if err != nil {
		return time.Time{}, err
	}
	for line := range strings.Lines(string(b)) {
		var entry struct {
			Time time.Time
			Msg  string
		}
		if json.Unmarshal([]byte(line), &entry) == nil && entry.Msg == "node connected" {
			return entry.Time, nil
		}
	}
	return time.Time{}, nil
}

// id is in the names of all that the instance has on the machine.
func (in *installation) id() (string, error) {
	b, err := os.ReadFile(filepath.Join(in.data, "instance"))
	return strings.TrimSpace(string(b)), err
}

// lockHolder is the process that holds the lock, "up.lock" or "node.lock"; 0 while
// there is none.
func (in *installation) lockHolder(lock string) (pid int, err error) {
	b, err := os.ReadFile(filepath.Join(in.data, lock))
	if errors.Is(err, fs.ErrNotExist) || err == nil && len(b) == 0 {
		return 0, nil
	}
	var h struct{ PID int }
	if err == nil {
		err = json.Unmarshal(b, &h)
	}
	return h.PID, err
}

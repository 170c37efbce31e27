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
	// A group of its own: an interrupt of ours goes to us, and we say down.
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
	giveUp := context.AfterFunc(ctx, func() { _ = cmd.Process.Kill() })
	defer giveUp()
	line, err := bufio.NewReader(stdout).ReadString('\n')
	ready = time.Since(begun)
	url, said := strings.CutPrefix(strings.TrimSpace(line), "fargo ready: ")
	if err != nil || !said {
		return 0, fmt.Errorf("fargo up said %q: %w\n%s", line, err, in.lastWords())
	}
	in.url = url
	return ready, nil
}

// leave ends the control plane alone: tasks, node and containerd run on.
func (in *installation) leave() error {
	if err := in.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	return in.cmd.Wait()
}

// down ends everything and keeps the data, unless told to purge that too.
func (in *installation) down(ctx context.Context, args ...string) error {
	cmd := exec.CommandContext(ctx, in.binary, append([]string{"down", "--data-dir", in.data}, args...)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("fargo down: %w\n%s", err, out)
	}
	if in.cmd != nil && in.cmd.ProcessState == nil {
		return in.cmd.Wait()
	}
	return nil
}

// removal is how long the removal may take, whatever state things are in.
const removal = time.Minute

// remove leaves nothing of the installation.
func (in *installation) remove(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, removal)
	defer cancel()
	if err := in.down(ctx, "--purge"); err != nil {
		return fmt.Errorf("%w\nThe data directory is %s, the log %s", err, in.data, in.log)
	}
	// Had it never become an instance, down would not take it for one.
	return errors.Join(os.RemoveAll(in.data), os.Remove(in.log))
}

// lastWords is the end of up's log.
func (in *installation) lastWords() string {
	b, err := os.ReadFile(in.log)
	if err != nil {
		return err.Error()
	}
	return string(b[max(0, len(b)-2000):])
}

// connected is when the node told the control plane that it is there, as up's
// log has it; zero while it has not.
func (in *installation) connected() (time.Time, error) {
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

// id names the instance, and all on the machine that is its own.
func (in *installation) id() (string, error) {
	b, err := os.ReadFile(filepath.Join(in.data, "instance"))
	return strings.TrimSpace(string(b)), err
}

// holder is the process that holds the lock, "up.lock" or "node.lock"; 0 while
// there is none.
func (in *installation) holder(lock string) (pid int, err error) {
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

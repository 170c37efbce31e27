//go:build e2e

package e2e

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Deadlines, far above the usual times.
const (
	readyTimeout = 60 * time.Second
	downTimeout  = 2 * time.Minute
)

// installation is one data directory and what runs on it.
type installation struct {
	binary string
	data   string
	logs   string // where up's stderr goes
	id     string
	url    string
	cmd    *exec.Cmd // the up that was started last
}

func (in *installation) runDir() string { return "/run/fargo-" + in.id }

// address is the host and port of the APIs.
func (in *installation) address() string { return in.url[strings.LastIndexByte(in.url, '/')+1:] }

// up starts the control plane and returns when it is ready.
func (in *installation) up(args ...string) error {
	stderr, err := os.OpenFile(filepath.Join(in.logs, ".up.log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer stderr.Close()
	if in.url != "" {
		args = append([]string{"--listen", in.address()}, args...)
	}
	cmd := exec.Command(in.binary, append([]string{"up", "--data-dir", in.data}, args...)...)
	cmd.Stderr = stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	in.cmd = cmd
	timeout := time.AfterFunc(readyTimeout, func() { cmd.Process.Kill() })
	defer timeout.Stop()
	line, err := bufio.NewReader(stdout).ReadString('\n')
	url, ready := strings.CutPrefix(strings.TrimSpace(line), "fargo ready: ")
	if err != nil || !ready {
		return fmt.Errorf("fargo up said %q: %w", line, errors.Join(err, cmd.Wait()))
	}
	in.url = url
	id, err := os.ReadFile(filepath.Join(in.data, "instance"))
	in.id = strings.TrimSpace(string(id))
	return err
}

// signal sends up a signal and waits for its end.
func (in *installation) signal(s syscall.Signal) error {
	if err := in.cmd.Process.Signal(s); err != nil {
		return err
	}
	return in.reap()
}

// reap waits for up, which must have been told to end.
func (in *installation) reap() error {
	if in.cmd == nil || in.cmd.ProcessState != nil {
		return nil
	}
	timeout := time.AfterFunc(downTimeout, func() { in.cmd.Process.Kill() })
	defer timeout.Stop()
	err := in.cmd.Wait()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return fmt.Errorf("fargo up ended with %v", exit.ProcessState)
	}
	return err
}

func (in *installation) down(args ...string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), downTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, in.binary, append([]string{"down", "--data-dir", in.data}, args...)...)
	cmd.WaitDelay = time.Second // processes that it started may hold its output open
	out, err := cmd.CombinedOutput()
	if ctx.Err() != nil {
		err = fmt.Errorf("not within %v: %w", downTimeout, err)
	}
	return out, err
}

// kill sends SIGKILL to each named process and returns when they are gone.
func (in *installation) kill(names ...string) error {
	var pids []int
	for _, name := range names {
		found, err := in.processes(name)
		if err != nil {
			return err
		}
		if len(found) == 0 {
			return fmt.Errorf("no %s process", name)
		}
		pids = append(pids, found...)
	}
	for _, pid := range pids {
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			return err
		}
	}
	if in.cmd != nil && in.cmd.ProcessState == nil {
		for _, name := range names {
			if name == "control" {
				in.cmd.Wait()
			}
		}
	}
	return nil
}

// processes finds processes of this installation by the name it has in scripts.
func (in *installation) processes(name string) ([]int, error) {
	switch name {
	case "control":
		return holder(filepath.Join(in.data, "up.lock"))
	case "node":
		return holder(filepath.Join(in.data, "node.lock"))
	case "balancers":
		return in.balancers()
	case "containerd":
		return in.byCommand(func(argv []string) bool { return filepath.Base(argv[0]) == "containerd" })
	case "shims":
		return in.byCommand(func(argv []string) bool { return strings.HasPrefix(filepath.Base(argv[0]), "containerd-shim") })
	}
	return nil, fmt.Errorf("unknown process %q", name)
}

// balancers are the load balancers' processes.
func (in *installation) balancers() (pids []int, err error) {
	locks, err := filepath.Glob(filepath.Join(in.runDir(), "balancer", "*.lock"))
	if err != nil {
		return nil, err
	}
	for _, path := range locks {
		pid, err := holder(path)
		if err != nil {
			return nil, err
		}
		pids = append(pids, pid...)
	}
	return pids, nil
}

// holder is the process that a lock file names.
func holder(path string) ([]int, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var h struct{ PID int }
	if err := json.Unmarshal(b, &h); err != nil {
		return nil, err
	}
	return []int{h.PID}, nil
}

// byCommand finds processes whose arguments name this installation and that
// match.
func (in *installation) byCommand(match func(argv []string) bool) ([]int, error) {
	paths, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		return nil, err
	}
	var pids []int
	for _, path := range paths {
		b, err := os.ReadFile(path)
		if err != nil || len(b) == 0 {
			continue // gone, or of the kernel
		}
		argv := strings.Split(strings.TrimRight(string(b), "\x00"), "\x00")
		if strings.Contains(string(b), in.runDir()) && match(argv) {
			pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
			if err != nil {
				return nil, err
			}
			pids = append(pids, pid)
		}
	}
	return pids, nil
}

// printLogs prints the end of every process's log.
func (in *installation) printLogs(t testing.TB) {
	for _, path := range []string{
		filepath.Join(in.logs, ".up.log"),
		filepath.Join(in.data, "node.log"),
		filepath.Join(in.data, "balancer.log"),
		filepath.Join(in.data, "containerd", "containerd.log"),
	} {
		f, err := os.Open(path)
		if err != nil {
			t.Logf("%v", err)
			continue
		}
		b, err := io.ReadAll(f)
		f.Close()
		lines := bytes.Split(bytes.TrimSpace(b), []byte("\n"))
		t.Logf("--- %s (%v)\n%s", path, err, bytes.Join(lines[max(0, len(lines)-40):], []byte("\n")))
	}
}

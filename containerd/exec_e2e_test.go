//go:build e2e

package containerd_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/containerd/errdefs"

	"fargo/host"
)

func TestExecExitCodeAndOutput(t *testing.T) {
	s := spec(t, "idle")
	start(t, s)
	var stdout, stderr bytes.Buffer
	code, err := tests.runtime.Exec(t.Context(), s.ID, host.ExecSpec{
		Args: []string{"/app", "say", "hello"}, Stdout: &stdout, Stderr: &stderr,
	})
	if code != 0 || err != nil || stdout.String() != "hello\n" || stderr.String() != "and on stderr\n" {
		t.Errorf("%d, %v, %q, %q", code, err, &stdout, &stderr)
	}
	code, err = tests.runtime.Exec(t.Context(), s.ID, host.ExecSpec{Args: []string{"/app", "exit", "9"}})
	if code != 9 || err != nil {
		t.Errorf("%d, %v", code, err)
	}
}

func TestDiscardedOutputCanBeWritten(t *testing.T) {
	s := spec(t, "say", "to nobody")
	s.LogPath = ""
	start(t, s)
	if state := ended(t, s.ID); state.ExitCode != 0 {
		t.Errorf("a container without a log: exit code %d", state.ExitCode)
	}

	idle := spec(t, "idle")
	idle.ID += "-exec"
	idle.CgroupPath += "-exec"
	start(t, idle)
	t.Cleanup(func() {
		if err := tests.runtime.Remove(context.Background(), idle.ID); err != nil {
			t.Error(err)
		}
	})
	code, err := tests.runtime.Exec(t.Context(), idle.ID, host.ExecSpec{Args: []string{"/app", "say", "to nobody"}})
	if code != 0 || err != nil {
		t.Errorf("a process without output: %d, %v", code, err)
	}
}

func TestExecIsTheContainersProcessUnlessItSays(t *testing.T) {
	s := spec(t, "idle")
	s.Environment = []string{"MINE=1"}
	start(t, s)
	var stdout bytes.Buffer
	_, err := tests.runtime.Exec(t.Context(), s.ID, host.ExecSpec{
		Args: []string{"/app", "facts"}, Stdout: &stdout, User: "ana", Env: []string{"MORE=2"}, Defaults: []string{"MINE=0", "LANG=C.UTF-8"}, Cwd: "/etc",
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"uid=1000 gid=100", "cwd=/etc", "CapEff:0000000000000000", "env MINE=1", "env MORE=2", "env LANG=C.UTF-8", "env HOME=/home/ana"} {
		if !strings.Contains(stdout.String(), want) {
			t.Errorf("no %q in:\n%s", want, &stdout)
		}
	}
}

func TestExecInputEnds(t *testing.T) {
	s := spec(t, "idle")
	start(t, s)
	var stdout bytes.Buffer
	code, err := tests.runtime.Exec(t.Context(), s.ID, host.ExecSpec{
		Args: []string{"/app", "cat"}, Stdin: strings.NewReader("to and fro"), Stdout: &stdout,
	})
	if code != 0 || err != nil || stdout.String() != "to and fro" {
		t.Errorf("%d, %v, %q", code, err, &stdout)
	}
}

func TestExecOnATerminal(t *testing.T) {
	s := spec(t, "idle")
	start(t, s)
	resize := make(chan host.WindowSize, 1)
	resize <- host.WindowSize{Width: 100, Height: 40}
	var stdout bytes.Buffer
	code, err := tests.runtime.Exec(t.Context(), s.ID, host.ExecSpec{
		Args: []string{"/app", "size"}, Tty: true, Stdout: &stdout, Resize: resize,
	})
	if code != 0 || err != nil || !strings.Contains(stdout.String(), "100x40\r\n") {
		t.Errorf("%d, %v, %q", code, err, &stdout)
	}
}

// What has the terminal of a process ends with it, whichever way it ends.
func TestTerminalEndsWithItsProcess(t *testing.T) {
	const process = "ecs-execute-command-1"
	for name, c := range map[string]struct {
		args []string
		end  func(t *testing.T, cancel context.CancelFunc, container string)
	}{
		"by itself":      {[]string{"exit", "3"}, func(*testing.T, context.CancelFunc, string) {}},
		"by its context": {[]string{"deaf"}, func(_ *testing.T, cancel context.CancelFunc, _ string) { cancel() }},
		"by EndExec": {[]string{"deaf"}, func(t *testing.T, _ context.CancelFunc, container string) {
			if err := tests.runtime.EndExec(t.Context(), container, process); err != nil {
				t.Error(err)
			}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			s := spec(t, "idle")
			start(t, s)
			alone := groupProcesses(t, s.CgroupPath)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			begun, ended := make(chan struct{}), make(chan error, 1)
			go func() {
				_, err := tests.runtime.Exec(ctx, s.ID, host.ExecSpec{
					ID: process, Args: append([]string{"/app", "background"}, c.args...), Tty: true, Started: func() { close(begun) },
				})
				ended <- err
			}()
			<-begun
			c.end(t, cancel, s.ID)
			if err := <-ended; name == "by itself" && err != nil {
				t.Error(err)
			}
			for begin := time.Now(); groupProcesses(t, s.CgroupPath) != alone; time.Sleep(time.Millisecond) {
				if time.Since(begin) > deadline {
					t.Fatalf("left are %s, the container's own are %s", groupProcesses(t, s.CgroupPath), alone)
				}
			}
			if err := tests.runtime.EndExec(t.Context(), s.ID, process); err != nil {
				t.Errorf("ended again: %v", err)
			}
		})
	}
}

func TestExecEndsWithItsContext(t *testing.T) {
	s := spec(t, "idle")
	start(t, s)
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	_, err := tests.runtime.Exec(ctx, s.ID, host.ExecSpec{Args: []string{"/app", "deaf"}})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error = %v", err)
	}
	if state, err := tests.runtime.Inspect(t.Context(), s.ID); err != nil || state.State != host.RunRunning {
		t.Errorf("%+v, %v", state, err)
	}
}

func TestExecOfWhatIsNotThere(t *testing.T) {
	s := spec(t, "idle")
	start(t, s)
	_, err := tests.runtime.Exec(t.Context(), s.ID, host.ExecSpec{Args: []string{"nonesuch"}})
	if err == nil || !strings.Contains(err.Error(), `exec: "nonesuch": executable file not found in $PATH`) {
		t.Errorf("error = %v", err)
	}
	_, err = tests.runtime.Exec(t.Context(), "absent", host.ExecSpec{Args: []string{"/app"}})
	if !errdefs.IsNotFound(err) {
		t.Errorf("error = %v", err)
	}
}

// A command is killed with its container, and its exit code is known.
func TestExecEndsWithItsContainer(t *testing.T) {
	s := spec(t, "idle")
	start(t, s)
	begun := make(chan struct{})
	type result struct {
		code int
		err  error
	}
	ended := make(chan result, 1)
	go func() {
		code, err := tests.runtime.Exec(t.Context(), s.ID, host.ExecSpec{
			ID: "ecs-execute-command-1", Args: []string{"/app", "deaf"}, Tty: true, Started: func() { close(begun) },
		})
		ended <- result{code, err}
	}()
	<-begun
	if err := tests.runtime.Signal(t.Context(), s.ID, "KILL"); err != nil {
		t.Fatal(err)
	}
	select {
	case r := <-ended:
		if r.code != 137 || r.err != nil {
			t.Errorf("%d, %v", r.code, r.err)
		}
	case <-time.After(deadline):
		t.Error("the command goes on without its container")
	}
}

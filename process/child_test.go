package process

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// child is the argument that makes this test binary another process, which holds a
// lock: "child LOCK BUILD HOW", and with "--number N" that of a pool's member,
// where LOCK is the pool's directory.
const child = "child"

// How a child ends.
const (
	withStdin  = "with stdin"  // when its standard input does
	bySignal   = "by signal"   // by any
	onlyKilled = "only killed" // by SIGKILL
)

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == child {
		if err := runChild(os.Args[2], os.Args[3], os.Args[4], os.Args[5:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func runChild(path, build, how string, number []string) error {
	if how == onlyKilled {
		signal.Ignore(syscall.SIGTERM, syscall.SIGINT)
	}
	if len(number) == 2 {
		n, err := strconv.ParseUint(number[1], 10, 64)
		if err != nil {
			return err
		}
		path = Files{path, n}.Lock()
	}
	if _, err := Acquire(path, build); err != nil {
		return err
	}
	fmt.Println("held")
	if how == withStdin {
		_, err := io.Copy(io.Discard, os.Stdin)
		return err
	}
	return syscall.Pause()
}

// hold starts a process that holds a lock until its stdin is closed.
func hold(t *testing.T, path, build string) (*exec.Cmd, io.Closer) {
	t.Helper()
	cmd := exec.Command(os.Args[0], child, path, build, withStdin)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stdin.Close()
		cmd.Wait()
	})
	if line, err := bufio.NewReader(stdout).ReadString('\n'); err != nil || line != "held\n" {
		t.Fatalf("the other process said %q, %v", line, err)
	}
	return cmd, stdin
}

// await returns the process that holds a lock once one does that differs from
// another.
func await(t *testing.T, lock string, not int) *Process {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		p, err := Find(lock)
		if err != nil {
			t.Fatal(err)
		}
		if p != nil && p.PID() != not && p.Build != "" {
			return p
		}
	}
	log, _ := os.ReadFile(filepath.Join(filepath.Dir(lock), "log"))
	t.Fatalf("no process has the lock; the log has %q", log)
	return nil
}

// Command init is PID 1 of a container whose task definition says
// initProcessEnabled: it starts the container's command, hands every signal on
// to it, reaps whatever is orphaned in the container, and exits as the command
// did. It knows nothing else.
//
//	init -- command [argument ...]
package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"runtime/debug"
	"syscall"

	"golang.org/x/sys/unix"
)

// What a shell answers when a command is not there, or cannot be run.
const (
	exitNotFound    = 127
	exitNotRunnable = 126
)

func main() {
	debug.SetGCPercent(-1) // it allocates a few bytes, once
	args := os.Args[1:]
	if len(args) > 0 && args[0] == "--" {
		args = args[1:]
	}
	if len(args) == 0 {
		fmt.Fprintln(os.Stderr, "usage: init -- command [argument ...]")
		os.Exit(exitNotFound)
	}
	signals := make(chan os.Signal, 64)
	signal.Notify(signals)
	child, err := start(args)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		if errors.Is(err, exec.ErrNotFound) || errors.Is(err, fs.ErrNotExist) {
			os.Exit(exitNotFound)
		}
		os.Exit(exitNotRunnable)
	}
	go forward(signals, child)
	os.Exit(reap(child))
}

// start runs the command in a process group of its own, in front of the
// terminal if there is one, so that keys sent to the terminal reach the command
// and not init.
func start(args []string) (pid int, err error) {
	path, err := exec.LookPath(args[0])
	if err != nil {
		return 0, err
	}
	attributes := &syscall.SysProcAttr{Setpgid: true}
	if _, err := unix.IoctlGetTermios(0, unix.TCGETS); err == nil {
		attributes.Foreground = true
	}
	return syscall.ForkExec(path, args, &syscall.ProcAttr{
		Env:   os.Environ(),
		Files: []uintptr{0, 1, 2},
		Sys:   attributes,
	})
}

func forward(signals <-chan os.Signal, child int) {
	for s := range signals {
		switch s {
		case unix.SIGCHLD: // ours: reap sees to it
		case unix.SIGURG: // Go's own scheduler sends it to itself
		default:
			// The command may be gone already; then reap is about to exit.
			_ = unix.Kill(child, s.(syscall.Signal))
		}
	}
}

// reap waits for every process of the container until the command ends, and
// returns its exit code: 128 and the signal's number if a signal ended it.
func reap(child int) int {
	for {
		var status unix.WaitStatus
		pid, err := unix.Wait4(-1, &status, 0, nil)
		switch {
		case errors.Is(err, unix.EINTR):
		case err != nil:
			fmt.Fprintln(os.Stderr, "init: wait:", err)
			return 1
		case pid != child:
		case status.Exited():
			return status.ExitStatus()
		case status.Signaled():
			return 128 + int(status.Signal())
		}
	}
}

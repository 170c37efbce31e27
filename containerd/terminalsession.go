package containerd

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	tasks "github.com/containerd/containerd/api/services/tasks/v1"
	"github.com/containerd/errdefs"
	"github.com/containerd/errdefs/pkg/errgrpc"
	"golang.org/x/sys/unix"
)

// EndExec kills a process that was added to a container under an id, with all that has its
// terminal, and leaves nothing of it. It is for those whose Exec has died with its caller.
// It is no error when there is none.
func (r *Runtime) EndExec(ctx context.Context, container, id string) error {
	ctx = r.in(ctx)
	service := r.client.TaskService()
	found, err := service.Get(ctx, &tasks.GetRequest{ContainerID: container, ExecID: id})
	if err = errgrpc.ToNative(err); errdefs.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("find the process %s in %s: %w", id, container, err)
	}
	e := &execution{runtime: r, container: container, id: id, tasks: service}
	err = errors.Join(e.kill(ctx), killTerminalSession(container, int(found.Process.Pid)))
	_, gone := service.DeleteProcess(ctx, &tasks.DeleteProcessRequest{ContainerID: container, ExecID: id})
	if gone = errgrpc.ToNative(gone); errdefs.IsNotFound(gone) {
		gone = nil
	}
	if err = errors.Join(err, gone); err != nil {
		return fmt.Errorf("end the process %s in %s: %w", id, container, err)
	}
	return nil
}

// killTerminalSession kills what is left in a container of the session that a terminal's
// first process led: the kernel hangs up only those in the foreground. Those that have
// left the session (setsid) go on. Until all have ended the leader's process id is no
// other's.
func killTerminalSession(container string, leader int) error {
	if leader <= 0 {
		return nil
	}
	processes, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return err
	}
	var errs []error
	for _, dir := range processes {
		pid, _ := strconv.Atoi(filepath.Base(dir))
		if sessionOf(dir) != leader || !inContainer(dir, container) {
			continue
		}
		if err := unix.Kill(pid, unix.SIGKILL); err != nil && !errors.Is(err, unix.ESRCH) {
			errs = append(errs, fmt.Errorf("kill %d: %w", pid, err))
		}
	}
	return errors.Join(errs...)
}

// sessionOf is the session that a process is in; 0 when it has ended.
// Source: proc_pid_stat(5). The second field is a name, which may have anything in it.
func sessionOf(dir string) int {
	stat, err := os.ReadFile(filepath.Join(dir, "stat"))
	if err != nil {
		return 0
	}
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	const session = 3 // after the name: state, parent, process group, session
	if len(fields) <= session {
		return 0
	}
	id, _ := strconv.Atoi(string(fields[session]))
	return id
}

// inContainer reports whether a process is in a container's control group, which is named
// after the container.
func inContainer(dir, container string) bool {
	groups, err := os.ReadFile(filepath.Join(dir, "cgroup"))
	return err == nil && strings.Contains(string(groups), container)
}

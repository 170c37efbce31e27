package containerd

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	tasks "github.com/containerd/containerd/api/services/tasks/v1"
	"github.com/containerd/containerd/api/types/task"
	"github.com/containerd/containerd/v2/core/containers"
	"github.com/containerd/errdefs"
	"github.com/containerd/errdefs/pkg/errgrpc"
	"github.com/moby/sys/signal"
	"golang.org/x/sys/unix"
)

// killTimeout bounds the wait for a process after SIGKILL. Only a process that
// hangs in the kernel takes longer.
const killTimeout = 10 * time.Second

// Start lets a created container run. It is a success when it runs already or
// has ended. An error of the container's own reads "CannotStartContainerError:
// …".
func (r *Runtime) Start(ctx context.Context, id string) error {
	ctx = r.in(ctx)
	return again(ctx, func() error {
		if _, waits := r.waiting.LoadAndDelete(id); !waits {
			process, err := r.task(ctx, id)
			if err != nil {
				return err
			}
			if process.Status != task.Status_CREATED {
				return nil
			}
		}
		// Written while the process starts, so that it costs no time.
		written := make(chan error, 1)
		go func() { written <- r.label(ctx, id, labelStarted, time.Now().UTC().Format(time.RFC3339Nano)) }()
		_, err := r.client.TaskService().Start(ctx, &tasks.StartRequest{ContainerID: id})
		err = errors.Join(errgrpc.ToNative(err), <-written)
		if err == nil || vanished(err) || ctx.Err() != nil {
			return err
		}
		return &Error{Kind: CannotStart, Err: err}
	})
}

func (r *Runtime) label(ctx context.Context, id, name, value string) error {
	changed := containers.Container{ID: id, Labels: map[string]string{name: value}}
	_, err := r.client.ContainerService().Update(ctx, changed, "labels."+name)
	return err
}

// Signal sends a signal, "SIGTERM", "TERM" or "15", to the container's first
// process. It is a success when that has ended already. The error is
// errdefs.ErrNotFound when there is no container.
func (r *Runtime) Signal(ctx context.Context, id, name string) error {
	number, err := signal.ParseSignal(name)
	if err != nil {
		return err
	}
	ctx = r.in(ctx)
	return again(ctx, func() error {
		process, err := r.task(ctx, id)
		if errdefs.IsNotFound(err) {
			_, err := r.Inspect(ctx, id) // with its shim gone, it has ended
			return err
		}
		if err != nil {
			return err
		}
		if process.Status == task.Status_STOPPED {
			return nil
		}
		_, err = r.client.TaskService().Kill(ctx, &tasks.KillRequest{ContainerID: id, Signal: uint32(number)})
		if err = errgrpc.ToNative(err); errdefs.IsNotFound(err) {
			return nil // it ended before the signal came
		}
		return err
	})
}

// Remove makes all of a container gone: processes, process records, file system,
// pipes. What runs is killed. Removing what is not there is a success.
func (r *Runtime) Remove(ctx context.Context, id string) error {
	ctx = r.in(ctx)
	err := again(ctx, func() error { return r.remove(ctx, id) })
	if err != nil {
		return fmt.Errorf("remove container %s: %w", id, err)
	}
	return nil
}

func (r *Runtime) remove(ctx context.Context, id string) error {
	r.waiting.Delete(id)
	if err := r.removeTask(ctx, id); err != nil {
		return err
	}
	snapshotter, err := r.snapshotter(ctx)
	if err != nil {
		return err
	}
	if err := r.client.SandboxStore().Delete(ctx, id); err != nil && !errdefs.IsNotFound(err) {
		return err
	}
	// The record goes last: while it is there, what is left can be found.
	if err := r.client.SnapshotService(snapshotter).Remove(ctx, id); err != nil && !errdefs.IsNotFound(err) {
		return err
	}
	if err := errors.Join(os.RemoveAll(r.pipes(id)), os.RemoveAll(r.environmentFile(id)), r.dropSources(id)); err != nil {
		return err
	}
	if err := r.client.ContainerService().Delete(ctx, id); err != nil && !errdefs.IsNotFound(err) {
		return err
	}
	return nil
}

// removeTask ends the container's processes and makes the shim, or what is left
// of it, forget them.
func (r *Runtime) removeTask(ctx context.Context, id string) error {
	process, err := r.task(ctx, id)
	if err != nil && !errdefs.IsNotFound(err) {
		return err
	}
	if err == nil && process.Status != task.Status_STOPPED {
		if err := r.kill(ctx, id); err != nil {
			return err
		}
	}
	_, err = r.client.TaskService().Delete(ctx, &tasks.DeleteTaskRequest{ContainerID: id})
	if err = errgrpc.ToNative(err); errdefs.IsNotFound(err) {
		return errors.Join(r.forgetInRunc(ctx, id), r.removeBundles(id))
	}
	return err
}

// removeBundles removes the files of a container that containerd has lost: the
// directory it made for it, and what is left of one that it could not remove.
func (r *Runtime) removeBundles(id string) error {
	var failed []error
	for _, name := range []string{id, "." + id} {
		bundle := filepath.Join(bundles(r.config.StateDir), r.config.Namespace, name)
		failed = append(failed, UnmountBelow(bundle), os.RemoveAll(bundle))
	}
	return errors.Join(failed...)
}

// bundles is where a containerd of ours keeps what it tells shims of containers,
// by namespace and id.
func bundles(stateDir string) string { return filepath.Join(stateDir, "io.containerd.runtime.v2.task") }

// kill ends every process of the container and waits for the first to be gone.
func (r *Runtime) kill(ctx context.Context, id string) error {
	ctx, cancel := context.WithTimeout(ctx, killTimeout)
	defer cancel()
	_, err := r.client.TaskService().Kill(ctx, &tasks.KillRequest{
		ContainerID: id, Signal: uint32(unix.SIGKILL), All: true,
	})
	if err = errgrpc.ToNative(err); err != nil && !errdefs.IsNotFound(err) {
		return err
	}
	_, err = r.client.TaskService().Wait(ctx, &tasks.WaitRequest{ContainerID: id})
	if err = errgrpc.ToNative(err); err != nil && !errdefs.IsNotFound(err) {
		return err
	}
	return nil
}

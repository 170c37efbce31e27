package containerd

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"syscall"
	"time"

	tasks "github.com/containerd/containerd/api/services/tasks/v1"
	"github.com/containerd/containerd/api/types/task"
	"github.com/containerd/containerd/v2/core/containers"
	"github.com/containerd/errdefs"
	"github.com/containerd/errdefs/pkg/errgrpc"

	"fargo/host"
)

// What containerd keeps for us of a container, as labels.
const (
	labelTask       = "fargo/task"
	labelName       = "fargo/name"
	labelDigest     = "fargo/digest"
	labelCgroup     = "fargo/cgroup"
	labelStopSignal = "fargo/stop-signal"
	labelShim       = "fargo/shim" // socket of the shim, if we started it
	// labelStarted is when Start was called. Without it the container never ran.
	labelStarted = "fargo/started"
)

// exitLost is the exit code of a container whose shim died, or that a restart of
// the machine ended: containerd kills what a dead shim leaves. When is not known:
// FinishedAt stays zero.
const exitLost = 128 + int(syscall.SIGKILL)

func labels(spec *host.ContainerSpec, img *image, shim string) map[string]string {
	return map[string]string{
		labelTask:       spec.TaskID,
		labelName:       spec.Name,
		labelDigest:     img.digest.String(),
		labelCgroup:     spec.CgroupPath,
		labelStopSignal: stopSignal(&img.config),
		labelShim:       shim,
	}
}

// Inspect returns what is known of a container. The error is
// errdefs.ErrNotFound when there is none, or only what is left of an attempt to
// make one.
func (r *Runtime) Inspect(ctx context.Context, id string) (state host.ContainerState, err error) {
	ctx = r.in(ctx)
	err = again(ctx, func() error {
		record, err := r.client.ContainerService().Get(ctx, id)
		if err != nil {
			return err
		}
		process, err := r.task(ctx, id)
		if err != nil && !errdefs.IsNotFound(err) {
			return err
		}
		var exists bool
		if state, exists = stateOf(record, process); !exists {
			return fmt.Errorf("container %s was never made: %w", id, errdefs.ErrNotFound)
		}
		return nil
	})
	return state, err
}

// List returns all containers of our namespace that [Runtime.Inspect] would
// find, ordered by id.
func (r *Runtime) List(ctx context.Context) (states []host.ContainerState, err error) {
	ctx = r.in(ctx)
	err = again(ctx, func() error {
		records, err := r.client.ContainerService().List(ctx)
		if err != nil {
			return err
		}
		answer, err := r.client.TaskService().List(ctx, &tasks.ListTasksRequest{})
		if err != nil {
			return errgrpc.ToNative(err)
		}
		processes := map[string]*task.Process{}
		for _, process := range answer.Tasks {
			processes[process.ID] = process
		}
		states = states[:0]
		for _, record := range records {
			if state, exists := stateOf(record, processes[record.ID]); exists {
				states = append(states, state)
			}
		}
		return nil
	})
	slices.SortFunc(states, func(a, b host.ContainerState) int { return cmp.Compare(a.ID, b.ID) })
	return states, err
}

// Records returns the ids of all containers of our namespace, also of those that
// were never wholly made, which List leaves out.
func (r *Runtime) Records(ctx context.Context) (ids []string, err error) {
	ctx = r.in(ctx)
	err = again(ctx, func() error {
		records, err := r.client.ContainerService().List(ctx)
		ids = ids[:0]
		for _, record := range records {
			ids = append(ids, record.ID)
		}
		return err
	})
	return ids, err
}

// stateOf joins containerd's record of a container, its process if it has one,
// and what the kernel counted. A record without a process that was never
// started is no container.
func stateOf(record containers.Container, process *task.Process) (state host.ContainerState, exists bool) {
	state = host.ContainerState{
		ID:          record.ID,
		TaskID:      record.Labels[labelTask],
		Name:        record.Labels[labelName],
		ImageDigest: record.Labels[labelDigest],
	}
	started, wasStarted := record.Labels[labelStarted]
	if wasStarted {
		state.StartedAt, _ = time.Parse(time.RFC3339Nano, started) // written by Start
	}
	switch {
	case process == nil && !wasStarted:
		return state, false
	case process == nil:
		state.State, state.ExitCode = host.RunStopped, exitLost
		return state, true
	}
	switch process.Status {
	case task.Status_CREATED:
		state.State, state.PID = host.RunCreated, int(process.Pid)
	case task.Status_STOPPED:
		state.State, state.ExitCode = host.RunStopped, int(process.ExitStatus)
		state.FinishedAt = process.ExitedAt.AsTime()
		state.OOMKilled = state.ExitCode != 0 && oomKills(record.Labels[labelCgroup]) > 0
	default:
		state.State, state.PID = host.RunRunning, int(process.Pid)
	}
	if !wasStarted && state.State != host.RunCreated {
		state.StartedAt = record.CreatedAt // we died while starting it
	}
	return state, true
}

// task returns the process of a container.
func (r *Runtime) task(ctx context.Context, id string) (*task.Process, error) {
	answer, err := r.client.TaskService().Get(ctx, &tasks.GetRequest{ContainerID: id})
	if err != nil {
		return nil, errgrpc.ToNative(err)
	}
	return answer.Process, nil
}

// StopSignal is the signal that asks the container to end: the image's
// STOPSIGNAL, or SIGTERM.
func (r *Runtime) StopSignal(ctx context.Context, id string) string {
	ctx = r.in(ctx)
	record, err := r.client.ContainerService().Get(ctx, id)
	if err != nil {
		return "SIGTERM"
	}
	return record.Labels[labelStopSignal]
}

// Usage is what the container's control group has used. The error is
// errdefs.ErrNotFound when the container or its group is gone.
func (r *Runtime) Usage(ctx context.Context, id string) (host.Usage, error) {
	record, err := r.client.ContainerService().Get(r.in(ctx), id)
	if err != nil {
		return host.Usage{}, err
	}
	used, err := usage(record.Labels[labelCgroup])
	if err != nil {
		return host.Usage{}, errors.Join(fmt.Errorf("usage of %s: %w", id, errdefs.ErrNotFound), err)
	}
	return used, nil
}

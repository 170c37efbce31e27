package containerd

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	tasks "github.com/containerd/containerd/api/services/tasks/v1"
	"github.com/containerd/containerd/api/types/runc/options"
	"github.com/containerd/containerd/v2/core/containers"
	"github.com/containerd/containerd/v2/core/mount"
	"github.com/containerd/containerd/v2/core/sandbox"
	"github.com/containerd/errdefs"
	"github.com/containerd/errdefs/pkg/errgrpc"
	"github.com/containerd/typeurl/v2"
	"github.com/opencontainers/go-digest"
	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"
	"google.golang.org/protobuf/types/known/anypb"

	"fargo/host"
)

const (
	// runtimeName is the shim's name for containerd; where it is, Binaries say.
	runtimeName = "io.containerd.runc.v2"
	// shimVersion is that of the protocol which the carried shim speaks.
	shimVersion = 3
	// specType names the OCI specification in containerd's records.
	specType = "types.containerd.io/opencontainers/runtime-spec/1/Spec"
)

// Create makes a container that only waits for [Runtime.Start]. Making one that
// is there already, whether it runs or has ended, is a success; what is left of
// an attempt that we did not live to finish is made anew.
//
// An error of the container's own reads as ECS shows it
// ("CannotCreateContainerError: …"); nothing of the container is left then.
func (r *Runtime) Create(ctx context.Context, spec host.ContainerSpec) error {
	ctx = r.in(ctx)
	_, err := r.retry(ctx, creating, func() error { return r.create(ctx, &spec) })
	if err == nil || ctx.Err() != nil {
		return err
	}
	return &Error{Kind: CannotCreate, Err: err}
}

// creating: a container is tried again that fails for what is not its own fault,
// as far as we can tell.
var creating = retryPolicy{attempts: 4, pause: 100 * time.Millisecond, final: func(err error) bool {
	var own *Error
	return errors.As(err, &own) || refused(err)
}}

func (r *Runtime) create(ctx context.Context, spec *host.ContainerSpec) (err error) {
	if err := r.checkEnvironment(spec); err != nil {
		return err
	}
	img, err := r.image(ctx, digest.Digest(spec.ImageDigest))
	if err != nil {
		return err
	}
	if spec, err = r.attachSources(spec); err != nil {
		return err
	}
	defer func() {
		if attached := r.dropSources(spec.ID); attached != nil {
			err = errors.Join(err, attached)
		}
	}()
	var shim string
	if r.config.Binaries.Shim != "" {
		if shim, err = r.shimOf(ctx, spec.TaskID); err != nil {
			return fmt.Errorf("start shim: %w", err)
		}
	}
	record, err := r.record(ctx, spec, img, shim)
	made := false
	if err == nil {
		made, err = r.createRecorded(ctx, spec, img, record)
	}
	if !made && shim != "" && !vanished(err) {
		err = errors.Join(err, r.releaseShim(context.WithoutCancel(ctx), spec.TaskID, shim))
	}
	return err
}

// createRecorded makes the container of a record, unless it is there; if it
// fails nothing is left. The record comes first: it keeps the snapshot from being
// collected, and shows what is to be cleaned up if we do not live to finish.
func (r *Runtime) createRecorded(
	ctx context.Context, spec *host.ContainerSpec, img *image, record containers.Container,
) (made bool, err error) {
	store := r.client.ContainerService()
	_, err = store.Create(ctx, record)
	if errdefs.IsAlreadyExists(err) {
		if _, err := r.task(ctx, spec.ID); !errdefs.IsNotFound(err) {
			return false, err // there it is; or we cannot know
		}
		if err := r.remove(ctx, spec.ID); err != nil {
			return false, fmt.Errorf("remove what is left of it: %w", err)
		}
		_, err = store.Create(ctx, record)
	}
	if err != nil {
		return false, err
	}
	err = r.createTask(ctx, spec, img, record)
	if err != nil && !vanished(err) {
		err = errors.Join(err, r.remove(context.WithoutCancel(ctx), spec.ID))
	}
	return err == nil, err
}

// record is what containerd stores of a container.
func (r *Runtime) record(ctx context.Context, spec *host.ContainerSpec, img *image, shim string) (containers.Container, error) {
	snapshotter, err := r.snapshotter(ctx)
	if err != nil {
		return containers.Container{}, err
	}
	on := machine{environment: r.environmentOf(spec), unified: unified(), swap: swapAccounted(), init: r.config.Binaries.Init, usual: usualLimits()}
	if spec.PIDOf != "" {
		other, err := r.task(ctx, spec.PIDOf)
		if err != nil {
			return containers.Container{}, fmt.Errorf("share the PID namespace of %s: %w", spec.PIDOf, err)
		}
		on.pid = int(other.Pid)
	}
	oci, err := newSpec(spec, img, on)
	if err != nil {
		return containers.Container{}, &Error{Kind: CannotCreate, Err: err}
	}
	encoded, err := json.Marshal(oci)
	if err != nil {
		return containers.Container{}, err
	}
	runcOptions, err := typeurl.MarshalAny(&options.Options{
		BinaryName: r.config.Binaries.Runc,
		Root:       r.runcRoot(),
	})
	if err != nil {
		return containers.Container{}, err
	}
	record := containers.Container{
		ID:          spec.ID,
		Labels:      labels(spec, img, shim),
		Image:       spec.Image,
		Runtime:     containers.RuntimeInfo{Name: runtimeName, Options: runcOptions},
		Spec:        &anypb.Any{TypeUrl: specType, Value: encoded},
		Snapshotter: snapshotter,
		SnapshotKey: spec.ID,
	}
	if shim != "" {
		// With a sandbox containerd goes to the shim it is told; see keepExit.
		record.SandboxID = spec.ID
	}
	return record, nil
}

// createTask makes the file system and the waiting process of a recorded
// container.
func (r *Runtime) createTask(ctx context.Context, spec *host.ContainerSpec, img *image, record containers.Container) error {
	if err := r.writeEnvironment(spec); err != nil {
		return err
	}
	// Both are on disk when they are answered; they wait for that together.
	var recording errgroup.Group
	recording.Go(func() error { return r.keepExit(ctx, spec.ID) })
	mounts, err := r.prepare(ctx, record.Snapshotter, spec.ID, img.chain)
	if kept := recording.Wait(); kept != nil {
		return errors.Join(err, kept)
	}
	if err != nil {
		return fmt.Errorf("prepare root file system: %w", err)
	}
	if spec.WritableDir != "" {
		if mounts, err = writeInto(mounts, spec.WritableDir); err != nil {
			return fmt.Errorf("prepare root file system: %w", err)
		}
	}
	if err := r.copyUp(ctx, mounts, spec.Mounts); err != nil {
		return err
	}
	request := &tasks.CreateTaskRequest{
		ContainerID: spec.ID,
		Rootfs:      mount.ToProto(mounts),
		Terminal:    spec.Tty,
		RuntimePath: r.config.Binaries.Shim,
	}
	if shim := record.Labels[labelShim]; shim != "" {
		request.TaskApiAddress, request.TaskApiVersion = shimAddress(shim), shimVersion
	}
	if err := r.connect(spec, request); err != nil {
		return err
	}
	err = r.createProcess(ctx, request)
	if err == nil {
		r.waiting.Store(spec.ID, true)
	}
	if err == nil || ctx.Err() != nil || !fromRunc(err) {
		return err
	}
	// Docker, and so ECS, only asks runc when it starts a container: what runc
	// refuses, above all a command that is not there, is a failure to start.
	return &Error{
		Kind: CannotStart,
		Err:  fmt.Errorf("ResourceInitializationError: failed to create new container runtime task: %w", err),
	}
}

// fromRunc tells what runc says of a container, which is final, from what goes
// wrong around it.
func fromRunc(err error) bool { return strings.Contains(err.Error(), "runc create failed") }

// keepExit makes containerd, when it is started again, keep the shim of a
// container that has ended, and with it the exit code: it sweeps away what has no
// processes, unless a sandbox of that name is on record.
func (r *Runtime) keepExit(ctx context.Context, id string) error {
	_, err := r.client.SandboxStore().Create(ctx, sandbox.Sandbox{
		ID: id, Runtime: sandbox.RuntimeOpts{Name: runtimeName},
	})
	if errdefs.IsAlreadyExists(err) {
		return nil
	}
	return err
}

// createProcess has the shim make the waiting process. What still is there under
// the id is a leftover: of a shim that was killed, which containerd is about to
// clean up, or which left runc's record behind.
func (r *Runtime) createProcess(ctx context.Context, request *tasks.CreateTaskRequest) error {
	for begin := time.Now(); ; {
		_, err := r.client.TaskService().Create(ctx, request)
		err = errgrpc.ToNative(err)
		leftover := errdefs.IsAlreadyExists(err) ||
			err != nil && strings.Contains(err.Error(), "container with given ID already exists")
		if !leftover || ctx.Err() != nil || time.Since(begin) > killTimeout {
			return err
		}
		if err := r.removeTask(ctx, request.ContainerID); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (r *Runtime) prepare(ctx context.Context, snapshotter, key, chain string) ([]mount.Mount, error) {
	service := r.client.SnapshotService(snapshotter)
	mounts, err := service.Prepare(ctx, key, chain)
	if !errdefs.IsAlreadyExists(err) {
		return mounts, err
	}
	if err := service.Remove(ctx, key); err != nil {
		return nil, err
	}
	return service.Prepare(ctx, key, chain)
}

// connect says where the process's input and output go. The shim copies output
// to the log file, so nobody else has to be alive. Input that nobody will ever
// write is a pipe that stays open, as after "docker run -i -d".
func (r *Runtime) connect(spec *host.ContainerSpec, request *tasks.CreateTaskRequest) error {
	log := cmp.Or(spec.LogPath, os.DevNull)
	for _, path := range []string{spec.LogPath, spec.ErrorLogPath} {
		if err := makeLog(path); err != nil {
			return err
		}
	}
	request.Stdout = log
	switch {
	case spec.Tty:
	case spec.ErrorLogPath != "":
		request.Stderr = spec.ErrorLogPath
	default:
		// The same file under another name: under one name the shim opens it once,
		// closes it when the first of the two streams ends, and loses what the other
		// still has.
		request.Stderr = filepath.Dir(log) + "/./" + filepath.Base(log)
	}
	if !spec.Stdin {
		return nil
	}
	dir := r.pipes(spec.ID)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	request.Stdin = filepath.Join(dir, "stdin")
	if err := unix.Mkfifo(request.Stdin, 0o600); err != nil && !errors.Is(err, unix.EEXIST) {
		return &os.PathError{Op: "mkfifo", Path: request.Stdin, Err: err}
	}
	return nil
}

// makeLog makes a file for output: the shim wants it to be there.
func makeLog(path string) error {
	if path == "" {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	return file.Close()
}

// pipes is the directory of a container's pipes.
func (r *Runtime) pipes(id string) string { return filepath.Join(r.config.StateDir, "io", id) }

// forgetInRunc makes runc forget a container that nobody looks after any more,
// and with it kills its processes and removes its control group.
func (r *Runtime) forgetInRunc(ctx context.Context, id string) error {
	record := filepath.Join(r.runcRoot(), r.config.Namespace, id)
	if _, err := os.Stat(record); err != nil {
		return nil
	}
	return runcDelete(ctx, cmp.Or(r.config.Binaries.Runc, "runc"), record)
}

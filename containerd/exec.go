package containerd

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"

	tasks "github.com/containerd/containerd/api/services/tasks/v1"
	"github.com/containerd/containerd/v2/pkg/cio"
	"github.com/containerd/errdefs"
	"github.com/containerd/errdefs/pkg/errgrpc"
	"github.com/opencontainers/go-digest"
	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
	"google.golang.org/protobuf/types/known/anypb"

	"fargo/host"
)

const processType = "types.containerd.io/opencontainers/runtime-spec/1/Process"

// Exec runs a further process in a running container until it ends, and returns
// its exit code, 128 and more for a signal. When ctx ends first the process is
// killed, and the error is the context's. A process that cannot be started at
// all is an error with runc's text.
func (r *Runtime) Exec(ctx context.Context, id string, spec host.ExecSpec) (exitCode int, err error) {
	ctx = r.in(ctx)
	process, err := r.execProcess(ctx, id, &spec)
	if err != nil {
		return 0, fmt.Errorf("exec in %s: %w", id, err)
	}
	running, err := r.addProcess(ctx, id, &spec, process)
	if err != nil {
		return 0, fmt.Errorf("exec in %s: %w", id, err)
	}
	exitCode, err = running.run(ctx, spec.Resize)
	if err != nil {
		return 0, fmt.Errorf("exec in %s: %w", id, err)
	}
	return exitCode, nil
}

// execProcess is the container's own process with another command.
func (r *Runtime) execProcess(ctx context.Context, id string, spec *host.ExecSpec) (*specs.Process, error) {
	record, err := r.client.ContainerService().Get(ctx, id)
	if err != nil {
		return nil, err
	}
	var oci specs.Spec
	if err := json.Unmarshal(record.Spec.GetValue(), &oci); err != nil {
		return nil, err
	}
	secrets, err := readEnvironment(oci.Annotations[environmentAnnotation])
	if err != nil {
		return nil, err
	}
	process := oci.Process
	process.Env = environment(spec.Defaults, process.Env, secrets)
	process.Args = spec.Args
	process.Terminal = spec.Tty
	if spec.Tty {
		process.Env = environment(process.Env, []string{"TERM=xterm"})
	}
	process.Env = environment(process.Env, spec.Env)
	if spec.Cwd != "" {
		process.Cwd = spec.Cwd
	}
	if spec.User == "" {
		return process, nil
	}
	img, err := r.image(ctx, digest.Digest(record.Labels[labelDigest]))
	if err != nil {
		return nil, err
	}
	account, home, err := lookUpUser(spec.User, img)
	if err != nil {
		return nil, err
	}
	process.User = account
	process.Env = environment(process.Env, []string{"HOME=" + home})
	if account.UID != 0 {
		process.Capabilities = &specs.LinuxCapabilities{Bounding: process.Capabilities.Bounding}
	} else {
		all := process.Capabilities.Bounding
		process.Capabilities = &specs.LinuxCapabilities{Bounding: all, Effective: all, Permitted: all}
	}
	return process, nil
}

// execution is a process added to a container.
type execution struct {
	runtime   *Runtime
	container string
	id        string
	started   func()
	terminal  bool
	streams   cio.IO
	tasks     tasks.TasksClient
	inputDone <-chan struct{} // closes when all input was read
}

func (r *Runtime) addProcess(ctx context.Context, id string, spec *host.ExecSpec, process *specs.Process) (*execution, error) {
	encoded, err := json.Marshal(process)
	if err != nil {
		return nil, err
	}
	e := &execution{runtime: r, container: id, id: cmp.Or(spec.ID, r.unique("exec")), started: spec.Started, tasks: r.client.TaskService()}
	stdin, stdout, stderr := spec.Stdin, spec.Stdout, spec.Stderr
	if stdin != nil {
		input := &watchedReader{Reader: stdin, done: make(chan struct{})}
		stdin, e.inputDone = input, input.done
	}
	// Without any output the shim would hand out a /dev/null that cannot be
	// written, and it wants all outputs or none.
	if stdout == nil {
		stdout = io.Discard
	}
	if stderr == nil {
		stderr = io.Discard
	}
	options := []cio.Opt{cio.WithStreams(stdin, stdout, stderr), cio.WithFIFODir(r.pipes(id))}
	if e.terminal = spec.Tty; e.terminal {
		options = append(options, cio.WithTerminal)
	}
	if e.streams, err = cio.NewCreator(options...)(e.id); err != nil {
		return nil, err
	}
	paths := e.streams.Config()
	_, err = e.tasks.Exec(ctx, &tasks.ExecProcessRequest{
		ContainerID: id, ExecID: e.id, Terminal: spec.Tty,
		Stdin: paths.Stdin, Stdout: paths.Stdout, Stderr: paths.Stderr,
		Spec: &anypb.Any{TypeUrl: processType, Value: encoded},
	})
	if err != nil {
		e.streams.Cancel()
		return nil, errors.Join(errgrpc.ToNative(err), e.streams.Close())
	}
	return e, nil
}

// run starts the process, waits for its end and for the last of its output, and
// leaves nothing of it.
func (e *execution) run(ctx context.Context, resize <-chan host.WindowSize) (exitCode int, err error) {
	defer func() { err = errors.Join(err, cleanly(ctx, e.remove)) }()

	process, err := e.tasks.Start(ctx, &tasks.StartRequest{ContainerID: e.container, ExecID: e.id})
	if err != nil {
		e.streams.Cancel()
		return 0, errgrpc.ToNative(err)
	}
	if e.terminal { // before the end of the output is waited for
		defer func() { err = errors.Join(err, killTerminalSession(e.container, int(process.Pid))) }()
	}
	if e.started != nil {
		e.started()
	}
	attending, stop := context.WithCancel(ctx)
	attended := make(chan struct{})
	go func() { defer close(attended); e.attend(attending, resize) }()
	defer func() { stop(); <-attended }()

	var ended *tasks.WaitResponse
	err = again(ctx, func() (err error) { // a containerd that was restarted still knows the process
		ended, err = e.tasks.Wait(ctx, &tasks.WaitRequest{ContainerID: e.container, ExecID: e.id})
		return errgrpc.ToNative(err)
	})
	if err != nil {
		e.streams.Cancel()
		if ctx.Err() != nil {
			return 0, errors.Join(context.Cause(ctx), cleanly(ctx, e.kill))
		}
		return 0, err
	}
	return int(ended.ExitStatus), nil
}

// cleanly does what ends soon, also when ctx has ended.
func cleanly(ctx context.Context, do func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), killTimeout)
	defer cancel()
	return do(ctx)
}

// attend passes on what happens at the user's end: the terminal's size changes,
// the input ends.
func (e *execution) attend(ctx context.Context, sizes <-chan host.WindowSize) {
	inputDone := e.inputDone
	for {
		var err error
		select {
		case <-ctx.Done():
			return
		case <-inputDone:
			inputDone = nil
			// The shim keeps the pipe open until told.
			_, err = e.tasks.CloseIO(ctx, &tasks.CloseIORequest{ContainerID: e.container, ExecID: e.id, Stdin: true})
		case size, open := <-sizes:
			if !open {
				sizes = nil
				continue
			}
			_, err = e.tasks.ResizePty(ctx, &tasks.ResizePtyRequest{
				ContainerID: e.container, ExecID: e.id, Width: uint32(size.Width), Height: uint32(size.Height),
			})
		}
		if err != nil && ctx.Err() == nil {
			e.runtime.config.Logger.Warn("cannot pass on a change to a process", "container", e.container, "error", err)
		}
	}
}

func (e *execution) kill(ctx context.Context) error {
	_, err := e.tasks.Kill(ctx, &tasks.KillRequest{
		ContainerID: e.container, ExecID: e.id, Signal: uint32(unix.SIGKILL),
	})
	if err = errgrpc.ToNative(err); err != nil && !errdefs.IsNotFound(err) {
		return err
	}
	_, err = e.tasks.Wait(ctx, &tasks.WaitRequest{ContainerID: e.container, ExecID: e.id})
	if err = errgrpc.ToNative(err); err != nil && !errdefs.IsNotFound(err) {
		return err
	}
	return nil
}

func (e *execution) remove(ctx context.Context) error {
	_, err := e.tasks.DeleteProcess(ctx, &tasks.DeleteProcessRequest{ContainerID: e.container, ExecID: e.id})
	if err = errgrpc.ToNative(err); errdefs.IsNotFound(err) {
		err = nil
	}
	// Input may still be open; output is copied to its end.
	e.streams.Wait()
	return errors.Join(err, e.streams.Close())
}

// watchedReader tells when its reader has ended.
type watchedReader struct {
	io.Reader
	done chan struct{}
	once sync.Once
}

func (w *watchedReader) Read(p []byte) (int, error) {
	n, err := w.Reader.Read(p)
	if err != nil {
		w.once.Do(func() { close(w.done) })
	}
	return n, err
}

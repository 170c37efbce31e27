// Package node is the agent of one machine: it steps each task assigned to the
// machine through its lifecycle, one transition at a time, and reports what it
// observes.
//
// What to do next is decided by [Step], a pure function of what is known of a
// task and the time; a thin loop per task acts on the answer and applies the
// results to what is known. What is known is saved before it is acted on, so that a
// node killed at any line goes on where it was: nothing is asked twice of a
// container that already did it, and tasks run on while the node or the control
// plane is not running.
//
// It refuses to know how containers, interfaces and control groups are made
// (the interfaces below do), who assigned a task and why, and what becomes of a
// report or a log line once the control plane has it.
package node

import (
	"context"

	"fargo/desired"
	"fargo/host"
	"fargo/secret"
)

// Runtime is the machine's container runtime: images and containers. All methods
// may be called from several goroutines, for one container one at a time except
// Exec. Each may be repeated after a crash of its caller.
//
// The texts of errors from Pull, Create and Start are shown to the user as ECS
// shows them ("CannotPullContainerError: …"); a text without such a prefix
// gets one.
type Runtime interface {
	// Pull makes image ready to run, from what is on the machine when src allows.
	// login is nil when src names no secret; an error of it is what Pull returns.
	Pull(ctx context.Context, image string, src desired.PullSource, login host.Login) (host.Image, error)

	// Create makes a container without beginning its process. It is no error
	// when it is there; what a Create cut short left behind is replaced.
	Create(ctx context.Context, spec host.ContainerSpec) error

	// Start begins the process of a created container. It is no error when that
	// has begun before, and does not begin it anew.
	Start(ctx context.Context, id string) error

	// Inspect finds one container; errdefs.IsNotFound holds for the error when
	// there is none.
	Inspect(ctx context.Context, id string) (host.ContainerState, error)

	// List finds all containers that this runtime has made.
	List(ctx context.Context) ([]host.ContainerState, error)

	// Events gives ids of containers that may have changed, an empty one when
	// any may have; from before it returns until ctx ends. A closed channel
	// means that the watch broke.
	Events(ctx context.Context) <-chan string

	// Signal sends a signal, by name ("SIGTERM"), to a container's first
	// process. It is no error when that has ended; errdefs.IsNotFound holds for
	// the error when there is no container.
	Signal(ctx context.Context, id, signal string) error

	// StopSignal is the signal by which the container's image wants to be asked
	// to stop: SIGTERM unless it says otherwise.
	StopSignal(ctx context.Context, id string) string

	// Remove takes a container away whatever its state, kills what runs in it
	// and returns when all of its output is in its log file. It is no error when
	// there is none.
	Remove(ctx context.Context, id string) error

	// Exec runs a further process in a running container and gives its exit
	// code. When ctx ends the process is killed.
	Exec(ctx context.Context, id string, spec host.ExecSpec) (int, error)
}

// Network is the kernel's network, as far as it is for tasks and load balancers.
type Network interface {
	// Set makes the machine's networking what it says, whole. What cannot be
	// done does not keep the rest from it: the error is [host.Failures] then, by
	// ids of VPCs and interfaces. It may be repeated, and is never called twice
	// at once.
	Set(ctx context.Context, want host.Network) error
	// NetNS is the path of the namespace that Set makes for an interface.
	NetNS(interfaceID string) string
}

// Cgroups are the kernel's control groups of tasks.
type Cgroups interface {
	// Set makes the tasks' control groups what it says, whole. What cannot be
	// done does not keep the rest from it: the error is [host.Failures] then, by
	// task id. It may be repeated, and is never called twice at once.
	Set(ctx context.Context, want []host.TaskCgroup) error
	// Path is the control group for a container, below its task's.
	Path(taskID, containerID string) string
}

// Storage are the machine's sized file systems, of tasks and of volumes by their ids. Each may be repeated
// after a crash of its caller.
type Storage interface {
	// Path is the directory where Make makes one.
	Path(id string) string
	// Make makes one of a size in bytes, empty, unless it is there.
	Make(ctx context.Context, id string, size int64) error
	// MakeVolume makes a volume by its id, empty, unless it is there.
	// errdefs.IsNotImplemented holds for the error when the machine cannot have it.
	MakeVolume(ctx context.Context, v *desired.BlockVolume) error
	// Drop takes one away soon, if it is there.
	Drop(id string)
	// Sweep drops all but those in use.
	Sweep(inUse map[string]bool) error
}

// KeptStorage is the machine's storage of volumes that outlive their tasks: a volume that is
// dropped has its files until it is removed.
type KeptStorage interface {
	Storage
	// Remove takes one away for good, if it is there.
	Remove(id string) error
}

// Watcher notices growing files.
type Watcher interface {
	// Watch gives the names of files in dir that may have grown, an empty one
	// when any may have; from before it returns until ctx ends.
	Watch(ctx context.Context, dir string) (<-chan string, error)
}

// Link is what a node asks of the control plane by itself. All calls wait for it for
// as long as ctx lasts.
type Link interface {
	// OpenLog checks, and where it should, creates, a container's log group and
	// stream. Any error but ctx's is a refusal in the words ECS would use.
	OpenLog(ctx context.Context, target desired.LogTarget) error
	// Secret gives a secret that something assigned to the node names.
	// errdefs.IsNotFound holds for the error when nothing does; any other but ctx's
	// is a refusal in the words ECS would use.
	Secret(ctx context.Context, id desired.SecretID) (secret.Text, error)
	// AppendLogs delivers a batch and gives the position then held for its
	// source. errdefs.IsNotFound holds for the error when group or stream are
	// gone for good.
	AppendLogs(ctx context.Context, batch desired.LogBatch) (to int64, err error)
}

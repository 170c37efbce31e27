package host

import (
	"io"
	"time"

	"fargo/desired"
)

// ContainerSpec is a container as the runtime must make it: a
// [desired.ContainerAssignment] bound to this machine's paths.
type ContainerSpec struct {
	ID     string // ContainerAssignment.RuntimeID
	TaskID string // containers of one task share a shim
	desired.ContainerAssignment

	// ImageDigest is that of the manifest to run, as Pull returned it.
	ImageDigest string
	// NetNS is the path of the network namespace to join; empty means the
	// machine's own.
	NetNS string
	// CgroupPath is where the container's control group goes, below the
	// task's, as package kernel named it.
	CgroupPath string
	// PIDOf is the id of the container whose PID namespace to join, if any.
	PIDOf string
	// WritableDir is where what the container writes into its own file system is kept. It is
	// made, and emptied, when the container is. Empty leaves that to the runtime.
	WritableDir string
	// SecretEnvironment are variables over Environment that the runtime keeps on no
	// disk: the values of Secrets.
	SecretEnvironment []SecretVariable
	// DefaultEnvironment ("NAME=value") is for what neither the image nor Environment
	// sets.
	DefaultEnvironment []string
	// Hostname inside the container.
	Hostname string
	// Mounts are bind mounts (resolv.conf, hosts, volumes).
	Mounts []Mount
	// LogPath is the file that stdout and stderr are appended to by the shim,
	// which outlives us; empty means discarded.
	LogPath string
	// ErrorLogPath is the file for stderr when it does not go to LogPath.
	ErrorLogPath string
}

// Mount binds Source, a path of the machine, to Target in the container.
type Mount struct {
	Source   string
	Target   string
	ReadOnly bool
	// Beneath is a directory below Source, which is mounted in its place. What is in Source
	// may be another's: no link in it leads out. Empty and "." are Source itself.
	Beneath string
	// Owner is who owns in Source what the container's user owns at Target, and the other
	// way round; the container's user has its groups. nil: users are the same in both.
	Owner *desired.PosixUser
	// SquashRoot does without Owner the same for root and nobody (65534).
	SquashRoot bool
	// CopyUp fills an empty Source with what the image has at Target, once.
	CopyUp bool
}

// RunState is what the kernel has of a container.
type RunState string

// The states of a container in the runtime.
const (
	RunCreated RunState = "created" // made, its process not yet begun
	RunRunning RunState = "running"
	RunStopped RunState = "stopped" // exited; ExitCode is set
)

// ContainerState is a container as the runtime finds it.
type ContainerState struct {
	ID          string
	TaskID      string
	Name        string
	ImageDigest string
	State       RunState
	PID         int
	ExitCode    int
	OOMKilled   bool
	StartedAt   time.Time
	FinishedAt  time.Time
}

// Image is an image on this machine, ready to run.
type Image struct {
	Name   string // by which the runtime knows it
	Digest string // of its manifest for this machine's platform, "sha256:…"
}

// ExecSpec is a further process in a running container. What is left empty is
// as the container's own process has it.
type ExecSpec struct {
	// ID names the process within its container, for as long as it is there. Empty
	// leaves that to the runtime.
	ID   string
	Args []string
	Env  []string // "NAME=value", added to the container's
	// Defaults are the same for variables that the container has not.
	Defaults []string
	User     string // "name", "uid", "user:group"
	Cwd      string
	// Tty gives it a terminal of its own. Stderr is then part of Stdout, and what else has
	// that terminal ends with the process.
	Tty bool
	// Started is called once the process has begun; nil for nobody.
	Started func()

	// Stdin, Stdout and Stderr are copied while the process runs; nil means
	// nothing to read, and output discarded.
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	// Resize tells a terminal its size, from the first value on.
	Resize <-chan WindowSize
}

// WindowSize is the size of a terminal in characters.
type WindowSize struct {
	Width, Height uint16
}

// Usage is what a container has used and uses.
type Usage struct {
	CPU    time.Duration // processor time since the container began
	Memory int64         // bytes in use, without page cache that can be dropped
}

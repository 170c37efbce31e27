package desired

import (
	"time"

	"fargo"
)

// State is all that one node should be doing: the message from the control
// plane to a node. It is whole; what is absent from it should not be there.
type State struct {
	Tasks []Assignment `json:"tasks,omitempty"`
	// VPCs are all there are, with all their security groups: also one without
	// an interface on the node has its router there, so that packets to its
	// addresses never leave for the machine's own network.
	VPCs []VPC `json:"vpcs,omitempty"`
	// Balancers are the load balancers that this node runs, and Groups the
	// target groups that it checks: those that a listener of Balancers uses.
	Balancers []Balancer      `json:"balancers,omitempty"`
	Groups    []BalancerGroup `json:"groups,omitempty"`
	// Records are the names that the node answers for, no two with the same name
	// and VPC.
	Records []Record `json:"records,omitempty"`
	// Endpoints are the interface endpoints that answer on this node.
	Endpoints []Endpoint `json:"endpoints,omitempty"`
	Platform  Platform   `json:"platform,omitzero"`
	// FlowLogs are all there are, and Logged the interfaces that have any.
	FlowLogs []FlowLog         `json:"flowLogs,omitempty"`
	Logged   []LoggedInterface `json:"logged,omitempty"`
	// DeletedFileSystems are the file systems, and the volumes that were kept, which were
	// deleted of late, in no order.
	DeletedFileSystems []DeletedFileSystem `json:"deletedFileSystems,omitempty"`
	// ExecSessions are those of the node's tasks that have not ended, in no order.
	ExecSessions []ExecSession `json:"execSessions,omitempty"`
}

// Assignment is one task as its node needs it: defaults applied, references
// resolved. Secrets are named ([SecretID]) and never inside: they alone have to be
// asked for.
//
// All fields but DesiredStatus, StopCode and StoppedReason are immutable for
// the life of the task.
type Assignment struct {
	TaskARN          string `json:"taskArn"`
	ID               string `json:"id"`      // 32 hex digits, the last part of the ARN
	Cluster          string `json:"cluster"` // cluster ARN
	Family           string `json:"family"`
	Revision         int    `json:"revision"`
	Service          string `json:"service,omitempty"` // name, of a service's task
	LaunchType       string `json:"launchType,omitempty"`
	AvailabilityZone string `json:"availabilityZone,omitempty"`
	// TaskRole is the ARN of the role whose credentials ([TaskCredentialsOf]) the
	// containers are given; empty for none.
	TaskRole string `json:"taskRole,omitempty"`

	// DesiredStatus is TaskRunning or TaskStopped.
	DesiredStatus fargo.TaskStatus `json:"desiredStatus"`
	// StopCode and StoppedReason are set when the control plane wants the task
	// stopped; a task that ends by itself gets them from the node.
	StopCode      fargo.StopCode `json:"stopCode,omitempty"`
	StoppedReason string         `json:"stoppedReason,omitempty"`

	// CPU is in ECS units (1024 are one core), Memory in MiB; both limit the
	// whole task. 0 means no limit.
	CPU    int64 `json:"cpu,omitempty"`
	Memory int64 `json:"memory,omitempty"`
	// PIDs is how many processes and threads the task may have at once. 0 means
	// no limit.
	PIDs int64 `json:"pids,omitempty"`

	Interface  *Interface            `json:"interface,omitempty"`
	Containers []ContainerAssignment `json:"containers"`
	// Resolution is how often the task is measured, in seconds: [FineResolution], or else 60.
	Resolution int `json:"resolution,omitempty"`
	// PIDMode "task" shares one PID namespace among the containers.
	PIDMode string `json:"pidMode,omitempty"`
	// Storage is how many bytes the task may have written at a time, in Volumes and in its
	// containers' own file systems together. 0 means no limit.
	Storage int64 `json:"storage,omitempty"`
	// Volumes are the task-scoped directories that MountPoints name.
	Volumes []string `json:"volumes,omitempty"`
	// FileSystems are volumes in file systems that others may have, too, and BlockVolumes
	// those made for the task: MountPoints name them as well.
	FileSystems  []FileSystemMount `json:"fileSystems,omitempty"`
	BlockVolumes []BlockVolume     `json:"blockVolumes,omitempty"`
}

// ContainerAssignment is one container of a task, with the overrides of
// RunTask merged in. A nil slice means "as the image says".
type ContainerAssignment struct {
	Name      string `json:"name"`
	ARN       string `json:"arn,omitempty"`
	RuntimeID string `json:"runtimeId"` // unique on the node; "<task id>-<digits>" as Fargate names it
	Image     string `json:"image"`     // as the user wrote it
	// Pull says where the image really is, when that is not where its name says.
	Pull PullSource `json:"pull"`

	Essential bool `json:"essential"`

	EntryPoint  []string `json:"entryPoint,omitempty"`
	Command     []string `json:"command,omitempty"`
	Environment []string `json:"environment,omitempty"` // "NAME=value", later ones win
	// EnvironmentFiles name lists of further variables ([Variables]), of which the first
	// with a name counts. Environment and Secrets are over them. They are as they were when
	// the task began, whenever the container is started.
	EnvironmentFiles []SecretID `json:"environmentFiles,omitempty"`
	// Secrets are further variables, over Environment. They are as they were when the
	// task began, whenever the container is started.
	Secrets          []SecretVariable  `json:"secrets,omitempty"`
	WorkingDirectory string            `json:"workingDirectory,omitempty"`
	User             string            `json:"user,omitempty"`
	Ulimits          []Ulimit          `json:"ulimits,omitempty"`
	ReadonlyRootfs   bool              `json:"readonlyRootfs,omitempty"`
	Init             bool              `json:"init,omitempty"`    // linuxParameters.initProcessEnabled
	CapAdd           []string          `json:"capAdd,omitempty"`  // "SYS_PTRACE"
	CapDrop          []string          `json:"capDrop,omitempty"` // "ALL" or names
	Tty              bool              `json:"tty,omitempty"`
	Stdin            bool              `json:"stdin,omitempty"`
	Sysctls          map[string]string `json:"sysctls,omitempty"`
	MountPoints      []MountPoint      `json:"mountPoints,omitempty"`
	Tmpfs            []Tmpfs           `json:"tmpfs,omitempty"`
	VolumesFrom      []VolumeFrom      `json:"volumesFrom,omitempty"`
	Labels           map[string]string `json:"labels,omitempty"`

	CPU               int64 `json:"cpu,omitempty"`               // ECS units; a share, not a ceiling
	Memory            int64 `json:"memory,omitempty"`            // MiB, a ceiling; 0 means the task's
	MemoryReservation int64 `json:"memoryReservation,omitempty"` // MiB

	StopTimeout  time.Duration  `json:"stopTimeout,omitempty"`  // from stop signal to SIGKILL; never 0
	StartTimeout time.Duration  `json:"startTimeout,omitempty"` // 0 means no limit
	DependsOn    []Dependency   `json:"dependsOn,omitempty"`
	HealthCheck  *HealthCheck   `json:"healthCheck,omitempty"`
	Restart      *RestartPolicy `json:"restart,omitempty"`

	Log *LogTarget `json:"log,omitempty"` // nil: output is discarded
	// Route says that output goes to the task's log router in place of Log.
	Route *LogRoute `json:"route,omitempty"`
	// Router says that the container is the task's log router; nil: it is not.
	Router *LogRouter `json:"router,omitempty"`
	// LogBuffer bounds what of the output waits to be delivered; nil: nothing does.
	LogBuffer *LogBuffer `json:"logBuffer,omitempty"`
}

// PullSource tells the node how to get an image. The zero value means "from the
// registry in the image's name, without credentials".
type PullSource struct {
	// Endpoint, when set, is the base URL of the registry to ask instead of the
	// one in the name: "http://127.0.0.1:4566" for the registry behind ECR.
	Endpoint string `json:"endpoint,omitempty"`
	Username string `json:"username,omitempty"`
	// PasswordID names the password of Username; empty means none.
	PasswordID SecretID `json:"passwordId,omitempty"`
	// CredentialsID names user name and password together ([RegistryCredentials]), in
	// place of Username and PasswordID; empty means none.
	CredentialsID SecretID `json:"credentialsId,omitempty"`
	// Digest ("sha256:…") is set when the control plane has resolved the tag; an
	// image already on the node under this digest needs no network.
	Digest string `json:"digest,omitempty"`
	// Room is how many bytes the image may take, compressed and, again, unpacked:
	// the task's ephemeral storage. 0 means Fargate's usual 20 GiB.
	Room int64 `json:"room,omitempty"`
}

// SecretVariable is a variable of a container's environment whose value is a secret.
type SecretVariable struct {
	Name    string   `json:"name"`
	ValueID SecretID `json:"valueId"`
}

// Ulimit is one resource limit by its ECS name ("nofile").
type Ulimit struct {
	Name string `json:"name"`
	Soft int64  `json:"soft"`
	Hard int64  `json:"hard"`
}

// MountPoint puts a task volume into a container.
type MountPoint struct {
	Volume   string `json:"volume"`
	Path     string `json:"path"`
	ReadOnly bool   `json:"readOnly,omitempty"`
}

// Tmpfs is a directory in memory, which counts as the container's own.
type Tmpfs struct {
	Path string `json:"path"`
	Size int64  `json:"size"` // MiB, at most
	// Options are those of the mount ("noexec", "mode=700"), over the usual ones.
	Options []string `json:"options,omitempty"`
}

// VolumeFrom repeats another container's mount points.
type VolumeFrom struct {
	Container string `json:"container"`
	ReadOnly  bool   `json:"readOnly,omitempty"`
}

// Dependency holds a container back until another reaches Condition: START,
// COMPLETE, SUCCESS or HEALTHY.
type Dependency struct {
	Container string `json:"container"`
	Condition string `json:"condition"`
}

// HealthCheck is a container health check; Command begins with CMD or CMD-SHELL.
type HealthCheck struct {
	Command     []string      `json:"command"`
	Interval    time.Duration `json:"interval"`
	Timeout     time.Duration `json:"timeout"`
	Retries     int           `json:"retries"`
	StartPeriod time.Duration `json:"startPeriod,omitempty"`
}

// RestartPolicy restarts a container in place.
type RestartPolicy struct {
	IgnoredExitCodes []int         `json:"ignoredExitCodes,omitempty"`
	AttemptPeriod    time.Duration `json:"attemptPeriod"`
}

// LogBuffer is what there may be of a container's output that is not delivered, and what
// happens to more: it is dropped, or the container waits until there is room.
// Source: ECS API, LogConfiguration, mode and max-buffer-size.
type LogBuffer struct {
	Limit    int64 `json:"limit"` // bytes
	Blocking bool  `json:"blocking,omitempty"`
}

// LogRoute is what a container's output is known by at the log router of its task: the
// awsfirelens driver, resolved.
type LogRoute struct {
	Tag string `json:"tag"`
}

// LogRouter is what a log router is given: the content of a file at a path of its own, and
// a directory at /var/run, in which it listens at fluent.sock.
type LogRouter struct {
	ConfigPath string `json:"configPath"`
	Config     string `json:"config"`
}

// LogTarget is where a container's output goes: the awslogs driver, resolved.
type LogTarget struct {
	Account string `json:"account"`
	Region  string `json:"region"`
	Group   string `json:"group"`
	Stream  string `json:"stream"`
	Create  bool   `json:"create,omitempty"` // awslogs-create-group
	// Task is the ARN of the task whose output it is; the control plane asks IAM about
	// its execution role. Empty: nobody is asked about.
	Task string `json:"task,omitempty"`
	// MultilineStart, a regular expression, matches the first line of an event;
	// empty means every line is one.
	MultilineStart string `json:"multilineStart,omitempty"`
}

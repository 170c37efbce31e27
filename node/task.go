package node

import (
	"slices"
	"time"

	"fargo"
	"fargo/desired"
	"fargo/host"
)

// Task is all that a node knows of one task. It is a value: what decides reads
// it, what acts saves it and applies results to it.
type Task struct {
	Assignment desired.Assignment `json:"assignment"`
	// Left says that the control plane no longer lists the task.
	Left bool `json:"left,omitempty"`
	// CredentialsID is [host.Task.CredentialsID], made when the task came.
	CredentialsID string `json:"credentialsId,omitempty"`

	Status        fargo.TaskStatus `json:"status"`
	StopCode      fargo.StopCode   `json:"stopCode,omitempty"`
	StoppedReason string           `json:"stoppedReason,omitempty"`

	PreparingSince     time.Time `json:"preparingSince,omitzero"` // files, control group, interface
	PullStartedAt      time.Time `json:"pullStartedAt,omitzero"`
	PullStoppedAt      time.Time `json:"pullStoppedAt,omitzero"`
	StartedAt          time.Time `json:"startedAt,omitzero"`
	StoppingAt         time.Time `json:"stoppingAt,omitzero"`
	ExecutionStoppedAt time.Time `json:"executionStoppedAt,omitzero"`
	RemovedAt          time.Time `json:"removedAt,omitzero"` // the last container
	StoppedAt          time.Time `json:"stoppedAt,omitzero"`

	Files   Stage `json:"files,omitempty"`
	Cgroup  Stage `json:"cgroup,omitempty"`
	Network Stage `json:"network,omitempty"`
	// Unmountable is why a volume can never be mounted; empty when it can, for all we know.
	Unmountable string `json:"unmountable,omitempty"`
	// VolumeFailure is [desired.TaskReport.VolumeFailure].
	VolumeFailure string `json:"volumeFailure,omitempty"`
	// RetryAt holds Files back after a failure.
	RetryAt time.Time `json:"retryAt,omitzero"`

	Containers []Container `json:"containers"` // in the order of the assignment's
}

// Stage is how far a resource of the whole task has come.
type Stage string

// The stages. The zero value means that nothing was asked for yet.
const (
	Asked Stage = "asked" // there may be something to take away
	Ready Stage = "ready"
	Gone  Stage = "gone"
)

// Container is all that a node knows of one container of a task.
type Container struct {
	Image   host.Image `json:"image,omitzero"`    // empty until pulled
	LogOpen bool       `json:"logOpen,omitempty"` // group and stream are there
	Fetched bool       `json:"fetched,omitempty"` // its secrets

	// Asked says that the container was asked for, so that there may be
	// something to remove; StartAsked that its process was, so that it may have
	// run. Both are saved before the asking.
	Asked      bool `json:"asked,omitempty"`
	StartAsked bool `json:"startAsked,omitempty"`
	// State is as last seen; empty is unknown, or that there is no container.
	State host.RunState `json:"state,omitempty"`

	CreatedAt  time.Time `json:"createdAt,omitzero"`
	StartedAt  time.Time `json:"startedAt,omitzero"` // the latest start
	FinishedAt time.Time `json:"finishedAt,omitzero"`
	ExitCode   *int      `json:"exitCode,omitempty"`
	Reason     string    `json:"reason,omitempty"`
	// Failed says that the container could not be made or started; Reason says
	// why.
	Failed bool `json:"failed,omitempty"`

	Restarts   int  `json:"restarts,omitempty"`
	Restarting bool `json:"restarting,omitempty"` // stopped, and to be started anew

	Health    desired.HealthStatus `json:"health,omitempty"`
	Failures  int                  `json:"failures,omitempty"` // of health checks, in a row
	CheckedAt time.Time            `json:"checkedAt,omitzero"`
	// HealthSince is when Health became what it is; HealthExitCode the last check's.
	HealthSince    time.Time `json:"healthSince,omitzero"`
	HealthExitCode int       `json:"healthExitCode,omitempty"`

	SignalledAt time.Time `json:"signalledAt,omitzero"`
	KilledAt    time.Time `json:"killedAt,omitzero"`
	Removed     bool      `json:"removed,omitempty"`
	Shipped     bool      `json:"shipped,omitempty"` // its output, all of it
	// RetryAt holds back what failed and is to be tried again.
	RetryAt time.Time `json:"retryAt,omitzero"`
}

// NewTask is a task as it arrives. One that is to run wants its control group
// and interface at once.
func NewTask(a desired.Assignment) Task {
	t := Task{Assignment: a, Status: fargo.TaskPending, Containers: make([]Container, len(a.Containers))}
	if a.DesiredStatus == fargo.TaskStopped {
		return t
	}
	t.Cgroup = Asked
	if a.Interface != nil {
		t.Network = Asked
	}
	return t
}

// clone gives a copy whose containers can be changed.
func (t Task) clone() Task {
	t.Containers = slices.Clone(t.Containers)
	return t
}

// complete reports whether all is there that the container needs to be made.
func (c *Container) complete(a *desired.ContainerAssignment) bool {
	return c.Image.Digest != "" && (a.Log == nil || c.LogOpen) && (len(a.EnvironmentSecrets()) == 0 || c.Fetched)
}

// started reports whether the container's process has ever begun.
func (c *Container) started() bool { return !c.StartedAt.IsZero() }

// over reports whether the container has come to its end: it exited and will
// not be started anew, or never could be.
func (c *Container) over() bool {
	return c.Failed || c.State == host.RunStopped && !c.Restarting
}

// down reports whether nothing of the container runs or may yet run.
func (c *Container) down() bool {
	return c.over() || !c.StartAsked || c.State == host.RunCreated || c.Removed
}

// index finds a container by name; -1 when there is none.
func (t *Task) index(name string) int {
	return slices.IndexFunc(t.Assignment.Containers, func(c desired.ContainerAssignment) bool { return c.Name == name })
}

// stage is where a resource's stage is kept.
func (t *Task) stage(resource string) *Stage {
	switch resource {
	case "files":
		return &t.Files
	case "cgroup":
		return &t.Cgroup
	default:
		return &t.Network
	}
}

// resources are what the task has as a whole.
func (t *Task) resources() []string {
	if t.Assignment.Interface == nil {
		return []string{"files", "cgroup"}
	}
	return []string{"files", "cgroup", "network"}
}

// secrets are the ids of those that the task needs yet, in order and each once.
func (t *Task) secrets() (ids []desired.SecretID) {
	if t.Status.Ending() {
		return nil
	}
	for i, c := range t.Containers {
		if c.Failed {
			continue
		}
		a := &t.Assignment.Containers[i]
		if c.Image.Digest == "" {
			ids = append(ids, a.PullSecrets()...)
		}
		ids = append(ids, a.EnvironmentSecrets()...)
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// report is what the control plane should know of the task.
func (t *Task) report() desired.TaskReport {
	r := desired.TaskReport{
		TaskARN: t.Assignment.TaskARN, Status: t.Status,
		StopCode: t.StopCode, StoppedReason: t.StoppedReason, VolumeFailure: t.VolumeFailure,
		PullStartedAt: t.PullStartedAt, PullStoppedAt: t.PullStoppedAt,
		StartedAt: t.StartedAt, StoppingAt: t.StoppingAt,
		ExecutionStoppedAt: t.ExecutionStoppedAt, StoppedAt: t.StoppedAt,
	}
	for i := range t.Containers {
		r.Containers = append(r.Containers, t.reportContainer(i))
	}
	return r
}

func (t *Task) reportContainer(i int) desired.ContainerReport {
	c, a := &t.Containers[i], &t.Assignment.Containers[i]
	r := desired.ContainerReport{
		Name: a.Name, Status: fargo.ContainerPending, ImageDigest: c.Image.Digest,
		ExitCode: c.ExitCode, Reason: c.Reason, Health: c.Health, Restarts: c.Restarts,
	}
	if c.Asked {
		r.RuntimeID = a.RuntimeID
	}
	if r.Health == "" {
		r.Health = desired.HealthUnknown
	}
	switch {
	case c.over(), !t.Status.Before(fargo.TaskDeprovisioning):
		r.Status = fargo.ContainerStopped
	case c.started():
		r.Status = fargo.ContainerRunning
	}
	if r.Status == fargo.ContainerRunning {
		r.ExitCode, r.Reason = nil, "" // of the run before a restart
	}
	return r
}

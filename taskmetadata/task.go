package taskmetadata

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"fargo/host"
)

// task is the metadata of a task.
type task struct {
	Cluster               string
	TaskARN               string
	Family                string
	Revision              string
	ServiceName           string `json:",omitempty"`
	DesiredStatus         string
	KnownStatus           string
	Limits                *taskLimits       `json:",omitempty"`
	PullStartedAt         time.Time         `json:",omitzero"`
	PullStoppedAt         time.Time         `json:",omitzero"`
	ExecutionStoppedAt    time.Time         `json:",omitzero"`
	AvailabilityZone      string            `json:",omitempty"`
	TaskTags              map[string]string `json:",omitempty"`
	LaunchType            string            `json:",omitempty"`
	Errors                []tagError        `json:",omitempty"`
	Containers            []container
	ClockDrift            *clockDrift `json:",omitempty"`
	FaultInjectionEnabled bool
}

// taskLimits are in vCPUs and MiB.
type taskLimits struct {
	CPU    float64 `json:",omitempty"`
	Memory int64   `json:",omitempty"`
}

// clockDrift is what the kernel knows of the machine's clock. The bound is in
// milliseconds.
type clockDrift struct {
	ClockErrorBound            float64
	ReferenceTimestamp         time.Time
	ClockSynchronizationStatus string
}

// tagError is why tags are missing.
type tagError struct {
	ErrorField   string
	ErrorCode    string
	ErrorMessage string
	ResourceARN  string
}

func (s *Server) taskMetadata(_ *http.Request, t *host.Task, _ int) any { return s.newTask(t) }

func (s *Server) newTask(t *host.Task) *task {
	a, r := t.Assignment, &t.Report
	m := &task{
		Cluster: a.Cluster, TaskARN: a.TaskARN, Family: a.Family, Revision: strconv.Itoa(a.Revision), ServiceName: a.Service,
		DesiredStatus: desiredStatus(t), PullStartedAt: r.PullStartedAt, PullStoppedAt: r.PullStoppedAt,
		ExecutionStoppedAt: r.ExecutionStoppedAt, AvailabilityZone: a.AvailabilityZone, LaunchType: a.LaunchType,
		Containers: make([]container, len(a.Containers)), ClockDrift: s.clockDrift(),
	}
	least := len(containerStatuses) - 1
	for i := range a.Containers {
		m.Containers[i] = newContainer(t, i)
		least = min(least, knownStatus(t, i))
	}
	m.KnownStatus = containerStatuses[least]
	if a.CPU > 0 || a.Memory > 0 {
		m.Limits = &taskLimits{CPU: float64(a.CPU) / 1024, Memory: a.Memory}
	}
	return m
}

// clockDrift is nil when the kernel does not say.
func (s *Server) clockDrift() *clockDrift {
	bound, synchronized, err := s.cfg.Clock()
	if err != nil {
		return nil
	}
	status := "NOT_SYNCHRONIZED"
	if synchronized {
		status = "SYNCHRONIZED"
	}
	return &clockDrift{float64(bound) / float64(time.Millisecond), time.Now().UTC().Truncate(time.Second), status}
}

// tagsTimeout is how long the control plane is waited for.
const tagsTimeout = 5 * time.Second

func (s *Server) taskMetadataWithTags(r *http.Request, t *host.Task, _ int) any {
	m := s.newTask(t)
	ctx, cancel := context.WithTimeout(r.Context(), tagsTimeout)
	defer cancel()
	tags, err := s.cfg.Tasks.Tags(ctx, t)
	if err != nil {
		m.Errors = []tagError{{"TaskTags", "ServerException", err.Error(), t.Assignment.TaskARN}}
	}
	m.TaskTags = tags
	return m
}

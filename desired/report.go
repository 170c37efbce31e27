package desired

import (
	"time"

	"fargo"
)

// TaskReport is what a node has seen of a task: the message from a node to the
// control plane. It is whole; a later report replaces an earlier one.
type TaskReport struct {
	TaskARN string           `json:"taskArn"`
	Status  fargo.TaskStatus `json:"status"`

	StopCode      fargo.StopCode `json:"stopCode,omitempty"`
	StoppedReason string         `json:"stoppedReason,omitempty"`
	// VolumeFailure is why one of BlockVolumes could not be attached; empty for none.
	VolumeFailure string `json:"volumeFailure,omitempty"`

	PullStartedAt      time.Time `json:"pullStartedAt,omitzero"`
	PullStoppedAt      time.Time `json:"pullStoppedAt,omitzero"`
	StartedAt          time.Time `json:"startedAt,omitzero"`
	StoppingAt         time.Time `json:"stoppingAt,omitzero"`
	ExecutionStoppedAt time.Time `json:"executionStoppedAt,omitzero"`
	StoppedAt          time.Time `json:"stoppedAt,omitzero"`

	Containers []ContainerReport `json:"containers,omitempty"`
}

// ContainerReport is what a node has seen of one container.
type ContainerReport struct {
	Name        string                `json:"name"`
	Status      fargo.ContainerStatus `json:"status"`
	RuntimeID   string                `json:"runtimeId,omitempty"`
	ImageDigest string                `json:"imageDigest,omitempty"`
	ExitCode    *int                  `json:"exitCode,omitempty"`
	Reason      string                `json:"reason,omitempty"` // "OutOfMemoryError: Container killed due to memory usage"
	Health      HealthStatus          `json:"health,omitempty"`
	Restarts    int                   `json:"restarts,omitempty"`
}

// HealthStatus is the verdict of a container health check.
type HealthStatus string

// The verdicts. A container without a check stays UNKNOWN.
const (
	HealthUnknown HealthStatus = "UNKNOWN"
	Healthy       HealthStatus = "HEALTHY"
	Unhealthy     HealthStatus = "UNHEALTHY"
)

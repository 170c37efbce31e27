package desired

import "time"

// Measurements are what a node has measured in one period: what its tasks have used, and
// what its load balancers have done.
type Measurements struct {
	// Number is one more than that of the measurements before in the same sequence; the
	// first is 1. The control plane takes each in once. A node that does not know how far it
	// has counted begins another sequence.
	Sequence string `json:"sequence"`
	Number   uint64 `json:"number"`
	// End is that of the period. The time in which no node ran is part of the next one.
	End       time.Time             `json:"end"`
	Tasks     []TaskMeasurement     `json:"tasks,omitempty"`
	Balancers []BalancerMeasurement `json:"balancers,omitempty"`
}

// FineResolution is that of tasks that are measured more often than each minute, in seconds
// ([Assignment.Resolution]). Source: ECS API, MetricConfiguration, resolutionSeconds.
const FineResolution = 20

// TaskMeasurement is what a running task has used, of all of its containers together.
type TaskMeasurement struct {
	TaskARN string `json:"taskArn"`
	// Start is when the period began for this task: it was measured then, or began later.
	Start time.Time `json:"start"`
	Usage
	// Network is nil for a task without an interface of its own.
	Network *NetworkUsage `json:"network,omitempty"`
	// StorageUsed and Storage are how many bytes are in use of the task's ephemeral
	// storage, and its size; 0 where it is not limited.
	StorageUsed int64                  `json:"storageUsed,omitempty"`
	Storage     int64                  `json:"storage,omitempty"`
	Volumes     []VolumeMeasurement    `json:"volumes,omitempty"`
	Containers  []ContainerMeasurement `json:"containers,omitempty"`
}

// VolumeMeasurement is how full a [BlockVolume] is at the end of the period.
type VolumeMeasurement struct {
	Volume string `json:"volume"` // its name in the task
	ID     string `json:"id"`
	// Used is how many bytes are in use of its file system, and Size how many that has: less
	// than the volume, which also has to hold the file system's own data.
	Used int64 `json:"used,omitempty"`
	Size int64 `json:"size"`
}

// ContainerMeasurement is what one container has used.
type ContainerMeasurement struct {
	Name string `json:"name"`
	Usage
	// Restarts is how often its restart policy has restarted it in the period; nil without a
	// policy.
	Restarts *int `json:"restarts,omitempty"`
	// Health is what its health check said at the end of the period; empty without one.
	Health HealthStatus `json:"health,omitempty"`
}

// Usage is what was used in a period.
type Usage struct {
	// CPU is the time that processors have run, on all of them together.
	CPU time.Duration `json:"cpu,omitempty"`
	// Memory is what was in use at the end of the period, in bytes, without file pages that
	// nobody used lately.
	Memory int64 `json:"memory,omitempty"`
	// Read and Written are bytes from and to block devices.
	Read    int64 `json:"read,omitempty"`
	Written int64 `json:"written,omitempty"`
}

// NetworkUsage is what has gone through an interface in a period, in bytes.
type NetworkUsage struct {
	Received uint64 `json:"received,omitempty"`
	Sent     uint64 `json:"sent,omitempty"`
}

// BalancerMeasurement is what a load balancer has done in one zone: by itself, or with the
// targets of one target group.
type BalancerMeasurement struct {
	Balancer string `json:"balancer"`        // ARN
	Group    string `json:"group,omitempty"` // ARN; empty for what is of no group
	Zone     string `json:"zone"`            // in which the load balancer's interface is
	// Counts are how often something has happened, by CloudWatch's names for it
	// ("RequestCount"). What has not happened is left out.
	Counts map[string]float64 `json:"counts,omitempty"`
	// Gauges are what is so at the end of the period ("HealthyHostCount").
	Gauges map[string]float64 `json:"gauges,omitempty"`
	// Times are how long things took ("TargetResponseTime").
	Times map[string][]MeasuredTime `json:"times,omitempty"`
}

// MeasuredTime is a time, and how often something took so long.
type MeasuredTime struct {
	Seconds float64 `json:"seconds"`
	Count   float64 `json:"count"`
}

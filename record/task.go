package record

import (
	"time"

	"fargo"
	"fargo/aws/ecs"
	"fargo/desired"
)

// Task is a task as the control plane keeps it.
//
// Intent and BlockingLogs are written when the task is made, as is what Volume is to be; Node,
// Interface, FileSystems, Unreachable and what became of Volume by the task controller; Desired, StopCode, StoppedReason and StoppingAt by whoever
// ends it first; Report by the task's node.
type Task struct {
	Scope   fargo.Scope
	ID      string // 32 hexadecimal digits
	Cluster string // name
	Service string `json:",omitzero"` // name, of a service's task

	// Intent is what RunTask asked for and was shown at creation: the
	// definition, group, launch type, overrides, sizes, platform, tags,
	// startedBy, containers and attachments. Nothing in it changes later.
	Intent  ecs.Task
	Network *ecs.AwsVpcConfiguration `json:",omitzero"`
	// HealthChecked names the essential containers with a health check: the
	// task's health is theirs.
	HealthChecked []string `json:",omitzero"`
	// BlockingLogs is what the account setting defaultLogDriverMode was when the task was
	// made.
	BlockingLogs bool `json:",omitzero"`

	Node string `json:",omitzero"` // the node it is assigned to
	// Interface is the task's network interface, kept after the interface itself
	// is gone because DescribeTasks goes on showing it.
	Interface *desired.Interface `json:",omitzero"`
	// FileSystems are the task's EFS volumes, as they were when it was placed.
	FileSystems []desired.FileSystemMount `json:",omitzero"`
	// Monitoring is that of its service: which of its metrics are measured more often than
	// each minute. It is written when the task is made.
	Monitoring *ecs.MonitoringConfiguration `json:",omitzero"`
	// Volume is the one that is configured at launch; nil for none.
	Volume *TaskVolume `json:",omitzero"`
	// Unreachable are the hosts that Fargate would have needed to prepare the task, and
	// could not have reached from its subnet. Clients see [fargo.UnreachableAttribute].
	Unreachable []string `json:",omitzero"`
	// Digests are the manifests that image names mean for the task, by container
	// name: those that its deployment has resolved, and those that names of our own
	// registry meant when the task was placed.
	Digests map[string]string `json:",omitzero"`
	// Status is where the control plane has brought the task before its node
	// took over, and STOPPED when it ended before there was a node.
	Status fargo.TaskStatus
	// ConnectivityAt is when the task was given to a connected node.
	ConnectivityAt time.Time `json:",omitzero"`

	Desired       fargo.TaskStatus // TaskRunning or TaskStopped
	StopCode      fargo.StopCode   `json:",omitzero"`
	StoppedReason string           `json:",omitzero"`
	StoppingAt    time.Time        `json:",omitzero"`
	StoppedAt     time.Time        `json:",omitzero"` // of a task that never had a node

	// LoadBalancers are the target groups that a service's task is registered
	// in while it runs; Targets, written by the task controller, where it is
	// registered now.
	LoadBalancers []ecs.LoadBalancer `json:",omitzero"`
	Targets       []TargetRef        `json:",omitzero"`
	// ProtectedUntil keeps a service's task from scale-in and deployments.
	ProtectedUntil time.Time `json:",omitzero"`
	// Settled says that the service controller has seen the task healthy, and
	// Counted that it has taken note of its end.
	Settled bool `json:",omitzero"`
	Counted bool `json:",omitzero"`

	Report *desired.TaskReport `json:",omitzero"`
	// Version counts the changes of status that clients can see: it is
	// plan.TaskVersion of what is written.
	Version int64
}

// Key is the task's place in the store.
func (t *Task) Key() string { return t.Scope.Key(t.Cluster, t.ID) }

// ServiceKey is the place in the store of the service the task is of.
func (t *Task) ServiceKey() string { return t.Scope.Key(t.Cluster, t.Service) }

// ARN is the task's name.
func (t *Task) ARN() string { return t.Scope.ARN("ecs", "task/"+t.Cluster+"/"+t.ID) }

// LastStatus is the status clients see: what the node reported, once it has, and
// DEACTIVATING while a task that is to stop leaves its target groups, until the
// node has begun to stop it.
func (t *Task) LastStatus() fargo.TaskStatus {
	status := t.Status
	if t.Report != nil && status.Before(t.Report.Status) {
		status = t.Report.Status
	}
	if t.Desired == fargo.TaskStopped && len(t.LoadBalancers) > 0 && status == fargo.TaskRunning {
		return fargo.TaskDeactivating
	}
	return status
}

// Held reports whether a task that is to stop must go on for now: it is still
// known to load balancers, and drained before its containers are told.
func (t *Task) Held() bool { return t.Desired == fargo.TaskStopped && len(t.Targets) > 0 }

// Stopped reports whether the task has ended for good.
func (t *Task) Stopped() bool { return t.LastStatus() == fargo.TaskStopped }

// RunTaskToken remembers what a client token stood for, so that a repeated call
// gives the same tasks instead of more.
type RunTaskToken struct {
	Scope   fargo.Scope
	Cluster string
	Token   string
	Digest  string   // of the request's other parameters
	Tasks   []string // ids
	At      time.Time
}

// Key is the token's place in the store.
func (t *RunTaskToken) Key() string { return t.Scope.Key(t.Cluster, t.Token) }

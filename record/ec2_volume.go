package record

import (
	"fargo"
	"fargo/aws/ec2"
	"fargo/aws/ecs"
)

// EC2Volume is a volume of Amazon EBS that ECS has made for a task. The task controller
// writes it when the task is placed, and Task again when that has stopped; the API writes its
// tags, and deletes it.
type EC2Volume struct {
	Scope fargo.Scope
	// Volume is what DescribeVolumes shows, but for its state and attachments, which follow
	// from its task.
	Volume ec2.Volume
	// Task is the key of the task that it is attached to; empty for none.
	Task string `json:",omitzero"`
	// Keep says that it outlives its task.
	Keep bool `json:",omitzero"`
}

// Key is the volume's place in the store.
func (v *EC2Volume) Key() string { return v.Scope.Key(*v.Volume.VolumeId) }

// TaskVolume is the volume of a task that is configured at launch.
type TaskVolume struct {
	// Configuration is what was asked for, and Tags what the volume is to have of tags but
	// for those that name its task.
	Configuration ecs.TaskVolumeConfiguration
	Tags          []ecs.Tag `json:",omitzero"`
	// ID is the volume's, from when the task was placed. Failure is why it has none; why one
	// could not be attached, the node reports.
	ID      string `json:",omitzero"`
	Failure string `json:",omitzero"`
}

// Keep reports whether the volume outlives its task.
func (v *TaskVolume) Keep() bool {
	p := v.Configuration.ManagedEBSVolume.TerminationPolicy
	return p != nil && !*p.DeleteOnTermination
}

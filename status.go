package fargo

// TaskStatus is a step of a task's life. The zero value is not a status.
type TaskStatus string

// The steps of a task's life, in order. A task never moves backwards; it may
// skip steps that have nothing to do.
// Source: ECS developer guide, "Amazon ECS task lifecycle".
const (
	TaskProvisioning   TaskStatus = "PROVISIONING"   // interface, node
	TaskPending        TaskStatus = "PENDING"        // assigned, not yet begun on the node
	TaskActivating     TaskStatus = "ACTIVATING"     // images, containers, target registration
	TaskRunning        TaskStatus = "RUNNING"        // every container reached its steady state
	TaskDeactivating   TaskStatus = "DEACTIVATING"   // leaving target groups, draining
	TaskStopping       TaskStatus = "STOPPING"       // stop signal sent, waiting for exits
	TaskDeprovisioning TaskStatus = "DEPROVISIONING" // containers gone, interface going
	TaskStopped        TaskStatus = "STOPPED"        // final
)

var taskOrder = map[TaskStatus]int{
	TaskProvisioning: 1, TaskPending: 2, TaskActivating: 3, TaskRunning: 4,
	TaskDeactivating: 5, TaskStopping: 6, TaskDeprovisioning: 7, TaskStopped: 8,
}

// Before reports whether s comes earlier in a task's life than t. An unknown
// status comes before every known one.
func (s TaskStatus) Before(t TaskStatus) bool { return taskOrder[s] < taskOrder[t] }

// Ending reports whether a task in s is on its way to STOPPED or there.
func (s TaskStatus) Ending() bool { return !s.Before(TaskDeactivating) }

// ContainerStatus is a container's state as ECS shows it.
type ContainerStatus string

// The states of a container, in order.
const (
	ContainerPending ContainerStatus = "PENDING"
	ContainerRunning ContainerStatus = "RUNNING"
	ContainerStopped ContainerStatus = "STOPPED"
)

// StopCode says who or what ended a task.
type StopCode string

// The stop codes a task can have. Source: ECS API, Task.stopCode.
const (
	StopTaskFailedToStart         StopCode = "TaskFailedToStart"
	StopEssentialContainerExited  StopCode = "EssentialContainerExited"
	StopUserInitiated             StopCode = "UserInitiated"
	StopServiceSchedulerInitiated StopCode = "ServiceSchedulerInitiated"
	StopSpotInterruption          StopCode = "SpotInterruption"
	StopTerminationNotice         StopCode = "TerminationNotice"
)

// UnreachableAttribute is the attribute of a task that, on Fargate, could not have been
// started where it is; its value are the hosts that it would have needed, separated by
// commas. The name is ours: on AWS such a task fails.
const UnreachableAttribute = "fargo.unreachable"

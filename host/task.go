package host

import (
	"time"

	"fargo/desired"
)

// Task is what a node knows of a task, as far as the task's own programs may know it. It
// never changes: what comes later is another.
type Task struct {
	Assignment *desired.Assignment
	Report     desired.TaskReport
	Containers []ContainerTimes // in the order of the assignment's
	// CredentialsID is the part of a path that the credentials of the task's role are
	// at, and that nobody can guess. Empty without a role.
	CredentialsID string
}

// ContainerTimes are when things happened to a container; zero for what has not.
type ContainerTimes struct {
	CreatedAt, StartedAt, FinishedAt time.Time
	// HealthSince is when the verdict of its health check became what it is.
	HealthSince time.Time
	// HealthExitCode is that of the last health check.
	HealthExitCode int
}

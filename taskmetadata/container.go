package taskmetadata

import (
	"net/http"
	"time"

	"fargo"
	"fargo/desired"
	"fargo/host"
)

// container is the metadata of a container. What Fargate never has is left out: ports,
// which need no mapping there, and volumes, whose sources are the machine's.
type container struct {
	DockerID      string `json:"DockerId"`
	Name          string
	DockerName    string
	Image         string
	ImageID       string            `json:",omitempty"`
	Labels        map[string]string `json:",omitempty"`
	DesiredStatus string
	KnownStatus   string
	ExitCode      *int `json:",omitempty"`
	Limits        containerLimits
	CreatedAt     time.Time `json:",omitzero"`
	StartedAt     time.Time `json:",omitzero"`
	FinishedAt    time.Time `json:",omitzero"`
	Type          string
	Health        *health           `json:",omitempty"`
	LogDriver     string            `json:",omitempty"`
	LogOptions    map[string]string `json:",omitempty"`
	ContainerARN  string            `json:",omitempty"`
	Networks      []network         `json:",omitempty"`
	Snapshotter   string
	RestartCount  *int `json:",omitempty"`
}

// containerLimits are in ECS units and MiB.
type containerLimits struct {
	CPU    int64
	Memory int64 `json:",omitempty"`
}

// leastCPU is what a container has that asks for none: the least share of the kernel.
// Source: ECS API, ContainerDefinition, cpu.
const leastCPU = 2

// health is the verdict of a container's health check.
type health struct {
	Status      desired.HealthStatus `json:"status"`
	StatusSince time.Time            `json:"statusSince,omitzero"`
	ExitCode    int                  `json:"exitCode,omitempty"`
}

func (s *Server) containerMetadata(_ *http.Request, t *host.Task, i int) any {
	return newContainer(t, i)
}

func newContainer(t *host.Task, i int) container {
	a, report, times := &t.Assignment.Containers[i], &t.Report.Containers[i], &t.Containers[i]
	c := container{
		DockerID: a.RuntimeID, Name: a.Name, DockerName: a.Name,
		Image: a.Image, ImageID: report.ImageDigest, Labels: a.Labels,
		DesiredStatus: desiredStatus(t), KnownStatus: containerStatuses[knownStatus(t, i)],
		Limits:    containerLimits{CPU: max(a.CPU, leastCPU), Memory: a.Memory},
		CreatedAt: times.CreatedAt, StartedAt: times.StartedAt, FinishedAt: times.FinishedAt,
		Type: "NORMAL", ContainerARN: a.ARN, Networks: networks(t.Assignment), Snapshotter: "overlayfs",
	}
	if report.Status == fargo.ContainerStopped {
		c.ExitCode = report.ExitCode
	}
	if a.HealthCheck != nil {
		c.Health = &health{Status: report.Health, StatusSince: times.HealthSince, ExitCode: times.HealthExitCode}
	}
	if a.Restart != nil {
		c.RestartCount = &report.Restarts
	}
	if a.Route != nil {
		c.LogDriver = "awsfirelens"
	}
	if l := a.Log; l != nil {
		c.LogDriver = "awslogs"
		c.LogOptions = map[string]string{"awslogs-group": l.Group, "awslogs-region": l.Region, "awslogs-stream": l.Stream}
		if l.Create {
			c.LogOptions["awslogs-create-group"] = "true"
		}
	}
	return c
}

// containerStatuses are the words for what is known of a container, in their order. A
// task's is that of its least.
// Source: amazon-ecs-agent, ContainerStatus.
var containerStatuses = [...]string{"NONE", "PULLED", "CREATED", "RUNNING", "STOPPED"}

// knownStatus is the place of a container's status in containerStatuses.
func knownStatus(t *host.Task, i int) int {
	report := &t.Report.Containers[i]
	switch {
	case report.Status == fargo.ContainerStopped:
		return 4
	case report.Status == fargo.ContainerRunning:
		return 3
	case !t.Containers[i].CreatedAt.IsZero():
		return 2
	case report.ImageDigest != "":
		return 1
	}
	return 0
}

// desiredStatus is what the task, and each of its containers, is to be.
func desiredStatus(t *host.Task) string {
	if t.Assignment.DesiredStatus == fargo.TaskStopped || t.Report.Status.Ending() {
		return string(fargo.TaskStopped)
	}
	return string(fargo.TaskRunning)
}

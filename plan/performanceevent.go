package plan

import (
	"time"

	"fargo/aws"
	"fargo/desired"
	"fargo/record"
)

// PerformanceGroup is the log group of a cluster's performance events.
// Source: CloudWatch user guide, "Container Insights performance log reference".
func PerformanceGroup(cluster string) string {
	return "/aws/ecs/containerinsights/" + cluster + "/performance"
}

// PerformanceRetention is for how many days it keeps them, unless somebody changes that.
// Source: as above.
const PerformanceRetention = 1

// The streams of that group. On AWS they end in digits of AWS's own.
const (
	fargateStream = "FargateTelemetry-"
	serviceStream = "ServiceTelemetry-"
	clusterStream = "ClusterTelemetry-"
)

// PerformanceEvent is a log event of Container Insights, and the stream that it is for.
type PerformanceEvent struct {
	Stream string
	At     time.Time
	Text   string // JSON
}

// usageEvent is what events of tasks and containers have.
// Source: CloudWatch user guide, "Container Insights performance log events for Amazon ECS".
type usageEvent struct {
	Version                string
	Type                   string
	ContainerName          string `json:",omitempty"`
	TaskID                 string `json:"TaskId"`
	TaskDefinitionFamily   string
	TaskDefinitionRevision string
	ServiceName            string `json:",omitempty"`
	ClusterName            string
	AccountID              string
	Region                 string
	AvailabilityZone       string `json:",omitempty"`
	KnownStatus            string `json:",omitempty"`
	ContainerKnownStatus   string `json:",omitempty"`
	LaunchType             string `json:",omitempty"`
	Image                  string `json:",omitempty"`
	CreatedAt              int64  `json:",omitempty"`
	StartedAt              int64  `json:",omitempty"`
	Timestamp              int64
	CPUUtilized            float64 `json:"CpuUtilized"`
	CPUReserved            float64 `json:"CpuReserved"`
	MemoryUtilized         int64
	MemoryReserved         int64
	StorageReadBytes       int64
	StorageWriteBytes      int64

	NetworkRxBytes           *float64 `json:",omitempty"`
	NetworkTxBytes           *float64 `json:",omitempty"`
	EphemeralStorageReserved *float64 `json:",omitempty"`
	EphemeralStorageUtilized *float64 `json:",omitempty"`
	EBSFilesystemUtilized    *float64 `json:",omitempty"`
	EBSFilesystemSize        *float64 `json:",omitempty"`
}

// volumeEvent is what events of volumes of EBS have. Source: as above.
type volumeEvent struct {
	Version, Type, TaskDefinitionFamily      string
	TaskID                                   string `json:"TaskId"`
	ClusterName                              string
	ServiceName                              string `json:",omitempty"`
	VolumeID                                 string `json:"VolumeId"`
	LaunchType                               string `json:",omitempty"`
	VolumeName                               string
	EBSFilesystemUtilized, EBSFilesystemSize float64
}

// TaskEvents are the performance events that a task's measurement is: one of the task, one
// of each of its containers and volumes. There are none within a minute, and none without Container
// Insights. node is the id of the one that has measured.
func TaskEvents(t *MeasuredTask, m *desired.TaskMeasurement, end time.Time, node string) (events []PerformanceEvent) {
	of := end.Sub(m.Start)
	cpu, memory := t.Reserved()
	e := usageEvent{
		Version: "0", TaskID: t.Task.ID, TaskDefinitionFamily: t.Family, TaskDefinitionRevision: t.Revision,
		ServiceName: t.Task.Service, ClusterName: t.Task.Cluster, AccountID: t.Task.Scope.Account, Region: t.Task.Scope.Region,
		AvailabilityZone: aws.Value(t.Task.Intent.AvailabilityZone), LaunchType: string(t.Task.Intent.LaunchType), Timestamp: end.UnixMilli(),
	}
	if at := t.Task.Intent.CreatedAt; at != nil {
		e.CreatedAt = at.UnixMilli()
	}
	if r := t.Task.Report; r != nil && !r.StartedAt.IsZero() {
		e.StartedAt = r.StartedAt.UnixMilli()
	}
	add := func(kind string, u *desired.Usage, cpu, memory float64, change func(*usageEvent)) {
		e := e
		e.Type, e.CPUUtilized, e.CPUReserved = kind, unitsUsed(u.CPU, of), cpu
		e.MemoryUtilized, e.MemoryReserved = u.Memory>>20, int64(memory)>>20
		e.StorageReadBytes, e.StorageWriteBytes = u.Read, u.Written
		change(&e)
		events = append(events, PerformanceEvent{fargateStream + node, end, jsonText(e)})
	}
	for i := range m.Containers {
		c := &m.Containers[i]
		cpu, memory := t.containerReserved(c.Name)
		add("Container", &c.Usage, cpu, memory, func(e *usageEvent) {
			e.ContainerName, e.ContainerKnownStatus, e.Image = c.Name, "RUNNING", t.image(c.Name)
			if received, sent, ok := t.containerTraffic(m, of); ok {
				e.NetworkRxBytes, e.NetworkTxBytes = &received, &sent
			}
		})
	}
	add("Task", &m.Usage, cpu, memory, func(e *usageEvent) {
		e.KnownStatus = string(t.Task.LastStatus())
		if received, sent, ok := traffic(m, of); ok {
			e.NetworkRxBytes, e.NetworkTxBytes = &received, &sent
		}
		if m.Storage > 0 {
			e.EphemeralStorageReserved, e.EphemeralStorageUtilized = new(float64(m.Storage)/gigabyte), new(float64(m.StorageUsed)/gigabyte)
		}
		if used, size := volumesUsage(m); size > 0 {
			e.EBSFilesystemUtilized, e.EBSFilesystemSize = new(used/gigabyte), new(size/gigabyte)
		}
	})
	for _, v := range m.Volumes {
		events = append(events, PerformanceEvent{fargateStream + node, end, jsonText(volumeEvent{
			Version: "0", Type: "Volume", TaskDefinitionFamily: t.Family, TaskID: t.Task.ID, ClusterName: t.Task.Cluster, ServiceName: t.Task.Service,
			VolumeID: v.ID, LaunchType: e.LaunchType, VolumeName: v.Volume,
			EBSFilesystemUtilized: float64(v.Used) / gigabyte, EBSFilesystemSize: float64(v.Size) / gigabyte,
		})})
	}
	return events
}

// image is what a container's definition names.
func (t *MeasuredTask) image(container string) string {
	for _, c := range t.Task.Intent.Containers {
		if aws.Value(c.Name) == container {
			return aws.Value(c.Image)
		}
	}
	return ""
}

// performanceOfService and performanceOfCluster are what services and clusters have at a time.
type performanceOfService struct {
	Version, Type, ServiceName, ClusterName                                             string
	Timestamp                                                                           int64
	DesiredTaskCount, RunningTaskCount, PendingTaskCount, DeploymentCount, TaskSetCount int
}

type performanceOfCluster struct {
	Version, Type, ClusterName                      string
	Timestamp                                       int64
	TaskCount, ContainerInstanceCount, ServiceCount int
}

// CountEvents are the performance events of what a cluster has: its own, and one of each of
// its services.
func CountEvents(c *record.Cluster, tasks int, services []ServiceCounts, end time.Time) []PerformanceEvent {
	name := *c.Cluster.ClusterName
	events := []PerformanceEvent{{clusterStream + name, end, jsonText(performanceOfCluster{
		Version: "0", Type: "Cluster", ClusterName: name, Timestamp: end.UnixMilli(), TaskCount: tasks, ServiceCount: len(services),
	})}}
	for _, s := range services {
		events = append(events, PerformanceEvent{serviceStream + s.Service.Name(), end, jsonText(performanceOfService{
			Version: "0", Type: "Service", ServiceName: s.Service.Name(), ClusterName: name, Timestamp: end.UnixMilli(),
			DesiredTaskCount: s.Desired, RunningTaskCount: s.Running, PendingTaskCount: s.Pending, DeploymentCount: s.Deployments,
		})})
	}
	return events
}

package plan

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fargo"
	"fargo/aws/ecs"
	"fargo/desired"
	"fargo/record"
)

// measured is a task of 256 CPU units and 512 MiB that has run for some seconds of a
// minute, used half of what it may, and has two containers.
func measured(service, insights string) (*MeasuredTask, *desired.TaskMeasurement, time.Time) {
	end := time.Date(2026, 3, 1, 12, 1, 0, 0, time.UTC)
	task := &record.Task{Scope: fargo.Scope{Account: "1", Region: "r"}, ID: "t", Cluster: "c", Service: service, Intent: ecs.Task{
		Cpu: new("256"), Memory: new("512"), Containers: []ecs.Container{{Name: new("app"), Cpu: new("128"), Memory: new("256")}, {Name: new("side"), Cpu: new("0")}},
	}}
	cluster := &record.Cluster{}
	if insights != "" {
		cluster.Cluster.Settings = []ecs.ClusterSetting{{Name: ecs.ClusterSettingNameContainerInsights, Value: &insights}}
	}
	return &MeasuredTask{Task: task, Family: "web", Cluster: cluster}, &desired.TaskMeasurement{
		Start: end.Add(-time.Minute), Usage: desired.Usage{CPU: 7500 * time.Millisecond, Memory: 256 << 20, Read: 10, Written: 20},
		Network: &desired.NetworkUsage{Received: 6000, Sent: 600}, StorageUsed: 5 << 30, Storage: 20 << 30,
		Containers: []desired.ContainerMeasurement{
			{Name: "app", Usage: desired.Usage{CPU: 3750 * time.Millisecond, Memory: 64 << 20}},
			{Name: "side", Usage: desired.Usage{CPU: 3750 * time.Millisecond, Memory: 192 << 20}},
		},
	}, end
}

// withVolume gives a task a volume of EBS that is a quarter full.
func withVolume(m *desired.TaskMeasurement) {
	m.Volumes = []desired.VolumeMeasurement{{Volume: "files", ID: "vol-1", Used: 2 << 30, Size: 8 << 30}}
}

// lines are data, one in a line.
func lines(data []Datum) (all []string) {
	for _, d := range data {
		var at []string
		for _, n := range d.Dimensions {
			at = append(at, n.Name+"="+n.Value)
		}
		high := ""
		if d.HighResolution {
			high = " by the second"
		}
		all = append(all, fmt.Sprintf("%s %s{%s} %v %s at %s%s", d.Namespace, d.Name, strings.Join(at, ","), d.Values, d.Unit, d.Time.Format(time.TimeOnly), high))
	}
	return all
}

// TestUtilization: of a service's task each minute, or three times if its service asks so,
// and faster when time is.
func TestUtilization(t *testing.T) {
	const service = "{ClusterName=c,ServiceName=s} [50] Percent at "
	for name, test := range map[string]struct {
		service    string
		resolution map[string]int32
		shift      time.Duration // of the end
		pace       fargo.Pace
		want       []string
	}{
		"a minute":        {"s", nil, 0, 1, []string{"AWS/ECS CPUUtilization" + service + "12:00:00", "AWS/ECS MemoryUtilization" + service + "12:00:00"}},
		"no service's":    {"", nil, 0, 1, nil},
		"within a minute": {"s", nil, 20 * time.Second, 1, nil},
		"one metric at 20 seconds": {"s", map[string]int32{"CPUUtilization": 20}, 0, 1, []string{
			"AWS/ECS CPUUtilization" + service + "12:00:40 by the second", "AWS/ECS MemoryUtilization" + service + "12:00:00",
		}},
		"one metric at 20 seconds, within a minute": {"s", map[string]int32{"CPUUtilization": 20, "MemoryUtilization": 60}, -20 * time.Second, 1, []string{
			"AWS/ECS CPUUtilization" + service + "12:00:20 by the second",
		}},
		"twenty times faster": {"s", nil, 3 * time.Second, 20, []string{
			"AWS/ECS CPUUtilization" + service + "12:01:00 by the second", "AWS/ECS MemoryUtilization" + service + "12:01:00 by the second",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			task, m, end := measured(test.service, "")
			for metric, seconds := range test.resolution {
				if task.Task.Monitoring == nil {
					task.Task.Monitoring = &ecs.MonitoringConfiguration{}
				}
				task.Task.Monitoring.MetricConfigurations = append(task.Task.Monitoring.MetricConfigurations, ecs.MetricConfiguration{MetricNames: []string{metric}, ResolutionSeconds: &seconds})
			}
			m.Start = m.Start.Add(test.shift)
			if diff := cmp.Diff(test.want, lines(TaskData(task, m, end.Add(test.shift), test.pace))); diff != "" {
				t.Errorf("data (-want +got):\n%s", diff)
			}
		})
	}
}

// TestVolumeUtilization: of a service's task that has a volume, each minute.
func TestVolumeUtilization(t *testing.T) {
	for service, want := range map[string]bool{"s": true, "": false} {
		task, m, end := measured(service, "disabled")
		withVolume(m)
		const line = "AWS/ECS EBSFilesystemUtilization{ClusterName=c,ServiceName=s} [25] Percent at 12:00:00"
		if got := lines(TaskData(task, m, end, 1)); slices.Contains(got, line) != want {
			t.Errorf("of a task of %q: %q", service, got)
		}
	}
}

// TestUtilizationOfAPart: a task that has begun within the period is measured since then.
func TestUtilizationOfAPart(t *testing.T) {
	task, m, end := measured("s", "disabled")
	m.Start = end.Add(-30 * time.Second)
	got := lines(TaskData(task, m, end, 1))
	if want := "AWS/ECS CPUUtilization{ClusterName=c,ServiceName=s} [100] Percent at 12:00:00"; !slices.Contains(got, want) || len(got) != 2 {
		t.Errorf("there is no %q in %q", want, got)
	}
}

// TestContainerInsights: the same samples for all that a task is part of; of the task itself
// and its containers with the enhanced kind alone.
// Source of the dimensions: CloudWatch user guide, "Amazon ECS Container Insights with
// enhanced observability metrics".
func TestContainerInsights(t *testing.T) {
	const cluster, family, service = "ClusterName=c", "ClusterName=c,TaskDefinitionFamily=web", "ClusterName=c,ServiceName=s"
	const volume = family + ",VolumeName=files"
	const inTask, inApp, inSide = ",TaskId=t", ",ContainerName=app", ",ContainerName=side"
	of := func(service, insights, metric string, change func(*desired.TaskMeasurement)) (all []string) {
		task, m, end := measured(service, insights)
		if change != nil {
			change(m)
		}
		for _, l := range lines(TaskData(task, m, end, 1)) {
			if rest, ok := strings.CutPrefix(l, "ECS/ContainerInsights "+metric+"{"); ok {
				all = append(all, strings.TrimSuffix(rest, " at 12:00:00"))
			}
		}
		return all
	}
	at := func(sample string, dimensions ...string) (all []string) {
		for _, d := range dimensions {
			all = append(all, d+"} "+sample)
		}
		return all
	}
	health := func(app, side desired.HealthStatus) func(*desired.TaskMeasurement) {
		return func(m *desired.TaskMeasurement) { m.Containers[0].Health, m.Containers[1].Health = app, side }
	}
	restarted := func(app, side *int) func(*desired.TaskMeasurement) {
		return func(m *desired.TaskMeasurement) { m.Containers[0].Restarts, m.Containers[1].Restarts = app, side }
	}
	tests := []struct {
		service, insights, metric string
		change                    func(*desired.TaskMeasurement)
		want                      []string
	}{
		{"s", "enabled", "CpuUtilized", nil, at("[128] None", cluster, family, service)},
		{"", "enabled", "MemoryReserved", nil, at("[512] Megabytes", cluster, family)},
		{"", "enabled", "NetworkRxBytes", nil, at("[100] Bytes/Second", cluster, family)},
		{"", "enabled", "EphemeralStorageUtilized", nil, at("[5] Gigabytes", cluster, family)},
		{"s", "enabled", "TaskCpuUtilization", nil, nil},
		{"s", "enabled", "ContainerCpuUtilized", nil, nil},
		{"s", "disabled", "CpuUtilized", nil, nil},
		{"s", "", "CpuUtilized", nil, nil},
		{"s", "enhanced", "CpuUtilized", nil, at("[128] None", cluster, family, service, family+inTask, service+inTask)},
		{"s", "enhanced", "TaskMemoryUtilization", nil, at("[50] Percent", cluster, family, service, family+inTask, service+inTask)},
		{"s", "enhanced", "ContainerMemoryUtilization", nil, append(
			at("[25] Percent", cluster, family+inApp, service+inApp, family+inTask+inApp, service+inTask+inApp),
			at("[37.5] Percent", cluster, family+inSide, service+inSide, family+inTask+inSide, service+inTask+inSide)...,
		)},
		{"", "enhanced", "ContainerStorageReadBytes", nil, append(at("[0] Bytes", cluster, family+inApp, family+inTask+inApp), at("[0] Bytes", cluster, family+inSide, family+inTask+inSide)...)},

		{"s", "enabled", "ContainerNetworkRxBytes", nil, nil},
		{"s", "enhanced", "ContainerNetworkRxBytes", nil, slices.Repeat(at("[50] Bytes/Second", cluster, family, service, family+inTask, service+inTask), 2)},
		{"", "enhanced", "ContainerNetworkTxBytes", nil, slices.Repeat(at("[5] Bytes/Second", cluster, family, family+inTask), 2)},
		{"", "enhanced", "ContainerNetworkTxBytes", func(m *desired.TaskMeasurement) { m.Network = nil }, nil},

		{"s", "enabled", "EBSFilesystemUtilized", nil, nil},
		{"s", "enabled", "EBSFilesystemUtilized", withVolume, at("[2] Gigabytes", family, service, volume)},
		{"", "enabled", "EBSFilesystemSize", withVolume, at("[8] Gigabytes", family, volume)},
		{"s", "enhanced", "EBSFilesystemSize", withVolume, at("[8] Gigabytes", family, service, volume)},
		{"s", "enabled", "TaskEBSFilesystemUtilization", withVolume, nil},
		{"s", "enhanced", "TaskEBSFilesystemUtilization", nil, nil},
		{"s", "enhanced", "TaskEBSFilesystemUtilization", withVolume, at("[25] Percent", cluster, family, service, family+inTask, service+inTask)},

		{"s", "enabled", "RestartCount", nil, nil},
		{"s", "enabled", "RestartCount", restarted(nil, new(2)), at("[2] Count", cluster, family, service)},
		{"", "enabled", "RestartCount", restarted(new(0), new(2)), append(at("[0] Count", cluster, family), at("[2] Count", cluster, family)...)},
		{"s", "enhanced", "RestartCount", restarted(new(1), nil), at("[1] Count", cluster, family, service, family+inTask, service+inTask,
			family+inApp, service+inApp, family+inTask+inApp, service+inTask+inApp)},
		{"s", "disabled", "RestartCount", restarted(new(1), nil), nil},

		{"s", "enabled", "UnHealthyContainerHealthStatus", health(desired.Unhealthy, desired.Healthy), nil},
		{"s", "enhanced", "UnHealthyContainerHealthStatus", nil, nil},
		{"", "enhanced", "UnHealthyContainerHealthStatus", health(desired.HealthUnknown, desired.Healthy), at("[0] Count", cluster, family+inSide, family+inTask+inSide)},
		{"s", "enhanced", "UnHealthyContainerHealthStatus", health(desired.Unhealthy, ""), at("[1] Count", cluster, family+inApp, service+inApp, family+inTask+inApp, service+inTask+inApp)},
	}
	for i, test := range tests {
		if diff := cmp.Diff(test.want, of(test.service, test.insights, test.metric, test.change)); diff != "" {
			t.Errorf("%d: %s of a task of %q with insights %q (-want +got):\n%s", i, test.metric, test.service, test.insights, diff)
		}
	}
}

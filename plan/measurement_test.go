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
func TestContainerInsights(t *testing.T) {
	of := func(service, insights, metric string) (all []string) {
		task, m, end := measured(service, insights)
		for _, l := range lines(TaskData(task, m, end, 1)) {
			if rest, ok := strings.CutPrefix(l, "ECS/ContainerInsights "+metric+"{"); ok {
				all = append(all, strings.TrimSuffix(rest, " at 12:00:00"))
			}
		}
		return all
	}
	for _, test := range []struct {
		service, insights, metric string
		want                      []string
	}{
		{"s", "enabled", "CpuUtilized", []string{"ClusterName=c} [128] None", "ClusterName=c,TaskDefinitionFamily=web} [128] None", "ClusterName=c,ServiceName=s} [128] None"}},
		{"", "enabled", "MemoryReserved", []string{"ClusterName=c} [512] Megabytes", "ClusterName=c,TaskDefinitionFamily=web} [512] Megabytes"}},
		{"", "enabled", "NetworkRxBytes", []string{"ClusterName=c} [100] Bytes/Second", "ClusterName=c,TaskDefinitionFamily=web} [100] Bytes/Second"}},
		{"", "enabled", "EphemeralStorageUtilized", []string{"ClusterName=c} [5] Gigabytes", "ClusterName=c,TaskDefinitionFamily=web} [5] Gigabytes"}},
		{"s", "enabled", "TaskCpuUtilization", nil},
		{"s", "enabled", "ContainerCpuUtilized", nil},
		{"s", "disabled", "CpuUtilized", nil},
		{"s", "", "CpuUtilized", nil},
		{"s", "enhanced", "TaskMemoryUtilization", []string{
			"ClusterName=c} [50] Percent", "ClusterName=c,TaskDefinitionFamily=web} [50] Percent", "ClusterName=c,ServiceName=s} [50] Percent",
			"ClusterName=c,ServiceName=s,TaskId=t} [50] Percent",
		}},
		{"s", "enhanced", "ContainerMemoryUtilization", []string{
			"ClusterName=c,ContainerName=app} [25] Percent", "ClusterName=c,ServiceName=s,TaskId=t,ContainerName=app} [25] Percent", "ClusterName=c,ServiceName=s,ContainerName=app} [25] Percent",
			"ClusterName=c,ContainerName=side} [37.5] Percent", "ClusterName=c,ServiceName=s,TaskId=t,ContainerName=side} [37.5] Percent", "ClusterName=c,ServiceName=s,ContainerName=side} [37.5] Percent",
		}},
	} {
		if diff := cmp.Diff(test.want, of(test.service, test.insights, test.metric)); diff != "" {
			t.Errorf("%s of a task of %q with insights %q (-want +got):\n%s", test.metric, test.service, test.insights, diff)
		}
	}
}

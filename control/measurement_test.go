package control

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"fargo"
	"fargo/aws/ecs"
	"fargo/desired"
	"fargo/plan"
	"fargo/record"
	"fargo/store"
)

// keptMetrics keeps what was put, by source and number.
type keptMetrics struct {
	put    []putMetrics
	events []string
}

// PutPerformance keeps the streams that events are for.
func (k *keptMetrics) PutPerformance(_ context.Context, _ fargo.Scope, cluster, source string, number uint64, events []plan.PerformanceEvent) error {
	for _, e := range events {
		k.events = append(k.events, fmt.Sprintf("%s %s %d %s %s", cluster, source, number, e.Stream, e.Text))
	}
	return nil
}

type putMetrics struct {
	source string
	number uint64
	values map[string]float64 // by the metric's name and its last dimension
}

func (k *keptMetrics) PutMetrics(_ context.Context, source string, number uint64, data []plan.Datum) error {
	p := putMetrics{source, number, map[string]float64{}}
	for _, d := range data {
		last := d.Dimensions[len(d.Dimensions)-1]
		p.values[d.Name+" "+last.Name] = d.Values[0]
	}
	k.put = append(k.put, p)
	return nil
}

// measuredWorld is a store with a service of a running task on node a, and one that is
// pending.
func measuredWorld(t *testing.T, insights string) (db *store.DB, running *record.Task) {
	db, err := store.Open(t.Context(), store.NewMemory())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	definition := "arn:aws:ecs:us-east-1:123456789012:task-definition/web:1"
	service := &record.Service{Scope: home, Cluster: "c", Service: ecs.Service{
		ServiceName: new("s"), ServiceArn: new(home.ARN("ecs", "service/c/s")), Status: new("ACTIVE"), DesiredCount: new(int32(3)),
	}}
	task := func(id, node string, status fargo.TaskStatus) *record.Task {
		return &record.Task{
			Scope: home, ID: id, Cluster: "c", Service: "s", Node: node, Status: fargo.TaskPending, Desired: fargo.TaskRunning,
			Intent: ecs.Task{TaskDefinitionArn: &definition, Cpu: new("256"), Memory: new("512"), StartedBy: new("ecs-svc/1")},
			Report: &desired.TaskReport{Status: status},
		}
	}
	running = task("1", "a", fargo.TaskRunning)
	err = db.Update(t.Context(), func(tx *store.Tx) error {
		store.Clusters.Put(tx, &record.Cluster{Scope: home, Cluster: ecs.Cluster{ClusterName: new("c"), Status: new("ACTIVE"), Settings: []ecs.ClusterSetting{{
			Name: ecs.ClusterSettingNameContainerInsights, Value: &insights,
		}}}})
		store.TaskDefinitions.Put(tx, &record.TaskDefinition{Scope: home, Definition: ecs.TaskDefinition{
			Family: new("web"), Revision: new(int32(1)), TaskDefinitionArn: &definition,
		}})
		store.Services.Put(tx, service)
		store.Tasks.Put(tx, running)
		store.Tasks.Put(tx, task("2", "a", fargo.TaskPending))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return db, running
}

// TestPutMeasurements makes metrics of what a node says of its own tasks.
func TestPutMeasurements(t *testing.T) {
	db, task := measuredWorld(t, "disabled")
	var kept keptMetrics
	plane := &Plane{DB: db, Metrics: &kept, Pace: 1}
	end := time.Date(2026, 3, 1, 12, 1, 0, 0, time.UTC)
	m := desired.Measurements{Sequence: "q", Number: 7, End: end, Tasks: []desired.TaskMeasurement{
		{TaskARN: task.ARN(), Start: end.Add(-time.Minute), Usage: desired.Usage{CPU: 15 * time.Second, Memory: 128 << 20}},
		{TaskARN: home.ARN("ecs", "task/c/forgotten"), Start: end.Add(-time.Minute)},
	}}
	for _, node := range []string{"a", "b"} {
		if err := plane.PutMeasurements(t.Context(), node, m); err != nil {
			t.Fatal(err)
		}
	}
	want := []putMetrics{
		{"a/q", 7, map[string]float64{"CPUUtilization ServiceName": 100, "MemoryUtilization ServiceName": 25}},
		{"b/q", 7, map[string]float64{}},
	}
	if diff := cmp.Diff(want, kept.put, cmp.AllowUnexported(putMetrics{})); diff != "" {
		t.Errorf("metrics (-want +got):\n%s", diff)
	}
}

// TestPutPerformance writes events of a node's tasks at the end of a minute, if their
// cluster has Container Insights.
func TestPutPerformance(t *testing.T) {
	end := time.Date(2026, 3, 1, 12, 1, 0, 0, time.UTC)
	for name, test := range map[string]struct {
		insights string
		end      time.Time
		want     []string
	}{
		"enabled": {"enabled", end, []string{
			`c a/q 7 FargateTelemetry-a {"Version":"0","Type":"Container","ContainerName":"app","TaskId":"1","TaskDefinitionFamily":"web","TaskDefinitionRevision":"1","ServiceName":"s","ClusterName":"c","AccountID":"123456789012","Region":"us-east-1","ContainerKnownStatus":"RUNNING","Timestamp":1772366460000,"CpuUtilized":256,"CpuReserved":256,"MemoryUtilized":128,"MemoryReserved":512,"StorageReadBytes":0,"StorageWriteBytes":0,"NetworkRxBytes":2,"NetworkTxBytes":1}`,
			`c a/q 7 FargateTelemetry-a {"Version":"0","Type":"Task","TaskId":"1","TaskDefinitionFamily":"web","TaskDefinitionRevision":"1","ServiceName":"s","ClusterName":"c","AccountID":"123456789012","Region":"us-east-1","KnownStatus":"RUNNING","Timestamp":1772366460000,"CpuUtilized":256,"CpuReserved":256,"MemoryUtilized":128,"MemoryReserved":512,"StorageReadBytes":0,"StorageWriteBytes":0,"NetworkRxBytes":2,"NetworkTxBytes":1,"EBSFilesystemUtilized":0.5,"EBSFilesystemSize":8}`,
			`c a/q 7 FargateTelemetry-a {"Version":"0","Type":"Volume","TaskDefinitionFamily":"web","TaskId":"1","ClusterName":"c","ServiceName":"s","VolumeId":"vol-1","VolumeName":"files","EBSFilesystemUtilized":0.5,"EBSFilesystemSize":8}`,
		}},
		"within a minute": {"enabled", end.Add(-20 * time.Second), nil},
		"disabled":        {"disabled", end, nil},
	} {
		t.Run(name, func(t *testing.T) {
			db, task := measuredWorld(t, test.insights)
			var kept keptMetrics
			plane := &Plane{DB: db, Metrics: &kept, Performance: &kept, Pace: 1}
			used := desired.Usage{CPU: 15 * time.Second, Memory: 128 << 20}
			m := desired.Measurements{Sequence: "q", Number: 7, End: test.end, Tasks: []desired.TaskMeasurement{{
				TaskARN: task.ARN(), Start: test.end.Add(-time.Minute), Usage: used, Network: &desired.NetworkUsage{Received: 120, Sent: 60},
				Volumes:    []desired.VolumeMeasurement{{Volume: "files", ID: "vol-1", Used: 1 << 29, Size: 8 << 30}},
				Containers: []desired.ContainerMeasurement{{Name: "app", Usage: used}},
			}}}
			if err := plane.PutMeasurements(t.Context(), "a", m); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, kept.events); diff != "" {
				t.Errorf("events (-want +got):\n%s", diff)
			}
		})
	}
}

// TestInsightCounter counts each minute, once, what a cluster with Container Insights has.
func TestInsightCounter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db, _ := measuredWorld(t, "enabled")
		var kept keptMetrics
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		counter := InsightCounter{DB: db, Metrics: &kept, Performance: &kept, Pace: 1, Logger: slog.New(slog.DiscardHandler)}
		go func() { done <- counter.Run(ctx) }()
		begin := time.Now() // a whole minute, in a bubble
		time.Sleep(2*time.Minute + time.Second)
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		values := map[string]float64{
			"TaskCount ClusterName": 1, "ServiceCount ClusterName": 1, "ContainerInstanceCount ClusterName": 0,
			"DesiredTaskCount ServiceName": 3, "RunningTaskCount ServiceName": 1, "PendingTaskCount ServiceName": 1,
			"DeploymentCount ServiceName": 0, "TaskSetCount ServiceName": 0,
		}
		want := []putMetrics{
			{insightSource, uint64(begin.Add(time.Minute).Unix()), values}, {insightSource, uint64(begin.Add(2 * time.Minute).Unix()), values},
		}
		at := begin.Add(time.Minute).UnixMilli()
		events := []string{
			fmt.Sprintf(`c container-insights %d ClusterTelemetry-c {"Version":"0","Type":"Cluster","ClusterName":"c","Timestamp":%d,"TaskCount":1,"ContainerInstanceCount":0,"ServiceCount":1}`, at/1000, at),
			fmt.Sprintf(`c container-insights %d ServiceTelemetry-s {"Version":"0","Type":"Service","ServiceName":"s","ClusterName":"c","Timestamp":%d,"DesiredTaskCount":3,"RunningTaskCount":1,"PendingTaskCount":1,"DeploymentCount":0,"TaskSetCount":0}`, at/1000, at),
		}
		if diff := cmp.Diff(events, kept.events[:2]); diff != "" {
			t.Errorf("events of the first minute (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(want, kept.put, cmp.AllowUnexported(putMetrics{})); diff != "" {
			t.Errorf("metrics (-want +got):\n%s", diff)
		}
	})
}

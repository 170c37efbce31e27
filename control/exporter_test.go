package control

import (
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"fargo/desired"
)

// TestExporter gives what was measured, each measurement once, and forgets what is not
// measured any more.
func TestExporter(t *testing.T) {
	db, task := measuredWorld(t, "disabled")
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	e := NewExporter(db, func() time.Time { return now })
	plane := &Plane{DB: db, Metrics: &keptMetrics{}, Exporter: e, Pace: 1}
	put := func(number uint64) {
		t.Helper()
		now = now.Add(time.Minute)
		err := plane.PutMeasurements(t.Context(), "a", desired.Measurements{Sequence: "q", Number: number, End: now, Tasks: []desired.TaskMeasurement{{
			TaskARN: task.ARN(), Start: now.Add(-time.Minute), Network: &desired.NetworkUsage{Received: 5, Sent: 6},
			Volumes:    []desired.VolumeMeasurement{{Volume: "files", ID: "vol-1", Used: int64(number), Size: 8}},
			Containers: []desired.ContainerMeasurement{{Name: "app", Usage: desired.Usage{CPU: 3 * time.Second, Memory: 1 << 20}}},
		}}, Balancers: []desired.BalancerMeasurement{{
			Balancer: "arn:aws:elasticloadbalancing:us-east-1:1:loadbalancer/app/lb/1", Group: "arn:aws:elasticloadbalancing:us-east-1:1:targetgroup/g/2", Zone: "us-east-1a",
			Counts: map[string]float64{"HTTPCode_Target_2XX_Count": 4}, Gauges: map[string]float64{"HealthyHostCount": 2},
		}}})
		if err != nil {
			t.Fatal(err)
		}
	}
	put(1)
	put(2)
	put(2) // again
	registry := prometheus.NewPedanticRegistry()
	if err := registry.Register(e); err != nil {
		t.Fatal(err)
	}
	const at = `ClusterName="c",ServiceName="s",TaskDefinitionFamily="web",TaskId="1"`
	const balancer = `{AvailabilityZone="us-east-1a",LoadBalancer="app/lb/1",TargetGroup="targetgroup/g/2"}`
	want := `
# HELP fargo_container_cpu_seconds_total Processor time that a container has used.
# TYPE fargo_container_cpu_seconds_total counter
fargo_container_cpu_seconds_total{ClusterName="c",ContainerName="app",ServiceName="s",TaskDefinitionFamily="web",TaskId="1"} 6
# HELP fargo_load_balancer_healthy_host_count CloudWatch's HealthyHostCount.
# TYPE fargo_load_balancer_healthy_host_count gauge
fargo_load_balancer_healthy_host_count` + balancer + ` 2
# HELP fargo_load_balancer_http_code_target_2xx_count_total CloudWatch's HTTPCode_Target_2XX_Count.
# TYPE fargo_load_balancer_http_code_target_2xx_count_total counter
fargo_load_balancer_http_code_target_2xx_count_total` + balancer + ` 8
# HELP fargo_service_running_tasks Tasks of a service that run.
# TYPE fargo_service_running_tasks gauge
fargo_service_running_tasks{ClusterName="c",ServiceName="s"} 1
# HELP fargo_task_memory_reserved_bytes Memory that a task may use.
# TYPE fargo_task_memory_reserved_bytes gauge
fargo_task_memory_reserved_bytes{` + at + `} 5.36870912e+08
# HELP fargo_task_network_received_bytes_total Bytes that came to a task's interface.
# TYPE fargo_task_network_received_bytes_total counter
fargo_task_network_received_bytes_total{` + at + `} 10
# HELP fargo_task_volume_bytes Bytes that the file system of a task's volume of EBS has.
# TYPE fargo_task_volume_bytes gauge
fargo_task_volume_bytes{` + at + `,VolumeName="files"} 8
# HELP fargo_task_volume_used_bytes Bytes in use of a task's volume of EBS.
# TYPE fargo_task_volume_used_bytes gauge
fargo_task_volume_used_bytes{` + at + `,VolumeName="files"} 2
`
	names := []string{
		"fargo_container_cpu_seconds_total", "fargo_load_balancer_healthy_host_count", "fargo_load_balancer_http_code_target_2xx_count_total",
		"fargo_service_running_tasks", "fargo_task_memory_reserved_bytes", "fargo_task_network_received_bytes_total",
		"fargo_task_volume_bytes", "fargo_task_volume_used_bytes",
	}
	if err := testutil.GatherAndCompare(registry, strings.NewReader(want), names...); err != nil {
		t.Error(err)
	}
	now = now.Add(forgetAfter + time.Second)
	if n, err := testutil.GatherAndCount(registry, names[0], names[1]); err != nil || n != 0 {
		t.Errorf("%d are told of what is not measured any more, %v", n, err)
	}
}

func TestSnake(t *testing.T) {
	for name, want := range map[string]string{
		"RequestCount": "request_count", "HTTPCode_ELB_5XX_Count": "http_code_elb_5xx_count", "IPv6ProcessedBytes": "ipv6_processed_bytes",
		"TCP_Client_Reset_Count": "tcp_client_reset_count", "ConsumedLCUs": "consumed_lcus",
	} {
		if got := snake(name); got != want {
			t.Errorf("%s is %s, not %s", name, got, want)
		}
	}
}

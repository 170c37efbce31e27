package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"fargo/aws/cloudwatch"
	"fargo/instance"
	"fargo/kernel"
)

// topCounters are what this machine's kernel counts of tasks.
type topCounters struct {
	cgroups *kernel.Cgroups
	network *kernel.Network
	unread  string // why there are neither
}

// openTopCounters opens the counters of an instance that is up.
func openTopCounters(inst *instance.Instance) *topCounters {
	if os.Geteuid() != 0 {
		return &topCounters{unread: "only root can read what tasks use"}
	}
	config := kernel.Config{Instance: inst.ID}
	cgroups, err := kernel.NewCgroups(config)
	if err != nil {
		return &topCounters{unread: err.Error()}
	}
	network, err := kernel.NewNetwork(config)
	if err != nil {
		return &topCounters{unread: err.Error()}
	}
	return &topCounters{cgroups: cgroups, network: network}
}

func (c *topCounters) close() {
	if c.network != nil {
		_ = c.network.Close() // nothing was written
	}
}

// read reads the counters of tasks, by their ARNs, and says why there are none of some that
// are on this machine. Tasks of other machines have none here, nor those that have just ended.
func (c *topCounters) read(tasks []watchedTask) (counts map[string]topCount, unread string) {
	if c.network == nil {
		return nil, c.unread
	}
	counts = map[string]topCount{}
	for i := range tasks {
		t := &tasks[i]
		used, err := c.cgroups.Usage(lastPart(t.TaskArn))
		if err != nil {
			if !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, unix.ENODEV) { // the latter while a group goes
				unread = err.Error()
			}
			continue
		}
		count := topCount{CPU: used.CPU, Memory: used.Memory}
		if id := t.interfaceID(); id != "" {
			if s, err := c.network.InterfaceStatistics(id); err == nil {
				count.Network = &topTraffic{In: s.Received.Bytes, Out: s.Sent.Bytes}
			} else if !errors.Is(err, fs.ErrNotExist) {
				unread = err.Error()
			}
		}
		counts[t.TaskArn] = count
	}
	return counts, unread
}

// interfaceID is that of a task's network interface, or empty.
func (t *watchedTask) interfaceID() string {
	for _, a := range t.Attachments {
		for _, d := range a.Details {
			if d.Name == "networkInterfaceId" {
				return d.Value
			}
		}
	}
	return ""
}

// topMetricsInterval is how often CloudWatch is asked, which has data by the minute, and
// topMetricsAge how old they may be.
const (
	topMetricsInterval = 10 * time.Second
	topMetricsAge      = 3 * time.Minute
)

// topMetrics asks CloudWatch for the newest data of whole minutes.
func (c *client) topMetrics(ctx context.Context, now time.Time) (m topMetrics, err error) {
	query := func(id, schema, metric, statistic, label string) map[string]any {
		search := fmt.Sprintf(`SEARCH('{%s} MetricName="%s"', '%s', 60)`, schema, metric, statistic)
		return map[string]any{"Id": id, "Expression": search, "Label": label}
	}
	const ofService, service = "AWS/ECS,ClusterName,ServiceName", "${PROP('Dim.ClusterName')}/${PROP('Dim.ServiceName')}"
	end := now.Truncate(time.Minute)
	in := map[string]any{
		"StartTime": end.Add(-topMetricsAge).Unix(), "EndTime": end.Unix(), "ScanBy": cloudwatch.ScanByTimestampDescending,
		"MetricDataQueries": []any{
			query("cpu", ofService, "CPUUtilization", "Average", service),
			query("memory", ofService, "MemoryUtilization", "Average", service),
			query("requests", "AWS/ApplicationELB,LoadBalancer,TargetGroup", "RequestCount", "Sum", "${PROP('Dim.TargetGroup')}"),
		},
	}
	var out struct {
		MetricDataResults []struct {
			ID, Label string
			Values    []float64
		}
	}
	if err := c.call(ctx, &cloudwatch.API, "GetMetricData", in, &out); err != nil {
		return m, err
	}
	m = topMetrics{CPU: map[string]float64{}, Memory: map[string]float64{}, Requests: map[string]float64{}}
	for _, r := range out.MetricDataResults {
		switch {
		case len(r.Values) == 0:
		case r.ID == "cpu":
			m.CPU[r.Label] = r.Values[0]
		case r.ID == "memory":
			m.Memory[r.Label] = r.Values[0]
		case r.ID == "requests":
			m.Requests[r.Label] += r.Values[0] / time.Minute.Seconds()
		}
	}
	return m, nil
}

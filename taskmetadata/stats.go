package taskmetadata

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"fargo/host"
)

// stats are what a container uses, in the shape of Docker's.
// Source: Docker Engine API 1.30, ContainerStats.
type stats struct {
	Read    time.Time `json:"read"`
	PreRead time.Time `json:"preread"`
	PIDs    struct {
		Current int64 `json:"current,omitempty"`
		Limit   int64 `json:"limit,omitempty"`
	} `json:"pids_stats"`
	Blocks           blockStats                `json:"blkio_stats"`
	NumProcs         int                       `json:"num_procs"` // of Windows
	Storage          struct{}                  `json:"storage_stats"`
	CPU              cpuStats                  `json:"cpu_stats"`
	PreCPU           cpuStats                  `json:"precpu_stats"`
	Memory           memoryStats               `json:"memory_stats"`
	Name             string                    `json:"name"`
	ID               string                    `json:"id"`
	Networks         map[string]interfaceStats `json:"networks,omitempty"`
	NetworkRateStats *rateStats                `json:"network_rate_stats,omitempty"`
}

type blockStats struct {
	ServiceBytes []blockValue `json:"io_service_bytes_recursive"`
	Serviced     []blockValue `json:"io_serviced_recursive"`
	Queue        []blockValue `json:"io_queue_recursive"`
	ServiceTime  []blockValue `json:"io_service_time_recursive"`
	WaitTime     []blockValue `json:"io_wait_time_recursive"`
	Merged       []blockValue `json:"io_merged_recursive"`
	Time         []blockValue `json:"io_time_recursive"`
	Sectors      []blockValue `json:"sectors_recursive"`
}

type blockValue struct {
	Major int64  `json:"major"`
	Minor int64  `json:"minor"`
	Op    string `json:"op"`
	Value int64  `json:"value"`
}

// cpuStats are in nanoseconds.
type cpuStats struct {
	Usage struct {
		Total  int64           `json:"total_usage"`
		PerCPU []time.Duration `json:"percpu_usage,omitempty"`
		Kernel int64           `json:"usage_in_kernelmode"`
		User   int64           `json:"usage_in_usermode"`
	} `json:"cpu_usage"`
	System     int64 `json:"system_cpu_usage,omitempty"`
	CPUs       int   `json:"online_cpus,omitempty"`
	Throttling struct {
		Periods   int64 `json:"periods"`
		Throttled int64 `json:"throttled_periods"`
		Time      int64 `json:"throttled_time"`
	} `json:"throttling_data"`
}

type memoryStats struct {
	Usage    int64            `json:"usage"`
	MaxUsage int64            `json:"max_usage,omitempty"`
	Stats    map[string]int64 `json:"stats"`
	Limit    int64            `json:"limit"`
}

type interfaceStats struct {
	ReceivedBytes   uint64 `json:"rx_bytes"`
	ReceivedPackets uint64 `json:"rx_packets"`
	ReceivedErrors  uint64 `json:"rx_errors"`
	ReceivedDropped uint64 `json:"rx_dropped"`
	SentBytes       uint64 `json:"tx_bytes"`
	SentPackets     uint64 `json:"tx_packets"`
	SentErrors      uint64 `json:"tx_errors"`
	SentDropped     uint64 `json:"tx_dropped"`
}

type rateStats struct {
	Received float64 `json:"rx_bytes_per_sec"`
	Sent     float64 `json:"tx_bytes_per_sec"`
}

// null is for what is not known.
var null = json.RawMessage("null")

func (s *Server) containerStats(_ *http.Request, t *host.Task, i int) any { return s.sample(t, i) }

// taskStats are those of each container, by its id.
func (s *Server) taskStats(_ *http.Request, t *host.Task, _ int) any {
	var b bytes.Buffer
	for i := range t.Assignment.Containers {
		b.WriteByte("{,"[min(i, 1)])
		b.WriteString(strconv.Quote(t.Assignment.Containers[i].RuntimeID)) // digits and a dash
		b.WriteByte(':')
		b.Write(s.sample(t, i))
	}
	b.WriteByte('}')
	return json.RawMessage(b.Bytes())
}

// newStats puts a sample into Docker's shape, with what has changed since the one before,
// which may be nil.
func newStats(name, id string, now, before *sample) *stats {
	st := &stats{Read: now.Read.UTC(), Name: name, ID: id, CPU: newCPUStats(&now.CPU), Blocks: newBlockStats(now.Blocks)}
	st.PIDs.Current, st.PIDs.Limit = now.PIDs, now.MaxPIDs
	st.Memory = memoryStats{Usage: now.Memory.Usage, MaxUsage: now.Memory.MaxUsage, Stats: now.Memory.Parts, Limit: now.Memory.Limit}
	if before != nil {
		st.PreRead, st.PreCPU = before.Read.UTC(), newCPUStats(&before.CPU)
	}
	if now.network == nil {
		return st
	}
	in, out := now.network.Received, now.network.Sent
	st.Networks = map[string]interfaceStats{"eth0": {
		in.Bytes, in.Packets, in.Errors, in.Dropped, out.Bytes, out.Packets, out.Errors, out.Dropped,
	}}
	if before != nil && before.network != nil {
		passed := now.Read.Sub(before.Read).Seconds()
		st.NetworkRateStats = &rateStats{
			Received: float64(in.Bytes-before.network.Received.Bytes) / passed,
			Sent:     float64(out.Bytes-before.network.Sent.Bytes) / passed,
		}
	}
	return st
}

func newCPUStats(c *host.CPUStatistics) (s cpuStats) {
	s.Usage.Total, s.Usage.PerCPU = int64(c.Total), c.PerCPU
	s.Usage.Kernel, s.Usage.User = int64(c.System), int64(c.User)
	s.System, s.CPUs = int64(c.Machine), c.CPUs
	s.Throttling.Periods, s.Throttling.Throttled, s.Throttling.Time = c.Periods, c.Throttled, int64(c.ThrottledTime)
	return s
}

func newBlockStats(all []host.BlockStatistics) blockStats {
	none := []blockValue{}
	s := blockStats{none, none, none, none, none, none, none, none}
	for _, b := range all {
		s.ServiceBytes = append(s.ServiceBytes, blockValue{b.Major, b.Minor, b.Operation, b.Bytes})
		s.Serviced = append(s.Serviced, blockValue{b.Major, b.Minor, b.Operation, b.Operations})
	}
	return s
}

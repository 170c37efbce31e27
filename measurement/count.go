package measurement

import (
	"encoding/json"
	"time"

	"fargo/desired"
	"fargo/host"
)

// counts is all that was counted up to a time.
type counts struct {
	At         time.Time                 `json:"at"`
	Containers map[string]containerCount `json:"containers,omitempty"` // by runtime id
	Interfaces map[string]interfaceCount `json:"interfaces,omitempty"` // by id
	// Tasks are when those were last measured that have been, by their ids.
	Tasks     map[string]time.Time `json:"tasks,omitempty"`
	Balancers json.RawMessage      `json:"balancers,omitempty"`
}

// containerCount is what a container has used since its control group was made.
type containerCount struct {
	CPU     time.Duration `json:"cpu"`
	Read    int64         `json:"read,omitempty"`
	Written int64         `json:"written,omitempty"`
	// Restarts are since the task began.
	Restarts int `json:"restarts,omitempty"`
}

// interfaceCount is what has gone through an interface, in bytes.
type interfaceCount struct {
	Received uint64 `json:"received"`
	Sent     uint64 `json:"sent"`
}

func countContainer(s *host.Statistics, restarts int) containerCount {
	c := containerCount{CPU: s.CPU.Total, Restarts: restarts}
	for _, b := range s.Blocks {
		switch b.Operation {
		case "read":
			c.Read += b.Bytes
		case "write":
			c.Written += b.Bytes
		}
	}
	return c
}

// since is what was used after an earlier count. Where that is higher the container has
// been restarted, and all of it is new.
func (c containerCount) since(before containerCount, s *host.Statistics) desired.Usage {
	if c.CPU < before.CPU {
		before = containerCount{}
	}
	return desired.Usage{
		CPU: c.CPU - before.CPU, Memory: memoryInUse(&s.Memory),
		Read: max(0, c.Read-before.Read), Written: max(0, c.Written-before.Written),
	}
}

func (c interfaceCount) since(before interfaceCount) *desired.NetworkUsage {
	if c.Received < before.Received || c.Sent < before.Sent {
		before = interfaceCount{}
	}
	return &desired.NetworkUsage{Received: c.Received - before.Received, Sent: c.Sent - before.Sent}
}

// memoryInUse leaves out file pages that nobody used lately, as docker stats does: the
// kernel would give them up first. The first name is that of control groups of version 1.
func memoryInUse(m *host.MemoryStatistics) int64 {
	inactive, ok := m.Parts["total_inactive_file"]
	if !ok {
		inactive = m.Parts["inactive_file"]
	}
	return max(0, m.Usage-inactive)
}

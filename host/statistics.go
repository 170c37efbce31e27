package host

import "time"

// Statistics are what the kernel has counted of a container until Read. Counts begin when
// its control group is made, which a restart of the container does anew.
type Statistics struct {
	Read   time.Time
	CPU    CPUStatistics
	Memory MemoryStatistics
	// PIDs is how many processes and threads there are, MaxPIDs how many there may be; 0
	// means no limit.
	PIDs, MaxPIDs int64
	// Blocks are by device and operation.
	Blocks []BlockStatistics
}

// CPUStatistics is time that processors have run for the container, on all of them
// together.
type CPUStatistics struct {
	Total, User, System time.Duration
	PerCPU              []time.Duration // empty where the kernel does not say
	// Machine is the time of all of the machine's processors, in all states, and CPUs
	// their number.
	Machine time.Duration
	CPUs    int
	// Periods are those of the container's own quota, of Throttled the container was
	// held back, for ThrottledTime together.
	Periods, Throttled int64
	ThrottledTime      time.Duration
}

// MemoryStatistics are in bytes.
type MemoryStatistics struct {
	Usage int64
	// MaxUsage is the largest Usage so far; 0 where the kernel does not say.
	MaxUsage int64
	// Limit is the smallest of the container's, its task's and the machine's.
	Limit int64
	// Parts are what the kernel counts apart, by its names ("inactive_file").
	Parts map[string]int64
}

// BlockStatistics are of one device and kind of operation: "read", "write".
type BlockStatistics struct {
	Major, Minor      int64
	Operation         string
	Bytes, Operations int64
}

// InterfaceStatistics are what has gone through a network interface since it was made.
type InterfaceStatistics struct{ Received, Sent PacketStatistics }

// PacketStatistics are of one direction.
type PacketStatistics struct{ Bytes, Packets, Errors, Dropped uint64 }

package worker

import (
	"context"
	"runtime"
)

// maxWorkers is how many workers are enough for any machine: each takes memory,
// and answers some tens of thousands of requests a second.
const maxWorkers = 8

// Workers is how many workers a machine should have: one for each processor that
// we may use, and not too many.
func Workers() int { return min(runtime.GOMAXPROCS(0), maxWorkers) }

// Processes are those of a node's workers. Its methods are not called at once.
type Processes interface {
	// Find gives those that run, but for those that are about to end.
	Find(ctx context.Context) ([]Process, error)
	// Start starts one more. Its control socket is there when it returns.
	Start() (Process, error)
}

// Process is a worker's. Its methods may be called from several goroutines.
type Process interface {
	// PID is for people.
	PID() int
	// Socket is the path of its control socket.
	Socket() string
	// Current says that it does what one just started would do.
	Current() bool
	// Wait returns nil when the process has ended, or the context's error.
	Wait(ctx context.Context) error
	// Leave asks it to end when what is under way is done.
	Leave() error
	// Kill ends it.
	Kill() error
}

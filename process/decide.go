package process

import (
	"slices"
	"time"
)

// An action is what to do about the process that should run.
type action int

const (
	startNew action = iota
	adoptFound
	replaceFound
)

// decide says what to do when the process found is this one; nil when there is none.
func decide(found *Process, build string) action {
	switch {
	case found == nil:
		return startNew
	case found.Build == build:
		return adoptFound
	}
	return replaceFound
}

// A process that ends is started again at once, and later each time if it does not
// stay alive.
const (
	firstRestartDelay = 50 * time.Millisecond
	lastRestartDelay  = 5 * time.Second
	// steadyAfter is how long a process lives whose end is taken for its first.
	steadyAfter = 10 * time.Second
)

// backoff is how long restarts wait. Its zero value is that of the first.
type backoff struct{ delay time.Duration }

// next is how long to wait before the start that follows a process which lived that
// long.
func (b *backoff) next(lived time.Duration) time.Duration {
	if lived > steadyAfter {
		b.delay = 0
	}
	delay := b.delay
	b.delay = min(max(2*delay, firstRestartDelay), lastRestartDelay)
	return delay
}

// nextNumber is the number of a new member of a pool, above all that have files,
// so that none is mistaken for one that is about to end.
func nextNumber(used []uint64) uint64 {
	if len(used) == 0 {
		return 0
	}
	return slices.Max(used) + 1
}

package netconn

import (
	"errors"
	"net"
	"os"
	"sync/atomic"
	"time"
)

// deadlineSlack is how much longer than its idle timeout a connection may rest,
// so that deadlines need not be set at every read.
const deadlineSlack = time.Second

// start is where Clock begins.
var start = time.Now()

// Clock is the time since start. It reads one of the two clocks that time.Now
// reads.
func Clock() time.Duration { return time.Since(start) }

// ClockAt is what Clock told at a time.
func ClockAt(t time.Time) time.Duration { return t.Sub(start) }

// Past is a deadline that has passed.
var Past = time.Unix(1, 0)

// watchEvery is how often a read that waits asks Watch.
const watchEvery = time.Second

// Timed is a connection whose reads and writes end when nothing passes either way
// for its idle time. At most one goroutine reads, and at most one writes.
type Timed struct {
	net.Conn
	// Idle is the idle time. It may be changed between requests.
	Idle time.Duration
	// Watch, if set, is asked about once a second while a read waits; its error ends
	// the read.
	Watch interface{ CheckAlive() error }

	// what deadlines are set to, and when something was written, by Clock
	readUntil  time.Duration
	writeUntil time.Duration
	wrote      atomic.Int64
	aborted    atomic.Bool
	stopped    atomic.Bool
}

// Read reads.
func (c *Timed) Read(b []byte) (int, error) {
	began := Clock()
	for now := began; ; now = Clock() {
		step := c.Idle
		if c.Watch != nil {
			step = min(step, watchEvery)
		}
		if c.readUntil < now+step {
			c.readUntil = now + step + deadlineSlack
			if err := c.SetReadDeadline(start.Add(c.readUntil)); err != nil {
				return 0, err
			}
		}
		if c.aborted.Load() {
			return 0, os.ErrDeadlineExceeded
		}
		n, err := c.Conn.Read(b)
		if n > 0 || errors.Is(err, ErrWouldBlock) || !IsTimeout(err) || c.aborted.Load() || c.IdleFor(began) >= c.Idle {
			return n, err
		}
		if c.Watch != nil {
			if err := c.Watch.CheckAlive(); err != nil {
				return 0, err
			}
		}
	}
}

// IdleFor is how long nothing has passed, for a read that began then.
func (c *Timed) IdleFor(began time.Duration) time.Duration {
	return Clock() - max(began, time.Duration(c.wrote.Load()))
}

// Extend lets a wait that began then go on for the idle time from when something
// was written last, and reports whether it may.
func (c *Timed) Extend(began time.Duration) bool {
	if until := max(began, time.Duration(c.wrote.Load())) + c.Idle; c.readUntil < until {
		c.readUntil = until
		if err := c.SetReadDeadline(start.Add(until)); err != nil {
			return false
		}
	}
	return !c.aborted.Load()
}

// Write writes.
func (c *Timed) Write(b []byte) (int, error) {
	now := Clock()
	if c.writeUntil < now+c.Idle {
		c.writeUntil = now + c.Idle + deadlineSlack
		if err := c.SetWriteDeadline(start.Add(c.writeUntil)); err != nil {
			return 0, err
		}
	}
	if c.stopped.Load() {
		return 0, os.ErrDeadlineExceeded
	}
	c.wrote.Store(int64(now))
	return c.Conn.Write(b)
}

// StopWrites ends a write that waits, and all that follow until RestartWrites.
func (c *Timed) StopWrites() {
	c.stopped.Store(true)
	if err := c.SetWriteDeadline(Past); err != nil {
		c.Close()
	}
}

// RestartWrites undoes StopWrites, when nobody writes.
func (c *Timed) RestartWrites() {
	c.stopped.Store(false)
	c.writeUntil = 0
}

// AbortReads ends a read that waits, and all that follow until ResumeReads. Writes
// go on.
func (c *Timed) AbortReads() {
	c.aborted.Store(true)
	if err := c.SetReadDeadline(Past); err != nil {
		c.Close()
	}
}

// ResumeReads undoes AbortReads, when nobody reads.
func (c *Timed) ResumeReads() {
	c.aborted.Store(false)
	c.readUntil = 0
}

// Close closes the connection. A read that waits ends with the error of one that
// was aborted.
func (c *Timed) Close() error {
	c.aborted.Store(true)
	return c.Conn.Close()
}

// NetConn is the connection below.
func (c *Timed) NetConn() net.Conn { return c.Conn }

package balancer

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

// start is where clock begins.
var start = time.Now()

// clock is the time since start. It reads one of the two clocks that time.Now
// reads.
func clock() time.Duration { return time.Since(start) }

// aLongTimeAgo is a deadline that has passed.
var aLongTimeAgo = time.Unix(1, 0)

// lookEvery is how often a reader that waits looks whether it still should.
const lookEvery = time.Second

// idleConn ends reads and writes when nothing passes either way for its idle
// time. At most one goroutine reads, and at most one writes.
type idleConn struct {
	net.Conn
	idle time.Duration
	// waiting, if set, is asked about once a second while a read waits; its
	// error ends the read.
	waiting interface{ stillThere() error }

	// what deadlines are set to, and when something was written, by clock
	readUntil  time.Duration
	writeUntil time.Duration
	wrote      atomic.Int64
	aborted    atomic.Bool
	stopped    atomic.Bool
}

func (c *idleConn) Read(b []byte) (int, error) {
	began := clock()
	for now := began; ; now = clock() {
		step := c.idle
		if c.waiting != nil {
			step = min(step, lookEvery)
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
		if n > 0 || errors.Is(err, errNotYet) || !timeout(err) || c.aborted.Load() || c.rested(began) >= c.idle {
			return n, err
		}
		if c.waiting != nil {
			if err := c.waiting.stillThere(); err != nil {
				return 0, err
			}
		}
	}
}

// rested is how long nothing has passed, for a read that began then.
func (c *idleConn) rested(began time.Duration) time.Duration {
	return clock() - max(began, time.Duration(c.wrote.Load()))
}

// renew lets a wait that began then go on for the idle time from when something
// was written last, and reports whether it may.
func (c *idleConn) renew(began time.Duration) bool {
	if until := max(began, time.Duration(c.wrote.Load())) + c.idle; c.readUntil < until {
		c.readUntil = until
		if err := c.SetReadDeadline(start.Add(until)); err != nil {
			return false
		}
	}
	return !c.aborted.Load()
}

func (c *idleConn) Write(b []byte) (int, error) {
	now := clock()
	if c.writeUntil < now+c.idle {
		c.writeUntil = now + c.idle + deadlineSlack
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

// stop ends a write that waits, and all that follow until there is a restart.
func (c *idleConn) stop() {
	c.stopped.Store(true)
	if err := c.SetWriteDeadline(aLongTimeAgo); err != nil {
		c.Close()
	}
}

// restart undoes stop, when nobody writes.
func (c *idleConn) restart() {
	c.stopped.Store(false)
	c.writeUntil = 0
}

// abort ends a read that waits, and all that follow. Writes go on.
func (c *idleConn) abort() {
	c.aborted.Store(true)
	if err := c.SetReadDeadline(aLongTimeAgo); err != nil {
		c.Close()
	}
}

// resume undoes abort, when nobody reads.
func (c *idleConn) resume() {
	c.aborted.Store(false)
	c.readUntil = 0
}

// NetConn is the connection below.
func (c *idleConn) NetConn() net.Conn { return c.Conn }

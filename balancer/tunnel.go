package balancer

import (
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// tunnel joins two connections. The end of one direction is passed on and
// leaves the other open; when nothing passes in either for the idle time, or
// one breaks, both end.
type tunnel struct {
	idle time.Duration
	// there and back count the bytes from the first to the second, and back.
	there, back atomic.Int64
	last        atomic.Int64 // when something passed, in Unix nanoseconds
	over        atomic.Bool  // one direction failed
}

// How a direction of a tunnel ended.
var (
	errIdle   = errors.New("nothing passed for the idle time")
	errBroken = errors.New("the other side broke")
)

const tunnelBuffer = 32 << 10

var tunnelBuffers = sync.Pool{New: func() any { return new([tunnelBuffer]byte) }}

// run joins a and b until both directions have ended, and closes both. The
// error is errIdle, what broke, or nil when both ended by themselves.
func (t *tunnel) run(a, b net.Conn) error {
	t.last.Store(time.Now().UnixNano())
	t.rearm(a)
	t.rearm(b)
	back := make(chan error, 1)
	go func() { back <- t.direction(b, a, &t.back) }()
	err := t.direction(a, b, &t.there)
	if other := <-back; err == nil || errors.Is(err, errBroken) && other != nil {
		err = other
	}
	if err != nil {
		reset(a)
		reset(b)
	}
	a.Close()
	b.Close()
	return err
}

// direction passes on what comes, and in the end that it ended. When it fails
// it ends the other direction too.
func (t *tunnel) direction(from, to net.Conn, count *atomic.Int64) error {
	err := t.copy(from, to, count)
	if err == nil {
		if half, ok := to.(interface{ CloseWrite() error }); ok && half.CloseWrite() == nil {
			return nil
		}
		err = errBroken
	}
	t.over.Store(true)
	interrupt(from)
	interrupt(to)
	return err
}

// rearm lets a direction read on when something passed in the other since.
func (t *tunnel) rearm(from net.Conn) bool {
	until := time.Unix(0, t.last.Load()).Add(t.idle)
	if !time.Now().Before(until) {
		return false
	}
	return from.SetReadDeadline(until) == nil && !t.over.Load()
}

func (t *tunnel) copy(from, to net.Conn, count *atomic.Int64) error {
	var writeUntil time.Time
	buffer := tunnelBuffers.Get().(*[tunnelBuffer]byte)
	defer tunnelBuffers.Put(buffer)
	for {
		n, err := from.Read(buffer[:])
		if n > 0 {
			now := time.Now()
			t.last.Store(now.UnixNano())
			if writeUntil.Before(now.Add(t.idle)) {
				writeUntil = now.Add(t.idle + deadlineSlack)
				if err := to.SetWriteDeadline(writeUntil); err != nil || t.over.Load() {
					return errBroken
				}
			}
			if _, err := to.Write(buffer[:n]); err != nil {
				return errBroken
			}
			count.Add(int64(n))
			continue
		}
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case timeout(err) && t.rearm(from):
		case timeout(err) && t.over.Load():
			return errBroken
		case timeout(err):
			return errIdle
		default:
			return &brokenError{from, err}
		}
	}
}

// brokenError says which connection of a tunnel broke.
type brokenError struct {
	conn  net.Conn
	cause error
}

func (e *brokenError) Error() string { return e.cause.Error() }
func (e *brokenError) Unwrap() error { return e.cause }

package netconn

import (
	"errors"
	"io"
	"net"
	"sync/atomic"
	"time"
)

// Tunnel joins two connections. The end of one direction is passed on and
// leaves the other open; when nothing passes in either for the idle time, or one
// fails, both end.
type Tunnel struct {
	Idle time.Duration
	// Passed, if not nil, is told of bytes as they pass, by both directions at once.
	Passed func(bytes int64)
	// Sent and Received count the bytes from the first to the second, and back.
	Sent, Received atomic.Int64
	last           atomic.Int64 // when something passed, in Unix nanoseconds
	over           atomic.Bool  // one direction failed
}

// How a direction of a tunnel ended.
var (
	errIdle   = errors.New("nothing passed for the idle time")
	errBroken = errors.New("the other side failed")
)

// Run joins a and b until both directions have ended, and closes both. The
// error is a *BrokenError when one of them failed, another when nothing passed, and
// nil when both ended by themselves.
func (t *Tunnel) Run(a, b net.Conn) error {
	t.last.Store(time.Now().UnixNano())
	t.rearm(a)
	t.rearm(b)
	back := make(chan error, 1)
	go func() { back <- t.direction(b, a, &t.Received) }()
	err := t.direction(a, b, &t.Sent)
	if other := <-back; err == nil || errors.Is(err, errBroken) && other != nil {
		err = other
	}
	if err != nil {
		Reset(a)
		Reset(b)
	}
	a.Close()
	b.Close()
	return err
}

// direction passes on what comes, and in the end that it ended. When it fails
// it ends the other direction too.
func (t *Tunnel) direction(from, to net.Conn, count *atomic.Int64) error {
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
func (t *Tunnel) rearm(from net.Conn) bool {
	until := time.Unix(0, t.last.Load()).Add(t.Idle)
	if !time.Now().Before(until) {
		return false
	}
	return from.SetReadDeadline(until) == nil && !t.over.Load()
}

// copy passes on what comes until it ends.
func (t *Tunnel) copy(from, to net.Conn, count *atomic.Int64) error {
	var writeUntil time.Time
	buffer := GetBuffer()
	defer PutBuffer(buffer)
	for {
		n, err := from.Read(buffer[:])
		if n > 0 {
			now := time.Now()
			t.last.Store(now.UnixNano())
			if writeUntil.Before(now.Add(t.Idle)) {
				writeUntil = now.Add(t.Idle + deadlineSlack)
				if err := to.SetWriteDeadline(writeUntil); err != nil || t.over.Load() {
					return errBroken
				}
			}
			if _, err := to.Write(buffer[:n]); err != nil {
				return errBroken
			}
			count.Add(int64(n))
			if t.Passed != nil {
				t.Passed(int64(n))
			}
			continue
		}
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case IsTimeout(err) && t.rearm(from):
		case IsTimeout(err) && t.over.Load():
			return errBroken
		case IsTimeout(err):
			return errIdle
		default:
			return &BrokenError{from, err}
		}
	}
}

// BrokenError says which connection of a tunnel failed.
type BrokenError struct {
	Conn  net.Conn
	cause error
}

func (e *BrokenError) Error() string { return e.cause.Error() }
func (e *BrokenError) Unwrap() error { return e.cause }

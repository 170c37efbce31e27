package netconn

import (
	"net"
	"runtime"
	"sync"
	"time"
)

// Coalescing is a client's connection whose writes are coalesced: what the
// goroutines write that are ready to run becomes one write, and so one record of
// TLS. A server of HTTP/2 writes for each answer its head, its body and that of
// every other stream by themselves; one write for all spares a quarter of the
// processor's time of a small request (9 rounds, median).
//
// A write that succeeded may fail later. The next one tells, and reads do.
type Coalescing struct {
	net.Conn
	idle  time.Duration   // how long the client may take nothing
	tasks *sync.WaitGroup // is told of goroutines that write; not yet waited for

	mu struct {
		sync.Mutex
		buffered  []byte // in a Buffer, or nil
		scheduled bool   // a goroutine will write
		writing   bool   // somebody does
		closed    bool
		until     time.Duration // the deadline that is set, by Clock
		err       error
	}
	written *sync.Cond // something was
}

// maxCoalesced is how much is buffered before it is written at once, in bytes.
const maxCoalesced = 16 << 10

// Coalesce coalesces the writes to c, to a client that may take nothing for the idle
// time at most. tasks is told of goroutines that write.
func Coalesce(c net.Conn, idle time.Duration, tasks *sync.WaitGroup) *Coalescing {
	g := &Coalescing{Conn: c, idle: idle, tasks: tasks}
	g.written = sync.NewCond(&g.mu)
	return g
}

// Write has b written soon, or tells why what was buffered before was not.
func (g *Coalescing) Write(b []byte) (int, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for g.mu.writing && len(g.mu.buffered) >= maxCoalesced {
		g.written.Wait()
	}
	switch {
	case g.mu.err != nil:
		return 0, g.mu.err
	case g.mu.closed:
		return 0, net.ErrClosed
	}
	if g.mu.buffered == nil {
		g.mu.buffered = GetBuffer()[:0]
	}
	g.mu.buffered = append(g.mu.buffered, b...)
	switch {
	case g.mu.writing: // and will see it
	case len(g.mu.buffered) >= maxCoalesced:
		g.flush()
	case !g.mu.scheduled:
		g.mu.scheduled = true
		g.tasks.Add(1)
		go g.flushLater()
	}
	return len(b), g.mu.err
}

// flushLater writes what is buffered when the others that are ready have run.
func (g *Coalescing) flushLater() {
	defer g.tasks.Done()
	runtime.Gosched()
	g.mu.Lock()
	defer g.mu.Unlock()
	g.mu.scheduled = false
	if !g.mu.writing {
		g.flush()
	}
}

// flush writes what is buffered until there is nothing more, and closes the
// connection if that was to come after. The caller holds mu.
func (g *Coalescing) flush() {
	g.mu.writing = true
	for len(g.mu.buffered) > 0 && g.mu.err == nil {
		if g.mu.err = g.extend(); g.mu.err != nil {
			break
		}
		batch := g.mu.buffered
		g.mu.buffered = nil
		g.mu.Unlock()
		_, err := g.Conn.Write(batch)
		if cap(batch) == bufferSize {
			PutBuffer((*Buffer)(batch[:bufferSize]))
		}
		g.mu.Lock()
		g.mu.err = err
		g.written.Broadcast()
	}
	g.mu.writing = false
	g.written.Broadcast() // however it ended
	if g.mu.closed {
		g.Conn.Close()
	}
}

// extend lets a write wait for the client, now and then. The caller holds mu.
func (g *Coalescing) extend() error {
	now := Clock()
	if g.mu.closed || g.mu.until >= now+g.idle {
		return nil
	}
	g.mu.until = now + g.idle + deadlineSlack
	return g.SetWriteDeadline(start.Add(g.mu.until))
}

// flushGrace is how long what was written before Close may take to reach the
// peer.
const flushGrace = time.Second

// Close closes the connection. What is buffered is still written, if that
// can be done within flushGrace.
func (g *Coalescing) Close() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case g.mu.closed:
		return net.ErrClosed
	case g.mu.writing || g.mu.scheduled:
		g.mu.closed = true
		return g.SetWriteDeadline(time.Now().Add(flushGrace))
	}
	g.mu.closed = true
	return g.Conn.Close()
}

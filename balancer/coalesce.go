package balancer

import (
	"net"
	"runtime"
	"sync"
	"time"
)

// gatherConn is a client's connection whose writes are gathered: what the
// goroutines write that are ready to run becomes one write, and so one record of
// TLS. A server of HTTP/2 writes for each answer its head, its body and that of
// every other stream by themselves; gathering them spares a quarter of the
// processor's time of a small request (9 rounds, median).
//
// A write that succeeded may fail later. The next one tells, and reads do.
type gatherConn struct {
	net.Conn
	idle  time.Duration   // how long the client may take nothing
	tasks *sync.WaitGroup // is told of goroutines that write; not yet waited for

	mu struct {
		sync.Mutex
		gathered []byte // a tunnelBuffer's, or nil
		promised bool   // a goroutine will write
		writing  bool   // somebody does
		closed   bool
		until    time.Duration // the deadline that is set, by clock
		err      error
	}
	written *sync.Cond // something was
}

// gatherMost is how much is gathered before it is written at once, in bytes.
const gatherMost = 16 << 10

func gather(c net.Conn, idle time.Duration, tasks *sync.WaitGroup) *gatherConn {
	g := &gatherConn{Conn: c, idle: idle, tasks: tasks}
	g.written = sync.NewCond(&g.mu)
	return g
}

// Write has b written soon, or tells why what was gathered before was not.
func (g *gatherConn) Write(b []byte) (int, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for g.mu.writing && len(g.mu.gathered) >= gatherMost {
		g.written.Wait()
	}
	switch {
	case g.mu.err != nil:
		return 0, g.mu.err
	case g.mu.closed:
		return 0, net.ErrClosed
	}
	if g.mu.gathered == nil {
		g.mu.gathered = tunnelBuffers.Get().(*[tunnelBuffer]byte)[:0]
	}
	g.mu.gathered = append(g.mu.gathered, b...)
	switch {
	case g.mu.writing: // and will see it
	case len(g.mu.gathered) >= gatherMost:
		g.write()
	case !g.mu.promised:
		g.mu.promised = true
		g.tasks.Add(1)
		go g.later()
	}
	return len(b), g.mu.err
}

// later writes what is gathered when the others that are ready have run.
func (g *gatherConn) later() {
	defer g.tasks.Done()
	runtime.Gosched()
	g.mu.Lock()
	defer g.mu.Unlock()
	g.mu.promised = false
	if !g.mu.writing {
		g.write()
	}
}

// write writes what is gathered until there is nothing more, and closes the
// connection if that was to come after. The caller holds mu.
func (g *gatherConn) write() {
	g.mu.writing = true
	for len(g.mu.gathered) > 0 && g.mu.err == nil {
		if g.mu.err = g.extend(); g.mu.err != nil {
			break
		}
		batch := g.mu.gathered
		g.mu.gathered = nil
		g.mu.Unlock()
		_, err := g.Conn.Write(batch)
		if cap(batch) == tunnelBuffer {
			tunnelBuffers.Put((*[tunnelBuffer]byte)(batch[:tunnelBuffer]))
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
func (g *gatherConn) extend() error {
	now := clock()
	if g.mu.closed || g.mu.until >= now+g.idle {
		return nil
	}
	g.mu.until = now + g.idle + deadlineSlack
	return g.SetWriteDeadline(start.Add(g.mu.until))
}

// flushGrace is how long what was written before Close may take to reach the
// peer.
const flushGrace = time.Second

// Close closes the connection. What has been gathered is still written, if that
// can be done within flushGrace.
func (g *gatherConn) Close() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case g.mu.closed:
		return net.ErrClosed
	case g.mu.writing || g.mu.promised:
		g.mu.closed = true
		return g.SetWriteDeadline(time.Now().Add(flushGrace))
	}
	g.mu.closed = true
	return g.Conn.Close()
}

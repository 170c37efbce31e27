package upstream

import (
	"sync"
	"time"
)

// idlePool keeps a target's idle connections, by the interface they come from.
// The one used last is taken first.
type idlePool struct {
	mu struct {
		sync.Mutex
		closed bool
		byFrom map[string]*idleStack
	}
}

// idleStack has the connections from one interface, the one used last on top.
type idleStack struct{ conns []*Conn }

// take gives a connection that was not idle since before oldest, by netconn.Clock, or nil.
func (p *idlePool) take(from string, oldest time.Duration) *Conn {
	p.mu.Lock()
	defer p.mu.Unlock()
	stack := p.mu.byFrom[from]
	if stack == nil || len(stack.conns) == 0 {
		return nil
	}
	top := len(stack.conns) - 1
	u := stack.conns[top]
	if u.idleSince < oldest { // and so are all below
		for _, old := range stack.conns {
			old.Close()
		}
		delete(p.mu.byFrom, from)
		return nil
	}
	stack.conns[top] = nil
	stack.conns = stack.conns[:top]
	return u
}

// put keeps a connection, or closes it when the pool is closed.
func (p *idlePool) put(u *Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.mu.closed {
		u.Close()
		return
	}
	stack := p.mu.byFrom[u.from.Interface]
	if stack == nil {
		if p.mu.byFrom == nil {
			p.mu.byFrom = map[string]*idleStack{}
		}
		stack = &idleStack{}
		p.mu.byFrom[u.from.Interface] = stack
	}
	stack.conns = append(stack.conns, u)
}

// prune closes those idle since before oldest.
func (p *idlePool) prune(oldest time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, stack := range p.mu.byFrom {
		old := 0
		for old < len(stack.conns) && stack.conns[old].idleSince < oldest {
			stack.conns[old].Close()
			old++
		}
		stack.conns = append(stack.conns[:0:0], stack.conns[old:]...)
	}
}

// close closes all, and those that come later.
func (p *idlePool) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mu.closed = true
	for _, stack := range p.mu.byFrom {
		for _, u := range stack.conns {
			u.Close()
		}
	}
	p.mu.byFrom = nil
}

// open undoes close.
func (p *idlePool) open() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mu.closed = false
}

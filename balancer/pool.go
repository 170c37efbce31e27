package balancer

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
		byFrom map[string][]*upstream
	}
}

// take gives a connection that was not idle since before oldest, or nil.
func (p *idlePool) take(from string, oldest time.Time) *upstream {
	p.mu.Lock()
	defer p.mu.Unlock()
	stack := p.mu.byFrom[from]
	if len(stack) == 0 {
		return nil
	}
	u := stack[len(stack)-1]
	if u.idleSince.Before(oldest) { // and so are all below
		for _, old := range stack {
			old.Close()
		}
		delete(p.mu.byFrom, from)
		return nil
	}
	stack[len(stack)-1] = nil
	p.mu.byFrom[from] = stack[:len(stack)-1]
	return u
}

// put keeps a connection, or closes it when the pool is closed.
func (p *idlePool) put(u *upstream) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.mu.closed {
		u.Close()
		return
	}
	if p.mu.byFrom == nil {
		p.mu.byFrom = map[string][]*upstream{}
	}
	p.mu.byFrom[u.from] = append(p.mu.byFrom[u.from], u)
}

// prune closes those idle since before oldest.
func (p *idlePool) prune(oldest time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for from, stack := range p.mu.byFrom {
		old := 0
		for old < len(stack) && stack[old].idleSince.Before(oldest) {
			stack[old].Close()
			old++
		}
		p.mu.byFrom[from] = append(stack[:0:0], stack[old:]...)
	}
}

// close closes all, and those that come later.
func (p *idlePool) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mu.closed = true
	for _, stack := range p.mu.byFrom {
		for _, u := range stack {
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

package store

import (
	"context"
	"sync"
)

// Memory is a [Journal] that forgets everything when the process ends. Closing
// it keeps its content, so a DB can be closed and opened again in a test.
type Memory struct {
	limits Limits
	terms  Terms
	mu     struct {
		sync.Mutex
		revision Revision
		records  map[string][]byte
		tail     *Tail
	}
}

// NewMemory makes an empty journal in memory, without limits.
func NewMemory() *Memory { return NewMemoryWithin(Unlimited) }

// NewMemoryWithin makes an empty journal in memory, with limits.
func NewMemoryWithin(limits Limits) *Memory {
	m := &Memory{limits: limits}
	m.mu.records, m.mu.tail = map[string][]byte{}, NewTail(0)
	return m
}

// Limits implements [Journal].
func (m *Memory) Limits() Limits { return m.limits }

// Lead implements [Journal]. It takes over at once.
func (m *Memory) Lead(ctx context.Context) (Lease, error) {
	if err := ctx.Err(); err != nil {
		return Lease{}, err
	}
	m.mu.Lock() // no commit of an older epoch is under way
	defer m.mu.Unlock()
	return m.terms.Lead(), nil
}

// Load implements [Journal].
func (m *Memory) Load(ctx context.Context, yield func(string, []byte) error) (Revision, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for k, v := range m.mu.records {
		if err := yield(k, v); err != nil {
			return 0, err
		}
	}
	return m.mu.revision, ctx.Err()
}

// Commit implements [Journal].
func (m *Memory) Commit(_ context.Context, epoch Epoch, writes []Write) (Revision, error) {
	if err := m.limits.Allow(writes); err != nil {
		return 0, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.terms.Leads(epoch) {
		return 0, ErrNotLeader
	}
	for _, w := range writes {
		if w.Value == nil {
			delete(m.mu.records, w.Key)
		} else {
			m.mu.records[w.Key] = w.Value
		}
	}
	m.mu.revision++
	m.mu.tail.Append(Commit{m.mu.revision, writes})
	return m.mu.revision, nil
}

// Follow implements [Journal]: it reaches back as far as a [Tail] does.
func (m *Memory) Follow(ctx context.Context, from Revision, yield func(Commit) error) error {
	m.mu.Lock()
	tail := m.mu.tail
	m.mu.Unlock()
	return tail.Follow(ctx, from, yield)
}

// Close implements [Journal].
func (m *Memory) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.terms.End()
	m.mu.tail.Close()
	m.mu.tail = NewTail(m.mu.revision)
	return nil
}

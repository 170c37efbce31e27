package store

import (
	"context"
	"sync"
)

// Memory is a [Journal] that forgets everything when the process ends. Closing
// it keeps its content, so a DB can be closed and opened again in a test.
type Memory struct {
	mu      sync.Mutex
	records map[string][]byte
}

// NewMemory makes an empty journal in memory.
func NewMemory() *Memory { return &Memory{records: map[string][]byte{}} }

// Load implements [Journal].
func (m *Memory) Load(ctx context.Context, yield func(string, []byte) error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for k, v := range m.records {
		if err := yield(k, v); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// Commit implements [Journal].
func (m *Memory) Commit(ctx context.Context, writes []Write) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, w := range writes {
		if w.Value == nil {
			delete(m.records, w.Key)
		} else {
			m.records[w.Key] = w.Value
		}
	}
	return nil
}

// Close implements [Journal].
func (m *Memory) Close() error { return nil }

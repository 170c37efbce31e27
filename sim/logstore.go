package sim

import (
	"context"
	"fmt"
	"sync"

	"fargo/desired"
)

// logStore keeps containers' output, and outlives the control plane. It implements
// [control.Logs].
type logStore struct {
	mu struct {
		sync.Mutex
		held  map[string]int64    // position by source
		lines map[string][]string // by source
		gaps  []string            // output that was lost, which should never be
	}
}

func newLogStore() *logStore {
	l := &logStore{}
	l.mu.held, l.mu.lines = map[string]int64{}, map[string][]string{}
	return l
}

// OpenLog implements [control.Logs].
func (l *logStore) OpenLog(context.Context, desired.LogTarget) error { return nil }

// Append implements [control.Logs].
func (l *logStore) Append(ctx context.Context, b desired.LogBatch) (int64, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	held := l.mu.held[b.Source]
	if b.From > held {
		l.mu.gaps = append(l.mu.gaps, fmt.Sprintf("output of %s from %d on is lost: next comes %d", b.Source, held, b.From))
	}
	if b.From != held {
		return held, nil
	}
	for _, e := range b.Events {
		l.mu.lines[b.Source] = append(l.mu.lines[b.Source], e.Message)
	}
	l.mu.held[b.Source] = b.To
	return b.To, nil
}

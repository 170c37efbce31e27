package sim

import (
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"
)

// trace is what happened, line by line, each with the time since the beginning.
type trace struct {
	began time.Time
	mu    struct {
		sync.Mutex
		lines []string
	}
}

func newTrace() *trace { return &trace{began: time.Now()} }

func (t *trace) note(format string, args ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.mu.lines = append(t.mu.lines, fmt.Sprintf("%10.3f  %s", time.Since(t.began).Seconds(), fmt.Sprintf(format, args...)))
}

// String is all of it.
func (t *trace) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.Join(t.mu.lines, "\n")
}

// handler takes log records into the trace.
func (t *trace) handler(least slog.Level) slog.Handler {
	return slog.NewTextHandler(traceWriter{t}, &slog.HandlerOptions{Level: least, ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}})
}

type traceWriter struct{ t *trace }

func (w traceWriter) Write(p []byte) (int, error) {
	w.t.note("log: %s", strings.TrimSpace(string(p)))
	return len(p), nil
}

package node

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"regexp"
	"sync/atomic"
	"time"

	"github.com/containerd/errdefs"
	"golang.org/x/sys/unix"

	"fargo/desired"
)

// The bounds of one batch. Source: CloudWatch Logs API, PutLogEvents.
const (
	maxBatchEvents = 10_000
	maxBatchBytes  = 1 << 20
)

const (
	gather    = 100 * time.Millisecond // what a batch waits for more
	holdLines = time.Second            // what a multi-line event waits for its next line
	punchStep = 1 << 20                // how much delivered output is kept on disk at most
)

// outlet ships one container's file. It reads no further than what it can
// deliver: while the control plane is away, the file holds the rest.
//
// Positions: delivered ≤ the end of each pending event ≤ the splitter's
// position. After a crash or a refused batch reading begins again at delivered,
// which is always the end of an event.
type outlet struct {
	output   *output
	id       string
	log      *slog.Logger
	kick     chan struct{} // the file has grown or is sealed
	whole    atomic.Bool   // sealed, not yet saved as such
	finished chan struct{} // closed when all is delivered and the file is gone

	// What follows belongs to run's goroutine, and to begin before it.
	cursor  cursor
	file    *os.File
	lines   splitter
	read    int64 // position of the next read
	pending []line
	bytes   int // of pending, as a batch counts
	times   []int64
	punched int64
}

func newOutlet(o *output, id string) *outlet {
	return &outlet{
		output: o, id: id, log: o.log.With("container", id),
		kick: make(chan struct{}, 1), finished: make(chan struct{}),
	}
}

// seal says that the file grows no more.
func (l *outlet) seal() {
	l.whole.Store(true)
	wake(l.kick)
}

// run ships until the file is sealed and delivered, or ctx ends.
func (l *outlet) run(ctx context.Context) {
	if p := l.cursor.Target.MultilineStart; p != "" {
		start, err := regexp.Compile(p)
		if err != nil {
			l.log.Error("lines are not joined: bad pattern", "pattern", p, "err", err)
		}
		l.lines.start = start
	}
	l.rewind()
	for ctx.Err() == nil {
		done, err := l.ship(ctx)
		if err != nil && ctx.Err() == nil {
			l.log.Warn("shipping output", "err", err)
			pause(ctx, retryAfter)
			l.rewind()
		}
		if done {
			close(l.finished)
			return
		}
	}
	if l.file != nil {
		l.file.Close()
	}
}

// rewind begins again where the control plane is.
func (l *outlet) rewind() {
	l.read = l.cursor.Delivered
	l.lines = splitter{start: l.lines.start, at: l.read}
	l.pending, l.times, l.bytes = nil, nil, 0
}

// ship waits for output, gathers a batch and delivers it. It reports whether
// that was the last.
func (l *outlet) ship(ctx context.Context) (done bool, err error) {
	sealed := l.cursor.Sealed // before reading, so that nothing comes after the end
	if l.whole.Load() && !sealed {
		sealed, l.cursor.Sealed = true, true
		if err := l.save(); err != nil {
			return false, err
		}
	}
	if l.cursor.Dropped {
		return l.discard(ctx, sealed)
	}
	end, err := l.fill()
	if err != nil {
		return false, err
	}
	switch {
	case end && sealed:
		l.add(l.lines.flush(true))
		if len(l.pending) > 0 {
			return false, l.deliver(ctx)
		}
		return true, l.remove()
	case len(l.pending) > 0:
		return false, l.deliver(ctx)
	}
	l.await(ctx, l.lines.holding())
	return false, nil
}

// await returns when the file has grown, and a moment later so that a batch
// gathers more than one line. What an event holds back too long is let go.
func (l *outlet) await(ctx context.Context, holding bool) {
	var late <-chan time.Time
	if holding {
		late = time.After(holdLines)
	}
	select {
	case <-ctx.Done():
	case <-l.kick:
		l.gather(ctx)
	case <-late:
		l.add(l.lines.flush(false))
	}
}

// gather waits for more output to come, unless there will be none.
func (l *outlet) gather(ctx context.Context) {
	enough := time.After(gather)
	for !l.whole.Load() {
		select {
		case <-ctx.Done():
			return
		case <-enough:
			return
		case <-l.kick:
		}
	}
}

// fill reads until a batch is full or the file ends.
func (l *outlet) fill() (end bool, err error) {
	if err := l.open(); err != nil {
		return false, err
	}
	buf := make([]byte, 64<<10)
	for len(l.pending) < maxBatchEvents && l.bytes < maxBatchBytes {
		n, err := l.file.ReadAt(buf, l.read)
		l.read += int64(n)
		l.add(l.lines.write(buf[:n]))
		if errors.Is(err, io.EOF) {
			return true, nil
		}
		if err != nil {
			return false, err
		}
	}
	return false, nil
}

func (l *outlet) open() (err error) {
	if l.file == nil {
		l.file, err = os.OpenFile(l.output.path(l.id), os.O_RDWR|os.O_CREATE, 0o600)
	}
	return err
}

// add makes events pending, stamped with the time of reading.
func (l *outlet) add(events []line) {
	now := time.Now().UnixMilli()
	for _, e := range events {
		l.pending = append(l.pending, e)
		l.times = append(l.times, now)
		l.bytes += len(e.message) + eventOverhead
	}
}

// deliver sends as much of what is pending as fits one batch.
func (l *outlet) deliver(ctx context.Context) error {
	n := l.fit()
	batch := desired.LogBatch{
		Target: l.cursor.Target, Source: l.id,
		From: l.cursor.Delivered, To: l.pending[n-1].end,
		Events: make([]desired.LogEvent, n),
	}
	for i, e := range l.pending[:n] {
		batch.Events[i] = desired.LogEvent{Timestamp: l.times[i], Message: e.message}
		l.bytes -= len(e.message) + eventOverhead
	}
	to, err := l.output.link.AppendLogs(ctx, batch)
	if errdefs.IsNotFound(err) {
		l.log.Warn("output is dropped: its log group or stream was deleted", "group", batch.Target.Group, "stream", batch.Target.Stream)
		l.cursor.Dropped = true
		return l.save()
	}
	if err != nil {
		return err
	}
	l.pending, l.times = l.pending[n:], l.times[n:]
	return l.delivered(batch, to)
}

// fit is how many pending events go into one batch.
func (l *outlet) fit() int {
	size, n := 0, 0
	for n < len(l.pending) && n < maxBatchEvents {
		if size += len(l.pending[n].message) + eventOverhead; size > maxBatchBytes {
			break
		}
		n++
	}
	return n
}

// delivered takes in where the control plane is after a batch. It may be ahead
// of what we kept, when a crash came between.
func (l *outlet) delivered(b desired.LogBatch, to int64) error {
	if to <= b.From {
		return errors.New("the control plane did not take the batch")
	}
	l.cursor.Delivered = to
	if to != b.To {
		l.rewind()
	}
	if err := l.save(); err != nil {
		return err
	}
	return l.punch()
}

// punch gives the room of delivered output back. Source: fallocate(2).
func (l *outlet) punch() error {
	if l.cursor.Delivered-l.punched < punchStep {
		return nil
	}
	err := unix.Fallocate(int(l.file.Fd()), unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE, l.punched, l.cursor.Delivered-l.punched)
	l.punched = l.cursor.Delivered
	if errors.Is(err, unix.EOPNOTSUPP) {
		return nil // this filesystem cannot; the file goes with its container
	}
	return err
}

// discard lets output pass that has nowhere to go.
func (l *outlet) discard(ctx context.Context, sealed bool) (done bool, err error) {
	if sealed {
		return true, l.remove()
	}
	if err := l.open(); err != nil {
		return false, err
	}
	info, err := l.file.Stat()
	if err != nil {
		return false, err
	}
	l.cursor.Delivered = info.Size()
	if err := l.punch(); err != nil {
		return false, err
	}
	l.await(ctx, false)
	return false, nil
}

// remove takes the file away, and last what says that there was one.
func (l *outlet) remove() error {
	if l.file != nil {
		l.file.Close()
	}
	for _, path := range []string{l.cursorPath() + spare, l.output.path(l.id), l.cursorPath()} {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

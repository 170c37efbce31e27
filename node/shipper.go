package node

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"net"
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
	collectFor = 100 * time.Millisecond // what a batch waits for more
	holdLines  = time.Second            // what a multi-line event waits for its next line
	punchStep  = 1 << 20                // how much delivered output is kept on disk at most
)

// shipper ships one container's file. It reads no further than what it can
// deliver: while the control plane is away, the file holds the rest.
//
// Positions: delivered ≤ the end of each pending event ≤ the splitter's
// position. After a crash or a refused batch reading begins again at delivered,
// which is always the end of an event.
type shipper struct {
	output   *output
	id       string
	log      *slog.Logger
	wakeUp   chan struct{} // the file has grown or is sealed
	whole    atomic.Bool   // sealed, not yet saved as such
	unopened atomic.Bool   // a stream that is missing is not made
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

	router   net.Conn  // to the log router; nil when there is none
	sealedAt time.Time // when this process learned that the file grows no more
	failing  bool      // the last attempt has failed, and that was logged
}

func newShipper(o *output, id string) *shipper {
	return &shipper{
		output: o, id: id, log: o.log.With("container", id),
		wakeUp: make(chan struct{}, 1), finished: make(chan struct{}),
	}
}

// seal says that the file grows no more.
func (s *shipper) seal() {
	s.whole.Store(true)
	wake(s.wakeUp)
}

// run ships until the file is sealed and delivered, or ctx ends.
func (s *shipper) run(ctx context.Context) {
	if p := s.cursor.Target.MultilineStart; p != "" {
		start, err := regexp.Compile(p)
		if err != nil {
			s.log.Error("lines are not joined: bad pattern", "pattern", p, "err", err)
		}
		s.lines.start = start
	}
	s.rewind()
	defer s.hangUp()
	for ctx.Err() == nil {
		done, err := s.ship(ctx)
		if err != nil && ctx.Err() == nil {
			s.failed(ctx, err)
		}
		if done {
			close(s.finished)
			return
		}
	}
	if s.file != nil {
		s.file.Close()
	}
}

// failed waits a moment, and begins again. A log router that does not answer is logged
// once.
func (s *shipper) failed(ctx context.Context, err error) {
	again := retryAfter
	if s.cursor.Route != nil {
		again = routeAgain
	}
	if !s.failing {
		s.log.Warn("shipping output", "err", err)
		s.failing = s.cursor.Route != nil
	}
	pause(ctx, again)
	s.rewind()
}

// rewind begins again where the control plane is.
func (s *shipper) rewind() {
	s.read = s.cursor.Delivered
	s.lines = splitter{start: s.lines.start, at: s.read}
	s.pending, s.times, s.bytes = nil, nil, 0
}

// ship waits for output, gathers a batch and delivers it. It reports whether
// that was the last.
func (s *shipper) ship(ctx context.Context) (done bool, err error) {
	sealed := s.cursor.Sealed // before reading, so that nothing comes after the end
	if s.whole.Load() && !sealed {
		sealed, s.cursor.Sealed = true, true
		if err := s.save(); err != nil {
			return false, err
		}
	}
	if sealed && s.sealedAt.IsZero() {
		s.sealedAt = time.Now()
	}
	if s.hopeless() && !s.cursor.Dropped {
		return false, s.giveUp()
	}
	if s.cursor.Dropped {
		return s.discard(ctx, sealed)
	}
	end, err := s.fill()
	if err != nil {
		return false, err
	}
	switch {
	case end && sealed:
		s.add(s.lines.flush(true))
		if len(s.pending) > 0 {
			return false, s.deliver(ctx)
		}
		return true, s.remove()
	case len(s.pending) > 0:
		return false, s.deliver(ctx)
	}
	s.await(ctx, s.lines.holding())
	return false, nil
}

// await returns when the file has grown, and a moment later so that a batch
// gathers more than one line. What an event holds back too long is let go.
func (s *shipper) await(ctx context.Context, holding bool) {
	var late <-chan time.Time
	if holding {
		late = time.After(holdLines)
	}
	select {
	case <-ctx.Done():
	case <-s.wakeUp:
		s.collect(ctx)
	case <-late:
		s.add(s.lines.flush(false))
	}
}

// collect waits for more output to come, unless there will be none.
func (s *shipper) collect(ctx context.Context) {
	enough := time.After(collectFor)
	for !s.whole.Load() {
		select {
		case <-ctx.Done():
			return
		case <-enough:
			return
		case <-s.wakeUp:
		}
	}
}

// fill reads until a batch is full or the file ends.
func (s *shipper) fill() (end bool, err error) {
	if err := s.open(); err != nil {
		return false, err
	}
	buf := make([]byte, 64<<10)
	for len(s.pending) < maxBatchEvents && s.bytes < maxBatchBytes {
		n, err := s.file.ReadAt(buf, s.read)
		s.read += int64(n)
		s.add(s.lines.write(buf[:n]))
		if errors.Is(err, io.EOF) {
			return true, nil
		}
		if err != nil {
			return false, err
		}
	}
	return false, nil
}

func (s *shipper) open() (err error) {
	if s.file == nil {
		s.file, err = os.OpenFile(s.output.path(s.id), os.O_RDWR|os.O_CREATE, 0o600)
	}
	return err
}

// add makes events pending, stamped with the time of reading, or with their own.
func (s *shipper) add(events []line) {
	for _, e := range events {
		now := time.Now().UnixMilli()
		if s.cursor.Records {
			now, e.message = stamped(e.message)
		}
		s.pending = append(s.pending, e)
		s.times = append(s.times, now)
		s.bytes += len(e.message) + eventOverhead
	}
}

// deliver sends as much of what is pending as fits one batch.
func (s *shipper) deliver(ctx context.Context) error {
	n := s.fit()
	batch := desired.LogBatch{
		Target: s.cursor.Target, Source: s.id,
		From: s.cursor.Delivered, To: s.pending[n-1].end,
		Events: make([]desired.LogEvent, n),
	}
	for i, e := range s.pending[:n] {
		batch.Events[i] = desired.LogEvent{Timestamp: s.times[i], Message: e.message}
		s.bytes -= len(e.message) + eventOverhead
	}
	if s.cursor.Route != nil {
		to, err := s.send(ctx, batch)
		if err != nil {
			return err
		}
		s.failing = false
		s.pending, s.times = s.pending[n:], s.times[n:]
		return s.delivered(batch, to)
	}
	to, err := s.output.link.AppendLogs(ctx, batch)
	if errdefs.IsNotFound(err) && s.cursor.Records && !s.unopened.Load() {
		s.rewind()
		return s.output.link.OpenLog(ctx, batch.Target)
	}
	if errdefs.IsNotFound(err) {
		s.log.Warn("output is dropped: its log group or stream was deleted", "group", batch.Target.Group, "stream", batch.Target.Stream)
		s.cursor.Dropped = true
		return s.save()
	}
	if err != nil {
		return err
	}
	s.pending, s.times = s.pending[n:], s.times[n:]
	return s.delivered(batch, to)
}

// fit is how many pending events go into one batch.
func (s *shipper) fit() int {
	size, n := 0, 0
	for n < len(s.pending) && n < maxBatchEvents {
		if size += len(s.pending[n].message) + eventOverhead; size > maxBatchBytes {
			break
		}
		n++
	}
	return n
}

// delivered takes in where the control plane is after a batch. It may be ahead
// of what we kept, when a crash came between.
func (s *shipper) delivered(b desired.LogBatch, to int64) error {
	if to <= b.From {
		return errors.New("the control plane did not take the batch")
	}
	s.cursor.Delivered = to
	if to != b.To {
		s.rewind()
	}
	if err := s.save(); err != nil {
		return err
	}
	return s.punch()
}

// punch gives the room of delivered output back. Source: fallocate(2).
func (s *shipper) punch() error {
	if s.cursor.Delivered-s.punched < punchStep {
		return nil
	}
	err := unix.Fallocate(int(s.file.Fd()), unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE, s.punched, s.cursor.Delivered-s.punched)
	s.punched = s.cursor.Delivered
	if errors.Is(err, unix.EOPNOTSUPP) {
		return nil // this filesystem cannot; the file goes with its container
	}
	return err
}

// discard lets output pass that has nowhere to go.
func (s *shipper) discard(ctx context.Context, sealed bool) (done bool, err error) {
	if sealed {
		return true, s.remove()
	}
	if err := s.open(); err != nil {
		return false, err
	}
	info, err := s.file.Stat()
	if err != nil {
		return false, err
	}
	s.cursor.Delivered = info.Size()
	if err := s.punch(); err != nil {
		return false, err
	}
	s.await(ctx, false)
	return false, nil
}

// remove takes the file away, and last what says that there was one.
func (s *shipper) remove() error {
	if s.file != nil {
		s.file.Close()
	}
	for _, path := range []string{s.cursorPath() + spare, s.output.path(s.id), s.cursorPath()} {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

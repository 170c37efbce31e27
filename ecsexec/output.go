package ecsexec

import (
	"bytes"
	"errors"
	"io"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// output is one stream of what a command writes, on its way from the runtime to the
// session. A runtime that would copy it lets the session read at its source (io.Copy
// does so by ReadFrom): each further copy costs more than all that the session does.
type output struct {
	source chan io.Reader // gets one value: where the session reads
	from   io.Reader      // of the session, which has taken it from there
	read   chan struct{}  // closed when the session reads no more
	end    sync.Once
	piped  sync.Once
	r      *io.PipeReader // what the runtime writes, if it does
	w      *io.PipeWriter
}

func newOutput() *output {
	o := &output{source: make(chan io.Reader, 1), read: make(chan struct{})}
	o.r, o.w = io.Pipe()
	return o
}

// sourceSize is how much a command may write before the session reads, in bytes, if the
// source is a pipe of the kernel: enough for the session to read large pieces.
const sourceSize = 1 << 20

// firstSize is how much is read before the session takes over, in bytes.
const firstSize = 4 << 10

// ReadFrom implements [io.ReaderFrom]. It returns when the session has read all, or has
// ended. A session takes over when there is output: that of a command that was never begun
// has no session, and an end.
func (o *output) ReadFrom(r io.Reader) (int64, error) {
	if pipe, ok := r.(syscall.Conn); ok {
		if raw, err := pipe.SyscallConn(); err == nil {
			_ = raw.Control(func(fd uintptr) { _, _ = unix.FcntlInt(fd, unix.F_SETPIPE_SZ, sourceSize) }) // or it stays small
		}
	}
	first := make([]byte, firstSize)
	n, err := r.Read(first)
	if n == 0 {
		if errors.Is(err, io.EOF) {
			err = nil
		}
		return 0, err
	}
	counting := &countingReader{Reader: r, n: int64(n)}
	o.piped.Do(func() { o.source <- io.MultiReader(bytes.NewReader(first[:n]), counting) })
	<-o.read
	return counting.n, nil
}

// Write implements [io.Writer].
func (o *output) Write(p []byte) (int, error) {
	o.piped.Do(func() { o.source <- o.r })
	return o.w.Write(p)
}

// written says that the runtime is done.
func (o *output) written() {
	o.piped.Do(func() { o.source <- o.r })
	o.w.Close()
}

// Read implements [io.Reader].
func (o *output) Read(p []byte) (int, error) {
	if o.from == nil {
		select {
		case o.from = <-o.source:
		case <-o.read:
			return 0, io.EOF
		}
	}
	n, err := o.from.Read(p)
	if err != nil {
		o.Close()
	}
	return n, err
}

// Close says that the session reads no more.
func (o *output) Close() error {
	o.end.Do(func() { close(o.read) })
	return o.r.Close()
}

// countingReader counts what was read.
type countingReader struct {
	io.Reader
	n int64
}

func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.n += int64(n)
	return n, err
}

package balancer

import (
	"errors"
	"io"
	"net"
	"os"
	"sync/atomic"
	"syscall"
	"unsafe"
)

// quickConn is a connection of TCP whose reads and writes do not tell the
// scheduler that they might block, because on sockets that do not block they
// never do. It spares about a quarter of the processor's time of a small request
// (14 rounds in random order, median). At most one goroutine reads, and at most
// one writes.
type quickConn struct {
	*net.TCPConn
	raw syscall.RawConn

	// of the read or write under way
	in, out           []byte
	read              int
	readErr, writeErr syscall.Errno

	question []byte // see ask
	asked    bool
	unasked  bool

	readSome, writeSome, askSome func(fd uintptr) bool // made once

	// see each
	serving atomic.Bool // each is under way
	held    bool
	fd      uintptr
	drained bool
	message *inquiry
}

// quicken gives a quickConn for a connection that can be one.
func quicken(c net.Conn) net.Conn {
	tcp, ok := c.(*net.TCPConn)
	if !ok {
		return c
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return c
	}
	q := &quickConn{TCPConn: tcp, raw: raw}
	q.readSome, q.writeSome, q.askSome = q.tryRead, q.tryWrite, q.tryAsk
	return q
}

// tryRead reads into in what is there, and reports whether that was something.
func (q *quickConn) tryRead(fd uintptr) bool {
	for {
		n, _, errno := syscall.RawSyscall6(syscall.SYS_RECVFROM, fd, uintptr(unsafe.Pointer(unsafe.SliceData(q.in))), uintptr(len(q.in)), 0, 0, 0)
		switch errno {
		case 0:
			q.read, q.readErr = int(n), 0
			return true
		case syscall.EAGAIN:
			return false
		case syscall.EINTR:
		default:
			q.read, q.readErr = 0, errno
			return true
		}
	}
}

// tryWrite writes of out what there is room for, and reports whether it is over.
func (q *quickConn) tryWrite(fd uintptr) bool {
	for len(q.out) > 0 {
		n, _, errno := syscall.RawSyscall6(syscall.SYS_SENDTO, fd, uintptr(unsafe.Pointer(unsafe.SliceData(q.out))), uintptr(len(q.out)), syscall.MSG_NOSIGNAL, 0, 0)
		switch errno {
		case 0:
			q.out = q.out[n:]
		case syscall.EAGAIN:
			return false
		case syscall.EINTR:
		default:
			q.writeErr = errno
			return true
		}
	}
	return true
}

// Read reads what is there, and waits while that is nothing.
func (q *quickConn) Read(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	q.in = b
	var err error
	switch {
	case q.held:
		err = q.readHeld()
	case q.question != nil:
		err = q.ask()
	default:
		err = q.raw.Read(q.readSome)
	}
	q.in = nil
	switch {
	case err != nil:
		return 0, err
	case q.readErr != 0:
		return 0, os.NewSyscallError("read", q.readErr)
	case q.read == 0:
		return 0, io.EOF
	}
	return q.read, nil
}

// Write writes all.
func (q *quickConn) Write(b []byte) (int, error) {
	q.out = b
	err := q.writeOut()
	n := len(b) - len(q.out)
	q.out = nil
	return n, err
}

func (q *quickConn) writeOut() error {
	q.writeErr = 0
	if !q.held || !q.tryWrite(q.fd) {
		if err := q.raw.Write(q.writeSome); err != nil {
			return err
		}
	}
	if q.writeErr != 0 {
		return os.NewSyscallError("write", q.writeErr)
	}
	return nil
}

// errNotYet is what a read gives within each when there is nothing to be read.
var errNotYet = errors.New("nothing to be read yet")

// each calls step whenever there may be something to be read, until step is
// done. Within step a read does not wait but gives errNotYet, and nothing is
// read only to find out that nothing is there: the network's poller, which is
// asked once and not for each read, tells of all that comes after a read that
// left nothing.
func (q *quickConn) each(step func() (done bool)) error {
	if q.message == nil {
		q.message = q.inquire()
	}
	q.serving.Store(true)
	defer func() {
		q.held = false
		q.serving.Store(false)
	}()
	return q.raw.Read(func(fd uintptr) bool {
		q.held, q.fd, q.drained = true, fd, false
		return step()
	})
}

// Close closes the connection. While each is under way, for whose end it would
// wait, it ends both directions instead, and whoever called each closes.
func (q *quickConn) Close() error {
	if !q.serving.Load() {
		return q.TCPConn.Close()
	}
	return errors.Join(q.SetDeadline(aLongTimeAgo), q.CloseRead(), q.CloseWrite())
}

func (q *quickConn) readHeld() error {
	if q.drained {
		return errNotYet
	}
	for {
		n, errno := q.message.read(q.fd, q.in)
		switch errno {
		case 0:
			q.read, q.readErr = n, 0
			q.drained = q.message.nothingLeft()
			return nil
		case syscall.EAGAIN:
			q.drained = true
			return errNotYet
		case syscall.EINTR:
		default:
			q.read, q.readErr = 0, errno
			return nil
		}
	}
}

// errUnasked says that a target said something before it was asked, if only
// that it has ended. It was not asked then.
var errUnasked = errors.New("target spoke unasked")

// later has the next read write the question first, which costs less than one
// after the other and finds out whether the other side is still there. The
// question is not to be changed meanwhile.
func (q *quickConn) later(question []byte) { q.question = question }

func (q *quickConn) ask() error {
	q.out, q.asked, q.unasked, q.writeErr = q.question, false, false, 0
	err := q.raw.Read(q.askSome)
	if !q.asked && !q.unasked && err != nil {
		return err // not even tried: it may be asked again
	}
	q.question = nil
	switch {
	case q.unasked:
		return errUnasked
	case err == nil && !q.asked: // there was not room for all
		if err = q.writeOut(); err == nil {
			err = q.raw.Read(q.readSome)
		}
	case err == nil && q.writeErr != 0:
		err = os.NewSyscallError("write", q.writeErr)
	}
	q.out = nil
	return err
}

// tryAsk is done when there is an answer, or why there is none.
func (q *quickConn) tryAsk(fd uintptr) bool {
	if q.asked {
		return q.tryRead(fd)
	}
	if q.unasked = q.tryRead(fd); q.unasked {
		return true
	}
	q.asked = q.tryWrite(fd)
	return !q.asked || q.writeErr != 0
}

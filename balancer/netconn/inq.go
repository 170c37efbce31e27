package netconn

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// inqReader reads from a socket of TCP and is told how much is left, the end
// included (TCP_INQ). A read that found less than it had room for does not tell: the end
// may have come with it.
type inqReader struct {
	header  syscall.Msghdr
	vector  syscall.Iovec
	control struct {
		syscall.Cmsghdr
		left int32
		_    int32
	}
}

// newInqReader has the kernel tell how much is left after each read.
func (q *NonBlocking) newInqReader() *inqReader {
	i := &inqReader{}
	i.header.Iov, i.header.Iovlen = &i.vector, 1
	i.header.Control = (*byte)(unsafe.Pointer(&i.control))
	// Where that is not offered, nothing is told, and reads go on until one finds
	// nothing.
	_ = q.raw.Control(func(fd uintptr) { _ = syscall.SetsockoptInt(int(fd), unix.SOL_TCP, unix.TCP_INQ, 1) })
	return i
}

func (i *inqReader) read(fd uintptr, b []byte) (int, syscall.Errno) {
	i.vector.Base, i.vector.Len = unsafe.SliceData(b), uint64(len(b))
	i.control.Len, i.header.Controllen = 0, uint64(unsafe.Sizeof(i.control))
	n, _, errno := syscall.RawSyscall(syscall.SYS_RECVMSG, fd, uintptr(unsafe.Pointer(&i.header)), 0)
	i.vector.Base = nil
	return int(n), errno
}

// empty reports whether the last read is known to have left nothing.
// Source: tcp_inq_hint in linux/net/ipv4/tcp.c, which counts the end as a byte.
func (i *inqReader) empty() bool {
	return i.control.Len != 0 && i.control.Level == unix.SOL_TCP && i.control.Type == unix.TCP_CM_INQ && i.control.left == 0
}

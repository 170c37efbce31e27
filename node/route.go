package node

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"github.com/fluent/fluent-logger-golang/fluent"
	"golang.org/x/sys/unix"

	"fargo/desired"
)

// route is how output gets to the log router of its task, by the protocol of Fluentd.
// Source: github.com/fluent/fluentd, "Forward Protocol Specification v1".
type route struct {
	Socket        string `json:"socket"`
	Tag           string `json:"tag"`
	ContainerID   string `json:"containerId"`
	ContainerName string `json:"containerName"`
	Source        string `json:"source"` // "stdout", "stderr"
}

// routeAgain is how long after a failure a log router is tried again: it listens soon
// after it has started.
const routeAgain = 100 * time.Millisecond

// messages encodes events, each in a message of its own, as Docker's driver does.
func (r *route) messages(events []desired.LogEvent) (encoded []byte, err error) {
	for _, e := range events {
		m := fluent.MessageExt{
			Tag: r.Tag, Time: fluent.EventTime(time.UnixMilli(e.Timestamp)),
			Record: map[string]string{
				"log": e.Message, "source": r.Source, "container_id": r.ContainerID, "container_name": r.ContainerName,
			},
		}
		if encoded, err = m.MarshalMsg(encoded); err != nil {
			return nil, err
		}
	}
	return encoded, nil
}

// dial connects to the log router. The directory of its socket is the router's own: what
// is there might be a link to a socket of the machine's, and is opened without following
// one.
func (r *route) dial() (net.Conn, error) {
	fd, err := unix.Open(r.Socket, unix.O_PATH|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: r.Socket, Err: err}
	}
	defer unix.Close(fd)
	var info unix.Stat_t
	if err := unix.Fstat(fd, &info); err != nil {
		return nil, err
	}
	if info.Mode&unix.S_IFMT != unix.S_IFSOCK {
		return nil, fmt.Errorf("%s is no socket", r.Socket)
	}
	return net.Dial("unix", fmt.Sprintf("/proc/self/fd/%d", fd)) // which has no limit of its length either
}

// send gives a batch to the log router. It waits for as long as the router does, but not
// for ever when the container has ended.
func (s *shipper) send(ctx context.Context, b desired.LogBatch) (to int64, err error) {
	encoded, err := s.cursor.Route.messages(b.Events)
	if err != nil {
		return 0, err
	}
	if s.router == nil {
		if s.router, err = s.cursor.Route.dial(); err != nil {
			return 0, err
		}
	}
	for len(encoded) > 0 {
		n, err := s.write(encoded)
		encoded = encoded[n:]
		if err != nil && (!errors.Is(err, os.ErrDeadlineExceeded) || ctx.Err() != nil || s.hopeless()) {
			s.hangUp()
			return 0, err
		}
	}
	return b.To, nil
}

// write writes what the log router takes within a moment.
func (s *shipper) write(p []byte) (n int, err error) {
	if err := s.router.SetWriteDeadline(time.Now().Add(retryAfter)); err != nil {
		return 0, err
	}
	return s.router.Write(p)
}

func (s *shipper) hangUp() {
	if s.router != nil {
		s.router.Close()
		s.router = nil
	}
}

// hopeless reports whether a log router had its time after the container's end: it ends
// with the task, and nobody else wants the output.
func (s *shipper) hopeless() bool {
	return s.cursor.Route != nil && !s.sealedAt.IsZero() && time.Since(s.sealedAt) > s.output.routerTimeout
}

// giveUp drops output that has no log router any more.
func (s *shipper) giveUp() error {
	s.log.Warn("output is dropped: its log router is gone")
	s.cursor.Dropped = true
	return s.save()
}

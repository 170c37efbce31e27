package balancer

import (
	"io"
	"net"
	"testing"
	"time"
)

// interrupted calls a function when reads are ended.
type interrupted struct {
	net.Conn
	called func()
}

func (c *interrupted) SetReadDeadline(at time.Time) error {
	if at.Equal(aLongTimeAgo) {
		c.called()
	}
	return c.Conn.SetReadDeadline(at)
}

// An answer may have come before the one who sends the body says that it is on
// its way. The client's connection is then as good as before.
func TestBodySentLate(t *testing.T) {
	near, far := net.Pipe()
	t.Cleanup(func() { near.Close(); far.Close() })
	sending := make(chan sent, 1)
	c := &client{}
	c.Conn, c.idle = &interrupted{near, func() { sending <- sent{} }}, time.Minute
	up := &upstream{}
	up.Conn, _ = net.Pipe()
	t.Cleanup(func() { up.Conn.Close() })
	p := &passage{asker: c, up: up, sending: sending}
	if s := p.stopSending(); s.err != nil {
		t.Fatal(s.err)
	}
	go io.WriteString(far, "next")
	next := make([]byte, 4)
	if _, err := io.ReadFull(c, next); err != nil || string(next) != "next" {
		t.Errorf("%q %v", next, err)
	}
}

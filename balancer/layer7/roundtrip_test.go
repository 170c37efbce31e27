package layer7

import (
	"io"
	"net"
	"testing"
	"time"

	"fargo/balancer/netconn"
	"fargo/balancer/upstream"
)

// interrupted calls a function when reads are ended.
type interrupted struct {
	net.Conn
	called func()
}

func (c *interrupted) SetReadDeadline(at time.Time) error {
	if at.Equal(netconn.Past) {
		c.called()
	}
	return c.Conn.SetReadDeadline(at)
}

// An answer may have come before the one who sends the body says that it is on
// its way. The client's connection is then as good as before.
func TestBodySentLate(t *testing.T) {
	near, far := net.Pipe()
	t.Cleanup(func() { near.Close(); far.Close() })
	bodySent := make(chan sendResult, 1)
	c := &client{}
	c.Conn, c.Idle = &interrupted{near, func() { bodySent <- sendResult{} }}, time.Minute
	up := &upstream.Conn{}
	up.Conn, _ = net.Pipe()
	t.Cleanup(func() { up.Conn.Close() })
	p := &roundTrip{downstream: c, up: up, bodySent: bodySent}
	if s := p.stopSending(); s.err != nil {
		t.Fatal(s.err)
	}
	go io.WriteString(far, "next")
	next := make([]byte, 4)
	if _, err := io.ReadFull(c, next); err != nil || string(next) != "next" {
		t.Errorf("%q %v", next, err)
	}
}

package netconn

import (
	"bytes"
	"errors"
	"io"
	"net"
	"testing"
	"time"
)

// pair gives a NonBlocking connection and its other end.
func pair(t *testing.T) (*NonBlocking, *net.TCPConn) {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	here, err := net.Dial("tcp4", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	there, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		here.Close()
		there.Close()
	})
	limit := time.Now().Add(20 * time.Second)
	here.SetDeadline(limit)
	there.SetDeadline(limit)
	return NonBlock(here).(*NonBlocking), there.(*net.TCPConn)
}

// A request that does not fit into the socket at once is written in full before
// the answer is read.
func TestWriteBeforeRead(t *testing.T) {
	for _, size := range []int{1, 8 << 20} {
		q, peer := pair(t)
		request := bytes.Repeat([]byte("q"), size)
		go func() {
			got := make([]byte, size)
			if _, err := io.ReadFull(peer, got); err == nil && bytes.Equal(got, request) {
				io.WriteString(peer, "answer")
			}
			peer.Close()
		}()
		q.WriteBeforeRead(request)
		if answer, err := io.ReadAll(q); err != nil || string(answer) != "answer" {
			t.Errorf("%d bytes: %q %v", size, answer, err)
		}
	}
}

// A connection on which something came before the request gets none.
func TestUnsolicited(t *testing.T) {
	for name, speak := range map[string]func(*net.TCPConn){
		"end":   func(c *net.TCPConn) { c.CloseWrite() },
		"text":  func(c *net.TCPConn) { io.WriteString(c, "HTTP/1.1 408 Request Timeout\r\n\r\n") },
		"reset": func(c *net.TCPConn) { c.SetLinger(0); c.Close() },
	} {
		q, peer := pair(t)
		speak(peer)
		// The other end is another socket: wait until it has come.
		if err := q.raw.Read(func(uintptr) bool { return peek(q) != peerSilent }); err != nil {
			t.Fatal(err)
		}
		q.WriteBeforeRead([]byte("request"))
		if n, err := q.Read(make([]byte, 100)); n != 0 || !errors.Is(err, ErrUnsolicited) {
			t.Errorf("%s: %d %v", name, n, err)
		}
		q.Close()
		if name == "reset" {
			continue
		}
		if got, _ := io.ReadAll(peer); len(got) > 0 {
			t.Errorf("%s: it was sent %q", name, got)
		}
	}
}

// OnReadable calls for all that comes, though nothing is read in vain.
func TestOnReadable(t *testing.T) {
	q, peer := pair(t)
	const messages = 100
	go func() {
		echo := make([]byte, 1)
		for i := range messages {
			peer.Write([]byte{byte(i)})
			if i%2 == 0 { // every other one comes alone
				io.ReadFull(peer, echo)
			}
		}
		peer.CloseWrite()
	}()
	var got []byte
	var ended error
	err := q.OnReadable(func() bool {
		var b [10]byte
		for {
			n, err := q.Read(b[:])
			if errors.Is(err, ErrWouldBlock) {
				return false
			}
			if err != nil {
				ended = err
				return true
			}
			for _, m := range b[:n] {
				got = append(got, m)
				if m%2 == 0 {
					q.Write([]byte{m})
				}
			}
		}
	})
	if err != nil || !errors.Is(ended, io.EOF) || len(got) != messages {
		t.Errorf("%d messages, %v, %v", len(got), ended, err)
	}
}

// Close does not wait for a step, which may be long.
func TestCloseDuringOnReadable(t *testing.T) {
	q, peer := pair(t)
	stepping, closed := make(chan struct{}), make(chan struct{})
	go func() {
		<-stepping
		q.Close()
		close(closed)
	}()
	io.WriteString(peer, "request")
	err := q.OnReadable(func() bool {
		if _, err := q.Read(make([]byte, 100)); err != nil {
			return true
		}
		close(stepping)
		<-closed
		return false
	})
	if !IsTimeout(err) {
		t.Errorf("OnReadable ended with %v", err)
	}
	if _, err := peer.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("the other end read %v", err)
	}
	if q.Close(); peek(q) != peerClosed {
		t.Error("it is still open")
	}
}

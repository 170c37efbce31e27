package netconn

import (
	"bytes"
	"io"
	"testing"
	"time"
)

// stop ends a write that waits, and those that follow until there is a restart.
func TestStopWriting(t *testing.T) {
	plain, peer := pair(t)
	c := &Timed{Conn: plain, Idle: time.Hour}
	ended := make(chan error)
	go func() {
		_, err := c.Write(make([]byte, 64<<20)) // more than fits between them
		ended <- err
	}()
	if _, err := io.ReadFull(peer, make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	c.StopWrites()
	if err := <-ended; !IsTimeout(err) {
		t.Errorf("the write that waited: %v", err)
	}
	if _, err := c.Write([]byte("x")); !IsTimeout(err) {
		t.Errorf("one that followed: %v", err)
	}
	c.RestartWrites()
	go func() {
		_, err := c.Write([]byte("end"))
		c.Close()
		ended <- err
	}()
	got, err := io.ReadAll(peer)
	if !bytes.HasSuffix(got, []byte("\x00end")) || err != nil {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	if err := <-ended; err != nil {
		t.Errorf("one after the restart: %v", err)
	}
}

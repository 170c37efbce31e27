package session

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestRetransmission has what is sent when, in milliseconds, of three messages of which
// the second is acknowledged after 40.
func TestRetransmission(t *testing.T) {
	for name, test := range map[string]struct {
		silent    bool
		reconnect time.Duration // after what time there is another connection
		want      string
	}{
		// The mean and the variation of the round trip are 92 and 15 by then, so that the
		// timeout is 152, doubled until it is a second.
		"one connection": {want: "0:0 0:1 0:2 153:0 458:0 1068:0 2068:0 3068:0 4068:0"},
		"another":        {reconnect: 1500 * time.Millisecond, want: "0:0 0:1 0:2 153:0 458:0 1068:0 1500:0 1500:2 1653:0 1958:0 2568:0 3568:0 4568:0"},
		// For want of any acknowledgement it takes both messages for had.
		"another, silent": {silent: true, reconnect: 1500 * time.Millisecond, want: "0:0 0:1 0:2 153:0 458:0 1068:0 1500:0 1500:2 1653:0 1958:0 2568:0"},
	} {
		s := sender{silent: test.silent}
		for i := range 3 {
			s.add([]byte(fmt.Sprint(i)))
		}
		var got []string
		start := time.Unix(0, 0)
		for ms := range 5000 {
			now := start.Add(time.Duration(ms) * time.Millisecond)
			if ms == 40 {
				s.acknowledge(1, now)
			}
			if test.reconnect != 0 && now.Sub(start) == test.reconnect {
				s.reconnect()
			}
			for frame, _ := s.due(now); frame != nil; frame, _ = s.due(now) {
				got = append(got, fmt.Sprintf("%d:%s", ms, frame))
			}
		}
		if got := fmt.Sprint(got); got != "["+test.want+"]" {
			t.Errorf("%s: %s\nwant [%s]", name, got, test.want)
		}
	}
}

// TestSilentEnd takes what an end that is silent has had before for acknowledged, when
// it acknowledges what came after.
func TestSilentEnd(t *testing.T) {
	s := sender{silent: true}
	now := time.Unix(0, 0)
	for i := range 4 {
		s.add([]byte(fmt.Sprint(i)))
		if i < 3 {
			_, _ = s.due(now)
		}
	}
	s.reconnect() // 0 and 1 came, 2 was lost
	for range 4 {
		_, _ = s.due(now)
	}
	s.acknowledge(2, now)
	if s.first != 3 || s.bytes != 1 {
		t.Errorf("it keeps %d bytes from message %d on", s.bytes, s.first)
	}
}

func TestWindow(t *testing.T) {
	s := sender{}
	for s.room() {
		s.add(make([]byte, chunk))
	}
	if s.bytes < window || s.bytes >= window+chunk {
		t.Errorf("%d bytes fill the window", s.bytes)
	}
	_, _ = s.due(time.Unix(0, 0))
	s.acknowledge(1, time.Unix(0, 0)) // which was not sent
	if s.room() {
		t.Error("there is room")
	}
	s.acknowledge(0, time.Unix(0, 0))
	if !s.room() || s.first != 1 {
		t.Error("there is no room")
	}
}

// TestReceiverOrders gives a receiver messages in any order, repeated, until all are
// used: each is, once, in order, and each is acknowledged before it or with it.
func TestReceiverOrders(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const n = 20
		var r receiver
		acknowledged := map[int64]bool{}
		var used []int64
		for len(used) < n {
			sequence := rapid.Int64Range(0, n-1).Draw(t, "sequence")
			size := rapid.IntRange(0, promptBytes/4).Draw(t, "size")
			if r.accept(message{sequence: sequence, content: make([]byte, size)}) {
				acknowledged[sequence] = true
			}
			if rapid.Bool().Draw(t, "held up") {
				continue
			}
			for m, ack, ok := r.take(); ok; m, ack, ok = r.take() {
				if ack == acknowledged[m.sequence] {
					t.Fatalf("message %d is to be acknowledged now: %t, and was before: %t", m.sequence, ack, !ack)
				}
				acknowledged[m.sequence] = true
				used = append(used, m.sequence)
			}
		}
		if !slices.IsSorted(used) || used[0] != 0 || len(used) != n || r.bytes != 0 {
			t.Errorf("used: %v; %d bytes are left", used, r.bytes)
		}
	})
}

// TestReceiverIsBounded keeps no more than it should, and always what is next.
func TestReceiverIsBounded(t *testing.T) {
	var r receiver
	const size = 100_000
	for sequence := int64(1); sequence < 1000; sequence++ {
		r.accept(message{sequence: sequence, content: make([]byte, size)})
	}
	r.accept(message{sequence: maxReceived, content: []byte("x")})
	if r.bytes > maxReceivedBytes || r.bytes < maxReceivedBytes-size || len(r.early) > maxReceived {
		t.Errorf("it keeps %d bytes, %d messages", r.bytes, len(r.early))
	}
	r.accept(message{sequence: 0, content: make([]byte, size)})
	if m, _, ok := r.take(); !ok || m.sequence != 0 {
		t.Error("the next is not kept")
	}
}

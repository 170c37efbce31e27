package protocol_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"net/http"
	"net/http/httptest"
	"testing"

	"fargo/aws/protocol"
)

// live answers with events.
type live struct {
	Session *string      `aws:"session"`
	Events  <-chan event `aws:"events,stream"`
}

type event struct {
	Said *part           `aws:"said"`
	Over *protocol.Error `aws:"Over,exception"`
}

// message is one decoded message of an event stream.
type message struct {
	headers map[string]string
	payload string
}

// readMessage decodes the first message of b as a client does, and gives the
// rest of b.
func readMessage(b []byte) (m message, rest []byte, err error) {
	bad := errors.New("malformed message")
	if len(b) < 16 {
		return m, nil, bad
	}
	size, headers := binary.BigEndian.Uint32(b), binary.BigEndian.Uint32(b[4:])
	if size < 16 || uint64(size) > uint64(len(b)) || headers > size-16 || crc32.ChecksumIEEE(b[:8]) != binary.BigEndian.Uint32(b[8:]) ||
		crc32.ChecksumIEEE(b[:size-4]) != binary.BigEndian.Uint32(b[size-4:]) {
		return m, nil, bad
	}
	m = message{map[string]string{}, string(b[12+headers : size-4])}
	for h := b[12 : 12+headers]; len(h) > 0; {
		n := int(h[0])
		if len(h) < n+4 || h[n+1] != 7 {
			return m, nil, bad
		}
		length := int(binary.BigEndian.Uint16(h[n+2:]))
		if len(h) < n+4+length {
			return m, nil, bad
		}
		m.headers[string(h[1:n+1])] = string(h[n+4 : n+4+length])
		h = h[n+4+length:]
	}
	return m, b[size:], nil
}

func TestEventStream(t *testing.T) {
	events := make(chan event, 3)
	events <- event{Said: &part{Key: new("hello")}}
	events <- event{Over: protocol.Errorf("Over", "too long")}
	close(events)
	a := &protocol.Answer{Header: http.Header{}}
	if err := protocol.For("json").Encode(request(""), &live{Session: new("s"), Events: events}, a); err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	w.Write(a.Body)
	if err := a.Events(context.Background(), w); err != nil {
		t.Fatal(err)
	}
	b := w.Body.Bytes()
	for _, want := range []message{
		{map[string]string{":message-type": "event", ":event-type": "initial-response"}, `{"session":"s"}`},
		{map[string]string{":message-type": "event", ":event-type": "said"}, `{"key":"hello"}`},
		{map[string]string{":message-type": "exception", ":exception-type": "Over"}, `{"message":"too long"}`},
	} {
		var m message
		var err error
		if m, b, err = readMessage(b); err != nil {
			t.Fatal(err)
		}
		want.headers[":content-type"] = "application/x-amz-json-1.1"
		for name, value := range want.headers {
			if m.headers[name] != value {
				t.Errorf("header %s is %q, want %q", name, m.headers[name], value)
			}
		}
		if m.payload != want.payload || len(m.headers) != len(want.headers) {
			t.Errorf("got %v, want %v", m, want)
		}
	}
	if len(b) > 0 {
		t.Errorf("%d bytes are left", len(b))
	}
}

func TestEventStreamEnds(t *testing.T) {
	encode := func(events <-chan event) *protocol.Answer {
		a := &protocol.Answer{Header: http.Header{}}
		if err := protocol.For("json").Encode(request(""), &live{Events: events}, a); err != nil {
			t.Fatal(err)
		}
		return a
	}
	ctx, leave := context.WithCancel(context.Background())
	leave()
	if err := encode(make(chan event)).Events(ctx, httptest.NewRecorder()); err != nil {
		t.Errorf("a client that left: %v", err)
	}
	if err := encode(nil).Events(context.Background(), httptest.NewRecorder()); err != nil {
		t.Errorf("no stream: %v", err)
	}
	empty := make(chan event, 1)
	empty <- event{}
	if err := encode(empty).Events(context.Background(), httptest.NewRecorder()); err == nil {
		t.Error("an event without a member is sent")
	}
}

// FuzzEvents: whatever an event says, a client can read it.
func FuzzEvents(f *testing.F) {
	f.Add("hello", "over")
	f.Add("", "\xff\x00\"")
	f.Fuzz(func(t *testing.T, key, failure string) {
		events := make(chan event, 2)
		events <- event{Said: &part{Key: &key}}
		events <- event{Over: protocol.Errorf("Over", "%s", failure)}
		close(events)
		a := &protocol.Answer{Header: http.Header{}}
		if err := protocol.For("json").Encode(request(""), &live{Session: &key, Events: events}, a); err != nil {
			t.Fatal(err)
		}
		w := httptest.NewRecorder()
		w.Write(a.Body)
		if err := a.Events(context.Background(), w); err != nil {
			t.Fatal(err)
		}
		for n, b := 0, bytes.Clone(w.Body.Bytes()); n < 3 || len(b) > 0; n++ {
			var m message
			var err error
			if m, b, err = readMessage(b); err != nil {
				t.Fatal(err)
			}
			decode(t, "json", m.payload, &part{})
		}
	})
}

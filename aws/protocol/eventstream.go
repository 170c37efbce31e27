package protocol

import (
	"context"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"net/http"
	"reflect"
)

// eventStream gives the member of an output that is an event stream, or nil.
func (s *shape) eventStream() *field {
	for i := range s.fields {
		if s.fields[i].shape.kind == kindStream {
			return &s.fields[i]
		}
	}
	return nil
}

// streamJSON answers with an event stream: the output's other members are the
// initial response, and then events follow until the channel is closed.
func streamJSON(r *Request, a *Answer, v reflect.Value, s *shape, f *field) error {
	initial, err := appendJSONStructure(nil, v, s, "")
	if err != nil {
		return err
	}
	payloadType := r.Service.jsonType()
	setHeader(a, "Content-Type", "application/vnd.amazon.eventstream")
	a.Body = appendEvent(a.Body, [][2]string{
		{":message-type", "event"}, {":event-type", "initial-response"}, {":content-type", payloadType},
	}, initial)
	a.Events = func(ctx context.Context, w http.ResponseWriter) error {
		return writeEvents(ctx, w, v.Field(f.index), f.shape.elem, payloadType)
	}
	return nil
}

// writeEvents sends events as they come, each at once. A client that has gone
// ends it without an error; an operation notices that by the same context.
func writeEvents(ctx context.Context, w http.ResponseWriter, events reflect.Value, union *shape, payloadType string) error {
	flusher := http.NewResponseController(w)
	if err := flusher.Flush(); err != nil {
		return err
	}
	if events.IsNil() {
		return nil
	}
	cases := []reflect.SelectCase{
		{Dir: reflect.SelectRecv, Chan: reflect.ValueOf(ctx.Done())},
		{Dir: reflect.SelectRecv, Chan: events},
	}
	for {
		which, event, open := reflect.Select(cases)
		if which == 0 || !open {
			return nil
		}
		frame, err := appendUnion(nil, addressable(event), union, payloadType)
		if err != nil {
			return err
		}
		if _, err := w.Write(frame); err != nil {
			return nil // the client has gone
		}
		if err := flusher.Flush(); err != nil {
			return nil
		}
	}
}

// appendUnion frames an event: a union structure with one member present.
func appendUnion(b []byte, v reflect.Value, union *shape, payloadType string) ([]byte, error) {
	v = deref(v)
	for i := range union.fields {
		f := &union.fields[i]
		fv := v.Field(f.index)
		if absent(fv) {
			continue
		}
		payload, err := appendJSON(nil, fv, f.shape, f.time)
		if err != nil {
			return b, fmt.Errorf("event %s: %w", f.name, err)
		}
		kind, name := "event", ":event-type"
		if f.exception {
			kind, name = "exception", ":exception-type"
		}
		return appendEvent(b, [][2]string{
			{":message-type", kind}, {name, f.name}, {":content-type", payloadType},
		}, payload), nil
	}
	return b, fmt.Errorf("an event of type %s has no member", union.typ.Name())
}

// headerString is the type of a header whose value is text.
const headerString = 7

// appendEvent appends one message of application/vnd.amazon.eventstream: its
// length, the headers' length and a checksum of the two, headers, payload, and a
// checksum of it all. Names and values of headers are short: ours are constants
// and members' names.
func appendEvent(b []byte, headers [][2]string, payload []byte) []byte {
	start := len(b)
	b = append(b, make([]byte, 12)...)
	for _, h := range headers {
		b = append(append(b, byte(len(h[0]))), h[0]...)
		b = binary.BigEndian.AppendUint16(append(b, headerString), uint16(len(h[1])))
		b = append(b, h[1]...)
	}
	size := len(b) - start - 12
	b = append(b, payload...)
	message := b[start:]
	binary.BigEndian.PutUint32(message[0:], uint32(len(message)+4))
	binary.BigEndian.PutUint32(message[4:], uint32(size))
	binary.BigEndian.PutUint32(message[8:], crc32.ChecksumIEEE(message[:8]))
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(message))
}

package session

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// example is a message as AWS's plugin writes it, byte for byte: the layout is that of
// src/message/clientmessage.go of github.com/aws/session-manager-plugin.
var example = strings.Join([]string{
	"00000074", // header length: 116
	hex.EncodeToString([]byte("input_stream_data               ")),
	"00000001",                         // schema version
	"0000019f3a5b7c00",                 // created
	"0000000000000007",                 // sequence number
	"0000000000000000",                 // flags
	"8899aabbccddeeff0011223344556677", // the id, its halves swapped
	"2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae", // SHA-256 of foo
	"00000001", // payload type: output
	"00000003", // payload length
	hex.EncodeToString([]byte("foo")),
}, "")

func exampleMessage() message {
	return message{
		kind: inputStreamData, created: time.UnixMilli(0x19f3a5b7c00), sequence: 7,
		id:      messageID{0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff},
		payload: payloadOutput, content: []byte("foo"),
	}
}

func exampleBytes(t testing.TB) []byte {
	t.Helper()
	b, err := hex.DecodeString(example)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestMessageLayout(t *testing.T) {
	m := exampleMessage()
	if got := hex.EncodeToString(m.encode()); got != example {
		t.Errorf("encoded:\n%s\nwant\n%s", got, example)
	}
	got, err := parseMessage(exampleBytes(t))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(m, got, cmp.AllowUnexported(message{})); diff != "" {
		t.Error(diff)
	}
	if got, want := got.id.String(), "00112233-4455-6677-8899-aabbccddeeff"; got != want {
		t.Errorf("the id is %s, want %s", got, want)
	}
}

func TestDamagedMessages(t *testing.T) {
	be := binary.BigEndian
	for name, test := range map[string]struct {
		damage func(b []byte) []byte
		want   error
	}{
		"nothing":                  {func(b []byte) []byte { return b }, nil},
		"no byte":                  {func([]byte) []byte { return nil }, errShort},
		"less than a header":       {func(b []byte) []byte { return b[:offsetPayload-1] }, errShort},
		"a byte too few":           {func(b []byte) []byte { return b[:len(b)-1] }, errShort},
		"a byte too many":          {func(b []byte) []byte { return append(b, 0) }, nil},
		"too long":                 {func(b []byte) []byte { return append(b, make([]byte, maxMessage)...) }, errLong},
		"header of no length":      {func(b []byte) []byte { be.PutUint32(b, 0); return b }, errHeader},
		"header beyond the end":    {func(b []byte) []byte { be.PutUint32(b, 1<<32-1); return b }, errShort},
		"payload beyond the end":   {func(b []byte) []byte { be.PutUint32(b[offsetPayloadLength:], 1<<32-1); return b }, errShort},
		"longer header":            {func(b []byte) []byte { be.PutUint32(b, headerLength+2); return slices.Insert(b, offsetPayload, 1, 2) }, nil},
		"no type":                  {func(b []byte) []byte { copy(b[offsetType:], bytes.Repeat([]byte{0}, 32)); return b }, errType},
		"no date":                  {func(b []byte) []byte { be.PutUint64(b[offsetCreated:], 0); return b }, errCreated},
		"negative sequence":        {func(b []byte) []byte { be.PutUint64(b[offsetSequence:], 1<<63); return b }, errSequence},
		"wrong digest":             {func(b []byte) []byte { b[offsetDigest] ^= 1; return b }, errDigest},
		"wrong payload":            {func(b []byte) []byte { b[offsetPayload] ^= 1; return b }, errDigest},
		"no payload, wrong digest": {func(b []byte) []byte { be.PutUint32(b[offsetPayloadLength:], 0); return b[:offsetPayload] }, nil},
		"only that it may publish": {func(b []byte) []byte { return publication(startPublication) }, nil},
		"only that it may not":     {func(b []byte) []byte { return publication(pausePublication) }, nil},
		"type padded with zero": {func(b []byte) []byte {
			copy(b[offsetType+len(inputStreamData):], bytes.Repeat([]byte{0}, 32-len(inputStreamData)))
			return b
		}, nil},
		"another type of the schema": {func(b []byte) []byte { be.PutUint32(b[offsetSchemaVersion:], 2); return b }, nil},
	} {
		if _, err := parseMessage(test.damage(exampleBytes(t))); !errors.Is(err, test.want) {
			t.Errorf("%s: %v, want %v", name, err, test.want)
		}
	}
}

// publication is a message that has a type and nothing else.
func publication(kind messageType) []byte {
	b := make([]byte, offsetPayload)
	copy(b[offsetType:], kind)
	return b
}

// FuzzParseMessage looks for frames that cannot be survived, and for messages that do not
// come back as they were.
func FuzzParseMessage(f *testing.F) {
	f.Add(exampleBytes(f))
	f.Add(publication(pausePublication))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, frame []byte) {
		m, err := parseMessage(frame)
		if err != nil || m.kind == startPublication || m.kind == pausePublication {
			return
		}
		if len(m.kind) > offsetSchemaVersion-offsetType || len(m.content) > len(frame) {
			t.Fatalf("the type %q, %d bytes of payload", m.kind, len(m.content))
		}
		again, err := parseMessage(m.encode())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(m, again, cmp.AllowUnexported(message{})); diff != "" && len(m.content) > 0 {
			t.Error(diff)
		}
	})
}

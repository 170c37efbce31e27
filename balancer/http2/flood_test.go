package http2

import (
	"bytes"
	"math/rand/v2"
	"testing"
	"time"

	"golang.org/x/net/http2"
)

// However frames come, those that carry something are told from those that do not.
func TestFrames(t *testing.T) {
	var b bytes.Buffer
	b.WriteString(Preface)
	f := http2.NewFramer(&b, nil)
	f.AllowIllegalWrites = true
	idle, useful := 0, 0
	nothing := func(err error) { idle++; fatal(t, err) }
	something := func(err error) { useful++; fatal(t, err) }
	for range 3 {
		nothing(f.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 7}))
		something(f.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: []byte("abc"), PadLength: 200}))
		something(f.WriteContinuation(1, true, []byte("abc")))
		nothing(f.WriteContinuation(1, true, nil))
		something(f.WriteData(1, false, bytes.Repeat([]byte("x"), 3000)))
		nothing(f.WriteData(1, false, nil))
		something(f.WriteDataPadded(1, false, []byte("x"), make([]byte, 255)))
		nothing(f.WriteDataPadded(1, false, nil, make([]byte, 255)))
		nothing(f.WriteDataPadded(1, false, nil, []byte{}))
		nothing(f.WritePing(false, [8]byte{1}))
		nothing(f.WriteWindowUpdate(1, 9))
		nothing(f.WriteRSTStream(1, 0))
		nothing(f.WriteRawFrame(0x77, 0xff, 3, []byte("abc")))
		idle += floodUnknown - 1
		something(f.WriteData(1, true, nil))
	}
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 0))
	for range 200 {
		reader := frames{skip: len(Preface)}
		gotIdle, gotUseful := 0, 0
		for rest := b.Bytes(); len(rest) > 0; {
			n := min(1+random.IntN(1+random.IntN(2000)), len(rest))
			i, u := reader.count(rest[:n])
			gotIdle, gotUseful, rest = gotIdle+i, gotUseful+u, rest[n:]
		}
		if gotIdle != idle || gotUseful != useful {
			t.Fatalf("seed %d: %d carry nothing, %d something; want %d and %d", seed, gotIdle, gotUseful, idle, useful)
		}
	}
}

func fatal(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// There is credit for a burst, for time, for what carries something and for what
// is sent, and it does not grow for ever.
func TestFlood(t *testing.T) {
	f := flood{credit: floodBurst}
	if f.spend(floodBurst, 0) {
		t.Error("no burst")
	}
	if !f.spend(1, 0) || !f.exhausted(0, 0) {
		t.Error("more than a burst")
	}
	if f.exhausted(time.Second, 0) || !f.spend(floodRate, 0) || !f.exhausted(time.Second, 0) {
		t.Error("not as much as a second is good for", f.credit)
	}
	if f.exhausted(time.Second, 2*floodBytes) || !f.spend(2, 0) {
		t.Error("not as much as what was sent is good for", f.credit)
	}
	if f.spend(0, 1) || f.spend(1, 0) || !f.spend(1, 0) {
		t.Error("not as much as a useful frame is good for", f.credit)
	}
	f.exhausted(time.Hour, 1<<40)
	if f.spend(0, 1<<20); f.credit != floodBurst {
		t.Error("credit grew to", f.credit)
	}
}

package http2

import (
	"errors"
	"net"
	"sync/atomic"
	"time"

	"fargo/balancer/netconn"
)

// What a peer of HTTP/2 may send that carries nothing: the library answers or
// drops it, at a cost, and would do so for ever.
const (
	floodBurst   = 10_000 // idle frames at once
	floodRate    = 100    // idle frames a second, from then on
	floodUseful  = 2      // idle frames for each that carries something
	floodBytes   = 32     // one idle frame for so many bytes that the peer is sent
	floodUnknown = 100    // idle frames that one of an unknown type counts for: the library logs each
)

// errFlood says that a peer sent too many frames that carry nothing.
var errFlood = errors.New("too many frames of HTTP/2 that carry nothing")

// Guarded is a connection of HTTP/2 that ends when its peer sends too many
// frames that carry nothing: empty DATA and CONTINUATION, or nothing but padding;
// PING, SETTINGS, PRIORITY, WINDOW_UPDATE, RST_STREAM and unknown ones beyond
// what a peer needs that sends, and takes, something.
type Guarded struct {
	net.Conn
	frames frames
	flood  flood
	sent   atomic.Int64 // bytes for which no credit was given yet
}

// Guard makes one of a connection on which so many bytes of a preface come before the
// peer's first frame.
func Guard(c net.Conn, preface int) *Guarded {
	return &Guarded{Conn: c, frames: frames{skip: preface}, flood: flood{credit: floodBurst, since: netconn.Clock()}}
}

// Read reads. The error is that of a flood once there were too many frames that carry
// nothing.
func (c *Guarded) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if n > 0 {
		idle, useful := c.frames.count(b[:n])
		if c.flood.spend(idle, useful) && c.flood.exhausted(netconn.Clock(), c.sent.Swap(0)) {
			return 0, errFlood
		}
	}
	return n, err
}

// Write writes.
func (c *Guarded) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	c.sent.Add(int64(n))
	return n, err
}

// flood is how many idle frames a peer may still send.
type flood struct {
	credit int64
	since  time.Duration // credit has been given for the time until then
}

// spend takes frames into account, and reports whether there were too many for
// what is known of the credit.
func (f *flood) spend(idle, useful int) bool {
	f.credit = min(f.credit-int64(idle)+floodUseful*int64(useful), floodBurst)
	return f.credit < 0
}

// exhausted gives credit for time, and for bytes that the peer was sent, and
// reports whether that was too little.
func (f *flood) exhausted(now time.Duration, sent int64) bool {
	f.credit += int64((now-f.since)/(time.Second/floodRate)) + sent/floodBytes
	f.credit, f.since = min(f.credit, floodBurst), now
	return f.credit < 0
}

// Frame types and flags of RFC 9113 section 6.
const (
	frameData         = 0x0
	frameHeaders      = 0x1
	frameContinuation = 0x9
	flagEndStream     = 0x1
	flagPadded        = 0x8
)

// frames finds the frames in what is read of a connection, however it comes.
type frames struct {
	skip   int // bytes until the next frame
	head   [9]byte
	have   int  // bytes of head
	padded bool // the first byte of the payload, which comes next, is the padding's length
}

// count tells frames that begin in b and carry nothing from those that carry
// something.
func (f *frames) count(b []byte) (idle, useful int) {
	judge := func(carries bool) {
		if carries {
			useful++
		} else {
			idle++
		}
	}
	for len(b) > 0 {
		if f.padded {
			f.padded = false
			judge(f.length() > 1+int(b[0]))
		}
		if n := min(f.skip, len(b)); n > 0 {
			f.skip, b = f.skip-n, b[n:]
			continue
		}
		n := copy(f.head[f.have:], b)
		f.have, b = f.have+n, b[n:]
		if f.have < len(f.head) {
			return idle, useful
		}
		f.have, f.skip = 0, f.length()
		switch kind, flags := f.head[3], f.head[4]; {
		case kind == frameData && flags&flagEndStream == 0 && flags&flagPadded != 0 && f.skip > 0:
			f.padded = true
		case kind == frameData:
			judge(f.skip > 0 || flags&flagEndStream != 0)
		case kind == frameContinuation:
			judge(f.skip > 0)
		case kind > frameContinuation:
			idle += floodUnknown
		default:
			judge(kind == frameHeaders)
		}
	}
	return idle, useful
}

// length is the length of the payload.
func (f *frames) length() int { return int(f.head[0])<<16 | int(f.head[1])<<8 | int(f.head[2]) }

package session

import (
	"context"
	"io"
	"strconv"
	"sync"
	"time"
)

// chunk is how much is in one message at most, in bytes. AWS's agent sends a kilobyte; its
// plugin takes any size. Libraries of other clients read no message of more than 32 KiB.
const chunk = 16 << 10

// largeChunk is the same for clients of ours: each byte costs a third less.
const largeChunk = 64 << 10

// quietTime is how long a command that has ended may have no output before there is no
// more: something that it started may keep its terminal open.
const quietTime = 500 * time.Millisecond

// maxRest is how much output a command that has ended may have left, in bytes: no pipe
// holds more.
const maxRest = 1 << 20

// readyTime is how long output waits for the client to send the size of its terminal.
// AWS's plugin drops what comes before, so that it had to be sent again.
const readyTime = 200 * time.Millisecond

// gatherTime is how long a command that has written little may go on before that is sent:
// many small messages cost more than a few large ones. AWS's agent waits as long each time.
const gatherTime = time.Millisecond

// busyPiece is how much at once, in bytes, shows a command that writes without a pause: what
// a container's runtime passes on at most. One that writes less is waited for only while
// something else is on its way, so that each key has its echo at once.
const busyPiece = 4 << 10

// output sends what a command writes, as long as there is room for it.
type output struct {
	*endpoint
	transcript io.Writer
	chunk      int // set before the first pump starts

	pumps    sync.WaitGroup
	stopping context.Context // ends those that wait for room
	stop     context.CancelFunc
	waiting  sync.Mutex // held by the pump that waits for room
	writing  sync.Mutex // keeps the transcript in the order of the messages

	mu      sync.Mutex // guards what is below
	running int
	reading map[payloadType]time.Time // the pumps that wait for the command, since when
	ended   time.Time                 // when the command has; zero before
	left    int                       // what was read since, in bytes
}

func newOutput(e *endpoint, transcript io.Writer) *output {
	o := &output{endpoint: e, transcript: transcript, chunk: chunk, reading: map[payloadType]time.Time{}}
	o.stopping, o.stop = context.WithCancel(context.Background())
	return o
}

// pump starts to send all that r has, once ready is closed or readyTime is over.
func (o *output) pump(r io.Reader, payload payloadType, ready <-chan struct{}) {
	o.mu.Lock()
	o.running++
	o.mu.Unlock()
	o.pumps.Go(func() {
		select {
		case <-ready:
		case <-o.stopping.Done():
		case <-time.After(readyTime):
		}
		buffer := make([]byte, o.chunk)
		for o.begin(payload) {
			n, err := r.Read(buffer)
			o.took(payload, n)
			if n > 0 {
				o.write(payload, buffer[:n])
			}
			if err != nil {
				break
			}
			if n < len(buffer) {
				o.gather(n)
			}
		}
		o.mu.Lock()
		o.running--
		o.mu.Unlock()
		o.settled.notify()
	})
}

// begin waits for room, and reports whether to read more.
func (o *output) begin(payload payloadType) bool {
	o.waiting.Lock()
	err := o.room(o.stopping)
	o.waiting.Unlock()
	o.mu.Lock()
	defer o.mu.Unlock()
	if err != nil || o.left > maxRest {
		return false
	}
	o.reading[payload] = time.Now()
	return true
}

// gather gives a command that has written n bytes time to write more.
func (o *output) gather(n int) {
	ctx, cancel := context.WithTimeout(o.stopping, gatherTime)
	defer cancel()
	if n >= busyPiece {
		<-ctx.Done()
		return
	}
	o.waiting.Lock()
	defer o.waiting.Unlock()
	_ = o.awaitSent(ctx, (*sender).empty) // whichever is first
}

// took takes note of what was read.
func (o *output) took(payload payloadType, n int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.reading, payload)
	if !o.ended.IsZero() {
		o.left += n
	}
}

func (o *output) write(payload payloadType, b []byte) {
	o.writing.Lock()
	defer o.writing.Unlock()
	if o.transcript != nil {
		if _, err := o.transcript.Write(b); err != nil {
			o.log.Error("the session's transcript lacks output", "bytes", len(b), "error", err)
		}
	}
	o.send(payload, b)
}

// end takes note that the command has ended.
func (o *output) end(now time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.ended = now
}

// finished reports whether there is no more output of a command that has ended.
func (o *output) finished(now time.Time) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.reading) < o.running || now.Sub(o.ended) < quietTime {
		return o.running == 0
	}
	for _, since := range o.reading {
		if now.Sub(since) < quietTime {
			return false
		}
	}
	return true
}

// exitCodePrefix is before the code, in the payload of amazon-ssm-agent's.
const exitCodePrefix = "EXIT_CODE: "

func exitCodePayload(code int) []byte { return []byte(exitCodePrefix + strconv.Itoa(code)) }

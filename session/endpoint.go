package session

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"sync"
	"time"
)

// maxPendingAcknowledgements bounds those that are not written yet: the other end sends
// again what it does not get one for.
const maxPendingAcknowledgements = 4096

// endpoint is what both ends have in common: messages of stream data in order both ways,
// over connections that come and go.
type endpoint struct {
	sends, receives messageType
	log             *slog.Logger

	mu       sync.Mutex
	out      sender
	in       receiver
	acks     [][]byte // to write
	paused   bool     // the other end wants no stream data for now
	attached *attachment
	closing  []byte         // the channel_closed to write when all is acknowledged; nil while open
	finished bool           // it is written
	closed   *closing       // what the other end has closed with; nil while open
	used     time.Time      // when stream data last came or was acknowledged
	cipher   *channelCipher // nil: plain
	gone     time.Time      // since when there is no connection; zero while there is one
	first    time.Time      // when there was one first

	toWrite  signal // to the writer of the present connection
	received signal // to the one that takes messages
	roomy    signal // to the one that waits for room
	settled  signal // to the one that waits for the end
}

// signal wakes one that waits for a change. A change while nobody waits is remembered.
type signal chan struct{}

func newSignal() signal { return make(signal, 1) }

func (s signal) notify() {
	select {
	case s <- struct{}{}:
	default:
	}
}

// attachment is the connection in use.
type attachment struct {
	conn   Conn
	cancel context.CancelFunc
}

func newEndpoint(sends, receives messageType, log *slog.Logger) *endpoint {
	now := time.Now()
	return &endpoint{
		sends: sends, receives: receives, log: log, used: now, gone: now,
		toWrite: newSignal(), received: newSignal(), roomy: newSignal(), settled: newSignal(),
	}
}

// errReplaced is the end of a connection that another took the place of.
var errReplaced = errors.New("another connection of the session has replaced this one")

// serve uses a connection, and closes it in the end: nil when the session has ended.
func (e *endpoint) serve(ctx context.Context, c Conn) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	a := &attachment{conn: c, cancel: cancel}
	e.attach(a)
	written := make(chan error, 1)
	go func() {
		err := e.write(ctx, a)
		if err != nil {
			cancel() // the reader
		}
		written <- err
	}()
	read := e.read(ctx, a)
	ended, replaced := e.detach(a)
	cancel()
	err := <-written
	_ = c.Close() // it is lost, or has been told so
	switch {
	case ended || err == nil:
		return nil
	case replaced:
		return errReplaced
	case errors.Is(err, context.Canceled) || errors.Is(err, errReplaced):
		return read // the writer ended with the reader
	}
	return err
}

// attach makes a connection the one in use.
func (e *endpoint) attach(a *attachment) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.attached != nil {
		e.attached.cancel()
	}
	e.attached = a
	e.gone = time.Time{}
	if e.first.IsZero() {
		e.first = time.Now()
	}
	e.paused = false
	e.out.reconnect()
	e.toWrite.notify()
	e.settled.notify()
}

// detach is the end of a connection. It reports whether the other end has ended the
// session, and whether another connection was taken in place of this one.
func (e *endpoint) detach(a *attachment) (ended, replaced bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	replaced = e.attached != a
	if !replaced {
		e.attached = nil
		e.gone = time.Now()
	}
	e.settled.notify()
	return e.closed != nil, replaced
}

// write writes what there is to write, until the connection is lost or replaced; nil when
// it has written the end of the session.
func (e *endpoint) write(ctx context.Context, a *attachment) error {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		frame, wait, last, err := e.toSend(a, time.Now())
		if err != nil {
			return err
		}
		if frame != nil {
			if err := a.conn.Write(ctx, frame); err != nil {
				return err
			}
			if last {
				return e.finish(a)
			}
			continue
		}
		if wait == 0 {
			wait = time.Hour
		}
		timer.Reset(wait)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-timer.C:
		case <-e.toWrite:
		}
	}
}

// finish is after the end of the session was written: the connection is closed in good
// order, which ends its reader.
func (e *endpoint) finish(a *attachment) error {
	e.mu.Lock()
	e.finished = true
	e.settled.notify()
	e.mu.Unlock()
	_ = a.conn.Close() // the client may have closed it first
	return nil
}

// delivered reports whether the end of the session is written.
func (e *endpoint) delivered() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.finished
}

// close makes the end of the session the last message, once all others are acknowledged.
func (e *endpoint) close(c closing) {
	c.Type, c.SchemaVersion = channelClosed, schemaVersion
	id, now := newMessageID(), time.Now()
	c.MessageID, c.CreatedDate = id.String(), now.UTC().Format(time.RFC3339)
	m := message{kind: channelClosed, created: now, flags: flagAcknowledges, id: id, content: mustJSON(c)}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.closing = m.encode()
	e.toWrite.notify()
}

// toSend is the frame to write next, or how long it is until there may be one.
func (e *endpoint) toSend(a *attachment, now time.Time) (frame []byte, wait time.Duration, last bool, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case e.attached != a:
		e.toWrite.notify() // it was meant for the successor
		return nil, 0, false, errReplaced
	case len(e.acks) > 0:
		frame, e.acks = e.acks[0], e.acks[1:]
		return frame, 0, false, nil
	case e.paused:
		return nil, 0, false, nil
	}
	frame, wait = e.out.due(now)
	if frame == nil {
		e.roomy.notify() // some may have been dropped
		if e.out.empty() && e.closing != nil {
			return e.closing, 0, true, nil
		}
	}
	return frame, wait, false, nil
}

// read takes what comes until the connection is lost or the session ends. A message that
// is damaged is dropped, as AWS's ends do: if it matters, it comes again.
func (e *endpoint) read(ctx context.Context, a *attachment) error {
	for {
		frame, err := a.conn.Read(ctx)
		if err != nil {
			return err
		}
		m, err := parseMessage(frame)
		if err != nil {
			e.log.Debug("a damaged message is dropped", "error", err)
			continue
		}
		if ended := e.take(a, m, time.Now()); ended {
			return nil
		}
	}
}

// take takes note of a message, and reports whether it ends the session.
func (e *endpoint) take(a *attachment, m message, now time.Time) (ended bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.attached != a {
		return false
	}
	switch m.kind {
	case e.receives:
		e.paused = false
		if m.sequence >= e.in.next {
			e.used = now
		}
		if e.in.accept(m) {
			e.acknowledge(m, now)
		}
		e.received.notify()
	case acknowledge:
		e.paused = false
		e.acknowledged(m, now)
	case pausePublication:
		e.paused = true
	case startPublication:
		e.paused = false
		e.toWrite.notify()
	case channelClosed:
		e.closed = &closing{}
		if err := json.Unmarshal(m.content, e.closed); err != nil {
			e.log.Debug("why the channel was closed cannot be read", "error", err)
		}
		e.received.notify()
		e.settled.notify()
		return true
	default:
		e.log.Debug("a message of an unknown type is dropped", "type", m.kind)
	}
	return false
}

// acknowledge writes the acknowledgement of a message. mu is held.
func (e *endpoint) acknowledge(m message, now time.Time) {
	if len(e.acks) >= maxPendingAcknowledgements {
		return
	}
	ack := message{
		kind: acknowledge, created: now, flags: flagAcknowledges, id: newMessageID(),
		content: mustJSON(acknowledgement{Type: m.kind, ID: m.id.String(), Sequence: m.sequence, Sequential: true}),
	}
	e.acks = append(e.acks, ack.encode())
	e.toWrite.notify()
}

// acknowledged lets go of what the other end has. mu is held.
func (e *endpoint) acknowledged(m message, now time.Time) {
	var ack acknowledgement
	if err := json.Unmarshal(m.content, &ack); err != nil {
		e.log.Debug("an acknowledgement that cannot be read is dropped", "error", err)
		return
	}
	if ack.Type != e.sends {
		return
	}
	e.used = now
	e.out.acknowledge(ack.Sequence, now)
	e.roomy.notify()
	e.toWrite.notify()
	if e.out.empty() {
		e.settled.notify()
	}
}

// send adds a message to what is sent, without waiting.
func (e *endpoint) send(payload payloadType, content []byte) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.cipher != nil && payload.encrypted() {
		content = e.cipher.seal(content)
	}
	m := message{kind: e.sends, created: time.Now(), sequence: e.out.next(), id: newMessageID(), payload: payload, content: content}
	if m.sequence == 0 {
		m.flags = flagSYN
	}
	e.out.add(m.encode())
	e.toWrite.notify()
}

// awaitSent waits until what is sent is as it should be. One goroutine may wait at a time.
func (e *endpoint) awaitSent(ctx context.Context, so func(*sender) bool) error {
	for {
		e.mu.Lock()
		is := so(&e.out)
		e.mu.Unlock()
		if is {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-e.roomy:
		}
	}
}

// room waits until there is room for another message.
func (e *endpoint) room(ctx context.Context) error { return e.awaitSent(ctx, (*sender).room) }

// errClosed is the end of what is received: the other end has closed the channel.
var errClosed = errors.New("the channel is closed")

// next waits for the next message in order, decrypted. After the last one before the
// other end closed the channel it is errClosed.
func (e *endpoint) next(ctx context.Context) (message, error) {
	for {
		m, ok, err := e.nextNow()
		if ok || err != nil {
			return m, err
		}
		select {
		case <-ctx.Done():
			return message{}, ctx.Err()
		case <-e.received:
		}
	}
}

// nextNow is the next message in order if it is here.
func (e *endpoint) nextNow() (m message, ok bool, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	m, ack, ok := e.in.take()
	if !ok {
		if e.closed != nil {
			return m, false, errClosed
		}
		return m, false, nil
	}
	if ack {
		e.acknowledge(m, time.Now())
	}
	if e.cipher != nil && m.payload.encrypted() {
		m.content, err = e.cipher.open(m.content)
	}
	return m, err == nil, err
}

// acknowledgesAgain says whether the other end acknowledges again what it had before.
func (e *endpoint) acknowledgesAgain(does bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.out.silent = !does
}

// encrypt makes both directions encrypted from the next message on.
func (e *endpoint) encrypt(c *channelCipher) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.cipher = c
}

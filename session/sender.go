package session

import "time"

// window is how much may be on its way to the other end, in bytes, before that has
// acknowledged some: a command whose client is slow or gone waits to write.
const window = 512 << 10

// maxUnacknowledged is how many messages may be; AWS's own ends keep as many.
const maxUnacknowledged = 10_000

// sender has what one end sends, from its first message on: it numbers the messages, and
// keeps each until it is acknowledged. It has no lock of its own.
type sender struct {
	first    int64 // the sequence number of messages[0]
	messages []outgoing
	unsent   int // messages[unsent:] have not been on the present connection
	bytes    int // what is not acknowledged
	trip     roundTrip
	// silent: the other end does not acknowledge again what it had before. AWS's plugin
	// does not: when an acknowledgement was lost with its connection, none comes.
	silent bool
}

// silentTries is how often a message that was on an earlier connection is sent on this
// one, before an end that is silent about all must have had it.
const silentTries = 4

// outgoing is a message that is kept.
type outgoing struct {
	frame   []byte // nil when it is acknowledged
	sent    time.Time
	tries   int  // how often it was sent on the present connection
	earlier bool // it was sent on an earlier one
}

// next is the sequence number of the message that is added next.
func (s *sender) next() int64 { return s.first + int64(len(s.messages)) }

// room reports whether there is any for another message.
func (s *sender) room() bool { return s.bytes < window && len(s.messages) < maxUnacknowledged }

// empty reports whether all that was added is acknowledged.
func (s *sender) empty() bool { return len(s.messages) == 0 }

// add takes the message with the next sequence number.
func (s *sender) add(frame []byte) {
	s.messages = append(s.messages, outgoing{frame: frame})
	s.bytes += len(frame)
}

// acknowledge lets go of a message, and learns how long a round trip takes from one that
// was sent once.
func (s *sender) acknowledge(sequence int64, now time.Time) {
	i := sequence - s.first
	if i < 0 || i >= int64(len(s.messages)) {
		return
	}
	m := &s.messages[i]
	if m.frame == nil || m.sent.IsZero() {
		return
	}
	if m.tries == 1 && !m.earlier {
		s.trip.measured(now.Sub(m.sent))
	}
	s.drop(m)
	if s.silent {
		s.dropHad(int(i))
	}
	s.trim()
}

// drop lets go of a message.
func (s *sender) drop(m *outgoing) {
	s.bytes -= len(m.frame)
	m.frame = nil
}

// dropHad lets go of those before the n-th that a silent end must have had: they were on
// an earlier connection and came again on this one, before something that it has taken.
func (s *sender) dropHad(n int) {
	for i := range s.messages[:n] {
		if m := &s.messages[i]; m.earlier && m.tries > 0 {
			s.drop(m)
		}
	}
}

// trim forgets the oldest messages that are acknowledged.
func (s *sender) trim() {
	done := 0
	for done < len(s.messages) && s.messages[done].frame == nil {
		done++
	}
	s.messages = s.messages[done:]
	s.first += int64(done)
	s.unsent = max(s.unsent-done, 0)
}

// reconnect makes all that is not acknowledged be sent on a new connection.
func (s *sender) reconnect() {
	s.unsent = 0
	for i := range s.messages {
		m := &s.messages[i]
		m.tries, m.earlier = 0, !m.sent.IsZero()
	}
}

// due is the frame to send at a time, or how long it is until there may be one: 0 when
// that depends on others. Only the oldest message is ever sent again on a connection, and
// without end, as AWS's agent does it: the other end may be held up for a long time, as
// by a terminal that was stopped. A session that has nothing else is idle.
func (s *sender) due(now time.Time) (frame []byte, wait time.Duration) {
	for s.unsent < len(s.messages) {
		m := &s.messages[s.unsent]
		s.unsent++
		if m.frame == nil {
			continue // acknowledged on another connection
		}
		return m.send(now), 0
	}
	for len(s.messages) > 0 {
		oldest := &s.messages[0]
		if wait := oldest.sent.Add(s.trip.timeout(oldest.tries - 1)).Sub(now); wait > 0 {
			return nil, wait
		}
		if !s.silent || !oldest.earlier || oldest.tries < silentTries {
			return oldest.send(now), 0
		}
		s.dropHad(len(s.messages))
		s.trim()
	}
	return nil, 0
}

// send is the frame, which is sent now.
func (m *outgoing) send(now time.Time) []byte {
	m.sent = now
	m.tries++
	return m.frame
}

package session

// What is kept of messages that have come and are not used yet: as many of a kilobyte as
// AWS's plugin sends without an acknowledgement.
const (
	maxReceived      = 10_000
	maxReceivedBytes = maxReceived * 1200
)

// promptBytes is up to how much of that is acknowledged at once. What comes on top is
// acknowledged when it is used, which slows an end of ours down before anything has to
// be dropped.
const promptBytes = 256 << 10

// recent is of how many messages one remembers the ids after they were used.
const recent = 16

// receiver puts what the other end sends in order. It has no lock of its own.
//
// AWS's plugin gives two messages one number when the terminal's size changes as a key is
// pressed, and may then leave out the number after it: it counts when it has sent, and two
// goroutines send. Its two messages have ids of their own, which one that comes again has
// not.
// Source: session-manager-plugin, src/datachannel/streaming.go, SendInputDataMessage.
type receiver struct {
	next  int64 // the sequence number of the message to use next
	early map[int64]incoming
	bytes int
	used  [recent][2]messageID // of those before next and of their twins, by the number modulo recent
	twins []message            // with numbers that others have
	gap   int64                // the number that may be left out; 0 for none
}

// incoming is a message that is kept.
type incoming struct {
	message
	acknowledged bool
}

// accept takes a message, and reports whether to acknowledge it now. One that was here
// before is acknowledged again: the other end has not heard. There is always room for
// the one to use next.
func (r *receiver) accept(m message) (acknowledge bool) {
	kept, here := r.early[m.sequence]
	switch {
	case here && kept.id != m.id, m.sequence < r.next && r.isTwin(m):
		return r.acceptTwin(m)
	case m.sequence < r.next:
		return true
	case here:
		return kept.acknowledged
	}
	if m.sequence != r.next && (m.sequence-r.next >= maxReceived || r.bytes+len(m.content) > maxReceivedBytes) {
		return false
	}
	if r.early == nil {
		r.early = map[int64]incoming{}
	}
	r.bytes += len(m.content)
	prompt := r.bytes <= promptBytes
	r.early[m.sequence] = incoming{message: m, acknowledged: prompt}
	return prompt
}

// isTwin reports whether a message has the number of another one that was used, and has not
// been used itself. There are no triplets.
func (r *receiver) isTwin(m message) bool {
	if m.sequence < r.next-recent {
		return false
	}
	ids := r.used[m.sequence%recent]
	return ids[0] != m.id && ids[1] == messageID{}
}

// acceptTwin takes a message whose number another has.
func (r *receiver) acceptTwin(m message) (acknowledge bool) {
	for _, t := range r.twins {
		if t.sequence == m.sequence {
			return true
		}
	}
	if len(r.twins) == recent {
		return false
	}
	r.twins, r.gap = append(r.twins, m), m.sequence+1
	return true
}

// takeTwin is the first message whose twin was used.
func (r *receiver) takeTwin() (m message, ok bool) {
	if len(r.twins) == 0 || r.twins[0].sequence >= r.next {
		return message{}, false
	}
	m, r.twins = r.twins[0], r.twins[1:]
	r.used[m.sequence%recent][1] = m.id
	return m, true
}

// take is the next message in order, if it is here, and whether it has yet to be
// acknowledged.
func (r *receiver) take() (m message, acknowledge, ok bool) {
	if twin, is := r.takeTwin(); is {
		return twin, false, true
	}
	kept, ok := r.early[r.next]
	if !ok && r.gap != 0 && r.next == r.gap {
		if kept, ok = r.early[r.next+1]; ok {
			r.used[r.next%recent] = [2]messageID{}
			r.next++
		}
	}
	if !ok {
		return message{}, false, false
	}
	delete(r.early, r.next)
	r.used[r.next%recent] = [2]messageID{kept.id}
	r.next++
	r.bytes -= len(kept.content)
	return kept.message, !kept.acknowledged, true
}

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

// receiver puts what the other end sends in order. It has no lock of its own.
type receiver struct {
	next  int64 // the sequence number of the message to use next
	early map[int64]incoming
	bytes int
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
	if m.sequence < r.next {
		return true
	}
	if kept, here := r.early[m.sequence]; here {
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

// take is the next message in order, if it is here, and whether it has yet to be
// acknowledged.
func (r *receiver) take() (m message, acknowledge, ok bool) {
	kept, ok := r.early[r.next]
	if !ok {
		return message{}, false, false
	}
	delete(r.early, r.next)
	r.next++
	r.bytes -= len(kept.content)
	return kept.message, !kept.acknowledged, true
}

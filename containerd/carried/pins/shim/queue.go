package main

import "bytes"

// bound is how many bytes of output may wait to be delivered, and what happens to more:
// the container waits, or what it writes is dropped, line by line. The newest are dropped,
// as by Docker.
type bound struct {
	Limit    int64 `json:"limit"`
	Blocking bool  `json:"blocking"`
}

// longLine is how much of a line is kept beyond the bound, so that lines are whole.
const longLine = 256 << 10

// queue is a file of output: the container appends to it, and the node takes away. It
// decides, and does nothing.
type queue struct {
	bound
	size      int64 // of the file
	delivered int64 // up to where the node had it when it was last asked
	inLine    bool  // the file ends within a line
	skipping  bool  // the next bytes are the rest of a line that is dropped
}

// verdict is what is to be done with output.
type verdict int

const (
	keep verdict = iota
	drop
	ask // whether there is room by now
)

// next decides on the first n bytes of p, which has some. At the end of a container all
// is kept.
func (q *queue) next(p []byte, ended bool) (n int, what verdict) {
	room := q.Limit - (q.size - q.delivered)
	switch {
	case q.skipping:
		return q.rest(p)
	case ended, room >= int64(len(p)):
		return len(p), keep
	case q.Blocking && room > 0:
		return int(room), keep
	case q.Blocking:
		return 0, ask
	}
	n = lineEnd(p)
	if int64(n) <= room || q.size == q.delivered || q.inLine && room > -longLine {
		return n, keep
	}
	return 0, ask
}

// rest passes over a line that is dropped. What was kept of its beginning gets its end.
func (q *queue) rest(p []byte) (n int, what verdict) {
	n = lineEnd(p)
	ends := p[n-1] == '\n'
	switch {
	case ends && q.inLine && n > 1:
		return n - 1, drop
	case ends && q.inLine:
		q.skipping = false
		return n, keep
	}
	q.skipping = !ends
	return n, drop
}

// skip gives up the line that p begins with, and is how many bytes that are so far.
func (q *queue) skip(p []byte) (n int) {
	q.skipping = true
	if n, what := q.rest(p); what == drop {
		return n
	}
	q.skipping = true // p begins with the end of a line that is kept
	return 0
}

// lose passes over all of p, and what would not be a line of its own after it.
func (q *queue) lose(p []byte) { q.skipping = q.inLine || p[len(p)-1] != '\n' }

// wrote takes in what was written to the file.
func (q *queue) wrote(p []byte) {
	q.size += int64(len(p))
	if len(p) > 0 {
		q.inLine = p[len(p)-1] != '\n'
	}
}

// lineEnd is where the first line of p ends, as far as it is there.
func lineEnd(p []byte) int {
	if i := bytes.IndexByte(p, '\n'); i >= 0 {
		return i + 1
	}
	return len(p)
}

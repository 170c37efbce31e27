package logs

import (
	"bytes"
	"container/heap"
	"context"
	"fmt"
	"math"
	"strings"

	"github.com/cockroachdb/pebble/v2"

	"fargo"
)

// The bounds of one search.
const (
	maxSearched = 32 << 20 // bytes read before the page ends, whether they match or not
	maxBuffered = 1 << 20  // bytes of events read ahead, over all streams
)

// Search is a request for a page of events of many streams.
type Search struct {
	Streams    []string // only these, which must exist
	Prefix     string   // only those whose name begins so
	Start, End int64    // Start ≤ time < End; End 0 means no end
	Match      func(message string) bool
	Backward   bool   // without a token: the newest events first
	Token      string // from a page before, whose direction it keeps
	Limit      int    // at most so many events; 0 means MaxPageEvents
}

// backward begins the tokens of pages with the newest events first.
const backward = "b/"

// span is the range of a search: from lower up to upper, or back.
type span struct {
	lower, upper point
	back         bool
}

// span is the range of the request, of events that are not older than expired.
func (q *Search) span(expired int64) (span, error) {
	s := span{lower: point{time: max(q.Start, expired)}, upper: point{time: math.MaxInt64}, back: q.Backward}
	if q.End > 0 {
		s.upper.time = q.End
	}
	if q.Token == "" {
		return s, nil
	}
	digits, back := strings.CutPrefix(q.Token, backward)
	p, ok := parsePoint(digits)
	switch s.back = back; {
	case !ok:
		return span{}, ErrToken
	case back && p.before(s.upper):
		s.upper = p
	case !back && s.lower.before(p):
		s.lower = p
	}
	return s, nil
}

// rest is the token of the page that begins with the event at p.
func (s span) rest(p point) string {
	if s.back {
		return backward + p.next().String()
	}
	return p.String()
}

// Search returns the events of a group that match, in the order of their time or
// against it, and the token of the next page, which is empty at the end. A page
// may have few events or none and a next page all the same.
func (s *Store) Search(ctx context.Context, scope fargo.Scope, groupName string, q Search) (events []Event, next string, err error) {
	g, err := s.group(scope, groupName)
	if err != nil {
		return nil, "", err
	}
	within, err := q.span(g.expired())
	if err != nil {
		return nil, "", err
	}
	m, err := s.merge(g, q, within)
	if err != nil {
		return nil, "", err
	}
	defer m.it.Close()
	left, searched := newPageSpace(q.Limit), 0
	for {
		c, err := m.head(ctx)
		if err != nil || c == nil {
			return events, "", err
		}
		e := c.events[0]
		if searched > maxSearched {
			return events, within.rest(c.at), nil
		}
		searched += len(e.Message) + EventOverhead
		if q.Match == nil || q.Match(e.Message) {
			if !left.take(e) {
				return events, within.rest(c.at), nil
			}
			events = append(events, e)
		}
		m.advance()
	}
}

// merge merges streams in the order of time, or against it. It reads through one
// iterator, a part of one stream at a time, and a stream only when it may have the
// next event: a group of ten thousand short streams costs little.
type merge struct {
	group   uint64
	it      *pebble.Iterator
	cursors cursors
}

// cursor is a stream's place in a merge.
type cursor struct {
	stream *stream
	// at is the place of events[0] or, when none are read ahead, a place that
	// the next event does not lie before: behind, for a merge that goes back.
	at     point
	end    point // where the stream ends for this merge: nothing lies behind it
	events []Event
	points []point
}

func (s *Store) merge(g *group, q Search, within span) (*merge, error) {
	m := &merge{group: g.ID, cursors: cursors{back: within.back}}
	add := func(st *stream) {
		lower, upper := within.lower.in(st.id), within.upper.in(st.id)
		if first := (point{st.First, st.id, 0}); lower.before(first) {
			lower = first
		}
		if last := (point{st.Last + 1, st.id, 0}); last.before(upper) {
			upper = last
		}
		switch {
		case st.First == 0 || !lower.before(upper):
		case within.back:
			m.cursors.all = append(m.cursors.all, &cursor{stream: st, at: upper, end: lower})
		default:
			m.cursors.all = append(m.cursors.all, &cursor{stream: st, at: lower, end: upper})
		}
	}
	if err := s.selected(g, q, add); err != nil {
		return nil, err
	}
	heap.Init(&m.cursors)
	prefix := idKey(tableEvent, g.ID)
	it, err := s.db.NewIter(&pebble.IterOptions{LowerBound: prefix, UpperBound: after(prefix)})
	if err != nil {
		return nil, fmt.Errorf("read events: %w", err)
	}
	m.it = it
	return m, nil
}

func (s *Store) selected(g *group, q Search, add func(*stream)) error {
	if len(q.Streams) == 0 {
		return s.eachStream(g, q.Prefix, add)
	}
	seen := make(map[string]bool)
	for _, name := range q.Streams {
		st, err := s.stream(g, name)
		if err != nil {
			return err
		}
		if !seen[name] {
			add(st)
		}
		seen[name] = true
	}
	return nil
}

// head returns the cursor whose next event comes first, or nil at the end.
func (m *merge) head(ctx context.Context) (*cursor, error) {
	for m.cursors.Len() > 0 {
		c := m.cursors.all[0]
		if len(c.events) > 0 {
			return c, nil
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := m.fill(c); err != nil {
			return nil, err
		}
		if len(c.events) == 0 {
			heap.Pop(&m.cursors)
		} else {
			heap.Fix(&m.cursors, 0)
		}
	}
	return nil, nil
}

// advance goes to the event after the head.
func (m *merge) advance() {
	c := m.cursors.all[0]
	if !m.cursors.back {
		c.at = c.at.next()
	}
	c.events, c.points = c.events[1:], c.points[1:]
	if len(c.events) > 0 {
		c.at = c.points[0]
	}
	heap.Fix(&m.cursors, 0)
}

// fill reads ahead in one stream.
func (m *merge) fill(c *cursor) error {
	budget := maxBuffered / m.cursors.Len()
	at, end := eventKey(m.group, c.at), eventKey(m.group, c.end)
	seek, step, done := m.it.SeekGE, m.it.Next, func(key []byte) bool { return bytes.Compare(key, end) >= 0 }
	if m.cursors.back {
		seek, step, done = m.it.SeekLT, m.it.Prev, func(key []byte) bool { return bytes.Compare(key, end) < 0 }
	}
	c.events, c.points = nil, nil
	for ok := seek(at); ok && !done(m.it.Key()); ok = step() {
		p := eventPoint(m.it.Key())
		e := decodeEvent(c.stream.Name, p, m.it.Value())
		c.events, c.points = append(c.events, e), append(c.points, p)
		if budget -= len(e.Message) + 128; budget <= 0 {
			break
		}
	}
	if len(c.points) > 0 {
		c.at = c.points[0]
	}
	return m.it.Error()
}

// cursors is a heap by place.
type cursors struct {
	all  []*cursor
	back bool // the last place comes first
}

func (c cursors) Len() int { return len(c.all) }
func (c cursors) Less(i, j int) bool {
	if c.back {
		i, j = j, i
	}
	return c.all[i].at.before(c.all[j].at)
}
func (c cursors) Swap(i, j int) { c.all[i], c.all[j] = c.all[j], c.all[i] }
func (c *cursors) Push(x any)   { c.all = append(c.all, x.(*cursor)) }
func (c *cursors) Pop() any {
	last := c.all[len(c.all)-1]
	c.all = c.all[:len(c.all)-1]
	return last
}

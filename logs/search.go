package logs

import (
	"bytes"
	"container/heap"
	"context"
	"fmt"

	"github.com/cockroachdb/pebble/v2"

	"fargo"
)

// The bounds of one search.
const (
	maxSearched = 32 << 20 // bytes looked at before the page ends, matches or not
	maxBuffered = 1 << 20  // bytes of events read ahead, over all streams
)

// Search asks for a page of events of many streams.
type Search struct {
	Streams    []string // only these, which must be there
	Prefix     string   // only those whose name begins so
	Start, End int64    // Start ≤ time < End; End 0 means no end
	Match      func(message string) bool
	Token      string
	Limit      int // at most so many events; 0 means MaxPageEvents
}

// Search gives the events of a group that match, in the order of their time,
// and the token of the next page, which is empty at the end. A page may have
// few events or none and a next page all the same.
func (s *Store) Search(ctx context.Context, scope fargo.Scope, groupName string, q Search) (events []Event, next string, err error) {
	g, err := s.group(scope, groupName)
	if err != nil {
		return nil, "", err
	}
	from := point{time: max(q.Start, g.expired())}
	if q.Token != "" {
		p, ok := parsePoint(q.Token)
		if !ok {
			return nil, "", ErrToken
		}
		if from.before(p) {
			from = p
		}
	}
	m, err := s.merge(g, q, from)
	if err != nil {
		return nil, "", err
	}
	defer m.it.Close()
	room, searched := newRoom(q.Limit), 0
	for {
		c, err := m.head(ctx)
		if err != nil || c == nil {
			return events, "", err
		}
		e := c.events[0]
		if searched > maxSearched {
			return events, c.at.String(), nil
		}
		searched += len(e.Message) + EventOverhead
		if q.Match == nil || q.Match(e.Message) {
			if !room.take(e) {
				return events, c.at.String(), nil
			}
			events = append(events, e)
		}
		m.advance()
	}
}

// merge brings streams together in the order of time. It reads through one
// iterator, a stretch of one stream at a time, and looks at a stream only when
// its turn may have come: a group of ten thousand short streams costs little.
type merge struct {
	group   uint64
	end     int64 // 0: none
	it      *pebble.Iterator
	cursors cursors
}

// cursor is a stream's place in a merge.
type cursor struct {
	stream *stream
	// at is the place of events[0] or, when none are read ahead, a place that
	// the next event does not lie before.
	at     point
	events []Event
	points []point
}

func (s *Store) merge(g *group, q Search, from point) (*merge, error) {
	m := &merge{group: g.ID, end: q.End}
	add := func(st *stream) {
		at := point{max(from.time, st.First), st.id, 0}
		switch {
		case st.First == 0 || st.Last < from.time || q.End > 0 && st.First >= q.End:
			return
		case at.time > from.time || st.id > from.stream:
		case st.id == from.stream:
			at.number = from.number
		default:
			at.time++ // its events of that time lie before from
		}
		m.cursors = append(m.cursors, &cursor{stream: st, at: at})
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

// head gives the cursor whose next event comes first, or nil at the end.
func (m *merge) head(ctx context.Context) (*cursor, error) {
	for len(m.cursors) > 0 {
		c := m.cursors[0]
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

// advance leaves the event at the head behind.
func (m *merge) advance() {
	c := m.cursors[0]
	c.at = c.at.next()
	c.events, c.points = c.events[1:], c.points[1:]
	if len(c.events) > 0 {
		c.at = c.points[0]
	}
	heap.Fix(&m.cursors, 0)
}

// fill reads ahead in one stream.
func (m *merge) fill(c *cursor) error {
	budget := maxBuffered / len(m.cursors)
	end := after(idKey(tableEvent, m.group, c.stream.id))
	if m.end > 0 {
		end = eventKey(m.group, point{m.end, c.stream.id, 0})
	}
	c.events, c.points = nil, nil
	for ok := m.it.SeekGE(eventKey(m.group, c.at)); ok && bytes.Compare(m.it.Key(), end) < 0; ok = m.it.Next() {
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
type cursors []*cursor

func (c cursors) Len() int           { return len(c) }
func (c cursors) Less(i, j int) bool { return c[i].at.before(c[j].at) }
func (c cursors) Swap(i, j int)      { c[i], c[j] = c[j], c[i] }
func (c *cursors) Push(x any)        { *c = append(*c, x.(*cursor)) }
func (c *cursors) Pop() any {
	old := *c
	last := old[len(old)-1]
	*c = old[:len(old)-1]
	return last
}

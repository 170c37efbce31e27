package logs

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/cockroachdb/pebble/v2"

	"fargo"
)

// The bounds of a page. Source: GetLogEvents, FilterLogEvents.
const (
	MaxPageEvents = 10_000
	MaxPageBytes  = 1 << 20
)

// Read is a request for a page of one stream.
type Read struct {
	Start, End int64  // Start ≤ time < End; End 0 means no end
	Token      string // from a page before
	FromHead   bool   // without a token: the oldest page, not the newest
	Limit      int    // at most so many events; 0 means MaxPageEvents
}

// Page is a page of a stream, oldest event first. The tokens are those of
// the next page in each direction; at an end the token is that of the request.
type Page struct {
	Events            []Event
	Forward, Backward string
}

// Read returns a page of a stream.
func (s *Store) Read(scope fargo.Scope, groupName, streamName string, q Read) (Page, error) {
	g, err := s.group(scope, groupName)
	if err != nil {
		return Page{}, err
	}
	st, err := s.stream(g, streamName)
	if err != nil {
		return Page{}, err
	}
	start := max(q.Start, g.expired())
	lower := point{start, st.id, 0}
	upper := after(idKey(tableEvent, g.ID, st.id))
	if q.End > 0 {
		upper = eventKey(g.ID, point{q.End, st.id, 0})
	}
	forward, at := q.FromHead, lower
	if q.Token != "" {
		if forward, at, err = parseToken(q.Token, st.id); err != nil {
			return Page{}, err
		}
		k := eventKey(g.ID, at)
		if forward && lower.before(at) {
			lower = at
		} else if !forward && bytes.Compare(k, upper) < 0 {
			upper = k
		}
	}
	events, points, err := s.scan(st, eventKey(g.ID, lower), upper, forward, q.Limit)
	if err != nil {
		return Page{}, err
	}
	if len(points) == 0 {
		return Page{Forward: token("f", at), Backward: token("b", at)}, nil
	}
	return Page{events, token("f", points[len(points)-1].next()), token("b", points[0])}, nil
}

// scan reads events between two keys from one end, and returns them oldest first.
func (s *Store) scan(st *stream, lower, upper []byte, forward bool, limit int) (events []Event, points []point, err error) {
	if bytes.Compare(lower, upper) >= 0 {
		return nil, nil, nil
	}
	it, err := s.db.NewIter(&pebble.IterOptions{LowerBound: lower, UpperBound: upper})
	if err != nil {
		return nil, nil, fmt.Errorf("read events: %w", err)
	}
	defer it.Close()
	begin, step := it.First, it.Next
	if !forward {
		begin, step = it.Last, it.Prev
	}
	left := newPageSpace(limit)
	for ok := begin(); ok; ok = step() {
		p := eventPoint(it.Key())
		e := decodeEvent(st.Name, p, it.Value())
		if !left.take(e) {
			break
		}
		events, points = append(events, e), append(points, p)
	}
	if !forward {
		slices.Reverse(events)
		slices.Reverse(points)
	}
	return events, points, it.Error()
}

// pageSpace is what may still be added to a page.
type pageSpace struct {
	events, bytes int
	used          bool
}

func newPageSpace(limit int) *pageSpace {
	if limit <= 0 || limit > MaxPageEvents {
		limit = MaxPageEvents
	}
	return &pageSpace{events: limit, bytes: MaxPageBytes}
}

// take reports whether an event still fits, and adds it then; the first always does.
func (r *pageSpace) take(e Event) bool {
	size := len(e.Message) + EventOverhead
	if r.events == 0 || r.used && size > r.bytes {
		return false
	}
	r.events--
	r.bytes -= size
	r.used = true
	return true
}

// token names a boundary and the direction to read from it, in the form that
// CloudWatch Logs uses.
func token(direction string, p point) string { return direction + "/" + p.String() + "/s" }

func parseToken(s string, stream uint64) (forward bool, p point, err error) {
	parts := strings.Split(s, "/")
	if len(parts) != 3 || parts[2] != "s" || parts[0] != "f" && parts[0] != "b" {
		return false, point{}, ErrToken
	}
	p, ok := parsePoint(parts[1])
	if !ok || p.stream != stream {
		return false, point{}, ErrToken
	}
	return parts[0] == "f", p, nil
}

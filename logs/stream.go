package logs

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/cockroachdb/pebble/v2"

	"fargo"
)

// Stream is a log stream.
type Stream struct {
	Name    string
	Created int64
	// First and Last are the times of the oldest event still kept and of the
	// newest there has been; 0 means there is none.
	First, Last int64
	// Ingested is when events were last added; 0 means never.
	Ingested int64
	Bytes    int64 // as Group.Bytes
}

// stream is a Stream as the store keeps it, below its group's id and its name.
type stream struct {
	Stream
	id     uint64
	number uint64 // of the next event
}

// streamVersion begins every stored stream.
const streamVersion = 1

func (st *stream) encode() []byte {
	v := make([]byte, 1, 48)
	v[0] = streamVersion
	for _, n := range st.fields() {
		v = binary.AppendVarint(v, *n)
	}
	v = binary.AppendUvarint(v, st.id)
	return binary.AppendUvarint(v, st.number)
}

func (st *stream) fields() [5]*int64 {
	return [...]*int64{&st.Created, &st.First, &st.Last, &st.Ingested, &st.Bytes}
}

func decodeStream(name string, v []byte) (*stream, error) {
	st := &stream{Stream: Stream{Name: name}}
	if len(v) == 0 || v[0] != streamVersion {
		return nil, fmt.Errorf("stream %s: unknown version", name)
	}
	v = v[1:]
	ok := true
	for _, f := range st.fields() {
		n, size := binary.Varint(v)
		ok = ok && size > 0
		*f, v = n, v[max(size, 0):]
	}
	for _, f := range []*uint64{&st.id, &st.number} {
		n, size := binary.Uvarint(v)
		ok = ok && size > 0
		*f, v = n, v[max(size, 0):]
	}
	if !ok || len(v) != 0 {
		return nil, fmt.Errorf("stream %s: damaged", name)
	}
	return st, nil
}

// stream finds a stream of a group.
func (s *Store) stream(g *group, name string) (*stream, error) {
	v, found, err := s.engine.Get(streamKey(g.ID, name))
	if err != nil {
		return nil, err
	}
	if !found {
		return nil, ErrNoStream
	}
	return decodeStream(name, v)
}

func putStream(b *pebble.Batch, g *group, st *stream) error {
	return b.Set(streamKey(g.ID, st.Name), st.encode(), nil)
}

// newStream makes a stream that is not yet in any batch; the caller is writing b.
func (s *Store) newStream(b *pebble.Batch, name string) *stream {
	return &stream{Stream: Stream{Name: name, Created: nowMillis()}, id: s.newID(b)}
}

// CreateStream creates a stream in a group that must exist. The error is
// ErrStreamExists when there is one.
func (s *Store) CreateStream(ctx context.Context, scope fargo.Scope, groupName, name string) error {
	return s.engine.Update(ctx, func(b *pebble.Batch) (func(), error) {
		g, err := s.group(scope, groupName)
		if err != nil {
			return nil, err
		}
		switch _, err := s.stream(g, name); {
		case err == nil:
			return nil, ErrStreamExists
		case !errors.Is(err, ErrNoStream):
			return nil, err
		}
		return nil, putStream(b, g, s.newStream(b, name))
	})
}

// DeleteStream deletes a stream, its events and the positions of its sources.
func (s *Store) DeleteStream(ctx context.Context, scope fargo.Scope, groupName, name string) error {
	return s.engine.Update(ctx, func(b *pebble.Batch) (func(), error) {
		g, err := s.group(scope, groupName)
		if err != nil {
			return nil, err
		}
		st, err := s.stream(g, name)
		if err != nil {
			return nil, err
		}
		b.Delete(streamKey(g.ID, name), nil)
		for _, table := range []byte{tableSource, tableEvent} {
			prefix := idKey(table, g.ID, st.id)
			b.DeleteRange(prefix, after(prefix), nil)
		}
		return g.addBytes(b, -st.Bytes), nil
	})
}

// Stream finds a stream, or fails with ErrNoGroup or ErrNoStream.
func (s *Store) Stream(scope fargo.Scope, groupName, name string) (Stream, error) {
	g, err := s.group(scope, groupName)
	if err != nil {
		return Stream{}, err
	}
	st, err := s.stream(g, name)
	if err != nil {
		return Stream{}, err
	}
	return st.Stream, nil
}

// StreamQuery selects streams of a group.
type StreamQuery struct {
	Prefix string // of the name
	// ByLastEvent orders by the time of the newest event, then by name;
	// otherwise the order is by name.
	ByLastEvent bool
	Descending  bool
	Token       string // of the page before
	Limit       int    // at most so many
}

// Streams returns a page of a group's streams and the token of the next, which is
// empty at the end.
func (s *Store) Streams(scope fargo.Scope, groupName string, q StreamQuery) (page []Stream, next string, err error) {
	g, err := s.group(scope, groupName)
	if err != nil {
		return nil, "", err
	}
	order := q.order()
	from, err := q.from()
	if err != nil {
		return nil, "", err
	}
	err = s.eachStream(g, q.Prefix, func(st *stream) {
		if q.Token != "" && order(st.Stream, from) <= 0 {
			return
		}
		// The page is kept sorted and one longer than asked for, so that memory
		// does not grow with the group.
		i, _ := slices.BinarySearchFunc(page, st.Stream, order)
		if i <= q.Limit {
			page = slices.Insert(page, i, st.Stream)
			page = page[:min(len(page), q.Limit+1)]
		}
	})
	if err != nil {
		return nil, "", err
	}
	if len(page) > q.Limit {
		page = page[:q.Limit]
		last := page[q.Limit-1]
		next = fmt.Sprintf("%d:%s", last.Last, last.Name)
	}
	return page, next, nil
}

func (q StreamQuery) order() func(a, b Stream) int {
	return func(a, b Stream) int {
		c := strings.Compare(a.Name, b.Name)
		if q.ByLastEvent {
			c = cmp.Or(cmp.Compare(a.Last, b.Last), c)
		}
		if q.Descending {
			c = -c
		}
		return c
	}
}

// from is the last stream of the page before.
func (q StreamQuery) from() (Stream, error) {
	if q.Token == "" {
		return Stream{}, nil
	}
	last, name, ok := strings.Cut(q.Token, ":")
	t, err := strconv.ParseInt(last, 10, 64)
	if !ok || err != nil {
		return Stream{}, ErrToken
	}
	return Stream{Name: name, Last: t}, nil
}

// eachStream calls fn for every stream of a group whose name begins with prefix.
func (s *Store) eachStream(g *group, prefix string, fn func(*stream)) error {
	lower := streamKey(g.ID, prefix)
	it, err := s.db.NewIter(&pebble.IterOptions{LowerBound: lower, UpperBound: after(lower)})
	if err != nil {
		return fmt.Errorf("read streams: %w", err)
	}
	defer it.Close()
	for it.First(); it.Valid(); it.Next() {
		st, err := decodeStream(string(it.Key()[9:]), it.Value())
		if err != nil {
			return err
		}
		fn(st)
	}
	return it.Error()
}

package logs

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cockroachdb/pebble/v2"
)

const (
	sweepEvery = 10 * time.Minute
	sweepStep  = 1000 // events removed at a time, so that writers wait little
)

// Run removes expired events until ctx ends. Readers do not see expired events;
// removing them frees their space.
func (s *Store) Run(ctx context.Context) error {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		if err := s.sweep(ctx); err != nil && ctx.Err() == nil {
			return fmt.Errorf("remove expired events: %w", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func (s *Store) sweep(ctx context.Context) error {
	s.mu.RLock()
	var groups []*group
	for _, g := range s.mu.groups {
		if g.RetentionDays > 0 {
			groups = append(groups, g)
		}
	}
	s.mu.RUnlock()
	for _, g := range groups {
		if err := s.sweepGroup(ctx, g); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) sweepGroup(ctx context.Context, g *group) error {
	cutoff := g.expired()
	var names []string
	err := s.eachStream(g, "", func(st *stream) {
		if st.First != 0 && st.First < cutoff {
			names = append(names, st.Name)
		}
	})
	if err != nil {
		return err
	}
	for _, name := range names {
		for more := true; more; {
			err := s.engine.Update(ctx, func(b *pebble.Batch) (seen func(), err error) {
				seen, more, err = s.trim(b, g, name)
				return seen, err
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// trim adds to a batch the removal of at most sweepStep of a stream's oldest events,
// those that are expired now: the group may have changed since was was read. more
// reports whether there are others.
func (s *Store) trim(b *pebble.Batch, was *group, name string) (seen func(), more bool, err error) {
	s.mu.RLock()
	g, ok := s.mu.groups[was.key]
	s.mu.RUnlock()
	if !ok || g.ID != was.ID || g.RetentionDays == 0 {
		return nil, false, nil
	}
	cutoff := g.expired()
	st, err := s.stream(g, name)
	if errors.Is(err, ErrNoStream) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	prefix := idKey(tableEvent, g.ID, st.id)
	it, err := s.db.NewIter(&pebble.IterOptions{LowerBound: prefix, UpperBound: after(prefix)})
	if err != nil {
		return nil, false, err
	}
	defer it.Close()
	var size int64
	end := point{cutoff, st.id, 0}
	st.First = 0 // unless one is left
	for n, ok := 0, it.First(); ok; n, ok = n+1, it.Next() {
		p := eventPoint(it.Key())
		if p.time >= cutoff || n == sweepStep {
			more = p.time < cutoff
			end, st.First = p, p.time
			break
		}
		size += int64(len(decodeEvent(name, p, it.Value()).Message)) + EventOverhead
	}
	if err := it.Error(); err != nil {
		return nil, false, err
	}
	st.Bytes -= size
	b.DeleteRange(prefix, eventKey(g.ID, end), nil)
	return g.addBytes(b, -size), more, putStream(b, g, st)
}

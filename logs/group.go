package logs

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"fargo"
)

// Group is a log group. Values are shared: change only copies.
type Group struct {
	Name    string            `json:"name"`
	Created int64             `json:"created"`
	Class   string            `json:"class,omitempty"` // "STANDARD"
	KMSKey  string            `json:"kmsKey,omitempty"`
	Tags    map[string]string `json:"tags,omitempty"`
	// RetentionDays is how long events are kept; 0 means for ever.
	RetentionDays int32 `json:"retentionDays,omitempty"`
	// Protected keeps the group from being deleted.
	Protected bool `json:"protected,omitempty"`
	// MetricFilters are in the order of their names.
	MetricFilters []MetricFilter `json:"metricFilters,omitempty"`
	// Bytes is the size of all events in the group, counted as PutLogEvents
	// does: the message and 26 bytes each.
	Bytes int64 `json:"-"`
}

// expired is the time before which events are removed, or will be.
func (g *Group) expired() int64 {
	if g.RetentionDays == 0 {
		return 0
	}
	return nowMillis() - int64(g.RetentionDays)*24*time.Hour.Milliseconds()
}

// group is a Group as the store keeps it in memory.
type group struct {
	Group
	ID    uint64 `json:"id"`
	key   string
	bytes *atomic.Int64 // shared by all versions of the group
}

func (s *Store) loadGroups() error {
	it, err := s.db.NewIter(&pebble.IterOptions{LowerBound: []byte{tableGroup}, UpperBound: []byte{tableGroup + 1}})
	if err != nil {
		return err
	}
	defer it.Close()
	for it.First(); it.Valid(); it.Next() {
		g := &group{key: string(it.Key()[1:]), bytes: new(atomic.Int64)}
		if err := json.Unmarshal(it.Value(), g); err != nil {
			return fmt.Errorf("group %s: %w", g.key, err)
		}
		if v, found, err := s.engine.Get(idKey(tableBytes, g.ID)); err != nil {
			return err
		} else if found {
			g.bytes.Store(int64(binary.BigEndian.Uint64(v)))
		}
		s.mu.groups[g.key] = g
	}
	return it.Error()
}

// group finds a group.
func (s *Store) group(scope fargo.Scope, name string) (*group, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	g, ok := s.mu.groups[scope.Key(name)]
	if !ok {
		return nil, ErrNoGroup
	}
	return g, nil
}

func (s *Store) keep(g *group) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mu.groups[g.key] = g
}

// putGroup adds g to a batch.
func putGroup(b *pebble.Batch, g *group) error {
	v, err := json.Marshal(g)
	if err != nil {
		return fmt.Errorf("group %s: %w", g.key, err)
	}
	return b.Set(groupKey(g.key), v, nil)
}

// newGroup adds a new group to a batch; the caller is writing it.
func (s *Store) newGroup(b *pebble.Batch, scope fargo.Scope, g Group) (*group, error) {
	g.Created = nowMillis()
	n := &group{Group: g, ID: s.newID(b), key: scope.Key(g.Name), bytes: new(atomic.Int64)}
	return n, putGroup(b, n)
}

// CreateGroup creates a group; Created is set by the store. The error is
// ErrGroupExists when there is one.
func (s *Store) CreateGroup(ctx context.Context, scope fargo.Scope, g Group) error {
	return s.engine.Update(ctx, func(b *pebble.Batch) (func(), error) {
		if _, err := s.group(scope, g.Name); err == nil {
			return nil, ErrGroupExists
		}
		n, err := s.newGroup(b, scope, g)
		return func() { s.keep(n) }, err
	})
}

// UpdateGroup calls change with a copy of a group and stores it. The error of change
// is returned unchanged, and nothing is stored then. Name, Created and Bytes cannot be edited.
func (s *Store) UpdateGroup(ctx context.Context, scope fargo.Scope, name string, change func(*Group) error) error {
	return s.engine.Update(ctx, func(b *pebble.Batch) (func(), error) {
		old, err := s.group(scope, name)
		if err != nil {
			return nil, err
		}
		n := *old
		n.Tags = maps.Clone(old.Tags)
		if err := change(&n.Group); err != nil {
			return nil, err
		}
		n.Name, n.Created = old.Name, old.Created
		return func() { s.keep(&n) }, putGroup(b, &n)
	})
}

// DeleteGroup deletes a group and all in it.
func (s *Store) DeleteGroup(ctx context.Context, scope fargo.Scope, name string) error {
	return s.engine.Update(ctx, func(b *pebble.Batch) (func(), error) {
		g, err := s.group(scope, name)
		if err != nil {
			return nil, err
		}
		b.Delete(groupKey(g.key), nil)
		b.Delete(idKey(tableBytes, g.ID), nil)
		for _, table := range []byte{tableStream, tableSource, tableEvent} {
			prefix := idKey(table, g.ID)
			b.DeleteRange(prefix, after(prefix), nil)
		}
		return func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			delete(s.mu.groups, g.key)
		}, nil
	})
}

// Group finds a group by name, or fails with ErrNoGroup.
func (s *Store) Group(scope fargo.Scope, name string) (Group, error) {
	g, err := s.group(scope, name)
	if err != nil {
		return Group{}, err
	}
	return g.snapshot(), nil
}

// Groups returns all groups of a scope in the order of their names.
func (s *Store) Groups(scope fargo.Scope) []Group {
	s.mu.RLock()
	var all []Group
	for key, g := range s.mu.groups {
		if strings.HasPrefix(key, scope.Key()) {
			all = append(all, g.snapshot())
		}
	}
	s.mu.RUnlock()
	slices.SortFunc(all, func(a, b Group) int { return strings.Compare(a.Name, b.Name) })
	return all
}

func (g *group) snapshot() Group {
	v := g.Group
	v.Bytes = g.bytes.Load()
	return v
}

// addBytes adds the new size of a group to a batch, and returns what is to be done
// when the batch is visible.
func (g *group) addBytes(b *pebble.Batch, n int64) (seen func()) {
	total := g.bytes.Load() + n
	b.Set(idKey(tableBytes, g.ID), binary.BigEndian.AppendUint64(nil, uint64(total)), nil)
	return func() { g.bytes.Store(total) }
}

package storetest

import (
	"context"
	"errors"
	"iter"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"fargo/store"
)

type item struct {
	Key    string
	Values []string
	N      int
}

var items = store.NewTable("storetest-items",
	func(i *item) string { return i.Key },
	store.Index[item]{Name: "value", Values: func(i *item) []string { return i.Values }},
	store.Index[item]{Name: "odd", Values: func(i *item) []string {
		if i.N%2 == 0 {
			return nil
		}
		return []string{"odd"}
	}},
)

// Keys and values that are beginnings of each other, empty, and not ASCII.
var (
	keys   = rapid.SampledFrom([]string{"", "a", "a/", "a/b", "a/bc", "b", "b\x00", "ü"})
	values = rapid.SampledFrom([]string{"", "a", "ab", "b", "\x00", "a\x00b"})
)

// machine drives a DB and a plain map with the same transactions, and has the DB's
// journal followed.
type machine struct {
	open  Opener
	db    *store.DB
	model map[string]item

	follower *store.Follower
	watcher  *store.Watcher // of the follower
	cancel   func()         // ends the follower
	ended    chan error     // gets its error
}

// testModel compares a DB, and who follows it, with a map, over random transactions
// and restarts.
func testModel(t *testing.T, fresh func(t *testing.T) Opener) {
	rapid.Check(t, func(r *rapid.T) {
		m := &machine{open: fresh(t), model: map[string]item{}}
		m.start(r)
		r.Repeat(map[string]func(*rapid.T){
			"update": func(r *rapid.T) { m.update(r, nil) },
			"fail":   func(r *rapid.T) { m.update(r, errors.New("changed my mind")) },
			"reopen": func(r *rapid.T) { m.stop(r); m.start(r) },
			"follow": func(r *rapid.T) { m.check(r, m.followed(r), m.model) },
			"":       func(r *rapid.T) { m.check(r, m.db.View(), m.model) },
		})
		m.stop(r)
	})
}

func (m *machine) start(r *rapid.T) {
	j, err := m.open()
	if err != nil {
		r.Fatal(err)
	}
	if m.db, err = store.Open(context.Background(), j); err != nil {
		r.Fatal(err)
	}
	if m.follower, err = store.NewFollower(context.Background(), j); err != nil {
		r.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	m.watcher, m.cancel, m.ended = m.follower.Watch(), cancel, make(chan error, 1)
	go func() { m.ended <- m.follower.Run(ctx) }()
}

// followed waits until the follower has all that is durable, and gives its view.
func (m *machine) followed(r *rapid.T) *store.Snapshot {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	for m.follower.View().Revision() < m.db.View().Revision() {
		if _, err := m.watcher.Next(ctx); err != nil {
			r.Fatalf("the follower is at revision %d, the leader at %d: %v", m.follower.View().Revision(), m.db.View().Revision(), err)
		}
	}
	return m.follower.View()
}

func (m *machine) stop(r *rapid.T) {
	m.cancel()
	if err := <-m.ended; !errors.Is(err, context.Canceled) {
		r.Fatalf("the follower ended with %v", err)
	}
	m.watcher.Close()
	if err := m.db.Close(); err != nil {
		r.Fatal(err)
	}
}

// update runs one random transaction, which ends in the answer. Everything that
// was read before it must stay as it was.
func (m *machine) update(r *rapid.T, answer error) {
	before, old := m.db.View(), maps.Clone(m.model)
	next := maps.Clone(m.model)
	err := m.db.Update(context.Background(), func(tx *store.Tx) error {
		for range rapid.IntRange(0, 5).Draw(r, "operations") {
			m.operate(r, tx, next)
			m.check(r, tx, next)
		}
		return answer
	})
	if !errors.Is(err, answer) {
		r.Fatalf("Update returned %v, want %v", err, answer)
	}
	if answer == nil {
		m.model = next
	}
	m.check(r, before, old)
}

func (m *machine) operate(r *rapid.T, tx *store.Tx, model map[string]item) {
	switch rapid.IntRange(0, 4).Draw(r, "operation") {
	case 0:
		key := keys.Draw(r, "key")
		_, want := model[key]
		if got := items.Delete(tx, key); got != want {
			r.Fatalf("Delete(%q) = %v", key, got)
		}
		delete(model, key)
	case 1: // writes inside of a loop over what is written
		for i := range items.By(tx, "odd", "odd") {
			changed := *i
			changed.N++
			items.Put(tx, &changed)
			model[i.Key] = changed
		}
	default:
		i := item{
			Key:    keys.Draw(r, "key"),
			Values: rapid.SliceOfN(values, 1, 3).Draw(r, "values"),
			N:      rapid.IntRange(0, 9).Draw(r, "n"),
		}
		items.Put(tx, &i)
		model[i.Key] = i
	}
}

func (m *machine) check(r *rapid.T, reader store.Reader, model map[string]item) {
	all := func(item) bool { return true }
	same(r, "All", items.All(reader), model, all)
	same(r, "Prefix", items.Prefix(reader, "a/"), model, func(i item) bool { return strings.HasPrefix(i.Key, "a/") })
	same(r, "odd", items.By(reader, "odd", "odd"), model, func(i item) bool { return i.N%2 == 1 })
	for _, v := range []string{"", "a", "ab", "\x00", "a\x00b", "none"} {
		same(r, "value", items.By(reader, "value", v), model, func(i item) bool { return slices.Contains(i.Values, v) })
	}
	for _, key := range []string{"", "a", "a/bc", "ü"} {
		want, exists := model[key]
		if got, ok := items.Get(reader, key); ok != exists || ok && !equal(*got, want) {
			r.Fatalf("Get(%q) = %v, %v; want %v", key, got, ok, want)
		}
	}
}

func same(r *rapid.T, name string, got iter.Seq[*item], model map[string]item, keep func(item) bool) {
	var want []item
	for _, key := range slices.Sorted(maps.Keys(model)) {
		if keep(model[key]) {
			want = append(want, model[key])
		}
	}
	var found []item
	for i := range got {
		found = append(found, *i)
	}
	if !slices.EqualFunc(found, want, equal) {
		r.Fatalf("%s gives %v, want %v", name, found, want)
	}
}

func equal(a, b item) bool {
	return a.Key == b.Key && a.N == b.N && slices.Equal(a.Values, b.Values)
}

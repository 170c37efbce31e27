package store_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"fargo/store"
)

func TestWatchCoalesces(t *testing.T) {
	db := open(t, store.NewMemory())
	put(db, "before", 1)
	w := db.Watch()
	for i := range 100 {
		put(db, fmt.Sprint(i%3), i)
	}
	db.Update(t.Context(), func(tx *store.Tx) error { records.Delete(tx, "before"); return nil })
	db.Update(t.Context(), func(tx *store.Tx) error {
		records.Put(tx, &row{Key: "never"})
		return errors.New("no")
	})
	changes, err := w.Next(t.Context())
	var keys []string
	for _, c := range changes {
		keys = append(keys, c.Table+"/"+c.Key)
	}
	want := []string{"test-records/0", "test-records/1", "test-records/2", "test-records/before"}
	if err != nil || !slices.Equal(keys, want) {
		t.Errorf("Next gives %q, %v; want %q", keys, err, want)
	}

	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := w.Next(canceled); !errors.Is(err, context.Canceled) {
		t.Errorf("with nothing changed, Next returned %v", err)
	}

	put(db, "after", 1)
	w.Close()
	put(db, "after", 2)
	for range 2 {
		if changes, err := w.Next(t.Context()); !errors.Is(err, store.ErrClosed) {
			t.Errorf("a closed watcher gives %v, %v", changes, err)
		}
	}
}

// A watcher of a part of the state is told of what is in it, and of what leaves
// it.
func TestWatchPart(t *testing.T) {
	db := open(t, store.NewMemory())
	odd := db.Watch(records.Under("parity", "odd"))
	other := db.Watch(secrets.Any())
	defer odd.Close()
	defer other.Close()
	put(db, "a", 1)
	put(db, "b", 2)
	if got := next(t, odd); !slices.Equal(got, []string{"a"}) {
		t.Errorf("of a and b, a watcher of odd ones is told of %v", got)
	}
	put(db, "a", 2)
	put(db, "b", 4)
	if got := next(t, odd); !slices.Equal(got, []string{"a"}) {
		t.Errorf("when a is no longer odd, it is told of %v", got)
	}
	db.Update(t.Context(), func(tx *store.Tx) error { // odd for a moment only, and for good
		records.Put(tx, &row{Key: "b", N: 5})
		records.Put(tx, &row{Key: "b", N: 6})
		records.Put(tx, &row{Key: "c", N: 6})
		records.Put(tx, &row{Key: "c", N: 7})
		secrets.Put(tx, &row{Key: "x", N: 1})
		return nil
	})
	if got := next(t, odd); !slices.Equal(got, []string{"c"}) {
		t.Errorf("of a transaction after which c is odd, it is told of %v", got)
	}
	if got := next(t, other); !slices.Equal(got, []string{"x"}) {
		t.Errorf("a watcher of another table is told of %v", got)
	}
	db.Update(t.Context(), func(tx *store.Tx) error { records.Delete(tx, "c"); return nil })
	if got := next(t, odd); !slices.Equal(got, []string{"c"}) {
		t.Errorf("when c is deleted, it is told of %v", got)
	}
}

// What two views of a watcher differ in is what it was told between them, though
// commits go on meanwhile.
func TestWatchTellsWhatViewsDifferIn(t *testing.T) {
	db := open(t, store.NewMemory())
	w := db.Watch(records.Any())
	defer w.Close()
	const commits, width = 2000, 10
	go func() {
		for n := range commits {
			_ = db.Update(context.Background(), func(tx *store.Tx) error { // fails when the test has ended
				for i := range width {
					records.Put(tx, &row{Key: fmt.Sprint(i), N: n + 1})
				}
				return nil
			})
		}
	}()
	before := map[string]int{}
	for before["0"] < commits {
		told := next(t, w)
		for r := range records.All(w.View()) {
			if r.N != before[r.Key] && !slices.Contains(told, r.Key) {
				t.Fatalf("%s is %d now, was %d, and nobody told: only of %v", r.Key, r.N, before[r.Key], told)
			}
			before[r.Key] = r.N
		}
	}
}

// next gives the keys a watcher was told of.
func next(t *testing.T, w *store.Watcher) (keys []string) {
	t.Helper()
	changes, err := w.Next(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range changes {
		keys = append(keys, c.Key)
	}
	return keys
}

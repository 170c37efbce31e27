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
		records.Put(tx, &record{Key: "never"})
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

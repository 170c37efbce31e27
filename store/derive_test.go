package store_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"fargo/store"
)

// doubled is what the tests derive from a row: one with twice its number.
func doubled(tx *store.Tx) error {
	for before, after := range records.Written(tx) {
		if after == nil {
			secrets.Delete(tx, before.Key)
			continue
		}
		if after.N > 100 {
			return errors.New("too much")
		}
		secrets.Put(tx, &row{Key: after.Key, N: 2 * after.N})
	}
	return nil
}

func TestDerivedWritesAreOfTheTransaction(t *testing.T) {
	db := open(t, store.NewMemory())
	db.Derive(doubled)
	for _, c := range []struct {
		n, want int
		fails   bool
	}{{1, 2, false}, {2, 4, false}, {101, 4, true}} {
		if err := put(db, "a", c.n); (err != nil) != c.fails {
			t.Fatalf("put %d: %v", c.n, err)
		}
		if r, _ := secrets.Get(db.View(), "a"); r.N != c.want {
			t.Errorf("put %d: derived %d", c.n, r.N)
		}
	}
	if err := db.Update(t.Context(), func(tx *store.Tx) error { records.Delete(tx, "a"); return nil }); err != nil {
		t.Fatal(err)
	}
	if r, ok := secrets.Get(db.View(), "a"); ok {
		t.Errorf("left: %+v", r)
	}
}

func TestWritten(t *testing.T) {
	db := open(t, store.NewMemory())
	for _, key := range []string{"changed", "deleted", "kept"} {
		if err := put(db, key, 1); err != nil {
			t.Fatal(err)
		}
	}
	var got []string
	db.Derive(func(tx *store.Tx) error {
		for before, after := range records.Written(tx) {
			got = append(got, fmt.Sprintln(before, after))
		}
		return nil
	})
	err := db.Update(t.Context(), func(tx *store.Tx) error {
		records.Put(tx, &row{Key: "changed", N: 2})
		records.Put(tx, &row{Key: "new", N: 1})
		records.Put(tx, &row{Key: "changed", N: 3})
		records.Delete(tx, "deleted")
		secrets.Put(tx, &row{Key: "other"})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"&{changed 1 <nil>} &{changed 3 <nil>}\n", "<nil> &{new 1 <nil>}\n", "&{deleted 1 <nil>} <nil>\n"}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// What a transaction wants done then is done when it is durable, and not when it fails.
func TestThen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGated()
		db := open(t, g)
		called := 0
		update := func() <-chan error {
			done := make(chan error, 1)
			go func() {
				done <- db.Update(context.Background(), func(tx *store.Tx) error {
					records.Put(tx, &row{Key: "a"})
					tx.Then(func() { called++ })
					return nil
				})
			}()
			<-g.begun
			return done
		}
		done := update()
		g.end <- errors.New("full")
		if err := <-done; err == nil || called != 0 {
			t.Errorf("after a failure: %v, called %d times", err, called)
		}
		done = update()
		if called != 0 {
			t.Error("called before it is durable")
		}
		g.end <- nil
		if err := <-done; err != nil || called != 1 {
			t.Errorf("%v, called %d times", err, called)
		}
	})
}

// Package storetest is what every journal must pass. It knows the promises of
// [store.Journal] and of a [store.DB] on top of it; it refuses to know any
// journal in particular.
package storetest

import (
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"

	"fargo/store"
)

// Opener opens one and the same storage, anew after each Close.
type Opener func() (store.Journal, error)

// Run checks a kind of journal. fresh makes an empty storage for one test.
func Run(t *testing.T, fresh func(t *testing.T) Opener) {
	t.Run("commit and load", func(t *testing.T) { testCommit(t, fresh(t)) })
	t.Run("large batch", func(t *testing.T) { testLarge(t, fresh(t)) })
	t.Run("load stops", func(t *testing.T) { testLoadStops(t, fresh(t)) })
	t.Run("foreign tables", func(t *testing.T) { testForeign(t, fresh(t)) })
	t.Run("model", func(t *testing.T) { testModel(t, fresh) })
}

func testCommit(t *testing.T, open Opener) {
	j := mustOpen(t, open)
	commit(t, j, write("a/1", "one"), write("a/2", "two"), write("a/3", "three"))
	commit(t, j, write("a/1", "uno"), remove("a/2"), remove("a/4"))
	commit(t, j, write("a/5", "x"), remove("a/5"), remove("a/6"), write("a/6", "six"))
	want := map[string]string{"a/1": "uno", "a/3": "three", "a/6": "six"}
	check(t, j, want)
	mustClose(t, j)

	j = mustOpen(t, open)
	check(t, j, want)
	mustClose(t, j)
}

// testLarge commits more than an engine's write buffer holds.
func testLarge(t *testing.T, open Opener) {
	j := mustOpen(t, open)
	want := map[string]string{}
	var writes []store.Write
	for i := range 100 {
		key, value := fmt.Sprintf("large/%03d", i), strings.Repeat(string(rune('a'+i%26)), 100_000)
		want[key] = value
		writes = append(writes, write(key, value))
	}
	commit(t, j, writes...)
	check(t, j, want)
	mustClose(t, j)

	j = mustOpen(t, open)
	check(t, j, want)
	mustClose(t, j)
}

func testLoadStops(t *testing.T, open Opener) {
	j := mustOpen(t, open)
	defer mustClose(t, j)
	commit(t, j, write("a/1", "one"), write("a/2", "two"))
	stop, calls := errors.New("stop"), 0
	err := j.Load(t.Context(), func(string, []byte) error { calls++; return stop })
	if !errors.Is(err, stop) || calls != 1 {
		t.Errorf("Load called yield %d times and returned %v; want one call and its error", calls, err)
	}
}

// testForeign keeps what an other version of the program may know.
func testForeign(t *testing.T, open Opener) {
	j := mustOpen(t, open)
	commit(t, j, write("a-table-of-the-future/1", "{}"), write(items.Name()+"/a", `{"Key":"a","New":1}`))
	db, err := store.Open(t.Context(), j)
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := items.Get(db.View(), "a"); !ok {
		t.Error("a record with an unknown field was not loaded")
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	j = mustOpen(t, open)
	defer mustClose(t, j)
	found := load(t, j)
	if _, ok := found["a-table-of-the-future/1"]; !ok {
		t.Errorf("the record of an unknown table is gone; found %v", found)
	}
}

func write(key, value string) store.Write { return store.Write{Key: key, Value: []byte(value)} }
func remove(key string) store.Write       { return store.Write{Key: key} }

func commit(t *testing.T, j store.Journal, writes ...store.Write) {
	t.Helper()
	if err := j.Commit(t.Context(), writes); err != nil {
		t.Fatalf("Commit: %v", err)
	}
}

func load(t *testing.T, j store.Journal) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := j.Load(t.Context(), func(key string, value []byte) error {
		if _, ok := found[key]; ok {
			t.Errorf("Load yields %q twice", key)
		}
		found[key] = string(value)
		return nil
	})
	if err != nil {
		t.Fatalf("Load: %v", err)
	}
	return found
}

func check(t *testing.T, j store.Journal, want map[string]string) {
	t.Helper()
	if found := load(t, j); !maps.Equal(found, want) {
		t.Errorf("Load found %d records, want %d\n%.200v", len(found), len(want), found)
	}
}

func mustOpen(t *testing.T, open Opener) store.Journal {
	t.Helper()
	j, err := open()
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	return j
}

func mustClose(t *testing.T, j store.Journal) {
	t.Helper()
	if err := j.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
}

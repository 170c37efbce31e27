// Package storetest is the conformance suite of journals. It knows the promises of
// [store.Journal], and of a [store.DB] and a [store.Follower] on top of it; it
// refuses to know any journal in particular.
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
	t.Run("contract", func(t *testing.T) { Contract(t, fresh) })
	t.Run("two leaders", func(t *testing.T) { testTwoLeaders(t, fresh(t)) })
	t.Run("follow", func(t *testing.T) { testFollow(t, fresh(t)) })
	t.Run("follow from too far behind", func(t *testing.T) { testCompacted(t, fresh(t)) })
	t.Run("limits", func(t *testing.T) { testLimits(t, fresh(t)) })
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

// testLarge commits more than an engine's write buffer holds, if that is within the
// limits.
func testLarge(t *testing.T, open Opener) {
	j := mustOpen(t, open)
	want := map[string]string{}
	var writes []store.Write
	for i := range min(100, j.Limits().Bytes/110_000) {
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
	_, err := j.Load(t.Context(), func(string, []byte) error { calls++; return stop })
	if !errors.Is(err, stop) || calls != 1 {
		t.Errorf("Load called yield %d times and returned %v; want one call and its error", calls, err)
	}
}

// testForeign checks that a record which another version of the program may know is
// kept.
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

// leader is a journal that was opened, and is led.
type leader struct {
	store.Journal
	lease store.Lease
	last  store.Revision // of what was committed
}

func commit(t *testing.T, j *leader, writes ...store.Write) {
	t.Helper()
	revision, err := j.Commit(t.Context(), j.lease.Epoch, writes)
	if err != nil {
		t.Fatalf("Commit: %v", err)
	}
	if revision <= j.last {
		t.Errorf("Commit returned revision %d after %d", revision, j.last)
	}
	j.last = revision
}

func load(t *testing.T, j *leader) map[string]string {
	t.Helper()
	found := map[string]string{}
	revision, err := j.Load(t.Context(), func(key string, value []byte) error {
		if _, ok := found[key]; ok {
			t.Errorf("Load yields %q twice", key)
		}
		found[key] = string(value)
		return nil
	})
	if err != nil {
		t.Fatalf("Load: %v", err)
	}
	if revision < j.last {
		t.Errorf("Load is of revision %d, before %d", revision, j.last)
	}
	return found
}

func check(t *testing.T, j *leader, want map[string]string) {
	t.Helper()
	if found := load(t, j); !maps.Equal(found, want) {
		t.Errorf("Load found %d records, want %d\n%.200v", len(found), len(want), found)
	}
}

func mustOpen(t *testing.T, open Opener) *leader {
	t.Helper()
	j, err := open()
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	return lead(t, j)
}

func lead(t *testing.T, j store.Journal) *leader {
	t.Helper()
	lease, err := j.Lead(t.Context())
	if err != nil {
		t.Fatalf("Lead: %v", err)
	}
	return &leader{Journal: j, lease: lease}
}

func mustClose(t *testing.T, j store.Journal) {
	t.Helper()
	if err := j.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
}

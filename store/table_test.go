package store_test

import (
	"context"
	"slices"
	"testing"

	"fargo/store"
)

// A table's version changes with its records, and with nothing else.
func TestVersion(t *testing.T) {
	db := open(t, store.NewMemory())
	if err := put(db, "a", 1); err != nil {
		t.Fatal(err)
	}
	first := records.Version(db.View())
	err := db.Update(context.Background(), func(tx *store.Tx) error {
		secrets.Put(tx, &row{Key: "other table"})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if records.Version(db.View()) != first {
		t.Error("another table's write made a new version")
	}
	if err := put(db, "a", 2); err != nil {
		t.Fatal(err)
	}
	second := records.Version(db.View())
	if second == first {
		t.Error("a changed record made no new version")
	}
	err = db.Update(context.Background(), func(tx *store.Tx) error {
		records.Delete(tx, "a")
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if v := records.Version(db.View()); v == first || v == second {
		t.Error("a deleted record made no new version")
	}
}

// From begins at a key, which need not be there, and goes on in order.
func TestFrom(t *testing.T) {
	db := open(t, store.NewMemory())
	for _, key := range []string{"b/1", "a/", "a/2", "a", "a0", "a/1"} {
		if err := put(db, key, 1); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		first string
		want  []string
	}{
		{"", []string{"a", "a/", "a/1", "a/2", "a0", "b/1"}},
		{"a/", []string{"a/", "a/1", "a/2", "a0", "b/1"}},
		{"a/10", []string{"a/2", "a0", "b/1"}},
		{"b/1", []string{"b/1"}},
		{"c", nil},
	} {
		var got []string
		for r := range records.From(db.View(), c.first) {
			got = append(got, r.Key)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("from %q: %q, want %q", c.first, got, c.want)
		}
	}
}

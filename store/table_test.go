package store_test

import (
	"context"
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

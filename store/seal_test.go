package store_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fargo/store"
)

func TestSeal(t *testing.T) {
	m := store.NewMemory()
	key := store.Key{1}
	db := open(t, store.Seal(m, key))
	err := db.Update(t.Context(), func(tx *store.Tx) error {
		records.Put(tx, &row{Key: "plain-word"})
		secrets.Put(tx, &row{Key: "s", N: 424242})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}

	m.Load(t.Context(), func(key string, value []byte) error {
		if strings.HasPrefix(key, "test-secrets/") && bytes.Contains(value, []byte("424242")) {
			t.Errorf("the secret rests in the clear: %s", value)
		}
		if strings.HasPrefix(key, "test-records/") && !bytes.Contains(value, []byte("plain-word")) {
			t.Errorf("a record without secrets is sealed: %q", value)
		}
		return nil
	})

	if r, ok := secrets.Get(open(t, store.Seal(m, key)).View(), "s"); !ok || r.N != 424242 {
		t.Errorf("the secret came back as %v", r)
	}
	if _, err := store.Open(t.Context(), store.Seal(m, store.Key{2})); err == nil {
		t.Error("another key opens the secrets")
	}
}

// commit takes over a journal and commits to it.
func commit(t *testing.T, j store.Journal, writes ...store.Write) {
	t.Helper()
	lease, err := j.Lead(t.Context())
	if err == nil {
		_, err = j.Commit(t.Context(), lease.Epoch, writes)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// A sealed value is bound to its record: moved to another, it does not open.
func TestSealBindsKey(t *testing.T) {
	m := store.NewMemory()
	s := store.Seal(m, store.Key{1})
	commit(t, s, store.Write{Key: "a", Value: []byte("v"), Secret: true})
	var value []byte
	m.Load(t.Context(), func(_ string, v []byte) error { value = v; return nil })
	commit(t, m, store.Write{Key: "a"}, store.Write{Key: "b", Value: value})
	if _, err := s.Load(context.Background(), func(string, []byte) error { return nil }); err == nil {
		t.Error("a value moved to another key was opened")
	}
}

func TestKeyFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	if _, err := store.LoadKey(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("before there is one: %v", err)
	}
	made, err := store.MakeKey(path)
	if err != nil {
		t.Fatal(err)
	}
	again, err := store.LoadKey(path)
	if err != nil || again != made {
		t.Errorf("the key changed, or %v", err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if left, _ := os.ReadDir(filepath.Dir(path)); len(left) != 1 {
		t.Errorf("files left: %v", left)
	}
	for _, content := range []string{"", "short", strings.Repeat("x", 33)} {
		os.WriteFile(path, []byte(content), 0o600)
		if _, err := store.LoadKey(path); !errors.Is(err, store.ErrBadKey) || !strings.Contains(err.Error(), path) {
			t.Errorf("a key of %d bytes: %v", len(content), err)
		}
	}
}

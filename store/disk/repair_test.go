package disk

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"fargo/store"
)

// sealedJournal is a journal with a record in the clear and two that are sealed.
func sealedJournal(t *testing.T, key Key) vfs.FS {
	t.Helper()
	mem := vfs.NewMem()
	j, err := OpenIn(mem, "journal", key, quiet())
	if err != nil {
		t.Fatal(err)
	}
	err = commit(t, j, []store.Write{
		{Key: "open/1", Value: []byte("{}")},
		{Key: "secrets/1", Value: []byte("{}"), Secret: true},
		{Key: "secrets/2", Value: []byte("{}"), Secret: true},
	})
	if err := errors.Join(err, j.Close()); err != nil {
		t.Fatal(err)
	}
	return mem
}

// A key that is not the one is said to be so, with what it is missing for, and no
// new one takes its place; a repair gives up what was sealed with it, and no more.
func TestLostKey(t *testing.T) {
	for name, lose := range map[string]func(path string) error{
		"missing": os.Remove,
		"empty":   func(path string) error { return os.WriteFile(path, nil, 0o600) },
		"cut":     func(path string) error { return os.Truncate(path, 31) },
		"another": func(path string) error { return os.WriteFile(path, make([]byte, 32), 0o600) },
	} {
		t.Run(name, func(t *testing.T) {
			key := keyFile(t)
			files := sealedJournal(t, key)
			if err := lose(key.File); err != nil {
				t.Fatal(err)
			}
			before, _ := os.ReadFile(key.File)
			j, err := OpenIn(files, "journal", key, quiet())
			if err == nil {
				_, err = store.Open(t.Context(), j) // which closes it
			}
			var lost *KeyLost
			if !errors.As(err, &lost) || !slices.Equal(lost.Records, []string{"secrets/1", "secrets/2"}) || !strings.Contains(err.Error(), key.File) {
				t.Errorf("opened, or refused with %v", err)
			}
			if after, _ := os.ReadFile(key.File); !slices.Equal(after, before) {
				t.Error("the key's file was changed")
			}

			report, err := repair("journal", key, quiet(), files, time.Unix(0, 0))
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(report.Dropped, []string{"secrets/1", "secrets/2"}) || report.Kept != 2 { // and the head
				t.Errorf("reported %+v", report)
			}
			j, err = OpenIn(files, "journal", key, quiet())
			if err != nil {
				t.Fatal(err)
			}
			defer j.Close()
			if got := found(t, j); got != "open/1" {
				t.Errorf("found %q", got)
			}
			if made, err := store.LoadKey(key.File); err != nil || made == (store.Key{}) != (name == "another") {
				t.Errorf("the key is %x, %v", made, err)
			}
		})
	}
}

// What is not sealed needs no key: a new one is made.
func TestKeyOfNothing(t *testing.T) {
	key := keyFile(t)
	if err := os.WriteFile(key.File, []byte("rubbish"), 0o600); err != nil {
		t.Fatal(err)
	}
	j, err := OpenIn(vfs.NewMem(), "journal", key, quiet())
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	if _, err := store.LoadKey(key.File); err != nil {
		t.Error(err)
	}
}

// A key that is in no file is told by its name, is never made, and what was sealed with it
// in a file or not is opened by the same key only.
func TestGivenKey(t *testing.T) {
	file := keyFile(t)
	files := sealedJournal(t, file)
	same, err := store.LoadKey(file.File)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(file.File); err != nil {
		t.Fatal(err)
	}
	other := same
	other[0]++
	j, err := OpenIn(files, "journal", Key{Value: &other, Name: "FARGO_KEY"}, quiet())
	if err == nil {
		_, err = store.Open(t.Context(), j) // which closes it
	}
	if err == nil || !strings.Contains(err.Error(), "FARGO_KEY is not the key that 2 records are sealed with: ") {
		t.Errorf("another key: %v", err)
	}
	j, err = OpenIn(files, "journal", Key{Value: &same, Name: "FARGO_KEY"}, quiet())
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	if got := found(t, j); got != "open/1 secrets/1 secrets/2" {
		t.Errorf("found %q", got)
	}
	if _, err := os.Stat(file.File); !os.IsNotExist(err) {
		t.Errorf("a file was made: %v", err)
	}
}

package storetest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"fargo/engine/enginetest"
	"fargo/store"
)

// damageDir is where a journal is in the file systems that [Damage] makes.
const damageDir = "journal"

// Damage checks a kind of journal that is kept by an engine: whichever file is
// damaged, and wherever, either everything that was acknowledged is found, or the
// journal is not opened and the file is named. open opens the journal in a
// directory of a file system.
func Damage(t *testing.T, open func(files vfs.FS, dir string) (store.Journal, error)) {
	states := written(t, open)
	for _, name := range slices.Sorted(maps.Keys(states)) {
		t.Run(name, func(t *testing.T) {
			files := states[name]
			opened, err := open(files.FS(t, damageDir), damageDir)
			if err != nil {
				t.Fatal("open it undamaged:", err)
			}
			j := lead(t, opened)
			want := load(t, j)
			mustClose(t, j)
			refused, n := 0, 0
			for d := range files.Damage(1, 24) {
				n++
				if opened := examine(t, open, d, want); !opened {
					refused++
				}
			}
			t.Logf("%d damages, %d of them refused", n, refused)
		})
	}
}

// examine reports whether a damaged journal was opened, which must then be whole.
func examine(t *testing.T, open func(vfs.FS, string) (store.Journal, error), d enginetest.Damaged, want map[string]string) (opened bool) {
	t.Helper()
	found := map[string]string{}
	j, err := open(d.Files.FS(t, damageDir), damageDir)
	if err == nil {
		defer j.Close()
		_, err = j.Load(t.Context(), func(key string, value []byte) error {
			found[key] = string(value)
			return nil
		})
	}
	if err != nil {
		if !enginetest.Refused(err, d) {
			t.Errorf("%v: refused with %v", d, err)
		}
		return false
	}
	if !maps.Equal(found, want) {
		t.Errorf("%v: opened, with %d records of %d", d, len(found), len(want))
	}
	return true
}

// written is a small journal in three states: killed with everything in its log,
// killed when it has been opened before and has tables, and closed.
func written(t *testing.T, open func(vfs.FS, string) (store.Journal, error)) map[string]enginetest.Files {
	mem := vfs.NewMem()
	states := map[string]enginetest.Files{}
	opened, err := open(mem, damageDir)
	if err != nil {
		t.Fatal(err)
	}
	j := lead(t, opened)
	fill := func(round int) {
		for i := range 20 {
			commit(t, j, write(fmt.Sprintf("damage/%d/%02d", round, i), strings.Repeat("x", 10*i)), remove(fmt.Sprintf("damage/%d/%02d", round-1, i/2)))
		}
	}
	fill(1)
	states["killed with a log"] = enginetest.Read(t, mem, damageDir)
	for round := 2; round < 4; round++ {
		mustClose(t, j)
		if opened, err = open(mem, damageDir); err != nil {
			t.Fatal(err)
		}
		j = lead(t, opened)
		fill(round)
	}
	states["killed with tables"] = enginetest.Read(t, mem, damageDir)
	// A record that is in several blocks of the log.
	commit(t, j, write("damage/long", strings.Repeat("long", 20_000)))
	mustClose(t, j)
	states["closed"] = enginetest.Read(t, mem, damageDir)
	return states
}

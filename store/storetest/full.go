package storetest

import (
	"errors"
	"testing"

	"fargo"
	"fargo/store"
)

// Full checks a kind of journal that can be without room: it refuses what it
// cannot write, keeps what it has, and writes again by itself. fill takes all the
// room away, or gives it back.
func Full(t *testing.T, open Opener, fill func(full bool)) {
	j := mustOpen(t, open)
	commit(t, j, write("full/1", "one"))
	for range 3 {
		fill(true)
		for range 2 {
			if _, err := j.Commit(t.Context(), j.lease.Epoch, []store.Write{write("full/2", "two")}); !errors.Is(err, fargo.ErrNotWritable) {
				t.Errorf("Commit without room returned %v", err)
			}
		}
		check(t, j, map[string]string{"full/1": "one"})
		fill(false)
		commit(t, j, write("full/3", "three"))
		commit(t, j, remove("full/3"))
	}
	fill(true)
	mustClose(t, j)

	// Without room it opens, if it does, with everything that was there.
	if opened, err := open(); err == nil {
		j := lead(t, opened)
		check(t, j, map[string]string{"full/1": "one"})
		mustClose(t, j)
	}
	fill(false)
	j = mustOpen(t, open)
	check(t, j, map[string]string{"full/1": "one"})
	mustClose(t, j)
}

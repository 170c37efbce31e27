package logs

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"fargo/engine/enginetest"
)

const damagedDir = "logs"

// history is what a store tells a client of a group's streams, or the error.
func history(s *Store) (all []string, err error) {
	for i := range 3 {
		name := fmt.Sprint("s", i)
		for token := ""; ; {
			p, err := s.Read(testScope, "g", name, Read{FromHead: true, Token: token})
			if err != nil {
				return nil, err
			}
			for _, e := range p.Events {
				all = append(all, name+" "+e.Message)
			}
			if p.Forward == token {
				break
			}
			token = p.Forward
		}
	}
	return all, nil
}

// Whatever is damaged, nobody is told less than what was acknowledged: either the
// store is not opened, or it refuses to read, and names the file; or all is there.
func TestDamage(t *testing.T) {
	files, want := damagedStore(t)
	for d := range files.Damage(2, 20) {
		s, err := openOn(d.Files.FS(t, damagedDir), damagedDir, discard)
		var got []string
		if err == nil {
			got, err = history(s)
			s.Close()
		}
		switch {
		case err != nil && !enginetest.Refused(err, d):
			t.Errorf("%v: refused with %v", d, err)
		case err == nil && !slices.Equal(got, want):
			t.Errorf("%v: %d events of %d", d, len(got), len(want))
		}
	}
}

// damagedStore is a small store that was killed: with tables, and with a log.
func damagedStore(t *testing.T) (enginetest.Files, []string) {
	t.Helper()
	mem := vfs.NewMem()
	var s *Store
	for round := range 3 {
		var err error
		if s, err = openOn(mem, damagedDir, discard); err != nil {
			t.Fatal(err)
		}
		for i := range 3 {
			target := target("g", fmt.Sprint("s", i))
			target.Create = true
			must(t, s.OpenLog(t.Context(), target))
			for n := range 5 {
				must(t, s.Put(t.Context(), testScope, "g", target.Stream, events(int64(100*round+n+1), fmt.Sprint("event ", round, n))))
			}
		}
		if round < 2 {
			must(t, s.Close())
		}
	}
	files := enginetest.Read(t, mem, damagedDir)
	want, err := history(s)
	must(t, errors.Join(err, s.Close()))
	if len(want) != 45 {
		t.Fatal(want)
	}
	return files, want
}

// After a repair nothing is there that was not, and no id is given out again, also
// when what says which is next was lost.
func TestRepair(t *testing.T) {
	files, want := damagedStore(t)
	for d := range files.Damage(5, 4) {
		mem := d.Files.FS(t, damagedDir)
		report, err := repair(mem, damagedDir, discard, time.Unix(0, 0))
		if err != nil {
			t.Errorf("%v: %v", d, err)
			continue
		}
		s, err := openOn(mem, damagedDir, discard)
		if err != nil {
			t.Errorf("%v: after the repair: %v", d, err)
			continue
		}
		got := 0
		highest := uint64(0)
		for _, g := range s.mu.groups {
			highest = max(highest, g.ID)
			must(t, s.eachStream(g, "", func(st *stream) { highest = max(highest, st.id) }))
		}
		for i := range 3 {
			p, err := s.Read(testScope, "g", fmt.Sprint("s", i), Read{FromHead: true})
			if err != nil && !errors.Is(err, ErrNoGroup) && !errors.Is(err, ErrNoStream) {
				t.Errorf("%v: %v", d, err)
			}
			for _, e := range p.Events {
				got++
				if !slices.Contains(want, fmt.Sprint("s", i, " ", e.Message)) {
					t.Errorf("%v: %q was never written", d, e.Message)
				}
			}
		}
		if got < len(want) && len(report.Losses) == 0 {
			t.Errorf("%v: %d events of %d, and no loss", d, got, len(want))
		}
		if s.nextID <= highest {
			t.Errorf("%v: the next id is %d, and %d is taken", d, s.nextID, highest)
		}
		must(t, s.Close())
	}
}

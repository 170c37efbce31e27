package metrics

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"fargo/engine"
	"fargo/engine/enginetest"
)

const damagedDir = "metrics"

// history is what a store says of its metrics, or the error.
func history(t *testing.T, s *Store) (all []string, err error) {
	for i := range 3 {
		found, err := s.Statistics(t.Context(), Query{Metric: metric(fmt.Sprint("m", i)), Start: noon, End: noon.Add(time.Hour), Period: time.Minute})
		if err != nil {
			return nil, err
		}
		for _, series := range found {
			for _, p := range series.Points {
				all = append(all, fmt.Sprintf("m%d %v %g", i, p.Start.Sub(noon), p.Sum))
			}
		}
	}
	return all, nil
}

// Whatever is damaged, nobody is told less than what was acknowledged: either the store
// is not opened, or it refuses to read, and names the file; or all is there.
func TestDamage(t *testing.T) {
	files, want := damagedStore(t)
	for d := range files.Damage(2, 20) {
		s, err := openOn(d.Files.FS(t, damagedDir), damagedDir, discard, (&clock{noon}).now)
		var got []string
		if err == nil {
			got, err = history(t, s)
			s.Close()
		}
		switch {
		case err != nil && !enginetest.Refused(err, d):
			t.Errorf("%v: refused with %v", d, err)
		case err == nil && !slices.Equal(got, want):
			t.Errorf("%v: %v", d, got)
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
		s, err = openOn(mem, damagedDir, discard, (&clock{noon}).now)
		must(t, err)
		for i := range 3 {
			for n := range 5 {
				must(t, s.Put(t.Context(), []Datum{datum(metric(fmt.Sprint("m", i)), noon.Add(time.Duration(n)*time.Minute), float64(int(1)<<round))}))
			}
		}
		if round < 2 {
			must(t, s.Close())
		}
	}
	files := enginetest.Read(t, mem, damagedDir)
	want, err := history(t, s)
	must(t, errors.Join(err, s.Close()))
	if len(want) != 15 || want[0] != "m0 0s 7" {
		t.Fatal(want)
	}
	return files, want
}

// After a repair nothing is there that was not, nothing counts twice without it being
// said that it may, and no id is given out again, also when
// what says which is next was lost.
func TestRepair(t *testing.T) {
	files, want := damagedStore(t)
	for d := range files.Damage(5, 4) {
		mem := d.Files.FS(t, damagedDir)
		report, err := repair(mem, damagedDir, discard, time.Unix(0, 0))
		if err != nil {
			t.Errorf("%v: %v", d, err)
			continue
		}
		s, err := openOn(mem, damagedDir, discard, (&clock{noon}).now)
		if err != nil {
			t.Errorf("%v: after the repair: %v", d, err)
			continue
		}
		got, err := history(t, s)
		must(t, err)
		if !slices.Equal(got, want) && len(report.Losses) == 0 {
			t.Errorf("%v: %v, and no loss", d, got)
		}
		if slices.ContainsFunc(report.Losses, func(l engine.Loss) bool { return strings.Contains(l.Why, "may count twice") }) {
			must(t, s.Close())
			continue
		}
		for i := range 3 {
			for n := range 5 {
				prefix := fmt.Sprintf("m%d %v ", i, time.Duration(n)*time.Minute)
				for _, line := range got {
					var sum int
					if _, err := fmt.Sscanf(line, prefix+"%d", &sum); err == nil && sum > 7 {
						t.Errorf("%v: %s", d, line)
					}
				}
			}
		}
		must(t, s.Put(t.Context(), []Datum{datum(metric("new"), noon, 1)}))
		equal(t, sums(t, s, Query{Metric: metric("new"), Start: noon, End: noon.Add(time.Hour), Period: time.Hour}), []string{"None 0s 1/1"})
		must(t, s.Close())
	}
}

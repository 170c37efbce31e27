package diskspace

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"fargo"
)

// A disk that fills up is told of once, and once more when it has room, however
// often it is asked about meanwhile and whatever it does near the boundary.
func TestGaugeSaysEachCauseOnce(t *testing.T) {
	var said bytes.Buffer
	var free uint64
	g := New(Config{Dir: "/d", What: "things", Reserve: 80, Logger: slog.New(slog.NewTextHandler(&said, nil)), Free: func() (uint64, error) { return free, nil }})
	for _, step := range []struct {
		free uint64
		full bool
		said int
	}{
		{80, false, 0},
		{79, true, 1},
		{0, true, 1},
		{80, true, 1}, // not enough to be sure
		{90, false, 2},
		{80, false, 2},
		{79, true, 3},
	} {
		free = step.free
		err := g.Check()
		if errors.Is(err, fargo.ErrNotWritable) != step.full || err != nil && !step.full {
			t.Errorf("with %d free: %v, want full %v", step.free, err, step.full)
		}
		if n := strings.Count(said.String(), "\n"); n != step.said {
			t.Errorf("with %d free: %d lines, want %d:\n%s", step.free, n, step.said, said.String())
		}
	}
}

func TestGaugeAsksTheKernel(t *testing.T) {
	logger := slog.New(slog.DiscardHandler)
	if err := New(Config{Dir: t.TempDir(), Reserve: 1, Logger: logger}).Check(); err != nil {
		t.Error(err)
	}
	if err := New(Config{Dir: t.TempDir(), Reserve: 1 << 62, Logger: logger}).Check(); !errors.Is(err, fargo.ErrNotWritable) {
		t.Errorf("with a reserve larger than any disk: %v", err)
	}
	if err := New(Config{Dir: "/nowhere/at/all", Logger: logger}).Check(); err == nil || errors.Is(err, fargo.ErrNotWritable) {
		t.Errorf("of a directory that is not there: %v", err)
	}
}

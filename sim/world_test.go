package sim

import (
	"flag"
	"fmt"
	"iter"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"testing/cryptotest"
	"testing/synctest"
)

var (
	seed   = flag.Uint64("seed", 0, "simulate this `seed` alone")
	rounds = flag.Int("rounds", 0, "how many fresh seeds to simulate")
	long   = flag.Bool("long", false, "also simulate the seeds that take long")
	length = flag.Int("length", 60, "how many steps a simulation takes")
)

// TestSimulation checks all invariants, over the seeds that once violated one and,
// when asked to, over fresh ones.
//
//	go test ./sim -run TestSimulation -long -rounds 100 -length 300    look harder
//	go test ./sim -run TestSimulation -seed 17 -v                      see one again
func TestSimulation(t *testing.T) {
	if *seed != 0 {
		simulate(t, *seed, *length)
		return
	}
	for seed, steps := range regressions(t) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) { simulate(t, seed, steps) })
	}
	for range *rounds {
		seed := rand.Uint64()
		t.Run(fmt.Sprint(seed), func(t *testing.T) { simulate(t, seed, *length) })
	}
}

// regressions gives the seeds that once found something, and how many steps they
// need; those that take long only with -long.
func regressions(t *testing.T) iter.Seq2[uint64, int] {
	file, err := os.ReadFile("testdata/seeds.txt")
	if err != nil {
		t.Fatal(err)
	}
	return func(yield func(seed uint64, steps int) bool) {
		for line := range strings.Lines(string(file)) {
			line, found, _ := strings.Cut(strings.TrimSpace(line), "#")
			if line == "" {
				continue
			}
			var seed uint64
			var steps int
			line, takesLong := strings.CutSuffix(strings.TrimSpace(line), "long")
			if _, err := fmt.Sscan(line, &seed, &steps); err != nil || found == "" {
				t.Errorf("testdata/seeds.txt: %q: want a seed, a number of steps, and # what it found: %v", line, err)
			}
			if takesLong && !*long {
				continue
			}
			if !yield(seed, steps) {
				return
			}
		}
	}
}

func simulate(t *testing.T, seed uint64, steps int) {
	cryptotest.SetGlobalRandom(t, seed)
	dir := files(t)
	synctest.Test(t, func(t *testing.T) {
		w, err := NewWorld(t.Context(), seed, 4, dir)
		if err != nil {
			t.Fatal(err)
		}
		err = w.Run(steps)
		if err != nil || testing.Verbose() {
			t.Logf("what happened:\n%s", tail(w.Trace()))
		}
		if err != nil {
			t.Errorf("seed %d, see it again with -seed %d -length %d: %v", seed, seed, steps, err)
		}
	})
}

// files is a folder for the machines' files: in memory, where there is such a
// place, because they are many.
func files(t *testing.T) string {
	dir, err := os.MkdirTemp("/dev/shm", "fargo-sim-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// tail is the end of a trace: enough to see what led there, unless it is asked
// for.
func tail(trace string) string {
	const most = 400
	lines := strings.Split(trace, "\n")
	if !testing.Verbose() && len(lines) > most {
		lines = lines[len(lines)-most:]
	}
	return strings.Join(lines, "\n")
}

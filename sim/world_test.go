package sim

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"testing/cryptotest"
	"testing/synctest"
)

var (
	seed   = flag.Uint64("seed", 0, "rehearse this `seed` alone")
	rounds = flag.Int("rounds", 1, "how many fresh seeds to rehearse")
	length = flag.Int("length", 60, "how many things happen in a rehearsal")
)

// known are seeds that once found something.
var known = []uint64{1, 2}

// TestRehearsal holds everything that package sim holds, over the seeds that
// once broke it and fresh ones.
//
//	go test ./sim -run TestRehearsal -rounds 100 -length 300    look harder
//	go test ./sim -run TestRehearsal -seed 17 -v                see one again
func TestRehearsal(t *testing.T) {
	seeds := known
	for range *rounds {
		seeds = append(seeds, rand.Uint64())
	}
	if *seed != 0 {
		seeds = []uint64{*seed}
	}
	for _, s := range seeds {
		t.Run(fmt.Sprint(s), func(t *testing.T) { rehearse(t, s) })
	}
}

func rehearse(t *testing.T, seed uint64) {
	cryptotest.SetGlobalRandom(t, seed)
	dir := files(t)
	synctest.Test(t, func(t *testing.T) {
		w, err := NewWorld(t.Context(), seed, 4, dir)
		if err != nil {
			t.Fatal(err)
		}
		err = w.Run(*length)
		if err != nil || testing.Verbose() {
			t.Logf("what happened:\n%s", tail(w.Trace()))
		}
		if err != nil {
			t.Errorf("seed %d, see it again with -seed %d -length %d: %v", seed, seed, *length, err)
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

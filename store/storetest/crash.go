package storetest

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"fargo/store"
)

// Crash checks a kind of journal that is kept by an engine: after a power cut, of
// which nobody knows what of the last writes reached the disk, and in which order,
// the journal opens, and everything is there that was acknowledged before.
func Crash(t *testing.T, open func(files vfs.FS, dir string) (store.Journal, error)) {
	mem := vfs.NewCrashableMem()
	for round := range 12 {
		random := rand.New(rand.NewPCG(uint64(round), 1))
		opened, err := open(mem, damageDir)
		if err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		acked := powerCut(t, lead(t, opened), round, random, func() {
			mem = mem.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: random.IntN(101), RNG: random})
		})
		opened, err = open(mem, damageDir)
		if err != nil {
			t.Fatalf("round %d: after a power cut: %v", round, err)
		}
		j := lead(t, opened)
		found := load(t, j)
		for i := range acked {
			if key := crashKey(round, i); found[key] == "" {
				t.Errorf("round %d: %s was acknowledged and is gone", round, key)
			}
		}
		mustClose(t, j)
	}
}

func crashKey(round, i int) string { return fmt.Sprintf("crash/%02d/%04d", round, i) }

// powerCut commits until the power is cut, in the middle of a commit as a rule, and
// gives how many commits were acknowledged before.
func powerCut(t *testing.T, j *leader, round int, random *rand.Rand, cut func()) int {
	t.Helper()
	var mu sync.Mutex
	acked, wanted, off := 0, 20+random.IntN(60), false
	reached := sync.NewCond(&mu)
	sizes := random.Perm(200)
	done := make(chan error)
	go func() {
		for i := 0; ; i++ {
			mu.Lock()
			stop := off
			mu.Unlock()
			if stop {
				done <- j.Close()
				return
			}
			// Some are in several pages, and some in several blocks, of a log.
			value := strings.Repeat("v", 1+sizes[i%len(sizes)]*sizes[(i+1)%len(sizes)])
			if _, err := j.Commit(t.Context(), j.lease.Epoch, []store.Write{write(crashKey(round, i), value), write("crash/last", value)}); err != nil {
				done <- err
				return
			}
			mu.Lock()
			acked++
			reached.Broadcast()
			mu.Unlock()
		}
	}()
	mu.Lock()
	for acked < wanted {
		reached.Wait()
	}
	sure := acked
	mu.Unlock()
	cut()
	mu.Lock()
	off = true
	mu.Unlock()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	return sure
}

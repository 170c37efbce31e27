package disk_test

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"fargo/store"
	"fargo/store/disk"
)

// half is one of the two records that each transaction of the crash test writes.
type half struct {
	Key   string
	Twin  string
	Value int
}

var halves = store.NewTable("crash-halves", func(h *half) string { return h.Key })

const (
	crashDir     = "STORE_CRASH_TEST_DIR" // set in the child process
	crashWriters = 8
	crashAcks    = 500
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(crashDir); dir != "" {
		fmt.Fprintln(os.Stderr, storm(dir))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

func openDB(dir string) (*store.DB, error) {
	j, err := disk.Open(filepath.Join(dir, "journal"), disk.KeyIn(filepath.Join(dir, "key")), slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, err
	}
	return store.Open(context.Background(), j)
}

// storm writes pairs of records until it is killed, and prints each value that
// was acknowledged.
func storm(dir string) error {
	db, err := openDB(dir)
	if err != nil {
		return err
	}
	var wg sync.WaitGroup
	for w := range crashWriters {
		wg.Go(func() {
			for i := 1; ; i++ {
				a, b := fmt.Sprintf("a/%d/%d", w, i%100), fmt.Sprintf("b/%d/%d", w, i%100)
				err := db.Update(context.Background(), func(tx *store.Tx) error {
					halves.Put(tx, &half{Key: a, Twin: b, Value: i})
					halves.Put(tx, &half{Key: b, Twin: a, Value: i})
					return nil
				})
				if err != nil {
					return
				}
				fmt.Printf("%s %d\n", a, i) // one write, which a pipe keeps whole
			}
		})
	}
	wg.Wait()
	return fmt.Errorf("an update failed")
}

// What was acknowledged survives SIGKILL in the middle of other writes, and no
// transaction is found half done.
func TestKill(t *testing.T) {
	dir := t.TempDir()
	for round := range 3 {
		acked := killedStorm(t, dir)
		db, err := openDB(dir)
		if err != nil {
			t.Fatalf("round %d: open after the crash: %v", round, err)
		}
		v := db.View()
		for key, value := range acked {
			if h, ok := halves.Get(v, key); !ok || h.Value < value {
				t.Errorf("round %d: %s was acknowledged with %d, found %v", round, key, value, h)
			}
		}
		for h := range halves.All(v) {
			if twin, ok := halves.Get(v, h.Twin); !ok || twin.Value != h.Value {
				t.Errorf("round %d: half a transaction: %v and %v", round, h, twin)
			}
		}
		// The next round counts from 1 again.
		err = db.Update(t.Context(), func(tx *store.Tx) error {
			for h := range halves.All(tx) {
				halves.Delete(tx, h.Key)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// killedStorm lets a child process write into dir, kills it after some
// acknowledgements and returns the last acknowledged value of each key.
func killedStorm(t *testing.T, dir string) map[string]int {
	t.Helper()
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), crashDir+"="+dir)
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	acked, n := map[string]int{}, 0
	for lines := bufio.NewScanner(out); lines.Scan(); n++ {
		var key string
		var value int
		if _, err := fmt.Sscan(lines.Text(), &key, &value); err != nil {
			t.Errorf("acknowledgement %q: %v", lines.Text(), err)
		}
		acked[key] = max(acked[key], value)
		if n == crashAcks {
			child.Process.Kill() // what it has printed before can still be read
		}
	}
	child.Wait()
	if n < crashAcks {
		t.Fatalf("the child ended after %d acknowledgements", n)
	}
	return acked
}

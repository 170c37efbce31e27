package store_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"pgregory.net/rapid"

	"fargo"
	"fargo/store"
)

// recorder is a journal that takes down what is committed.
type recorder struct {
	*store.Memory
	commits [][]store.Write
}

func (j *recorder) Commit(ctx context.Context, epoch store.Epoch, writes []store.Write) (store.Revision, error) {
	revision, err := j.Memory.Commit(ctx, epoch, writes)
	if err == nil {
		j.commits = append(j.commits, writes)
	}
	return revision, err
}

// A batch is closed before it would pass the limits: what does not fit is in the
// next, in order.
func TestGroupCommitWithinLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGated()
		g.Memory = store.NewMemoryWithin(store.Limits{Ops: 4, Bytes: 1 << 20})
		db := open(t, g)
		var wg sync.WaitGroup
		wg.Go(func() { put(db, "first", 1) })
		if n := <-g.begun; n != 1 {
			t.Errorf("the first batch has %d writes", n)
		}
		for i := range 10 {
			wg.Go(func() { put(db, fmt.Sprint(i), i) })
		}
		synctest.Wait()
		g.end <- nil
		for _, want := range []int{4, 4, 2} {
			if n := <-g.begun; n != want {
				t.Errorf("a batch has %d writes, want %d", n, want)
			}
			g.end <- nil
		}
		wg.Wait()
	})
}

// Batches that wait behind one that fails rest on it, and fail with it.
func TestFailureOfQueuedBatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		full := errors.New("disk full")
		g := newGated()
		g.Memory = store.NewMemoryWithin(store.Limits{Ops: 1, Bytes: 1 << 20})
		db := open(t, g)
		errs := make([]error, 5)
		var wg sync.WaitGroup
		wg.Go(func() { errs[0] = put(db, "first", 1) })
		<-g.begun
		for i := range errs[1:] {
			wg.Go(func() { errs[i+1] = put(db, fmt.Sprint(i), i) })
		}
		synctest.Wait()
		g.end <- full
		wg.Wait()
		for i, err := range errs {
			if !errors.Is(err, full) {
				t.Errorf("update %d returned %v", i, err)
			}
		}
		wg.Go(func() { errs[0] = put(db, "last", 1) })
		<-g.begun
		g.end <- nil
		wg.Wait()
		if n := db.View(); errs[0] != nil || count(n) != 1 {
			t.Errorf("then %d records, %v; want only the last", count(n), errs[0])
		}
	})
}

func count(r store.Reader) (n int) {
	for range records.All(r) {
		n++
	}
	return n
}

// Whatever is updated at the same time, no commit passes the limits, none has a
// part of a transaction, and each has its callers' writes in their order.
func TestCommitsHoldWholeTransactions(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		limits := store.Limits{Ops: rapid.IntRange(1, 8).Draw(r, "ops"), Bytes: rapid.IntRange(2000, 4000).Draw(r, "bytes")}
		j := &recorder{Memory: store.NewMemoryWithin(limits)}
		db, err := store.Open(t.Context(), j)
		if err != nil {
			r.Fatal(err)
		}
		sizes := rapid.SliceOfN(rapid.SliceOfN(rapid.IntRange(1, 10), 1, 6), 1, 6).Draw(r, "writes of each transaction of each caller")
		var wg sync.WaitGroup
		for caller, transactions := range sizes {
			wg.Go(func() {
				for i, n := range transactions {
					err := db.Update(t.Context(), func(tx *store.Tx) error {
						for k := range n {
							records.Put(tx, &row{Key: fmt.Sprintf("%d/%d/%d/%d", caller, i, n, k), N: 1})
						}
						return nil
					})
					if tooLarge := n > limits.Ops; tooLarge != errors.Is(err, store.ErrTooLarge) || !tooLarge && err != nil {
						t.Errorf("%d writes, where %d are the most: %v", n, limits.Ops, err)
					}
				}
			})
		}
		wg.Wait()
		last := map[int]int{}
		for _, writes := range j.commits {
			if err := limits.Allow(writes); err != nil {
				r.Fatal(err)
			}
			for len(writes) > 0 {
				var caller, i, n int
				if _, err := fmt.Sscanf(strings.TrimPrefix(writes[0].Key, records.Name()+"/"), "%d/%d/%d/0", &caller, &i, &n); err != nil || n > len(writes) {
					r.Fatalf("a commit has %d of %d writes of a transaction, from %s: %v", len(writes), n, writes[0].Key, err)
				}
				if prefix := fmt.Sprintf("%s/%d/%d/", records.Name(), caller, i); !strings.HasPrefix(writes[n-1].Key, prefix) || i < last[caller] {
					r.Fatalf("transaction %d of caller %d is out of order, or torn", i, caller)
				}
				last[caller] = i
				writes = writes[n:]
			}
		}
	})
}

// One that is too large changes nothing, and keeps nobody else from anything.
func TestTooLarge(t *testing.T) {
	db := open(t, store.NewMemoryWithin(store.Limits{Ops: 2, Bytes: 1 << 10}))
	for name, fn := range map[string]func(tx *store.Tx){
		"too many": func(tx *store.Tx) {
			records.Put(tx, &row{Key: "1"})
			records.Put(tx, &row{Key: "2"})
			records.Put(tx, &row{Key: "3"})
		},
		"too large": func(tx *store.Tx) { records.Put(tx, &row{Key: strings.Repeat("k", 1<<10)}) },
	} {
		err := db.Update(t.Context(), func(tx *store.Tx) error { fn(tx); return nil })
		if !errors.Is(err, store.ErrTooLarge) || errors.Is(err, fargo.ErrNotWritable) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := put(db, "a", 1); err != nil || count(db.View()) != 1 {
		t.Errorf("afterwards: %d records, %v", count(db.View()), err)
	}
}

// Full says in time that a loop should go on in another transaction.
func TestFull(t *testing.T) {
	for name, limits := range map[string]store.Limits{
		"records": {Ops: 10, Bytes: 1 << 20},
		"bytes":   {Ops: 1000, Bytes: 2000},
		"one":     {Ops: 1, Bytes: 1 << 20},
	} {
		t.Run(name, func(t *testing.T) {
			db := open(t, store.NewMemoryWithin(limits))
			const all = 100
			put, transactions := 0, 0
			for ; put < all; transactions++ {
				err := db.Update(t.Context(), func(tx *store.Tx) error {
					for ; put < all && !tx.Full(); put++ {
						records.Put(tx, &row{Key: fmt.Sprint(put), N: put})
					}
					return nil
				})
				if err != nil {
					t.Fatal(err)
				}
			}
			if count(db.View()) != all || transactions < 5 {
				t.Errorf("%d records in %d transactions", count(db.View()), transactions)
			}
		})
	}
}

// Who does not lead any more is told so, and can still be read.
func TestNotLeader(t *testing.T) {
	j := store.NewMemory()
	first := open(t, j)
	if err := put(first, "a", 1); err != nil {
		t.Fatal(err)
	}
	second := open(t, j)
	select {
	case <-first.Lost():
	default:
		t.Error("another leads, and the first was not told")
	}
	if err := put(first, "b", 1); !errors.Is(err, store.ErrNotLeader) || !errors.Is(err, fargo.ErrNotWritable) {
		t.Errorf("the first could still write: %v", err)
	}
	if err := put(second, "c", 1); err != nil {
		t.Error(err)
	}
	if count(first.View()) != 1 || count(second.View()) != 2 {
		t.Errorf("the first sees %d records, the second %d", count(first.View()), count(second.View()))
	}
}

// A batch that is refused because another has taken over meanwhile was not written.
func TestNotLeaderMeanwhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGated()
		db := open(t, g)
		ended := make(chan error, 1)
		go func() { ended <- put(db, "a", 1) }()
		<-g.begun
		second := open(t, g.Memory)
		g.end <- nil
		if err := <-ended; !errors.Is(err, store.ErrNotLeader) {
			t.Errorf("Update returned %v", err)
		}
		if count(second.View()) != 0 || count(open(t, g.Memory).View()) != 0 {
			t.Error("it was written")
		}
	})
}

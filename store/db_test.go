package store_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	"fargo/store"
)

type row struct {
	Key string
	N   int
	Bad any `json:",omitempty"`
}

var (
	records = store.NewTable("test-records", func(r *row) string { return r.Key },
		store.Index[row]{Name: "parity", Values: func(r *row) []string { return []string{[]string{"even", "odd"}[r.N%2]} }})
	secrets = store.NewTable("test-secrets", func(r *row) string { return r.Key }).Sealed()
)

// gated is a journal whose commits wait to be told how they end.
type gated struct {
	*store.Memory
	begun chan int   // gets the number of writes of a commit that begins
	end   chan error // gives its result
}

func (g *gated) Commit(ctx context.Context, epoch store.Epoch, writes []store.Write) (store.Revision, error) {
	g.begun <- len(writes)
	if err := <-g.end; err != nil {
		return 0, err
	}
	return g.Memory.Commit(ctx, epoch, writes)
}

func newGated() *gated {
	return &gated{store.NewMemory(), make(chan int), make(chan error)}
}

func open(t testing.TB, j store.Journal) *store.DB {
	t.Helper()
	db, err := store.Open(t.Context(), j)
	if err != nil {
		t.Fatal(err)
	}
	return db
}

func put(db *store.DB, key string, n int) error {
	return db.Update(context.Background(), func(tx *store.Tx) error {
		records.Put(tx, &row{Key: key, N: n})
		return nil
	})
}

func TestReadersSeeOnlyWhatIsDurable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGated()
		db := open(t, g)
		done := make(chan error)
		go func() { done <- put(db, "a", 1) }()
		<-g.begun
		if _, ok := records.Get(db.View(), "a"); ok {
			t.Error("the record is visible before it is durable")
		}
		g.end <- nil
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		if _, ok := records.Get(db.View(), "a"); !ok {
			t.Error("the record is not visible after Update returned")
		}
	})
}

// What gathers while a batch is written goes into the next one, together.
func TestGroupCommit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGated()
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
		if n := <-g.begun; n != 10 {
			t.Errorf("the second batch has %d writes, want 10", n)
		}
		g.end <- nil
		wg.Wait()
	})
}

// An update that was refused because of what another wrote is answered only
// when that is durable; if it never is, the refusal was wrong.
func TestAnswersRestOnDurableState(t *testing.T) {
	for _, failure := range []error{nil, errors.New("disk on fire")} {
		t.Run(fmt.Sprint(failure), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				exists := errors.New("exists")
				g := newGated()
				db := open(t, g)
				var wg sync.WaitGroup
				wg.Go(func() { put(db, "a", 1) })
				<-g.begun
				answered := false
				var answer error
				wg.Go(func() {
					answer = db.Update(t.Context(), func(tx *store.Tx) error {
						if _, ok := records.Get(tx, "a"); ok {
							return exists
						}
						return nil
					})
					answered = true
				})
				synctest.Wait()
				if answered {
					t.Error("answered before the record it saw was durable")
				}
				g.end <- failure
				wg.Wait()
				if failure == nil && !errors.Is(answer, exists) || failure != nil && !errors.Is(answer, failure) {
					t.Errorf("answer is %v", answer)
				}
			})
		})
	}
}

// A failed batch takes those with it that rest on it, and nobody else.
func TestJournalFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		full := errors.New("disk full")
		g := newGated()
		db := open(t, g)
		w := db.Watch()
		defer w.Close()
		errs := make([]error, 2)
		var wg sync.WaitGroup
		wg.Go(func() { errs[0] = put(db, "a", 1) })
		<-g.begun
		wg.Go(func() { errs[1] = put(db, "b", 2) })
		synctest.Wait()
		g.end <- full
		wg.Wait()
		for i, err := range errs {
			if !errors.Is(err, full) {
				t.Errorf("update %d returned %v", i, err)
			}
		}
		wg.Go(func() { errs[0] = put(db, "c", 3) })
		<-g.begun
		g.end <- nil
		wg.Wait()
		if errs[0] != nil {
			t.Errorf("the journal works again, but Update returned %v", errs[0])
		}
		var found []string
		for r := range records.All(db.View()) {
			found = append(found, r.Key)
		}
		changes, err := w.Next(t.Context())
		if !slices.Equal(found, []string{"c"}) || len(changes) != 1 || changes[0].Key != "c" || err != nil {
			t.Errorf("found %q, watched %v, %v; want only c", found, changes, err)
		}
	})
}

func TestUpdateDiscards(t *testing.T) {
	db := open(t, store.NewMemory())
	if err := put(db, "a", 1); err != nil {
		t.Fatal(err)
	}
	mine := errors.New("mine")
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	for name, test := range map[string]struct {
		ctx   context.Context
		fn    func(*store.Tx) error
		panic any
		err   error
	}{
		"error":    {t.Context(), func(*store.Tx) error { return mine }, nil, mine},
		"panic":    {t.Context(), func(*store.Tx) error { panic("oh") }, "oh", nil},
		"canceled": {canceled, func(*store.Tx) error { return nil }, nil, context.Canceled},
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if p := recover(); p != test.panic {
					t.Errorf("panic %v, want %v", p, test.panic)
				}
				if r, _ := records.Get(db.View(), "a"); r == nil || r.N != 1 {
					t.Errorf("record is %v", r)
				}
				if err := put(db, "a", 1); err != nil {
					t.Errorf("the next update returned %v", err)
				}
			}()
			err := db.Update(test.ctx, func(tx *store.Tx) error {
				records.Put(tx, &row{Key: "a", N: 2})
				return test.fn(tx)
			})
			if !errors.Is(err, test.err) {
				t.Errorf("Update returned %v, want %v", err, test.err)
			}
		})
	}
}

func TestUpdateRefusesWhatJSONCannotKeep(t *testing.T) {
	db := open(t, store.NewMemory())
	for _, r := range []*row{{Key: "\xff"}, {Key: "f", Bad: func() {}}} {
		err := db.Update(t.Context(), func(tx *store.Tx) error { records.Put(tx, r); return nil })
		if err == nil {
			t.Errorf("a record that can not be loaded again was accepted: %q", r.Key)
		}
	}
	for r := range records.All(db.View()) {
		t.Errorf("found %q", r.Key)
	}
}

func TestClosed(t *testing.T) {
	db := open(t, store.NewMemory())
	for range 2 {
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if err := put(db, "a", 1); !errors.Is(err, store.ErrClosed) {
		t.Errorf("Update of a closed DB returned %v", err)
	}
}

func BenchmarkGet(b *testing.B) {
	db := open(b, store.NewMemory())
	err := db.Update(b.Context(), func(tx *store.Tx) error {
		for i := range 10_000 {
			records.Put(tx, &row{Key: fmt.Sprintf("123456789012/us-east-1/%032x", i)})
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	key := fmt.Sprintf("123456789012/us-east-1/%032x", 5000)
	for b.Loop() {
		if _, ok := records.Get(db.View(), key); !ok {
			b.Fatal("not found")
		}
	}
}

// What is cached is made once in a transaction, for each key, and not kept after it.
func TestCached(t *testing.T) {
	type key string
	db := open(t, store.NewMemory())
	made := 0
	for range 2 {
		err := db.Update(t.Context(), func(tx *store.Tx) error {
			for _, k := range []key{"a", "b", "a"} {
				got := store.Cached(tx, k, func() *int { made++; return new(made) })
				*got += 10
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if made != 4 {
		t.Errorf("made %d times, for 2 keys in 2 transactions", made)
	}
}

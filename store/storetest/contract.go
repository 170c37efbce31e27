package storetest

import (
	"context"
	"errors"
	"maps"
	"testing"

	"pgregory.net/rapid"

	"fargo"
	"fargo/store"
)

// Contract drives a journal and a plain map with the same commits, from leaders of
// the past and the present, and with restarts, and has it followed. The journal may
// refuse what it is asked, and lose its leader, whenever it likes: Contract goes on
// as a control plane would, and holds it to what an error promises.
func Contract(t *testing.T, fresh func(t *testing.T) Opener) {
	rapid.Check(t, func(r *rapid.T) {
		c := &contract{open: fresh(t), committed: map[string]string{}, copy: map[string]string{}}
		c.reopen(r)
		r.Repeat(map[string]func(*rapid.T){
			"commit":         c.commit,
			"commit as past": c.commitAsPast,
			"lead":           c.lead,
			"follow":         c.follow,
			"reopen":         func(r *rapid.T) { c.close(r); c.reopen(r) },
			"":               c.check,
		})
		c.close(r)
	})
}

// contract is a journal and what is known of it.
type contract struct {
	open    Opener
	journal store.Journal
	lease   store.Lease
	past    []store.Epoch // of which none leads any more

	committed map[string]string
	revision  store.Revision // of committed, as far as it is known
	// unsure are the commits that failed since: one of them may be found after all,
	// unless the leader commits something else.
	unsure [][]store.Write

	copy      map[string]string // a follower's
	copyIsOf  store.Revision
	compacted bool        // the follower has to load
	wrote     store.Epoch // the highest epoch in which something was committed
}

func (c *contract) reopen(r *rapid.T) {
	var err error
	if c.journal, err = c.open(); err != nil {
		r.Fatalf("open: %v", err)
	}
	c.compacted = true // it may reach back less far than before
	c.lease = store.Lease{}
	c.past = nil // epochs in which nothing was committed may be given again
	c.lead(r)
}

func (c *contract) close(r *rapid.T) {
	if err := c.journal.Close(); err != nil {
		r.Fatalf("Close: %v", err)
	}
}

// lead has it led anew, and what is in it counts.
func (c *contract) lead(r *rapid.T) {
	before := c.lease
	for {
		lease, err := c.journal.Lead(context.Background())
		if err == nil {
			c.lease = lease
			break
		}
		c.refused(r, "Lead", err)
	}
	if c.lease.Epoch <= c.wrote || before.Lost != nil && c.lease.Epoch <= before.Epoch {
		r.Fatalf("Lead gave epoch %d after %d, and there are commits of %d", c.lease.Epoch, before.Epoch, c.wrote)
	}
	if before.Lost != nil {
		c.past = append(c.past, before.Epoch)
		select {
		case <-before.Lost:
		default:
			r.Fatal("another leads, and the one before was not told")
		}
	}
	c.check(r)
	found, revision := c.load(r)
	c.committed, c.revision, c.unsure = found, revision, nil
}

// refused says whether an error is one that a journal may return whenever it likes.
func (c *contract) refused(r *rapid.T, what string, err error) {
	if !errors.Is(err, fargo.ErrNotWritable) {
		r.Fatalf("%s: %v", what, err)
	}
}

func (c *contract) commit(r *rapid.T) {
	writes := someWrites(r)
	revision, err := c.journal.Commit(context.Background(), c.lease.Epoch, writes)
	if err != nil {
		c.refused(r, "Commit", err)
		if errors.Is(err, store.ErrNotLeader) {
			c.refusedAs(r, c.lease.Epoch)
		}
		c.unsure = append(c.unsure, writes)
		return
	}
	if revision <= c.revision {
		r.Fatalf("Commit returned revision %d after %d", revision, c.revision)
	}
	apply(c.committed, writes)
	c.revision, c.unsure, c.wrote = revision, nil, c.lease.Epoch
}

// commitAsPast commits in an epoch that has ended.
func (c *contract) commitAsPast(r *rapid.T) {
	if len(c.past) > 0 {
		c.refusedAs(r, rapid.SampledFrom(c.past).Draw(r, "epoch"))
	}
}

// refusedAs checks that commits of an epoch which has ended are refused: a leader
// that is none any more does not become one again by itself.
func (c *contract) refusedAs(r *rapid.T, epoch store.Epoch) {
	const tries = 100 // it may be refused for another reason
	for range tries {
		_, err := c.journal.Commit(context.Background(), epoch, someWrites(r))
		if errors.Is(err, store.ErrNotLeader) {
			return
		}
		if err == nil {
			r.Fatalf("a commit of epoch %d, which has ended, was accepted", epoch)
		}
		c.refused(r, "Commit", err)
	}
	r.Fatalf("a commit of epoch %d, which has ended, was never told so", epoch)
}

// check compares what is in the journal with what should be.
func (c *contract) check(r *rapid.T) {
	found, revision := c.load(r)
	if maps.Equal(found, c.committed) && revision >= c.revision {
		return
	}
	for _, writes := range c.unsure {
		also := maps.Clone(c.committed)
		if apply(also, writes); maps.Equal(found, also) {
			return
		}
	}
	r.Fatalf("found %v of revision %d, want %v of %d; not sure of %v", found, revision, c.committed, c.revision, c.unsure)
}

func (c *contract) load(r *rapid.T) (map[string]string, store.Revision) {
	found := map[string]string{}
	revision, err := c.journal.Load(context.Background(), func(key string, value []byte) error {
		found[key] = string(value)
		return nil
	})
	if err != nil {
		r.Fatalf("Load: %v", err)
	}
	return found, revision
}

// errThere says that a follower has come as far as it should.
var errThere = errors.New("there")

// follow brings the follower's copy up to date.
func (c *contract) follow(r *rapid.T) {
	want, revision := c.load(r)
	if c.compacted {
		c.copy, c.copyIsOf, c.compacted = want, revision, false
		return
	}
	if c.copyIsOf == revision {
		return
	}
	err := c.journal.Follow(context.Background(), c.copyIsOf, func(got store.Commit) error {
		if got.Revision <= c.copyIsOf {
			r.Fatalf("followed revision %d after %d", got.Revision, c.copyIsOf)
		}
		apply(c.copy, got.Writes)
		if c.copyIsOf = got.Revision; c.copyIsOf >= revision {
			return errThere
		}
		return nil
	})
	switch {
	case errors.Is(err, store.ErrCompacted):
		c.compacted = true
	case !errors.Is(err, errThere):
		r.Fatalf("Follow: %v", err)
	case c.copyIsOf != revision || !maps.Equal(c.copy, want):
		r.Fatalf("followed to %v of revision %d, want %v of %d", c.copy, c.copyIsOf, want, revision)
	}
}

// someWrites are a few writes, some of them of one and the same record.
func someWrites(r *rapid.T) []store.Write {
	return rapid.SliceOfN(rapid.Custom(func(r *rapid.T) store.Write {
		w := store.Write{Key: "contract/" + rapid.SampledFrom([]string{"a", "b", "c", "d"}).Draw(r, "key")}
		if rapid.Bool().Draw(r, "put") {
			w.Value = []byte(rapid.StringMatching(`[a-z]{1,5}`).Draw(r, "value")) // nothing that looks sealed
			w.Secret = rapid.Bool().Draw(r, "secret")
		}
		return w
	}), 1, 5).Draw(r, "writes")
}

func apply(records map[string]string, writes []store.Write) {
	for _, w := range writes {
		if w.Value == nil {
			delete(records, w.Key)
		} else {
			records[w.Key] = string(w.Value)
		}
	}
}

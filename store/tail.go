package store

import (
	"context"
	"slices"
	"sort"
	"sync"
)

// How many of the last commits a [Tail] keeps, and how many bytes of them: a
// follower that is further behind has less work with loading everything anew.
const (
	tailCommits = 1024
	tailBytes   = 1 << 20
)

// Tail is the last commits of a journal whose followers are in the same process:
// it implements Follow for it. Use [NewTail].
type Tail struct {
	mu struct {
		sync.Mutex
		closed  bool
		before  Revision // of the last commit that is not kept
		commits []Commit
		bytes   int
		grown   chan struct{} // closed when there is more, or the tail is closed
	}
}

// NewTail makes the tail of a journal whose last commit has the revision last.
func NewTail(last Revision) *Tail {
	t := &Tail{}
	t.mu.before, t.mu.grown = last, make(chan struct{})
	return t
}

// Append adds a commit, which is durable, with a revision higher than all before.
// Its writes must not be changed any more.
func (t *Tail) Append(c Commit) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.mu.commits = append(t.mu.commits, c)
	t.mu.bytes += sizeOf(c.Writes)
	drop := 0
	for ; len(t.mu.commits)-drop > tailCommits || t.mu.bytes > tailBytes; drop++ {
		t.mu.bytes -= sizeOf(t.mu.commits[drop].Writes)
		t.mu.before = t.mu.commits[drop].Revision
	}
	clear(t.mu.commits[:drop])
	t.mu.commits = t.mu.commits[drop:]
	t.grow()
}

// grow wakes all who wait. mu is held.
func (t *Tail) grow() {
	close(t.mu.grown)
	t.mu.grown = make(chan struct{})
}

// Follow implements [Journal].
func (t *Tail) Follow(ctx context.Context, from Revision, yield func(Commit) error) error {
	for {
		next, grown, err := t.after(from)
		if err != nil {
			return err
		}
		for _, c := range next {
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := yield(c); err != nil {
				return err
			}
			from = c.Revision
		}
		if len(next) > 0 {
			continue
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-grown:
		}
	}
}

// after gives the commits that are kept after a revision, and what is closed when
// there are more.
func (t *Tail) after(from Revision) (next []Commit, grown <-chan struct{}, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.mu.closed:
		return nil, nil, ErrClosed
	case from < t.mu.before:
		return nil, nil, ErrCompacted
	}
	i := sort.Search(len(t.mu.commits), func(i int) bool { return t.mu.commits[i].Revision > from })
	return slices.Clone(t.mu.commits[i:]), t.mu.grown, nil
}

// Close ends all who follow, with [ErrClosed].
func (t *Tail) Close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.mu.closed = true
	t.grow()
}

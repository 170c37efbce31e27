package storetest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"fargo/store"
)

// testTwoLeaders has two take over from each other, again and again, while both
// commit: what the one commits is never between what the other does in one epoch,
// and a follower sees exactly what was acknowledged, in the order of its revisions.
func testTwoLeaders(t *testing.T, open Opener) {
	j := mustOpen(t, open)
	acked := struct {
		sync.Mutex
		of map[store.Revision]string
	}{of: map[store.Revision]string{}}
	var all sync.WaitGroup
	for name := range 2 {
		all.Go(func() {
			for range 10 { // in all fewer commits than any journal keeps for followers
				lease, err := j.Lead(t.Context())
				if err != nil {
					t.Errorf("Lead: %v", err)
					return
				}
				for i := 0; ; i++ {
					value := fmt.Sprintf("%d %d %d", lease.Epoch, name, i)
					revision, err := j.Commit(t.Context(), lease.Epoch, []store.Write{write("leaders/last", value)})
					if err != nil {
						if !errors.Is(err, store.ErrNotLeader) {
							t.Errorf("Commit: %v", err)
						}
						break
					}
					acked.Lock()
					acked.of[revision] = value
					acked.Unlock()
					if i == 20 { // the other may have ended
						break
					}
				}
			}
		})
	}
	ctx, cancel := context.WithCancel(t.Context())
	var followed []store.Commit
	var following sync.WaitGroup
	following.Go(func() {
		err := j.Follow(ctx, 0, func(c store.Commit) error {
			followed = append(followed, c)
			if c.Writes[0].Key == "leaders/end" {
				cancel()
			}
			return nil
		})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("Follow: %v", err)
			cancel()
		}
	})
	all.Wait()
	commit(t, lead(t, j), write("leaders/end", "x"))
	following.Wait()
	cancel()

	var epoch store.Epoch
	for _, c := range followed[:max(0, len(followed)-1)] {
		value := string(c.Writes[0].Value)
		if acked.of[c.Revision] != value {
			t.Errorf("followed %q at revision %d, where %q was acknowledged", value, c.Revision, acked.of[c.Revision])
		}
		delete(acked.of, c.Revision)
		var of store.Epoch
		if _, err := fmt.Sscan(value, &of); err != nil || of < epoch {
			t.Errorf("a commit of epoch %d comes after one of %d: %v", of, epoch, err)
		}
		epoch = of
	}
	if len(acked.of) > 0 {
		t.Errorf("acknowledged, and not followed: %v", slices.Sorted(maps.Keys(acked.of)))
	}
	mustClose(t, j)
}

// testFollow follows from a revision in the middle, and until the journal is closed.
func testFollow(t *testing.T, open Opener) {
	j := mustOpen(t, open)
	commit(t, j, write("follow/1", "one"))
	from := j.last
	commit(t, j, write("follow/2", "two"), remove("follow/1"))
	commit(t, j, write("follow/secret", "three"), write("follow/2", "2"))

	stop := errors.New("stop")
	var found []string
	follow := func(from store.Revision, most int) error {
		found = nil
		return j.Follow(t.Context(), from, func(c store.Commit) error {
			text := ""
			for _, w := range c.Writes {
				text += fmt.Sprintf(" %s=%s", strings.TrimPrefix(w.Key, "follow/"), w.Value)
			}
			if found = append(found, text); len(found) == most {
				return stop
			}
			return nil
		})
	}
	if err := follow(from, 2); !errors.Is(err, stop) || !slices.Equal(found, []string{" 2=two 1=", " secret=three 2=2"}) {
		t.Errorf("followed %q, %v", found, err)
	}

	ended := make(chan error)
	began := make(chan struct{})
	go func() {
		ended <- j.Follow(t.Context(), from, func(store.Commit) error {
			select {
			case <-began:
			default:
				close(began)
			}
			return nil
		})
	}()
	<-began
	mustClose(t, j)
	if err := <-ended; !errors.Is(err, store.ErrClosed) {
		t.Errorf("after Close, Follow returned %v", err)
	}
}

// testCompacted is far behind: it is told so, and what it then loads is followed
// without a gap.
func testCompacted(t *testing.T, open Opener) {
	j := mustOpen(t, open)
	commit(t, j, write("compacted/0", "0"))
	from := j.last
	const most = 100 // megabytes
	var err error
	for i := 0; i < most && err == nil; i++ {
		for k := range 8 {
			commit(t, j, write(fmt.Sprintf("compacted/%d", k), strings.Repeat("x", 1<<17)))
		}
		stop := errors.New("stop")
		if err = j.Follow(t.Context(), from, func(store.Commit) error { return stop }); errors.Is(err, stop) {
			err = nil
		}
	}
	if !errors.Is(err, store.ErrCompacted) {
		t.Errorf("%d megabytes behind, Follow returned %v", most, err)
	}
	mustClose(t, j)
}

// testLimits commits as much as the journal takes, and a little more.
func testLimits(t *testing.T, open Opener) {
	j := mustOpen(t, open)
	limits := j.Limits()
	if limits == store.Unlimited {
		mustClose(t, j)
		return
	}
	many := make([]store.Write, limits.Ops+1)
	for i := range many {
		many[i] = write(fmt.Sprintf("limits/%d", i), "")
	}
	fill := func(key string, size int) store.Write {
		w := write(key, "")
		w.Value = make([]byte, size-w.Size())
		return w
	}
	for _, tooLarge := range [][]store.Write{many, {fill("limits/long", limits.Bytes+1)}, {fill("limits/long", limits.Bytes/2), fill("limits/longer", limits.Bytes/2+2)}} {
		if _, err := j.Commit(t.Context(), j.lease.Epoch, tooLarge); !errors.Is(err, store.ErrTooLarge) {
			t.Errorf("Commit of %d writes returned %v", len(tooLarge), err)
		}
	}
	check(t, j, map[string]string{})
	if n := min(limits.Ops, limits.Bytes/many[limits.Ops].Size()); n > 0 {
		commit(t, j, many[:n]...)
	}
	commit(t, j, fill("limits/long", limits.Bytes))
	mustClose(t, j)
}

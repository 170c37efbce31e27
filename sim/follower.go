package sim

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"fargo/store"
)

// follower is another control plane that does not lead: it follows the journal, and
// in the end must have the same state as the one that leads.
type follower struct {
	copy  *store.Follower
	ended chan error
}

// follow begins to follow the journal of a control plane.
func follow(ctx context.Context, j store.Journal) (*follower, error) {
	copied, err := store.NewFollower(ctx, j)
	if err != nil {
		return nil, err
	}
	f := &follower{copied, make(chan error, 1)}
	go func() { f.ended <- f.copy.Run(ctx) }()
	return f, nil
}

// compare waits a moment for what is under way, and then compares what the follower
// has with the leader's view.
func (f *follower) compare(leader func() *store.Snapshot) error {
	time.Sleep(time.Second)
	select {
	case err := <-f.ended:
		// It was too far behind, which is allowed. The next control plane has a new
		// follower.
		if errors.Is(err, store.ErrCompacted) {
			return nil
		}
		return fmt.Errorf("the follower ended: %w", err)
	default:
	}
	// What is committed between the two looks is in neither, or looked at again.
	for range 10 {
		want, got := leader(), f.copy.View()
		if want.Revision() != got.Revision() {
			time.Sleep(time.Second)
			continue
		}
		for name, table := range map[string]func(store.Reader) []byte{
			"tasks": dump(store.Tasks), "services": dump(store.Services), "deployments": dump(store.Deployments),
			"targets": dump(store.ELBTargets), "interfaces": dump(store.EC2NetworkInterfaces),
		} {
			if w, g := table(want), table(got); !bytes.Equal(w, g) {
				return fmt.Errorf("at revision %d the follower has other %s than the leader:\n%s\n%s", want.Revision(), name, g, w)
			}
		}
		return nil
	}
	return fmt.Errorf("the follower stays at revision %d, the leader at %d", f.copy.View().Revision(), leader().Revision())
}

// dump gives all records of a table as text.
func dump[T any](table *store.Table[T]) func(store.Reader) []byte {
	return func(r store.Reader) []byte {
		var out bytes.Buffer
		for record := range table.All(r) {
			if err := json.NewEncoder(&out).Encode(record); err != nil {
				panic(err) // it was in the journal
			}
		}
		return out.Bytes()
	}
}

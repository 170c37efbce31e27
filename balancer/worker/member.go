package worker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// member is a worker of the fleet.
type member struct {
	process Process
	*client
	since   time.Time
	counted counts // when asked last
	adopted bool   // it ran before the fleet did
	// acknowledged is what it does; nil when that is not known, as at first: it is told
	// all then.
	acknowledged *config
}

// encoded is an update as it is sent.
type encoded struct {
	to    *config
	empty bool
	json  []byte
}

func encode(from, to *config, retry bool) (*encoded, error) {
	u := between(from, to)
	u.Retry = retry
	b, err := json.Marshal(u)
	return &encoded{to, u.empty(), b}, err
}

// bring sends a member an update. One that has not what it should have, because it has
// lost it, gets all. The error is a *rejection when the member has taken the update.
func (m *member) bring(ctx context.Context, e *encoded) error {
	if e.empty {
		return nil
	}
	m.acknowledged = nil // until it does
	a, err := m.update(ctx, e.json)
	if errors.Is(err, errGeneration) {
		if e, err = encode(nil, e.to, false); err != nil {
			return err
		}
		a, err = m.update(ctx, e.json)
	}
	switch {
	case err != nil:
		return err
	case a.Generation != e.to.generation:
		return fmt.Errorf("it acknowledges generation %d, not %d", a.Generation, e.to.generation)
	}
	m.acknowledged = e.to
	if a.Rejected != "" {
		return &rejection{a.Rejected}
	}
	return nil
}

// rejection is what a worker cannot do of its configuration. It does the rest.
type rejection struct{ text string }

func (r *rejection) Error() string { return r.text }

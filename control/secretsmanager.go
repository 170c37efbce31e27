package control

import (
	"iter"
	"slices"
	"time"

	"github.com/google/uuid"

	"fargo/plan"
	"fargo/store"
)

// ManagedSecrets is the controller of Secrets Manager's secrets: it removes those whose
// recovery window has passed, and begins the rotations that are due.
func ManagedSecrets() Controller {
	return Controller{
		Name: "secret",
		All:  func(r store.Reader) iter.Seq[string] { return keys(store.Secrets.All(r)) },
		Scope: func(_ store.Reader, c store.Change) iter.Seq[string] {
			if c.Table == store.Secrets.Name() {
				return slices.Values([]string{c.Key})
			}
			return slices.Values([]string(nil))
		},
		Reconcile: func(tx *store.Tx, key string, now time.Time) (time.Time, error) {
			s, ok := store.Secrets.Get(tx, key)
			if !ok {
				return time.Time{}, nil
			}
			if !s.RemovedAt.IsZero() {
				if now.Before(s.RemovedAt) {
					return s.RemovedAt, nil
				}
				store.DeleteSecret(tx, s)
				return time.Time{}, nil
			}
			due, next := plan.RotationDue(s, now)
			if !due {
				return next, nil
			}
			changed := *s
			if err := plan.BeginRotation(&changed, uuid.NewString(), uuid.NewString(), false, now); err != nil {
				return time.Time{}, err
			}
			store.Secrets.Put(tx, &changed)
			return time.Time{}, nil
		},
	}
}

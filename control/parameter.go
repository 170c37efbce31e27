package control

import (
	"iter"
	"slices"
	"time"

	"fargo/store"
)

// Parameters is the controller that deletes parameters when they expire.
func Parameters() Controller {
	return Controller{
		Name: "parameter",
		All:  func(r store.Reader) iter.Seq[string] { return keys(store.Parameters.All(r)) },
		Scope: func(_ store.Reader, c store.Change) iter.Seq[string] {
			if c.Table != store.Parameters.Name() {
				return slices.Values([]string(nil))
			}
			return slices.Values([]string{c.Key})
		},
		Reconcile: func(tx *store.Tx, key string, now time.Time) (time.Time, error) {
			p, ok := store.Parameters.Get(tx, key)
			if !ok || p.Expires.IsZero() {
				return time.Time{}, nil
			}
			if now.Before(p.Expires) {
				return p.Expires, nil
			}
			store.DeleteParameter(tx, p)
			return time.Time{}, nil
		},
	}
}

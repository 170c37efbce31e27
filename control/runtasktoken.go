package control

import (
	"iter"
	"slices"
	"time"

	"fargo/store"
)

// tokenLife is how long a client token is remembered.
// Source: ECS developer guide, "Ensuring idempotency": up to 24 hours.
const tokenLife = 24 * time.Hour

// RunTaskTokens is the controller that forgets client tokens.
func RunTaskTokens() Controller {
	return Controller{
		Name: "runtasktoken",
		All:  func(r store.Reader) iter.Seq[string] { return keys(store.RunTaskTokens.All(r)) },
		Scope: func(_ store.Reader, c store.Change) iter.Seq[string] {
			if c.Table != store.RunTaskTokens.Name() {
				return slices.Values([]string(nil))
			}
			return slices.Values([]string{c.Key})
		},
		Reconcile: func(tx *store.Tx, key string, now time.Time) (time.Time, error) {
			t, ok := store.RunTaskTokens.Get(tx, key)
			if !ok {
				return time.Time{}, nil
			}
			if end := t.At.Add(tokenLife); now.Before(end) {
				return end, nil
			}
			store.RunTaskTokens.Delete(tx, key)
			return time.Time{}, nil
		},
	}
}

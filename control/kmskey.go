package control

import (
	"iter"
	"slices"
	"time"

	awskms "fargo/aws/kms"
	"fargo/kms"
	"fargo/plan"
	"fargo/store"
)

// KMSKeys is the controller that deletes keys whose waiting period is over, with their
// material, and that gives others new material when they are due.
func KMSKeys() Controller {
	return Controller{
		Name: "kmskey",
		All:  func(r store.Reader) iter.Seq[string] { return keys(store.KMSKeys.All(r)) },
		Scope: func(_ store.Reader, c store.Change) iter.Seq[string] {
			if c.Table != store.KMSKeys.Name() {
				return slices.Values([]string(nil))
			}
			return slices.Values([]string{c.Key})
		},
		Reconcile: func(tx *store.Tx, key string, now time.Time) (time.Time, error) {
			k, ok := store.KMSKeys.Get(tx, key)
			if !ok {
				return time.Time{}, nil
			}
			remove, rotate, next := plan.KMSKeyDue(k, now)
			switch {
			case remove:
				store.DeleteKMSKey(tx, k)
				return time.Time{}, nil
			case rotate:
				return kms.Rotate(tx, k, awskms.RotationTypeAutomatic, now).NextRotation, nil
			}
			return next, nil
		},
	}
}

package control

import (
	"iter"
	"slices"
	"time"

	"fargo"
	"fargo/plan"
	"fargo/record"
	"fargo/store"
)

// Lifecycles is the controller that carries out the lifecycle policies of
// repositories.
func Lifecycles(pace fargo.Pace) Controller {
	return Controller{
		Name: "lifecycle",
		All:  func(r store.Reader) iter.Seq[string] { return keys(store.Repositories.All(r)) },
		Scope: func(_ store.Reader, c store.Change) iter.Seq[string] {
			if c.Table != store.Repositories.Name() {
				return slices.Values([]string(nil))
			}
			return slices.Values([]string{c.Key})
		},
		Reconcile: func(tx *store.Tx, key string, now time.Time) (time.Time, error) {
			r, ok := store.Repositories.Get(tx, key)
			if !ok {
				return time.Time{}, nil
			}
			if r.LifecyclePolicy != "" && r.LifecyclePolicySetAt.IsZero() {
				takeOverPolicy(tx, r, now)
				return time.Time{}, nil // its own change brings it back
			}
			if due := plan.LifecycleDue(r, pace); due.IsZero() || due.After(now) {
				return due, nil
			}
			return runLifecycle(tx, r, now)
		},
	}
}

// takeOverPolicy gives a policy that was kept by a version that carried out none, and
// so noted no time, as much time before its first run as any other.
func takeOverPolicy(tx *store.Tx, r *record.Repository, now time.Time) {
	taken := *r
	taken.LifecyclePolicySetAt = now
	store.Repositories.Put(tx, &taken)
}

// runLifecycle carries out a repository's policy, and says when to go on. What does
// not fit into one transaction is done in the next ones: what is left is decided anew,
// and the policy has run when nothing is.
func runLifecycle(tx *store.Tx, r *record.Repository, now time.Time) (next time.Time, err error) {
	p, err := plan.ParseLifecyclePolicy(r.LifecyclePolicy)
	if err != nil {
		return time.Time{}, err
	}
	images := slices.Collect(store.Images.Prefix(tx, record.ImageKey(r.Scope, r.Name(), "")))
	for _, mark := range plan.EvaluateLifecycle(p, images, now) {
		if tx.Full() {
			return now, nil
		}
		// It may have gone with its subject.
		image, ok := store.Images.Get(tx, mark.Image.Key())
		switch {
		case !ok:
		case mark.Rule.Action.Type == "transition":
			store.ArchiveImage(tx, image, now)
		default:
			store.DeleteImage(tx, image)
		}
	}
	ran := *r
	ran.LifecyclePolicyRunAt = now
	store.Repositories.Put(tx, &ran)
	return time.Time{}, nil // its own change brings it back
}

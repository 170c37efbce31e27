package control

import (
	"iter"
	"slices"
	"time"

	"fargo"
	"fargo/plan"
	"fargo/store"
)

// Targets is the controller that deletes a target once it is drained, takes back what
// was known of its health when it goes out of use, and takes over what its
// checker reported before the checker's reports counted.
func Targets(sessions *Sessions, pace fargo.Pace) Controller {
	return Controller{
		Name: "target",
		All:  func(r store.Reader) iter.Seq[string] { return keys(store.ELBTargets.All(r)) },
		Scope: func(r store.Reader, c store.Change) iter.Seq[string] {
			switch c.Table {
			case store.ELBTargets.Name():
				return slices.Values([]string{c.Key})
			case store.ELBTargetGroups.Name(): // its delay may be another
				return keys(store.ELBTargets.By(r, store.TargetByGroup, c.Key))
			case store.ELBListeners.Name(), store.ELBRules.Name(), store.ELBLoadBalancers.Name():
				return keys(store.ELBTargets.All(r)) // which may be used or unused now, or checked by another node
			}
			return slices.Values([]string(nil))
		},
		Reconcile: func(tx *store.Tx, key string, now time.Time) (time.Time, error) {
			t, ok := store.ELBTargets.Get(tx, key)
			if !ok {
				sessions.dropTarget(key)
				return time.Time{}, nil
			}
			g, _ := store.ELBTargetGroups.Get(tx, t.Group)
			zones := store.ZonesOfGroup(tx, t.Group)
			action, next := plan.NextTargetAction(t, g, zones, pace, now)
			switch action {
			case plan.TargetDelete:
				store.ELBTargets.Delete(tx, key)
			case plan.TargetReset:
				c := *t
				c.Health = nil
				store.ELBTargets.Put(tx, &c)
			default:
				if report, ok := sessions.target(checker(tx, t.Group), key); ok {
					if c, ok := plan.Reported(t, zones, &report); ok {
						store.ELBTargets.Put(tx, c)
					}
				}
			}
			return next, nil
		},
	}
}

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

// Targets is the controller that deletes a target once it is drained, and takes
// back what was known of its health when its group goes out of use.
func Targets(pace fargo.Pace) Controller {
	return Controller{
		Name: "target",
		All:  func(r store.Reader) iter.Seq[string] { return keys(store.ELBTargets.All(r)) },
		Scope: func(r store.Reader, c store.Change) iter.Seq[string] {
			switch c.Table {
			case store.ELBTargets.Name():
				return slices.Values([]string{c.Key})
			case store.ELBTargetGroups.Name(): // its delay may be another
				return keys(store.ELBTargets.By(r, store.TargetByGroup, c.Key))
			case store.ELBListeners.Name(), store.ELBRules.Name():
				return keys(unusedTargets(r))
			}
			return slices.Values([]string(nil))
		},
		Reconcile: func(tx *store.Tx, key string, now time.Time) (time.Time, error) {
			t, ok := store.ELBTargets.Get(tx, key)
			if !ok {
				return time.Time{}, nil
			}
			g, _ := store.ELBTargetGroups.Get(tx, t.Group)
			action, next := plan.NextTargetAction(t, g, len(store.LoadBalancersOfGroup(tx, t.Group)) > 0, pace, now)
			switch action {
			case plan.TargetDelete:
				store.ELBTargets.Delete(tx, key)
			case plan.TargetReset:
				c := *t
				c.Health = nil
				store.ELBTargets.Put(tx, &c)
			}
			return next, nil
		},
	}
}

// unusedTargets are the targets of groups that no load balancer uses.
func unusedTargets(r store.Reader) iter.Seq[*record.ELBTarget] {
	return func(yield func(*record.ELBTarget) bool) {
		for g := range store.ELBTargetGroups.All(r) {
			if len(store.LoadBalancersOfGroup(r, g.Key())) > 0 {
				continue
			}
			for t := range store.ELBTargets.By(r, store.TargetByGroup, g.Key()) {
				if !yield(t) {
					return
				}
			}
		}
	}
}

package dispatch

import (
	"reflect"
	"slices"

	"fargo"
)

// delta leads from one Desired to the next.
type delta struct {
	Tasks     []fargo.Assignment `json:"tasks,omitempty"` // new or changed
	GoneTasks []string           `json:"goneTasks,omitempty"`
	VPCs      []fargo.VPC        `json:"vpcs,omitempty"` // new or changed
	GoneVPCs  []string           `json:"goneVpcs,omitempty"`
}

func taskKey(a *fargo.Assignment) string { return a.TaskARN }
func vpcKey(v *fargo.VPC) string         { return v.ID }

// diff is what leads from old to next; ok is false when nothing does.
func diff(old, next fargo.Desired) (d delta, ok bool) {
	d.Tasks, d.GoneTasks = changes(old.Tasks, next.Tasks, taskKey)
	d.VPCs, d.GoneVPCs = changes(old.VPCs, next.VPCs, vpcKey)
	return d, len(d.Tasks)+len(d.GoneTasks)+len(d.VPCs)+len(d.GoneVPCs) > 0
}

// apply gives the Desired that d leads to from old, which stays as it is.
func (d delta) apply(old fargo.Desired) fargo.Desired {
	return fargo.Desired{
		Tasks: merge(old.Tasks, d.Tasks, d.GoneTasks, taskKey),
		VPCs:  merge(old.VPCs, d.VPCs, d.GoneVPCs, vpcKey),
	}
}

func merge[T any](old, changed []T, gone []string, key func(*T) string) []T {
	out := make([]T, 0, len(old)+len(changed))
	place := make(map[string]int, len(old))
	for i := range old {
		if k := key(&old[i]); !slices.Contains(gone, k) {
			place[k] = len(out)
			out = append(out, old[i])
		}
	}
	for i := range changed {
		if at, known := place[key(&changed[i])]; known {
			out[at] = changed[i]
		} else {
			out = append(out, changed[i])
		}
	}
	return out
}

// changes compares two lists of keyed values: changed are those of next that
// old has not or has otherwise, gone the keys that only old has.
func changes[T any](old, next []T, key func(*T) string) (changed []T, gone []string) {
	before := make(map[string]*T, len(old))
	for i := range old {
		before[key(&old[i])] = &old[i]
	}
	for i := range next {
		k := key(&next[i])
		if b, known := before[k]; !known || !reflect.DeepEqual(b, &next[i]) {
			changed = append(changed, next[i])
		}
		delete(before, k)
	}
	for i := range old {
		if k := key(&old[i]); before[k] != nil {
			gone = append(gone, k)
			delete(before, k)
		}
	}
	return changed, gone
}

package dispatch

import (
	"reflect"
	"slices"

	"fargo"
)

// delta leads from one Desired to the next.
type delta struct {
	Tasks     change[fargo.Assignment]    `json:"tasks,omitzero"`
	VPCs      change[fargo.VPC]           `json:"vpcs,omitzero"`
	Balancers change[fargo.Balancer]      `json:"balancers,omitzero"`
	Groups    change[fargo.BalancerGroup] `json:"groups,omitzero"`
	Records   change[fargo.Record]        `json:"records,omitzero"`
}

// change leads from one list of values with keys to the next. The order of such
// a list means nothing.
type change[T any] struct {
	Put  []T      `json:"put,omitempty"` // new, or other than before
	Gone []string `json:"gone,omitempty"`
}

func taskKey(a *fargo.Assignment) string     { return a.TaskARN }
func vpcKey(v *fargo.VPC) string             { return v.ID }
func balancerKey(b *fargo.Balancer) string   { return b.ARN }
func groupKey(g *fargo.BalancerGroup) string { return g.ARN }
func recordKey(r *fargo.Record) string       { return r.VPC + "/" + r.Name }
func targetKey(r *fargo.TargetReport) string { return fargo.ELBTargetKey(r.Group, r.ID, r.Port) }

// diff is what leads from old to next; ok is false when nothing does.
func diff(old, next fargo.Desired) (d delta, ok bool) {
	d = delta{
		Tasks:     between(old.Tasks, next.Tasks, taskKey),
		VPCs:      between(old.VPCs, next.VPCs, vpcKey),
		Balancers: between(old.Balancers, next.Balancers, balancerKey),
		Groups:    between(old.Groups, next.Groups, groupKey),
		Records:   between(old.Records, next.Records, recordKey),
	}
	return d, !reflect.ValueOf(d).IsZero()
}

// apply gives the Desired that d leads to from old, which stays as it is.
func (d delta) apply(old fargo.Desired) fargo.Desired {
	return fargo.Desired{
		Tasks:     d.Tasks.apply(old.Tasks, taskKey),
		VPCs:      d.VPCs.apply(old.VPCs, vpcKey),
		Balancers: d.Balancers.apply(old.Balancers, balancerKey),
		Groups:    d.Groups.apply(old.Groups, groupKey),
		Records:   d.Records.apply(old.Records, recordKey),
	}
}

func (c change[T]) apply(old []T, key func(*T) string) []T {
	out := make([]T, 0, len(old)+len(c.Put))
	place := make(map[string]int, len(old))
	for i := range old {
		if k := key(&old[i]); !slices.Contains(c.Gone, k) {
			place[k] = len(out)
			out = append(out, old[i])
		}
	}
	for i := range c.Put {
		if at, known := place[key(&c.Put[i])]; known {
			out[at] = c.Put[i]
		} else {
			out = append(out, c.Put[i])
		}
	}
	return out
}

// between is what leads from old to next.
func between[T any](old, next []T, key func(*T) string) (c change[T]) {
	before := make(map[string]*T, len(old))
	for i := range old {
		before[key(&old[i])] = &old[i]
	}
	for i := range next {
		k := key(&next[i])
		if b, known := before[k]; !known || !reflect.DeepEqual(b, &next[i]) {
			c.Put = append(c.Put, next[i])
		}
		delete(before, k)
	}
	for i := range old {
		if k := key(&old[i]); before[k] != nil {
			c.Gone = append(c.Gone, k)
			delete(before, k)
		}
	}
	return c
}

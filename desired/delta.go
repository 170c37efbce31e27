package desired

import (
	"net/netip"
	"reflect"
	"slices"
)

// Delta leads from what a node should be doing to what it should be doing next:
// the message from the control plane to a node after the first [State].
type Delta struct {
	Tasks Change[Assignment] `json:"tasks,omitzero"`
	VPCs  Change[VPC]        `json:"vpcs,omitzero"`
	// Members are changes within VPCs that are not in VPCs themselves: a VPC is
	// large, and interfaces come and go with every task.
	Members   []MemberChange          `json:"members,omitempty"`
	Balancers Change[Balancer]        `json:"balancers,omitzero"`
	Groups    Change[BalancerGroup]   `json:"groups,omitzero"`
	Records   Change[Record]          `json:"records,omitzero"`
	Endpoints Change[Endpoint]        `json:"endpoints,omitzero"`
	Platform  *Platform               `json:"platform,omitempty"` // nil: as before
	FlowLogs  Change[FlowLog]         `json:"flowLogs,omitzero"`
	Logged    Change[LoggedInterface] `json:"logged,omitzero"`

	DeletedFileSystems Change[DeletedFileSystem] `json:"deletedFileSystems,omitzero"`
	ExecSessions       Change[ExecSession]       `json:"execSessions,omitzero"`
}

// Change leads from one list of values with keys to the next. The order of such
// a list means nothing.
type Change[T any] struct {
	Put  []T      `json:"put,omitempty"` // new, or other than before
	Gone []string `json:"gone,omitempty"`
}

// MemberChange is what becomes of a security group's members. An address that
// is both gone and put is there.
type MemberChange struct {
	VPC   string       `json:"vpc"`
	Group string       `json:"group"`
	Put   []netip.Addr `json:"put,omitempty"`
	Gone  []netip.Addr `json:"gone,omitempty"`
}

func taskKey(a *Assignment) string        { return a.TaskARN }
func vpcKey(v *VPC) string                { return v.ID }
func balancerKey(b *Balancer) string      { return b.ARN }
func groupKey(g *BalancerGroup) string    { return g.ARN }
func endpointKey(e *Endpoint) string      { return e.ID }
func flowLogKey(f *FlowLog) string        { return f.ID }
func loggedKey(i *LoggedInterface) string { return i.ID }

// Diff is what leads from old to next.
func Diff(old, next State) Delta {
	d := Delta{
		Tasks:     Between(old.Tasks, next.Tasks, taskKey),
		VPCs:      Between(old.VPCs, next.VPCs, vpcKey),
		Balancers: Between(old.Balancers, next.Balancers, balancerKey),
		Groups:    Between(old.Groups, next.Groups, groupKey),
		Records:   Between(old.Records, next.Records, (*Record).Key),
		Endpoints: Between(old.Endpoints, next.Endpoints, endpointKey),
		FlowLogs:  Between(old.FlowLogs, next.FlowLogs, flowLogKey),
		Logged:    Between(old.Logged, next.Logged, loggedKey),

		DeletedFileSystems: Between(old.DeletedFileSystems, next.DeletedFileSystems, deletedFileSystemKey),
		ExecSessions:       Between(old.ExecSessions, next.ExecSessions, execSessionKey),
	}
	if !reflect.DeepEqual(old.Platform, next.Platform) {
		d.Platform = &next.Platform
	}
	return d
}

// Empty reports whether a delta leads to where it began.
func Empty(d *Delta) bool {
	return d.Tasks.Empty() && d.VPCs.Empty() && len(d.Members) == 0 && d.Balancers.Empty() && d.Groups.Empty() &&
		d.Records.Empty() && d.Endpoints.Empty() && d.Platform == nil && d.FlowLogs.Empty() && d.Logged.Empty() &&
		d.DeletedFileSystems.Empty() && d.ExecSessions.Empty()
}

// Empty reports whether a change leads to where it began.
func (c Change[T]) Empty() bool { return len(c.Put)+len(c.Gone) == 0 }

// Apply gives the Desired that d leads to from old, which stays as it is.
func Apply(old State, d *Delta) State {
	next := State{
		Tasks:     d.Tasks.Apply(old.Tasks, taskKey),
		VPCs:      applyMembers(d.VPCs.Apply(old.VPCs, vpcKey), d.Members),
		Balancers: d.Balancers.Apply(old.Balancers, balancerKey),
		Groups:    d.Groups.Apply(old.Groups, groupKey),
		Records:   d.Records.Apply(old.Records, (*Record).Key),
		Endpoints: d.Endpoints.Apply(old.Endpoints, endpointKey),
		Platform:  old.Platform,
		FlowLogs:  d.FlowLogs.Apply(old.FlowLogs, flowLogKey),
		Logged:    d.Logged.Apply(old.Logged, loggedKey),

		DeletedFileSystems: d.DeletedFileSystems.Apply(old.DeletedFileSystems, deletedFileSystemKey),
		ExecSessions:       d.ExecSessions.Apply(old.ExecSessions, execSessionKey),
	}
	if d.Platform != nil {
		next.Platform = *d.Platform
	}
	return next
}

// Apply gives the list that c leads to from old, which stays as it is. key is that of
// [Between].
func (c Change[T]) Apply(old []T, key func(*T) string) []T {
	if c.Empty() {
		return old
	}
	gone := make(map[string]bool, len(c.Gone))
	for _, k := range c.Gone {
		gone[k] = true
	}
	out := make([]T, 0, len(old)+len(c.Put))
	place := make(map[string]int, len(old))
	for i := range old {
		if k := key(&old[i]); !gone[k] {
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

// applyMembers copies what it changes: the VPCs are the caller's, what they
// point to is not.
func applyMembers(vpcs []VPC, changes []MemberChange) []VPC {
	if len(changes) == 0 {
		return vpcs
	}
	vpcs = slices.Clone(vpcs)
	for i := range vpcs {
		copied := false
		for j := range changes {
			c := &changes[j]
			at := slices.IndexFunc(vpcs[i].Groups, func(g SecurityGroup) bool { return c.VPC == vpcs[i].ID && g.ID == c.Group })
			if at < 0 {
				continue
			}
			if !copied {
				vpcs[i].Groups, copied = slices.Clone(vpcs[i].Groups), true
			}
			g := &vpcs[i].Groups[at]
			g.Members = members(g.Members, c)
		}
	}
	return vpcs
}

// members merges a change into a group's members, which are in order.
func members(old []netip.Addr, c *MemberChange) []netip.Addr {
	put, gone := sorted(c.Put), sorted(c.Gone)
	out := make([]netip.Addr, 0, len(old)+len(put))
	for _, a := range old {
		for len(put) > 0 && put[0].Less(a) {
			out, put = append(out, put[0]), put[1:]
		}
		if len(put) > 0 && put[0] == a {
			put = put[1:]
		} else if _, left := slices.BinarySearchFunc(gone, a, netip.Addr.Compare); left {
			continue
		}
		out = append(out, a)
	}
	return append(out, put...)
}

func sorted(addrs []netip.Addr) []netip.Addr {
	out := slices.Clone(addrs)
	slices.SortFunc(out, netip.Addr.Compare)
	return slices.Compact(out)
}

// Between is what leads from old to next.
func Between[T any](old, next []T, key func(*T) string) (c Change[T]) {
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

// Merged is one change for each group, in the order they are first named.
func Merged(changes []MemberChange) []MemberChange {
	type name struct{ vpc, group string }
	place := map[name]int{}
	var out []MemberChange
	for _, c := range changes {
		i, known := place[name{c.VPC, c.Group}]
		if !known {
			i = len(out)
			place[name{c.VPC, c.Group}] = i
			out = append(out, MemberChange{VPC: c.VPC, Group: c.Group})
		}
		out[i].Put, out[i].Gone = append(out[i].Put, c.Put...), append(out[i].Gone, c.Gone...)
	}
	return out
}

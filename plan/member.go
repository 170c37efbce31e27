package plan

import (
	"net/netip"
	"slices"

	"fargo/desired"
	"fargo/record"
)

// Joining is how an interface's membership in security groups changes; before
// and after are nil when there is none.
func Joining(before, after *record.EC2NetworkInterface) (changes []desired.MemberChange) {
	old, next := addressesOf(before), addressesOf(after)
	for _, g := range groupsOf(after) {
		changes = append(changes, desired.MemberChange{VPC: *after.Interface.VpcId, Group: g, Put: next})
	}
	for _, g := range groupsOf(before) {
		gone := old
		if slices.Contains(groupsOf(after), g) {
			gone = slices.DeleteFunc(slices.Clone(old), func(a netip.Addr) bool { return slices.Contains(next, a) })
		}
		if len(gone) > 0 {
			changes = append(changes, desired.MemberChange{VPC: *before.Interface.VpcId, Group: g, Gone: gone})
		}
	}
	return changes
}

func addressesOf(i *record.EC2NetworkInterface) []netip.Addr {
	if i == nil {
		return nil
	}
	return i.Addresses()
}

func groupsOf(i *record.EC2NetworkInterface) []string {
	if i == nil {
		return nil
	}
	return i.GroupIDs()
}

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
	for _, g := range groupsOf(after) {
		changes = append(changes, desired.MemberChange{VPC: *after.Interface.VpcId, Group: g, Put: []netip.Addr{after.Address()}})
	}
	for _, g := range groupsOf(before) {
		if !slices.Contains(groupsOf(after), g) || before.Address() != after.Address() {
			changes = append(changes, desired.MemberChange{VPC: *before.Interface.VpcId, Group: g, Gone: []netip.Addr{before.Address()}})
		}
	}
	return changes
}

func groupsOf(i *record.EC2NetworkInterface) []string {
	if i == nil {
		return nil
	}
	return i.GroupIDs()
}

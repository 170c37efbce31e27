package fargo

import "net/netip"

// Delta leads from what a node should be doing to what it should be doing next:
// the message from the control plane to a node after the first [Desired].
type Delta struct {
	Tasks Change[Assignment] `json:"tasks,omitzero"`
	VPCs  Change[VPC]        `json:"vpcs,omitzero"`
	// Members are changes within VPCs that are not in VPCs themselves: a VPC is
	// large, and interfaces come and go with every task.
	Members   []MemberChange        `json:"members,omitempty"`
	Balancers Change[Balancer]      `json:"balancers,omitzero"`
	Groups    Change[BalancerGroup] `json:"groups,omitzero"`
	Records   Change[Record]        `json:"records,omitzero"`
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

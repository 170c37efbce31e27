package desired

import "net/netip"

// VPC is a virtual network as a node must build it: what is reachable from
// where, not who owns it.
type VPC struct {
	ID     string          `json:"id"` // "vpc-…"
	Region string          `json:"region,omitempty"`
	CIDRs  []netip.Prefix  `json:"cidrs"`
	Groups []SecurityGroup `json:"groups,omitempty"`
	// DNS says that the VPC's resolver answers (enableDnsSupport).
	DNS bool `json:"dns,omitempty"`
}

// SecurityGroup is a set of interfaces and what may reach them and be reached
// by them. Connections are tracked: an answer to an allowed packet is allowed.
type SecurityGroup struct {
	ID      string `json:"id"` // "sg-…"
	Ingress []Rule `json:"ingress,omitempty"`
	Egress  []Rule `json:"egress,omitempty"`
	// Members are the addresses of all interfaces in the group, on every node;
	// a Rule naming the group means them.
	Members []netip.Addr `json:"members,omitempty"`
}

// Rule allows one kind of traffic with one kind of peer.
type Rule struct {
	// Protocol is "tcp", "udp", "icmp", "icmpv6", an IP protocol number, or "-1"
	// for all.
	Protocol string `json:"protocol"`
	// FromPort and ToPort bound the destination ports of tcp and udp. For icmp
	// they are the type and the code, -1 meaning any. For others they mean
	// nothing.
	FromPort int `json:"fromPort"`
	ToPort   int `json:"toPort"`
	// Exactly one of CIDR and Group is set.
	CIDR  netip.Prefix `json:"cidr,omitzero"`
	Group string       `json:"group,omitempty"`
}

// Interface is a task's elastic network interface.
type Interface struct {
	ID      string       `json:"id"` // "eni-…"
	VPC     string       `json:"vpc"`
	Subnet  string       `json:"subnet"`
	Prefix  netip.Prefix `json:"prefix"`  // the subnet's CIDR
	Address netip.Addr   `json:"address"` // private IPv4 address
	MAC     string       `json:"mac"`
	Groups  []string     `json:"groups"` // 1 to 5 security group ids
	// Internet says that the route table lets this interface open connections
	// beyond its VPC (an internet gateway and a public address, or a NAT).
	Internet bool `json:"internet,omitempty"`
}

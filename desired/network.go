package desired

import (
	"net/netip"
	"slices"
)

// VPC is a virtual network as a node must build it: what is reachable from
// where, not who owns it.
type VPC struct {
	ID     string          `json:"id"` // "vpc-…"
	Region string          `json:"region,omitempty"`
	CIDRs  []netip.Prefix  `json:"cidrs"`
	Groups []SecurityGroup `json:"groups,omitempty"`
	// DNS says that the VPC's resolver answers (enableDnsSupport).
	DNS bool `json:"dns,omitempty"`
	// NoHostNames says that the resolver knows no private names of the VPC's addresses
	// (enableDnsHostnames is off).
	NoHostNames bool `json:"noHostNames,omitempty"`
	// Subnets are all there are. A VPC from an older control plane has none: in it,
	// interfaces reach each other, and those with Internet what is beyond.
	Subnets     []Subnet     `json:"subnets,omitempty"`
	RouteTables []RouteTable `json:"routeTables,omitempty"`
	ACLs        []ACL        `json:"acls,omitempty"`
	NATGateways []NATGateway `json:"natGateways,omitempty"`
	// Peers are the ids of the VPCs with which this one has an active peering
	// connection; those have this one among theirs.
	Peers []string `json:"peers,omitempty"`
	// DNSPeers are those of Peers whose interfaces' public names stand for their private
	// addresses in this VPC.
	DNSPeers []string `json:"dnsPeers,omitempty"`
	// S3 is the address that S3 has in the VPC besides that of [Platform]. The zero value:
	// none, and its names are only among those of the platform.
	S3 ServiceAddress `json:"s3,omitzero"`
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
	// Exactly one of CIDR and Group is set. A group may be that of a peer.
	CIDR  netip.Prefix `json:"cidr,omitzero"`
	Group string       `json:"group,omitempty"`
}

// Interface is a task's elastic network interface.
type Interface struct {
	ID      string       `json:"id"` // "eni-…"
	VPC     string       `json:"vpc"`
	Subnet  string       `json:"subnet"`
	Prefix  netip.Prefix `json:"prefix"`  // the subnet's CIDR
	Address netip.Addr   `json:"address"` // private IPv4 address; the zero Addr in a subnet without IPv4
	MAC     string       `json:"mac"`
	Groups  []string     `json:"groups"` // 1 to 5 security group ids
	// Internet says that the route table lets this interface open connections
	// beyond its VPC (an internet gateway and a public address, or a NAT). It
	// means something only in a VPC without Subnets.
	Internet bool `json:"internet,omitempty"`
	// Public is the IPv4 address that the Internet gateway translates Address to and
	// from. The zero Addr: it has none.
	Public netip.Addr `json:"public,omitzero"`
	// IPv6 is an address of IPv6Prefix, the subnet's IPv6 CIDR; the zero values in a
	// subnet without one.
	IPv6       netip.Addr   `json:"ipv6,omitzero"`
	IPv6Prefix netip.Prefix `json:"ipv6Prefix,omitzero"`
	// DenyGateway says that nothing from outside comes to IPv6 through the Internet
	// gateway.
	DenyGateway bool `json:"denyGateway,omitempty"`
	// Resolver is how its task resolves names. nil: by the VPC's resolver, in the region's
	// private domain.
	Resolver *Resolver `json:"resolver,omitempty"`
}

// Addresses are the private IPv4 address and the IPv6 address, those that there are.
func (i *Interface) Addresses() []netip.Addr {
	return slices.DeleteFunc([]netip.Addr{i.Address, i.IPv6}, func(a netip.Addr) bool { return !a.IsValid() })
}

// Primary is the address that a task is known by: Address, or IPv6 in a subnet without
// IPv4.
func (i *Interface) Primary() netip.Addr {
	if i.Address.IsValid() {
		return i.Address
	}
	return i.IPv6
}

package record

import (
	"net/netip"
	"slices"
	"time"

	"fargo"
	"fargo/aws"
	"fargo/aws/ec2"
)

// The EC2 nouns are what the API knows of a network; VPC, SecurityGroup and
// Interface (network.go) are what a node must build of it. Each holds the shape
// that Describe shows, tags included; what can be counted is not kept.

// EC2VPC is a VPC.
type EC2VPC struct {
	Scope        fargo.Scope
	VPC          ec2.Vpc
	DNSSupport   bool
	DNSHostnames bool
}

// Key is the VPC's place in the store.
func (v *EC2VPC) Key() string { return v.Scope.Key(*v.VPC.VpcId) }

// NamesHosts reports whether interfaces in the VPC have public DNS names.
// Source: VPC user guide, "DNS attributes for your VPC": where both attributes are set.
func (v *EC2VPC) NamesHosts() bool { return v.DNSSupport && v.DNSHostnames }

// CIDRs are the VPC's address ranges.
func (v *EC2VPC) CIDRs() []netip.Prefix {
	var all []netip.Prefix
	for _, a := range v.VPC.CidrBlockAssociationSet {
		if p, err := netip.ParsePrefix(*a.CidrBlock); err == nil {
			all = append(all, p)
		}
	}
	return all
}

// CIDRs6 are the VPC's IPv6 address ranges.
func (v *EC2VPC) CIDRs6() []netip.Prefix {
	var all []netip.Prefix
	for _, a := range v.VPC.Ipv6CidrBlockAssociationSet {
		if p, err := netip.ParsePrefix(*a.Ipv6CidrBlock); err == nil && a.Ipv6CidrBlockState.State == ec2.VpcCidrBlockStateCodeAssociated {
			all = append(all, p)
		}
	}
	return all
}

// EC2Subnet is a subnet. AvailableIpAddressCount in it is not kept.
type EC2Subnet struct {
	Scope  fargo.Scope
	Subnet ec2.Subnet
}

// Key is the subnet's place in the store.
func (s *EC2Subnet) Key() string { return s.Scope.Key(*s.Subnet.SubnetId) }

// Prefix is the subnet's IPv4 address range; the zero Prefix in a subnet that has only
// IPv6.
func (s *EC2Subnet) Prefix() netip.Prefix {
	p, _ := netip.ParsePrefix(aws.Value(s.Subnet.CidrBlock))
	return p
}

// Prefixes are the subnet's address ranges, IPv4 first.
func (s *EC2Subnet) Prefixes() []netip.Prefix {
	var all []netip.Prefix
	if p, err := netip.ParsePrefix(aws.Value(s.Subnet.CidrBlock)); err == nil {
		all = append(all, p)
	}
	if p, ok := s.Prefix6(); ok {
		all = append(all, p)
	}
	return all
}

// Prefix6 is the subnet's IPv6 address range; ok is false when it has none.
func (s *EC2Subnet) Prefix6() (p netip.Prefix, ok bool) {
	for _, a := range s.Subnet.Ipv6CidrBlockAssociationSet {
		p, err := netip.ParsePrefix(*a.Ipv6CidrBlock)
		if err == nil && a.Ipv6CidrBlockState.State == ec2.SubnetCidrBlockStateCodeAssociated {
			return p, true
		}
	}
	return netip.Prefix{}, false
}

// EC2SecurityGroup is a security group with its rules; the permissions in
// Group are made from Rules when shown.
type EC2SecurityGroup struct {
	Scope fargo.Scope
	Group ec2.SecurityGroup
	Rules []ec2.SecurityGroupRule
}

// Key is the group's place in the store.
func (g *EC2SecurityGroup) Key() string { return g.Scope.Key(*g.Group.GroupId) }

// EC2NetworkInterface is an elastic network interface. It belongs to a task
// when TaskARN is set: then the task controller makes and deletes it.
type EC2NetworkInterface struct {
	Scope     fargo.Scope
	Interface ec2.NetworkInterface
	TaskARN   string `json:",omitzero"`
	CreatedAt time.Time
	EC2Request
}

// Key is the interface's place in the store.
func (i *EC2NetworkInterface) Key() string { return i.Scope.Key(*i.Interface.NetworkInterfaceId) }

// Address is the interface's primary private address, the zero Addr of one that has
// only IPv6.
func (i *EC2NetworkInterface) Address() netip.Addr {
	a, _ := netip.ParseAddr(aws.Value(i.Interface.PrivateIpAddress))
	return a
}

// Addresses are all private addresses of the interface, the primary one first, and its
// IPv6 addresses.
func (i *EC2NetworkInterface) Addresses() (all []netip.Addr) {
	add := func(text *string) {
		if a, err := netip.ParseAddr(aws.Value(text)); err == nil && !slices.Contains(all, a) {
			all = append(all, a)
		}
	}
	add(i.Interface.PrivateIpAddress)
	for _, a := range i.Interface.PrivateIpAddresses {
		add(a.PrivateIpAddress)
	}
	for _, a := range i.Interface.Ipv6Addresses {
		add(a.Ipv6Address)
	}
	return all
}

// GroupIDs are the security groups the interface is in.
func (i *EC2NetworkInterface) GroupIDs() []string {
	ids := make([]string, len(i.Interface.Groups))
	for n, g := range i.Interface.Groups {
		ids[n] = *g.GroupId
	}
	return ids
}

// EC2RouteTable is a route table with its routes and associations.
type EC2RouteTable struct {
	Scope      fargo.Scope
	RouteTable ec2.RouteTable
	EC2Request
}

// Key is the route table's place in the store.
func (r *EC2RouteTable) Key() string { return r.Scope.Key(*r.RouteTable.RouteTableId) }

// EC2InternetGateway is an internet gateway and its attachment.
type EC2InternetGateway struct {
	Scope   fargo.Scope
	Gateway ec2.InternetGateway
}

// Key is the gateway's place in the store.
func (g *EC2InternetGateway) Key() string { return g.Scope.Key(*g.Gateway.InternetGatewayId) }

// EC2Region remembers that a region was opened: given its default VPC, which
// does not come back by itself when it is deleted.
type EC2Region struct {
	Scope    fargo.Scope
	OpenedAt time.Time
}

// Key is the region's place in the store.
func (r *EC2Region) Key() string { return r.Scope.Key() }

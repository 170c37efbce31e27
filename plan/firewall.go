package plan

import (
	"net/netip"
	"slices"
	"strings"

	"fargo/aws/ec2"
	"fargo/desired"
	"fargo/record"
)

// NetworkView is what there is to know of some VPCs.
type NetworkView = record.Network

// Networks gives the VPCs as a node must build them: each with its groups, and each
// group with the addresses of its members. The result is sorted, so that equal networks
// are equal values.
func Networks(v NetworkView) []desired.VPC {
	members := map[string][]netip.Addr{}
	for _, i := range v.Interfaces {
		for _, g := range i.GroupIDs() {
			members[g] = append(members[g], i.Address())
		}
	}
	var out []desired.VPC
	for _, vpc := range v.VPCs {
		n := desired.VPC{ID: *vpc.VPC.VpcId, Region: vpc.Scope.Region, CIDRs: vpc.CIDRs(), DNS: vpc.DNSSupport}
		for _, g := range v.Groups {
			if *g.Group.VpcId != n.ID {
				continue
			}
			m := members[*g.Group.GroupId]
			slices.SortFunc(m, netip.Addr.Compare)
			sg := desired.SecurityGroup{ID: *g.Group.GroupId, Members: m}
			for _, r := range g.Rules {
				rule, ok := rule(r)
				switch {
				case !ok:
				case *r.IsEgress:
					sg.Egress = append(sg.Egress, rule)
				default:
					sg.Ingress = append(sg.Ingress, rule)
				}
			}
			n.Groups = append(n.Groups, sg)
		}
		slices.SortFunc(n.Groups, func(a, b desired.SecurityGroup) int { return strings.Compare(a.ID, b.ID) })
		out = append(out, n)
	}
	slices.SortFunc(out, func(a, b desired.VPC) int { return strings.Compare(a.ID, b.ID) })
	return out
}

// rule translates a stored rule; ok is false for peers that no packet of a
// private IPv4 network can have (IPv6 ranges, prefix lists).
func rule(r ec2.SecurityGroupRule) (out desired.Rule, ok bool) {
	out = desired.Rule{Protocol: *r.IpProtocol, FromPort: -1, ToPort: -1}
	if r.FromPort != nil {
		out.FromPort = int(*r.FromPort)
	}
	if r.ToPort != nil {
		out.ToPort = int(*r.ToPort)
	}
	switch {
	case r.CidrIpv4 != nil:
		p, err := netip.ParsePrefix(*r.CidrIpv4)
		out.CIDR = p.Masked()
		return out, err == nil
	case r.ReferencedGroupInfo != nil:
		out.Group = *r.ReferencedGroupInfo.GroupId
		return out, true
	}
	return out, false
}

// ReachesInternet reports whether an interface in the subnet may open
// connections beyond its VPC: its route table's default route leads to a NAT
// gateway, or to an internet gateway and the interface has a public address.
// Source: VPC user guide, "Enable internet access".
func ReachesInternet(tables []*record.EC2RouteTable, vpc, subnet string, publicAddress bool) bool {
	var main, own *record.EC2RouteTable
	for _, t := range tables {
		if *t.RouteTable.VpcId != vpc {
			continue
		}
		for _, a := range t.RouteTable.Associations {
			switch {
			case a.SubnetId != nil && *a.SubnetId == subnet:
				own = t
			case a.Main != nil && *a.Main:
				main = t
			}
		}
	}
	if own == nil {
		own = main
	}
	if own == nil {
		return false
	}
	for _, r := range own.RouteTable.Routes {
		if r.DestinationCidrBlock == nil || *r.DestinationCidrBlock != "0.0.0.0/0" {
			continue
		}
		if r.NatGatewayId != nil {
			return true
		}
		if r.GatewayId != nil && strings.HasPrefix(*r.GatewayId, "igw-") {
			return publicAddress
		}
	}
	return false
}

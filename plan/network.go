package plan

import (
	"net/netip"
	"slices"
	"strings"

	"fargo/aws"
	"fargo/aws/ec2"
	"fargo/desired"
	"fargo/record"
)

// NetworkView is what there is to know of some VPCs.
type NetworkView = record.Network

// Networks gives the VPCs as a node must build them: who may send what to whom, where
// packets go, and which groups have which members. Route tables and network ACLs that no
// subnet is in are left out. The result is sorted, so that equal networks are equal
// values.
func Networks(v NetworkView) []desired.VPC {
	members := members(v.Interfaces)
	var out []desired.VPC
	for _, vpc := range v.VPCs {
		id := *vpc.VPC.VpcId
		n := desired.VPC{
			ID: id, Region: vpc.Scope.Region, CIDRs: blocks(vpc), DNS: vpc.DNSSupport, NoHostNames: !vpc.NamesHosts(),
			NATGateways: natGateways(v, id), Peers: peers(v, id), DNSPeers: dnsPeers(v, vpc),
		}
		addSubnets(&n, v, vpc)
		for _, g := range v.Groups {
			if *g.Group.VpcId == id {
				n.Groups = append(n.Groups, securityGroup(v, g, members[*g.Group.GroupId]))
			}
		}
		slices.SortFunc(n.Groups, func(a, b desired.SecurityGroup) int { return strings.Compare(a.ID, b.ID) })
		out = append(out, n)
	}
	slices.SortFunc(out, func(a, b desired.VPC) int { return strings.Compare(a.ID, b.ID) })
	return out
}

// addSubnets adds the subnets of a VPC, and the route tables and ACLs that they are in.
func addSubnets(n *desired.VPC, v NetworkView, vpc *record.EC2VPC) {
	tables, acls := map[string]bool{}, map[string]bool{}
	for _, s := range v.Subnets {
		if *s.Subnet.VpcId != n.ID {
			continue
		}
		id := *s.Subnet.SubnetId
		subnet := desired.Subnet{ID: id, Prefixes: s.Prefixes()}
		if t := RouteTableOf(v.RouteTables, n.ID, id); t != nil {
			if subnet.RouteTable = *t.RouteTable.RouteTableId; !tables[subnet.RouteTable] {
				tables[subnet.RouteTable] = true
				n.RouteTables = append(n.RouteTables, routeTable(v, vpc, t))
			}
		}
		a := aclOf(v, vpc, id)
		if subnet.ACL = *a.ACL.NetworkAclId; !acls[subnet.ACL] {
			acls[subnet.ACL] = true
			n.ACLs = append(n.ACLs, acl(a))
		}
		n.Subnets = append(n.Subnets, subnet)
	}
	slices.SortFunc(n.Subnets, func(a, b desired.Subnet) int { return strings.Compare(a.ID, b.ID) })
	slices.SortFunc(n.RouteTables, func(a, b desired.RouteTable) int { return strings.Compare(a.ID, b.ID) })
	slices.SortFunc(n.ACLs, func(a, b desired.ACL) int { return strings.Compare(a.ID, b.ID) })
}

// members are the addresses of the interfaces in each group, in order.
func members(interfaces []*record.EC2NetworkInterface) map[string][]netip.Addr {
	out := map[string][]netip.Addr{}
	for _, i := range interfaces {
		for _, g := range i.GroupIDs() {
			out[g] = append(out[g], i.Addresses()...)
		}
	}
	for _, m := range out {
		slices.SortFunc(m, netip.Addr.Compare)
	}
	return out
}

func securityGroup(v NetworkView, g *record.EC2SecurityGroup, members []netip.Addr) desired.SecurityGroup {
	out := desired.SecurityGroup{ID: *g.Group.GroupId, Members: members}
	for i := range g.Rules {
		rules := securityGroupRules(v, g.Scope.Region, &g.Rules[i])
		if *g.Rules[i].IsEgress {
			out.Egress = append(out.Egress, rules...)
		} else {
			out.Ingress = append(out.Ingress, rules...)
		}
	}
	return out
}

// securityGroupRules translates a stored rule: one for each block of a prefix list, and
// none for a group behind a peering connection that is not active.
func securityGroupRules(v NetworkView, region string, r *ec2.SecurityGroupRule) (out []desired.Rule) {
	rule := desired.Rule{Protocol: *r.IpProtocol, FromPort: -1, ToPort: -1}
	if r.FromPort != nil {
		rule.FromPort = int(*r.FromPort)
	}
	if r.ToPort != nil {
		rule.ToPort = int(*r.ToPort)
	}
	if g := r.ReferencedGroupInfo; g != nil {
		if over := aws.Value(g.VpcPeeringConnectionId); over != "" && !active(v, over) {
			return nil
		}
		rule.Group = *g.GroupId
		return []desired.Rule{rule}
	}
	var from []netip.Prefix
	if r.PrefixListId != nil {
		from = prefixList(v, region, *r.PrefixListId)
	} else if p, err := netip.ParsePrefix(aws.Value(r.CidrIpv4) + aws.Value(r.CidrIpv6)); err == nil {
		from = []netip.Prefix{p.Masked()}
	}
	for _, p := range from {
		rule.CIDR = p
		out = append(out, rule)
	}
	return out
}

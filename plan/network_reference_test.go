package plan

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"fargo/aws"
	"fargo/aws/ec2"
	"fargo/record"
)

// What follows goes through the records of EC2 for one packet at a time. It is slow and
// shares nothing with the code that it judges but the records.

func interfaceOf(v NetworkView, id string) *record.EC2NetworkInterface {
	return v.Interfaces[slices.IndexFunc(v.Interfaces, func(i *record.EC2NetworkInterface) bool { return *i.Interface.NetworkInterfaceId == id })]
}

func interfaceAt(v NetworkView, vpc string, a netip.Addr) *record.EC2NetworkInterface {
	for _, i := range v.Interfaces {
		if *i.Interface.VpcId == vpc && slices.Contains(i.Addresses(), a) {
			return i
		}
	}
	return nil
}

// followRecords is where a packet ends.
func followRecords(v NetworkView, p packet) string {
	from := interfaceOf(v, p.from)
	vpc, subnet := *from.Interface.VpcId, *from.Interface.SubnetId
	if !recordedGroupsPass(v, from, true, p, p.to) {
		return "group out"
	}
	crosses := true
	if to := interfaceAt(v, vpc, p.to); to != nil && *to.Interface.SubnetId == subnet || inSubnet(v, subnet, p.to) {
		crosses = false
	}
	if crosses && !recordedACLPasses(v, vpc, subnet, true, p, p.to) {
		return "acl out"
	}
	target, source := recordedRoute(v, vpc, subnet, p.to), p.source
	if gateway, ok := strings.CutPrefix(target, "nat "); ok {
		g := v.NATGateways[slices.IndexFunc(v.NATGateways, func(g *record.EC2NATGateway) bool { return *g.Gateway.NatGatewayId == gateway })]
		address := g.Gateway.NatGatewayAddresses[0]
		source = netip.MustParseAddr(*address.PrivateIp)
		switch target = recordedRoute(v, vpc, *g.Gateway.SubnetId, p.to); {
		case target == "unroutable" || strings.HasPrefix(target, "nat "):
			target = "blackhole"
		case target == "internet" && address.PublicIp == nil:
			target = "blackhole"
		case target == "internet":
			source = netip.MustParseAddr(*address.PublicIp)
		}
	}
	there := vpc
	if peer, ok := strings.CutPrefix(target, "peer "); ok {
		there = peer
	} else if target == "unroutable" || target == "blackhole" {
		return target
	} else if target != "local" {
		return fmt.Sprintf("%s from %s", target, source)
	}
	to := interfaceAt(v, there, p.to)
	if to == nil {
		return "nobody"
	}
	if crosses && !recordedACLPasses(v, there, *to.Interface.SubnetId, false, p, source) {
		return "acl in"
	}
	if !recordedGroupsPass(v, to, false, p, source) {
		return "group in"
	}
	return fmt.Sprintf("arrived at %s from %s", *to.Interface.NetworkInterfaceId, source)
}

func inSubnet(v NetworkView, id string, a netip.Addr) bool {
	for _, s := range v.Subnets {
		if *s.Subnet.SubnetId != id {
			continue
		}
		return netip.MustParsePrefix(*s.Subnet.CidrBlock).Contains(a) ||
			netip.MustParsePrefix(*s.Subnet.Ipv6CidrBlockAssociationSet[0].Ipv6CidrBlock).Contains(a)
	}
	panic("no subnet " + id)
}

// recordedRoute is where the route table of a subnet sends packets to an address.
func recordedRoute(v NetworkView, vpc, subnet string, to netip.Addr) string {
	var table *record.EC2RouteTable
	for _, t := range v.RouteTables {
		for _, a := range t.RouteTable.Associations {
			if *t.RouteTable.VpcId == vpc && aws.Value(a.Main) && table == nil || aws.Value(a.SubnetId) == subnet {
				table = t
			}
		}
	}
	best, target := -1, "unroutable"
	better := func(blocks []string, to netip.Addr, make func() string) {
		for _, b := range blocks {
			if c := netip.MustParsePrefix(b); c.Contains(to) && c.Bits() > best {
				best, target = c.Bits(), make()
			}
		}
	}
	var lists []*ec2.Route
	for i := range table.RouteTable.Routes {
		r := &table.RouteTable.Routes[i]
		if r.DestinationPrefixListId != nil {
			lists = append(lists, r)
			continue
		}
		better(recordedBlocks(v, r), to, func() string { return recordedTarget(v, vpc, r, recordedBlocks(v, r)) })
	}
	better(recordedVPC(v, vpc), to, func() string { return "local" })
	slices.SortFunc(lists, func(a, b *ec2.Route) int {
		return strings.Compare(*a.DestinationPrefixListId, *b.DestinationPrefixListId)
	})
	for _, r := range lists {
		for _, b := range recordedBlocks(v, r) {
			better([]string{b}, to, func() string { return recordedTarget(v, vpc, r, []string{b}) })
		}
	}
	return target
}

func recordedVPC(v NetworkView, id string) []string {
	for _, vpc := range v.VPCs {
		if *vpc.VPC.VpcId == id {
			return []string{*vpc.VPC.CidrBlockAssociationSet[0].CidrBlock, *vpc.VPC.Ipv6CidrBlockAssociationSet[0].Ipv6CidrBlock}
		}
	}
	panic("no VPC " + id)
}

func recordedBlocks(v NetworkView, r *ec2.Route) []string {
	if r.DestinationPrefixListId != nil {
		return recordedList(v, *r.DestinationPrefixListId)
	}
	return []string{aws.Value(r.DestinationCidrBlock) + aws.Value(r.DestinationIpv6CidrBlock)}
}

func recordedList(v NetworkView, id string) (blocks []string) {
	for _, l := range v.PrefixLists {
		if *l.List.PrefixListId == id {
			for _, e := range l.Versions[0] {
				blocks = append(blocks, *e.Cidr)
			}
		}
	}
	return blocks
}

// recordedTarget is what a route to blocks of one family leads to. Without any block it
// is one to IPv4.
func recordedTarget(v NetworkView, vpc string, r *ec2.Route, blocks []string) string {
	six := len(blocks) > 0 && strings.Contains(blocks[0], ":")
	switch {
	case aws.Value(r.GatewayId) == "local":
		for _, own := range recordedVPC(v, vpc) {
			inside := len(blocks) > 0
			for _, b := range blocks {
				o, c := netip.MustParsePrefix(own), netip.MustParsePrefix(b)
				inside = inside && o.Contains(c.Addr()) && o.Bits() <= c.Bits()
			}
			if inside {
				return "local"
			}
		}
	case r.EgressOnlyInternetGatewayId != nil:
		for _, g := range v.EgressOnlyGateways {
			if six && *g.Gateway.EgressOnlyInternetGatewayId == *r.EgressOnlyInternetGatewayId && *g.Gateway.Attachments[0].VpcId == vpc {
				return "egress-only"
			}
		}
	case r.NatGatewayId != nil:
		for _, g := range v.NATGateways {
			works := g.Gateway.State == "available" && g.Gateway.NatGatewayAddresses[0].Status == "succeeded"
			if !six && *g.Gateway.NatGatewayId == *r.NatGatewayId && *g.Gateway.VpcId == vpc && works {
				return "nat " + *r.NatGatewayId
			}
		}
	case r.VpcPeeringConnectionId != nil:
		for _, p := range v.Peerings {
			if *p.Connection.VpcPeeringConnectionId == *r.VpcPeeringConnectionId && p.Connection.Status.Code == "active" {
				return "peer " + map[string]string{"vpc-1": "vpc-2", "vpc-2": "vpc-1"}[vpc]
			}
		}
	case r.GatewayId != nil:
		for _, g := range v.InternetGateways {
			if *g.Gateway.InternetGatewayId == *r.GatewayId && *g.Gateway.Attachments[0].VpcId == vpc {
				return "internet"
			}
		}
		for _, e := range v.Endpoints {
			if *e.Endpoint.VpcEndpointId == *r.GatewayId && *e.Endpoint.VpcId == vpc && strings.ToLower(string(e.Endpoint.State)) == "available" {
				return "service"
			}
		}
	}
	return "blackhole"
}

// recordedGroupsPass reports whether a rule of one of an interface's groups is for a
// packet from or to another address.
func recordedGroupsPass(v NetworkView, i *record.EC2NetworkInterface, egress bool, p packet, other netip.Addr) bool {
	for _, g := range v.Groups {
		if !slices.Contains(i.GroupIDs(), *g.Group.GroupId) {
			continue
		}
		for _, r := range g.Rules {
			if *r.IsEgress == egress && recordedKind(*r.IpProtocol, r.FromPort, r.ToPort, p) && recordedPeer(v, r, other) {
				return true
			}
		}
	}
	return false
}

func recordedPeer(v NetworkView, r ec2.SecurityGroupRule, other netip.Addr) bool {
	switch {
	case r.PrefixListId != nil:
		return slices.ContainsFunc(recordedList(v, *r.PrefixListId), func(b string) bool { return netip.MustParsePrefix(b).Contains(other) })
	case r.ReferencedGroupInfo != nil:
		if over := r.ReferencedGroupInfo.VpcPeeringConnectionId; over != nil && !slices.ContainsFunc(v.Peerings, func(p *record.EC2Peering) bool {
			return *p.Connection.VpcPeeringConnectionId == *over && p.Connection.Status.Code == "active"
		}) {
			return false
		}
		return slices.ContainsFunc(v.Interfaces, func(i *record.EC2NetworkInterface) bool {
			return slices.Contains(i.GroupIDs(), *r.ReferencedGroupInfo.GroupId) && slices.Contains(i.Addresses(), other)
		})
	}
	return netip.MustParsePrefix(aws.Value(r.CidrIpv4) + aws.Value(r.CidrIpv6)).Contains(other)
}

// recordedACLPasses reports what the network ACL of a subnet says of a packet from or to
// another address.
func recordedACLPasses(v NetworkView, vpc, subnet string, egress bool, p packet, other netip.Addr) bool {
	var acl *record.EC2NetworkACL
	for _, a := range v.ACLs {
		for _, n := range a.ACL.Associations {
			if *n.SubnetId == subnet {
				acl = a
			}
		}
		if acl == nil && *a.ACL.VpcId == vpc && *a.ACL.IsDefault {
			acl = a
		}
	}
	if acl == nil {
		return true // as a VPC's list is to begin with
	}
	number, passes := int32(32767), false
	for _, e := range acl.ACL.Entries {
		if *e.Egress != egress || *e.RuleNumber >= number || !netip.MustParsePrefix(aws.Value(e.CidrBlock)+aws.Value(e.Ipv6CidrBlock)).Contains(other) {
			continue
		}
		var from, to *int32
		if e.PortRange != nil {
			from, to = e.PortRange.From, e.PortRange.To
		}
		if e.IcmpTypeCode != nil {
			from, to = e.IcmpTypeCode.Type, e.IcmpTypeCode.Code
		}
		if recordedKind(*e.Protocol, from, to, p) {
			number, passes = *e.RuleNumber, e.RuleAction == "allow"
		}
	}
	return passes
}

// recordedKind reports whether a range of a protocol, by name or number, has a packet.
func recordedKind(protocol string, from, to *int32, p packet) bool {
	numbers := map[string]string{"tcp": "6", "udp": "17", "icmp": "1"}
	number := func(name string) string {
		if _, err := strconv.Atoi(name); err == nil {
			return name
		}
		return numbers[name]
	}
	switch {
	case protocol == "-1":
		return true
	case number(protocol) != number(p.protocol):
		return false
	case from == nil || number(protocol) == "47":
		return true
	case number(protocol) == "1":
		return *from == -1 || int(*from) == p.port && *to <= 0
	}
	return int(*from) <= p.port && p.port <= int(*to)
}

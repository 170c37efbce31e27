package plan

import (
	"fmt"
	"net/netip"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"fargo"
	"fargo/aws"
	"fargo/aws/ec2"
	"fargo/desired"
	"fargo/record"
)

// TestNetworkScenarios holds what becomes of networks that are written as text, a line
// for each record.
func TestNetworkScenarios(t *testing.T) {
	scenarios(t, filepath.Join("testdata", "network"), func() func(*testing.T, string) string {
		n := &networkText{}
		return func(t *testing.T, command string) string {
			var out []string
			for line := range strings.SplitSeq(command, "\n") {
				if shown := n.do(line); shown != "" {
					out = append(out, shown)
				}
			}
			return strings.Join(out, "\n")
		}
	})
}

// networkText is a view that lines of text add to. It panics on lines that it does not
// understand.
type networkText struct{ view NetworkView }

var anywhere = fargo.Scope{Account: fargo.DefaultAccount, Region: fargo.DefaultRegion}

func (n *networkText) do(line string) (shown string) {
	f := strings.Fields(line)
	verb, id, rest := f[0], f[1], f[2:]
	switch verb {
	case "show":
		return n.show(id)
	case "names":
		return n.names(id)
	case "dns-peers":
		return n.dnsPeers(id)
	case "states":
		return n.states(id)
	case "platform":
		return n.platform(id)
	case "way-out":
		return fmt.Sprint(WayOut(n.view, id, rest[0] == "public", netip.MustParseAddr(rest[1])))
	case "reaches":
		return fmt.Sprint(ReachesService(n.view, id, rest[0] == "public", rest[1]))
	}
	if !n.changeNames(verb, id, rest) {
		n.add(verb, id, rest)
	}
	return ""
}

// platform shows for which interfaces of each subnet the platform's address is, with
// strict egress.
func (n *networkText) platform(vpc string) string {
	vpcs := slices.DeleteFunc(Networks(n.view), func(v desired.VPC) bool { return v.ID != vpc })
	ClosePlatform(vpcs)
	var out []string
	for _, s := range vpcs[0].Subnets {
		out = append(out, fmt.Sprintf("%s %q, S3 %q", s.ID, s.PlatformFor, s.S3For))
	}
	return strings.Join(out, "\n")
}

func (n *networkText) add(verb, id string, rest []string) {
	v := &n.view
	switch verb {
	case "vpc": // id blocks…
		v.VPCs = append(v.VPCs, textVPC(id, rest))
	case "subnet": // id vpc blocks…
		v.Subnets = append(v.Subnets, textSubnet(id, rest))
	case "table": // id vpc main|subnets…
		t := &record.EC2RouteTable{Scope: anywhere, RouteTable: ec2.RouteTable{RouteTableId: &id, VpcId: &rest[0]}}
		for _, s := range rest[1:] {
			a := ec2.RouteTableAssociation{SubnetId: &s, Main: new(false)}
			if s == "main" {
				a = ec2.RouteTableAssociation{Main: new(true)}
			}
			t.RouteTable.Associations = append(t.RouteTable.Associations, a)
		}
		v.RouteTables = append(v.RouteTables, t)
	case "route": // table destination target
		i := slices.IndexFunc(v.RouteTables, func(t *record.EC2RouteTable) bool { return *t.RouteTable.RouteTableId == id })
		v.RouteTables[i].RouteTable.Routes = append(v.RouteTables[i].RouteTable.Routes, textRoute(rest[0], rest[1]))
	case "internet-gateway": // id vpc
		v.InternetGateways = append(v.InternetGateways, &record.EC2InternetGateway{Scope: anywhere, Gateway: ec2.InternetGateway{
			InternetGatewayId: &id, Attachments: textAttachments(rest),
		}})
	case "egress-only": // id vpc
		v.EgressOnlyGateways = append(v.EgressOnlyGateways, &record.EC2EgressOnlyGateway{Scope: anywhere, Gateway: ec2.EgressOnlyInternetGateway{
			EgressOnlyInternetGatewayId: &id, Attachments: textAttachments(rest),
		}})
	case "nat": // id vpc subnet state private[=public]…
		v.NATGateways = append(v.NATGateways, textNAT(id, rest))
	case "endpoint": // id vpc kind service state
		v.Endpoints = append(v.Endpoints, &record.EC2VPCEndpoint{Scope: anywhere, Endpoint: ec2.VpcEndpoint{
			VpcEndpointId: &id, VpcId: &rest[0], VpcEndpointType: ec2.VpcEndpointType(rest[1]), ServiceName: new("com.amazonaws.us-east-1." + rest[2]),
			State: ec2.State(rest[3]), PrivateDnsEnabled: new(len(rest) > 4 && rest[4] == "private-dns"),
		}})
	case "list": // id blocks…
		l := &record.EC2PrefixList{Scope: anywhere, List: ec2.ManagedPrefixList{PrefixListId: &id}, Versions: [][]ec2.PrefixListEntry{{}}}
		for _, c := range rest {
			l.Versions[0] = append(l.Versions[0], ec2.PrefixListEntry{Cidr: &c})
		}
		v.PrefixLists = append(v.PrefixLists, l)
	case "peering": // id vpc vpc state
		v.Peerings = append(v.Peerings, &record.EC2Peering{Scope: anywhere, Connection: ec2.VpcPeeringConnection{
			VpcPeeringConnectionId: &id, RequesterVpcInfo: &ec2.VpcPeeringConnectionVpcInfo{VpcId: &rest[0]}, AccepterVpcInfo: &ec2.VpcPeeringConnectionVpcInfo{VpcId: &rest[1]},
			Status: &ec2.VpcPeeringConnectionStateReason{Code: ec2.VpcPeeringConnectionStateReasonCode(rest[2])},
		}})
	default:
		n.addFilter(verb, id, rest)
	}
}

func (n *networkText) addFilter(verb, id string, rest []string) {
	v := &n.view
	switch verb {
	case "acl": // id vpc default|subnets…
		a := &record.EC2NetworkACL{Scope: anywhere, ACL: ec2.NetworkAcl{NetworkAclId: &id, VpcId: &rest[0], IsDefault: new(false)}}
		for _, s := range rest[1:] {
			if s == "default" {
				a.ACL.IsDefault = new(true)
				continue
			}
			a.ACL.Associations = append(a.ACL.Associations, ec2.NetworkAclAssociation{NetworkAclId: &id, SubnetId: &s})
		}
		v.ACLs = append(v.ACLs, a)
	case "entry": // acl number in|out allow|deny protocol range block
		i := slices.IndexFunc(v.ACLs, func(a *record.EC2NetworkACL) bool { return *a.ACL.NetworkAclId == id })
		v.ACLs[i].ACL.Entries = append(v.ACLs[i].ACL.Entries, textEntry(rest))
	case "group": // id vpc
		v.Groups = append(v.Groups, &record.EC2SecurityGroup{Scope: anywhere, Group: ec2.SecurityGroup{GroupId: &id, VpcId: &rest[0]}})
	case "rule": // group in|out protocol range block|list|group[@peering]
		i := slices.IndexFunc(v.Groups, func(g *record.EC2SecurityGroup) bool { return *g.Group.GroupId == id })
		v.Groups[i].Rules = append(v.Groups[i].Rules, textRule(rest))
	case "interface": // id subnet groups,… address…
		s := subnetOf(n.view, rest[0])
		i := &record.EC2NetworkInterface{Scope: anywhere, Interface: ec2.NetworkInterface{NetworkInterfaceId: &id, SubnetId: &rest[0], VpcId: s.Subnet.VpcId}}
		for g := range strings.SplitSeq(rest[1], ",") {
			i.Interface.Groups = append(i.Interface.Groups, ec2.GroupIdentifier{GroupId: &g})
		}
		for _, a := range rest[2:] {
			if netip.MustParseAddr(a).Is6() {
				i.Interface.Ipv6Addresses = append(i.Interface.Ipv6Addresses, ec2.NetworkInterfaceIpv6Address{Ipv6Address: &a})
				continue
			}
			i.Interface.PrivateIpAddresses = append(i.Interface.PrivateIpAddresses, ec2.NetworkInterfacePrivateIpAddress{PrivateIpAddress: &a})
			i.Interface.PrivateIpAddress = i.Interface.PrivateIpAddresses[0].PrivateIpAddress
		}
		v.Interfaces = append(v.Interfaces, i)
	default:
		panic("unknown line " + verb)
	}
}

func textVPC(id string, blocks []string) *record.EC2VPC {
	v := &record.EC2VPC{Scope: anywhere, VPC: ec2.Vpc{VpcId: &id}}
	for _, b := range blocks {
		if netip.MustParsePrefix(b).Addr().Is4() {
			v.VPC.CidrBlockAssociationSet = append(v.VPC.CidrBlockAssociationSet, ec2.VpcCidrBlockAssociation{CidrBlock: &b})
			continue
		}
		v.VPC.Ipv6CidrBlockAssociationSet = append(v.VPC.Ipv6CidrBlockAssociationSet, ec2.VpcIpv6CidrBlockAssociation{
			Ipv6CidrBlock: &b, Ipv6CidrBlockState: &ec2.VpcCidrBlockState{State: ec2.VpcCidrBlockStateCodeAssociated},
		})
	}
	return v
}

func textSubnet(id string, rest []string) *record.EC2Subnet {
	s := &record.EC2Subnet{Scope: anywhere, Subnet: ec2.Subnet{SubnetId: &id, VpcId: &rest[0], Ipv6Native: new(false)}}
	for _, b := range rest[1:] {
		if netip.MustParsePrefix(b).Addr().Is4() {
			s.Subnet.CidrBlock = &b
			continue
		}
		s.Subnet.Ipv6CidrBlockAssociationSet = []ec2.SubnetIpv6CidrBlockAssociation{{
			Ipv6CidrBlock: &b, Ipv6CidrBlockState: &ec2.SubnetCidrBlockState{State: ec2.SubnetCidrBlockStateCodeAssociated},
		}}
	}
	*s.Subnet.Ipv6Native = s.Subnet.CidrBlock == nil
	return s
}

func textRoute(to, target string) (r ec2.Route) {
	switch {
	case strings.HasPrefix(to, "pl-"):
		r.DestinationPrefixListId = &to
	case strings.Contains(to, ":"):
		r.DestinationIpv6CidrBlock = &to
	default:
		r.DestinationCidrBlock = &to
	}
	switch kind, _, _ := strings.Cut(target, "-"); kind {
	case "nat":
		r.NatGatewayId = &target
	case "eigw":
		r.EgressOnlyInternetGatewayId = &target
	case "pcx":
		r.VpcPeeringConnectionId = &target
	case "eni":
		r.NetworkInterfaceId = &target
	default:
		r.GatewayId = &target
	}
	return r
}

func textAttachments(vpcs []string) (out []ec2.InternetGatewayAttachment) {
	for _, v := range vpcs {
		out = append(out, ec2.InternetGatewayAttachment{VpcId: &v, State: "available"})
	}
	return out
}

func textNAT(id string, rest []string) *record.EC2NATGateway {
	g := &record.EC2NATGateway{Scope: anywhere, Gateway: ec2.NatGateway{
		NatGatewayId: &id, VpcId: &rest[0], SubnetId: &rest[1], State: ec2.NatGatewayState(rest[2]), ConnectivityType: ec2.ConnectivityTypePrivate,
	}}
	for _, a := range rest[3:] {
		private, public, isPublic := strings.Cut(a, "=")
		address := ec2.NatGatewayAddress{PrivateIp: &private, Status: ec2.NatGatewayAddressStatusSucceeded}
		if isPublic {
			g.Gateway.ConnectivityType = ec2.ConnectivityTypePublic
			address.PublicIp = &public
			if public == "" {
				address.PublicIp, address.Status = nil, ec2.NatGatewayAddressStatusAssociating
			}
		}
		g.Gateway.NatGatewayAddresses = append(g.Gateway.NatGatewayAddresses, address)
	}
	return g
}

// textRange reads "80..90", "80" and "*", which is none.
func textRange(text string) (from, to *int32) {
	if text == "*" {
		return nil, nil
	}
	a, b, ok := strings.Cut(text, "..")
	if !ok {
		b = a
	}
	first, err := strconv.Atoi(a)
	last, err2 := strconv.Atoi(b)
	if err != nil || err2 != nil {
		panic("range " + text)
	}
	return new(int32(first)), new(int32(last))
}

func textEntry(f []string) ec2.NetworkAclEntry {
	number, from, to := int32(0), (*int32)(nil), (*int32)(nil)
	if n, err := strconv.Atoi(f[0]); err == nil {
		number = int32(n)
	}
	from, to = textRange(f[4])
	e := ec2.NetworkAclEntry{RuleNumber: &number, Egress: new(f[1] == "out"), RuleAction: ec2.RuleAction(f[2]), Protocol: &f[3]}
	switch {
	case from == nil:
	case f[3] == "1" || f[3] == "58":
		e.IcmpTypeCode = &ec2.IcmpTypeCode{Type: from, Code: to}
	default:
		e.PortRange = &ec2.PortRange{From: from, To: to}
	}
	if strings.Contains(f[5], ":") {
		e.Ipv6CidrBlock = &f[5]
	} else {
		e.CidrBlock = &f[5]
	}
	return e
}

func textRule(f []string) ec2.SecurityGroupRule {
	r := ec2.SecurityGroupRule{IsEgress: new(f[0] == "out"), IpProtocol: &f[1]}
	r.FromPort, r.ToPort = textRange(f[2])
	switch peer := f[3]; {
	case strings.HasPrefix(peer, "pl-"):
		r.PrefixListId = &peer
	case strings.HasPrefix(peer, "sg-"):
		group, over, isPeer := strings.Cut(peer, "@")
		r.ReferencedGroupInfo = &ec2.ReferencedSecurityGroup{GroupId: &group}
		if isPeer {
			r.ReferencedGroupInfo.VpcPeeringConnectionId = &over
		}
	case strings.Contains(peer, ":"):
		r.CidrIpv6 = &peer
	default:
		r.CidrIpv4 = &peer
	}
	return r
}

// states shows which routes of a table are active.
func (n *networkText) states(id string) string {
	var out []string
	for _, t := range n.view.RouteTables {
		if *t.RouteTable.RouteTableId != id {
			continue
		}
		for i := range t.RouteTable.Routes {
			r := &t.RouteTable.Routes[i]
			to := aws.Value(r.DestinationCidrBlock) + aws.Value(r.DestinationIpv6CidrBlock) + aws.Value(r.DestinationPrefixListId)
			out = append(out, fmt.Sprintf("%s %s", to, RouteState(n.view, t, r)))
		}
	}
	return strings.Join(out, "\n")
}

// show writes what a node is told of a VPC.
func (n *networkText) show(id string) string {
	var out []string
	line := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	for _, v := range Networks(n.view) {
		if v.ID != id {
			continue
		}
		line("%s %v peers %v", v.ID, v.CIDRs, v.Peers)
		for _, s := range v.Subnets {
			line("%s %v %s %s", s.ID, s.Prefixes, s.RouteTable, s.ACL)
		}
		for _, t := range v.RouteTables {
			line("%s", t.ID)
			for _, r := range t.Routes {
				line("  %s", strings.Join(strings.Fields(fmt.Sprintf("%s %s %s %s", r.To, r.Target, r.Peer, r.NAT)), " "))
			}
		}
		for _, g := range v.NATGateways {
			line("%s %s %v", g.ID, g.Subnet, g.Addresses)
		}
		for _, a := range v.ACLs {
			line("%s", a.ID)
			for _, e := range a.Ingress {
				line("  in  %s", entryText(e))
			}
			for _, e := range a.Egress {
				line("  out %s", entryText(e))
			}
		}
		for _, g := range v.Groups {
			line("%s %v", g.ID, g.Members)
			for _, r := range g.Ingress {
				line("  in  %s", ruleText(r))
			}
			for _, r := range g.Egress {
				line("  out %s", ruleText(r))
			}
		}
	}
	return strings.Join(out, "\n")
}

func entryText(e desired.ACLEntry) string {
	return fmt.Sprintf("allow=%t %s %d..%d %s", e.Allow, e.Protocol, e.FromPort, e.ToPort, e.CIDR)
}

func ruleText(r desired.Rule) string {
	peer := r.Group
	if peer == "" {
		peer = r.CIDR.String()
	}
	return fmt.Sprintf("%s %d..%d %s", r.Protocol, r.FromPort, r.ToPort, peer)
}

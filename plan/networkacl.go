package plan

import (
	"cmp"
	"net/netip"
	"slices"

	"fargo/aws"
	"fargo/aws/ec2"
	"fargo/desired"
	"fargo/record"
)

// lastACLRule is the highest number that a user's entry of a network ACL has. Higher
// ones show what every list ends with: the rest is denied.
// Source: VPC user guide, "Network ACL rules".
const lastACLRule = 32766

// DefaultACL is the network ACL that a VPC comes with, without its associations: it
// lets everything pass, IPv6 also when the VPC has it. Its id follows from the VPC's.
// Source: VPC user guide, "Default network ACLs".
func DefaultACL(v *record.EC2VPC) *record.EC2NetworkACL {
	acl := &record.EC2NetworkACL{Scope: v.Scope, ACL: ec2.NetworkAcl{
		NetworkAclId: new("acl" + (*v.VPC.VpcId)[len("vpc"):]), VpcId: v.VPC.VpcId, OwnerId: &v.Scope.Account, IsDefault: new(true),
		Tags: []ec2.Tag{}, Associations: []ec2.NetworkAclAssociation{},
	}}
	for _, egress := range []bool{true, false} {
		add := func(number int32, action ec2.RuleAction, e ec2.NetworkAclEntry) {
			e.RuleNumber, e.RuleAction, e.Egress, e.Protocol = &number, action, &egress, new("-1")
			acl.ACL.Entries = append(acl.ACL.Entries, e)
		}
		all := ec2.NetworkAclEntry{CidrBlock: new(anyIPv4.String())}
		all6 := ec2.NetworkAclEntry{Ipv6CidrBlock: new(anyIPv6.String())}
		six := len(v.CIDRs6()) > 0
		add(100, ec2.RuleActionAllow, all)
		if six {
			add(101, ec2.RuleActionAllow, all6)
		}
		add(lastACLRule+1, ec2.RuleActionDeny, all)
		if six {
			add(lastACLRule+2, ec2.RuleActionDeny, all6)
		}
	}
	return acl
}

// The blocks that have every address of a family.
var (
	anyIPv4 = netip.PrefixFrom(netip.IPv4Unspecified(), 0)
	anyIPv6 = netip.PrefixFrom(netip.IPv6Unspecified(), 0)
)

// aclOf is the network ACL of a subnet: the one that names it, else the VPC's default.
func aclOf(v NetworkView, vpc *record.EC2VPC, subnet string) *record.EC2NetworkACL {
	var main *record.EC2NetworkACL
	for _, a := range v.ACLs {
		if *a.ACL.VpcId != *vpc.VPC.VpcId {
			continue
		}
		if slices.ContainsFunc(a.ACL.Associations, func(n ec2.NetworkAclAssociation) bool { return *n.SubnetId == subnet }) {
			return a
		}
		if aws.Value(a.ACL.IsDefault) {
			main = a
		}
	}
	if main == nil {
		main = DefaultACL(vpc)
	}
	return main
}

// acl gives the entries of a network ACL in the order in which they are tried.
func acl(a *record.EC2NetworkACL) desired.ACL {
	out := desired.ACL{ID: *a.ACL.NetworkAclId}
	entries := slices.Clone(a.ACL.Entries)
	slices.SortStableFunc(entries, func(a, b ec2.NetworkAclEntry) int { return cmp.Compare(*a.RuleNumber, *b.RuleNumber) })
	for _, e := range entries {
		entry, ok := aclEntry(e)
		switch {
		case !ok || *e.RuleNumber > lastACLRule:
		case aws.Value(e.Egress):
			out.Egress = append(out.Egress, entry)
		default:
			out.Ingress = append(out.Ingress, entry)
		}
	}
	return out
}

// aclEntry translates a stored entry; ok is false for one whose block is none.
func aclEntry(e ec2.NetworkAclEntry) (out desired.ACLEntry, ok bool) {
	block, err := netip.ParsePrefix(aws.Value(e.CidrBlock) + aws.Value(e.Ipv6CidrBlock))
	out = desired.ACLEntry{
		Allow: e.RuleAction == ec2.RuleActionAllow, CIDR: block.Masked(),
		Protocol: protocolName(aws.Value(e.Protocol)), FromPort: -1, ToPort: -1,
	}
	switch out.Protocol {
	case "tcp", "udp":
		out.FromPort, out.ToPort = 0, 65535
		if p := e.PortRange; p != nil {
			out.FromPort, out.ToPort = int(aws.Value(p.From)), int(aws.Value(p.To))
		}
	case "icmp", "icmpv6":
		if t := e.IcmpTypeCode; t != nil && t.Type != nil && t.Code != nil {
			out.FromPort, out.ToPort = int(*t.Type), int(*t.Code)
		}
	}
	return out, err == nil
}

// protocolName is what [desired.Rule] calls an IP protocol that EC2 shows by number.
func protocolName(number string) string {
	switch number {
	case "1":
		return "icmp"
	case "6":
		return "tcp"
	case "17":
		return "udp"
	case "58":
		return "icmpv6"
	}
	return number
}

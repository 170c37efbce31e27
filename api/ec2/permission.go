package ec2

import (
	"net/netip"
	"strconv"
	"strings"

	"fargo/aws"
	"fargo/aws/ec2"
	"fargo/aws/protocol"
	"fargo/record"
	"fargo/store"
)

// A security group keeps rules, one peer each. Clients of the older calls speak
// of permissions, which gather the peers of a protocol and port range. This file
// turns one into the other.

// groupView is a group with its rules gathered into permissions.
func groupView(g *record.EC2SecurityGroup) ec2.SecurityGroup {
	v := g.Group
	v.IpPermissions, v.IpPermissionsEgress = []ec2.IpPermission{}, []ec2.IpPermission{}
	for _, r := range g.Rules {
		if aws.Value(r.IsEgress) {
			v.IpPermissionsEgress = gather(v.IpPermissionsEgress, r)
		} else {
			v.IpPermissions = gather(v.IpPermissions, r)
		}
	}
	return v
}

func gather(permissions []ec2.IpPermission, r ec2.SecurityGroupRule) []ec2.IpPermission {
	from, to := shownPort(r, r.FromPort), shownPort(r, r.ToPort)
	i := 0
	for ; i < len(permissions); i++ {
		p := permissions[i]
		if *p.IpProtocol == *r.IpProtocol && same(p.FromPort, from) && same(p.ToPort, to) {
			break
		}
	}
	if i == len(permissions) {
		permissions = append(permissions, ec2.IpPermission{
			IpProtocol: r.IpProtocol, FromPort: from, ToPort: to,
			UserIdGroupPairs: []ec2.UserIdGroupPair{}, IpRanges: []ec2.IpRange{}, Ipv6Ranges: []ec2.Ipv6Range{}, PrefixListIds: []ec2.PrefixListId{},
		})
	}
	p := &permissions[i]
	switch {
	case r.CidrIpv4 != nil:
		p.IpRanges = append(p.IpRanges, ec2.IpRange{CidrIp: r.CidrIpv4, Description: r.Description})
	case r.CidrIpv6 != nil:
		p.Ipv6Ranges = append(p.Ipv6Ranges, ec2.Ipv6Range{CidrIpv6: r.CidrIpv6, Description: r.Description})
	case r.ReferencedGroupInfo != nil:
		p.UserIdGroupPairs = append(p.UserIdGroupPairs, ec2.UserIdGroupPair{
			GroupId: r.ReferencedGroupInfo.GroupId, UserId: r.ReferencedGroupInfo.UserId, Description: r.Description,
		})
	}
	return permissions
}

// shownPort: a permission for all protocols has no ports.
func shownPort(r ec2.SecurityGroupRule, port *int32) *int32 {
	if *r.IpProtocol == "-1" {
		return nil
	}
	return port
}

func same(a, b *int32) bool { return (a == nil) == (b == nil) && (a == nil || *a == *b) }

func cidrs(p ec2.IpPermission) (out []string) {
	for _, r := range p.IpRanges {
		out = append(out, *r.CidrIp)
	}
	return out
}

func groupIDs(p ec2.IpPermission) (out []string) {
	for _, g := range p.UserIdGroupPairs {
		out = append(out, *g.GroupId)
	}
	return out
}

func protocols(p ec2.IpPermission) []string { return []string{*p.IpProtocol} }
func fromPorts(p ec2.IpPermission) []string { return port(p.FromPort) }
func toPorts(p ec2.IpPermission) []string   { return port(p.ToPort) }

func port(p *int32) []string {
	if p == nil {
		return nil
	}
	return []string{strconv.Itoa(int(*p))}
}

// rules takes permissions apart into rules of group g, checked, without ids.
func rules(r store.Reader, g *record.EC2SecurityGroup, egress bool, permissions []ec2.IpPermission) ([]ec2.SecurityGroupRule, error) {
	var out []ec2.SecurityGroupRule
	for _, p := range permissions {
		base, err := baseRule(g, egress, p.IpProtocol, p.FromPort, p.ToPort)
		if err != nil {
			return nil, err
		}
		if len(p.PrefixListIds) > 0 {
			return nil, notImplemented("PrefixListIds")
		}
		add := func(description *string, peer func(*ec2.SecurityGroupRule) error) error {
			rule := base
			rule.Description = description
			if err := peer(&rule); err != nil {
				return err
			}
			out = append(out, rule)
			return nil
		}
		for _, x := range p.IpRanges {
			if err := add(x.Description, cidrPeer(x.CidrIp)); err != nil {
				return nil, err
			}
		}
		for _, x := range p.Ipv6Ranges {
			if err := add(x.Description, cidr6Peer(x.CidrIpv6)); err != nil {
				return nil, err
			}
		}
		for _, x := range p.UserIdGroupPairs {
			if err := add(x.Description, groupPeer(r, g, x.GroupId, x.GroupName)); err != nil {
				return nil, err
			}
		}
	}
	if len(out) == 0 {
		return nil, missingParameter("ipPermissions")
	}
	return out, nil
}

// protocolNames are the names EC2 shows instead of numbers.
var protocolNames = map[string]string{"6": "tcp", "17": "udp", "1": "icmp", "58": "icmpv6", "all": "-1"}

// baseRule checks a rule's protocol and ports. Source: EC2 API, IpPermission.
func baseRule(g *record.EC2SecurityGroup, egress bool, ipProtocol *string, from, to *int32) (ec2.SecurityGroupRule, error) {
	name := strings.ToLower(aws.Value(ipProtocol))
	if known, ok := protocolNames[name]; ok {
		name = known
	}
	rule := ec2.SecurityGroupRule{
		GroupId: g.Group.GroupId, GroupOwnerId: &g.Scope.Account, IsEgress: &egress, IpProtocol: &name,
		FromPort: new(int32(-1)), ToPort: new(int32(-1)), Tags: []ec2.Tag{},
	}
	switch name {
	case "tcp", "udp":
		if from == nil || to == nil {
			return rule, badValue("Invalid value 'Must specify both from and to ports with TCP/UDP.' for portRange.")
		}
		if *from == -1 && *to == -1 {
			from, to = new(int32(0)), new(int32(65535))
		}
		if *from < 0 || *to > 65535 || *from > *to {
			return rule, badValue("Invalid value '%d-%d' for portRange. Must be between 0 and 65535, from before to.", *from, *to)
		}
		rule.FromPort, rule.ToPort = from, to
	case "icmp", "icmpv6":
		if from != nil {
			rule.FromPort = from
		}
		if to != nil {
			rule.ToPort = to
		}
		if *rule.FromPort < -1 || *rule.FromPort > 255 || *rule.ToPort < -1 || *rule.ToPort > 255 {
			return rule, badValue("Invalid value '%d' for ICMP type or code.", *rule.FromPort)
		}
	case "-1":
	case "":
		return rule, missingParameter("ipProtocol")
	default:
		if n, err := strconv.Atoi(name); err != nil || n < 0 || n > 255 {
			return rule, badValue("Invalid value '%s' for IP protocol. Unknown protocol.", aws.Value(ipProtocol))
		}
	}
	return rule, nil
}

func cidrPeer(cidr *string) func(*ec2.SecurityGroupRule) error {
	return func(r *ec2.SecurityGroupRule) error {
		p, err := netip.ParsePrefix(aws.Value(cidr))
		if err != nil || !p.Addr().Is4() {
			return badValue("CIDR block %s is malformed", aws.Value(cidr))
		}
		r.CidrIpv4 = new(p.Masked().String())
		return nil
	}
}

func cidr6Peer(cidr *string) func(*ec2.SecurityGroupRule) error {
	return func(r *ec2.SecurityGroupRule) error {
		p, err := netip.ParsePrefix(aws.Value(cidr))
		if err != nil || !p.Addr().Is6() {
			return badValue("CIDR block %s is malformed", aws.Value(cidr))
		}
		r.CidrIpv6 = new(p.Masked().String())
		return nil
	}
}

func groupPeer(r store.Reader, g *record.EC2SecurityGroup, id, name *string) func(*ec2.SecurityGroupRule) error {
	return func(rule *ec2.SecurityGroupRule) error {
		peer, err := findGroup(r, g.Scope, id, name)
		if err != nil {
			return err
		}
		if *peer.Group.VpcId != *g.Group.VpcId {
			return protocol.Errorf("InvalidGroup.NotFound", "You have specified two resources that belong to different networks.")
		}
		rule.ReferencedGroupInfo = &ec2.ReferencedSecurityGroup{GroupId: peer.Group.GroupId, UserId: &g.Scope.Account}
		return nil
	}
}

// sameRule reports whether two rules allow the same, whatever their ids and
// descriptions.
func sameRule(a, b ec2.SecurityGroupRule) bool {
	return *a.IsEgress == *b.IsEgress && *a.IpProtocol == *b.IpProtocol && same(a.FromPort, b.FromPort) && same(a.ToPort, b.ToPort) &&
		aws.Value(a.CidrIpv4) == aws.Value(b.CidrIpv4) && aws.Value(a.CidrIpv6) == aws.Value(b.CidrIpv6) && referenced(a) == referenced(b)
}

func referenced(r ec2.SecurityGroupRule) string {
	if r.ReferencedGroupInfo == nil {
		return ""
	}
	return *r.ReferencedGroupInfo.GroupId
}

// describeRule is a rule as the text of EC2's duplicate error has it.
func describeRule(r ec2.SecurityGroupRule) string {
	peer := aws.Value(r.CidrIpv4) + aws.Value(r.CidrIpv6) + referenced(r)
	if *r.IpProtocol == "-1" {
		return "peer: " + peer + ", ALL, ALLOW"
	}
	return "peer: " + peer + ", " + strings.ToUpper(*r.IpProtocol) + ", from port: " + strconv.Itoa(int(*r.FromPort)) +
		", to port: " + strconv.Itoa(int(*r.ToPort)) + ", ALLOW"
}

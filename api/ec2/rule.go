package ec2

import (
	"net/netip"
	"slices"

	"fargo"
	"fargo/aws"
	"fargo/aws/ec2"
	"fargo/aws/protocol"
	"fargo/record"
	"fargo/store"
)

// rules takes permissions apart into rules of group g, checked, without ids.
func rules(r store.Reader, g *record.EC2SecurityGroup, egress bool, permissions []ec2.IpPermission) ([]ec2.SecurityGroupRule, error) {
	var out []ec2.SecurityGroupRule
	for _, p := range permissions {
		of, err := rulesOf(r, g, egress, p)
		if err != nil {
			return nil, err
		}
		for _, rule := range of {
			if hasRule(out, rule) {
				return nil, badValue("The same permission must not appear multiple times")
			}
			out = append(out, rule)
		}
	}
	if len(out) == 0 {
		return nil, missingParameter("ipPermissions")
	}
	return out, nil
}

// rulesOf are the rules of one permission, one for each peer.
func rulesOf(r store.Reader, g *record.EC2SecurityGroup, egress bool, p ec2.IpPermission) ([]ec2.SecurityGroupRule, error) {
	base, err := baseRule(g, egress, p.IpProtocol, p.FromPort, p.ToPort)
	if err != nil {
		return nil, err
	}
	var out []ec2.SecurityGroupRule
	add := func(description *string, peer peer) error {
		rule, err := base.with(description, peer)
		out = append(out, rule)
		return err
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
	for _, x := range p.PrefixListIds {
		if err := add(x.Description, prefixListPeer(r, g, x.PrefixListId)); err != nil {
			return nil, err
		}
	}
	for _, x := range p.UserIdGroupPairs {
		if err := add(x.Description, groupPeer(r, g, x)); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// ruleBase is a rule without its peer.
type ruleBase ec2.SecurityGroupRule

func baseRule(g *record.EC2SecurityGroup, egress bool, protocol *string, from, to *int32) (ruleBase, error) {
	name, err := ipProtocol(protocol)
	if err != nil {
		return ruleBase{}, err
	}
	first, last, err := portRange(name, from, to)
	if err != nil {
		return ruleBase{}, err
	}
	return ruleBase{
		GroupId: g.Group.GroupId, GroupOwnerId: &g.Scope.Account, IsEgress: &egress,
		IpProtocol: &name, FromPort: &first, ToPort: &last, Tags: []ec2.Tag{},
	}, nil
}

// with completes a rule. An empty description is none.
func (b ruleBase) with(description *string, peer peer) (ec2.SecurityGroupRule, error) {
	rule := ec2.SecurityGroupRule(b)
	rule.Description = nil
	if text := aws.Value(description); text != "" {
		if !groupText.MatchString(text) {
			return rule, badValue("Invalid rule description. Valid descriptions are strings less than 256 characters from the following set:  a-zA-Z0-9. _-:/()#,@[]+=&;{}!$*")
		}
		rule.Description = &text
	}
	return rule, peer(&rule)
}

// peer writes into a rule whom it is about.
type peer func(*ec2.SecurityGroupRule) error

func cidrPeer(cidr *string) peer {
	return func(r *ec2.SecurityGroupRule) error {
		p, err := netip.ParsePrefix(aws.Value(cidr))
		if err != nil || !p.Addr().Is4() {
			return badValue("CIDR block %s is malformed", aws.Value(cidr))
		}
		r.CidrIpv4 = new(p.Masked().String())
		return nil
	}
}

func cidr6Peer(cidr *string) peer {
	return func(r *ec2.SecurityGroupRule) error {
		p, err := netip.ParsePrefix(aws.Value(cidr))
		if err != nil || !p.Addr().Is6() {
			return badValue("CIDR block %s is malformed", aws.Value(cidr))
		}
		r.CidrIpv6 = new(p.Masked().String())
		return nil
	}
}

// prefixListPeer is a list of the same account or of AWS's.
func prefixListPeer(r store.Reader, g *record.EC2SecurityGroup, id *string) peer {
	return func(rule *ec2.SecurityGroupRule) error {
		if _, err := findPrefixList(r, g.Scope, aws.Value(id)); err != nil {
			return err
		}
		rule.PrefixListId = id
		return nil
	}
}

// groupPeer is a group of the same VPC, or of one that an active peering connection
// leads to.
func groupPeer(r store.Reader, g *record.EC2SecurityGroup, pair ec2.UserIdGroupPair) peer {
	return func(rule *ec2.SecurityGroupRule) error {
		if old := staleReference(r, g, pair.GroupId); old != nil {
			rule.ReferencedGroupInfo = old
			return nil
		}
		scope := g.Scope
		if user := aws.Value(pair.UserId); user != "" {
			scope.Account = user
		}
		found, err := findGroup(r, scope, pair.GroupId, pair.GroupName)
		if err != nil {
			return err
		}
		own, other := *g.Group.VpcId, *found.Group.VpcId
		if pair.VpcId != nil && *pair.VpcId != other {
			return differentNetworks()
		}
		rule.ReferencedGroupInfo = &ec2.ReferencedSecurityGroup{GroupId: found.Group.GroupId, UserId: &found.Scope.Account}
		if own == other {
			return nil
		}
		p := peeringOf(r, own, other)
		if p == nil || (pair.VpcPeeringConnectionId != nil && *pair.VpcPeeringConnectionId != *p.Connection.VpcPeeringConnectionId) {
			return differentNetworks()
		}
		rule.ReferencedGroupInfo.VpcId, rule.ReferencedGroupInfo.VpcPeeringConnectionId = &other, p.Connection.VpcPeeringConnectionId
		return nil
	}
}

func differentNetworks() error {
	return protocol.Errorf("InvalidGroup.NotFound", "You have specified two resources that belong to different networks.")
}

// identify gives a new rule its id.
func identify(scope fargo.Scope, r *ec2.SecurityGroupRule) {
	id := fargo.NewEC2ID("sgr")
	r.SecurityGroupRuleId, r.SecurityGroupRuleArn = &id, new(scope.ARN("ec2", "security-group-rule/"+id))
}

// sameRule reports whether two rules allow the same, whatever their ids and
// descriptions.
func sameRule(a, b ec2.SecurityGroupRule) bool {
	return *a.IsEgress == *b.IsEgress && *a.IpProtocol == *b.IpProtocol && same(a.FromPort, b.FromPort) && same(a.ToPort, b.ToPort) &&
		aws.Value(a.CidrIpv4) == aws.Value(b.CidrIpv4) && aws.Value(a.CidrIpv6) == aws.Value(b.CidrIpv6) &&
		aws.Value(a.PrefixListId) == aws.Value(b.PrefixListId) && referenced(a) == referenced(b)
}

func hasRule(all []ec2.SecurityGroupRule, r ec2.SecurityGroupRule) bool {
	return slices.ContainsFunc(all, func(o ec2.SecurityGroupRule) bool { return sameRule(o, r) })
}

func referenced(r ec2.SecurityGroupRule) string {
	if r.ReferencedGroupInfo == nil {
		return ""
	}
	return *r.ReferencedGroupInfo.GroupId
}

// duplicate is the error of a rule that its group has already.
func duplicate(r ec2.SecurityGroupRule) error {
	peer := aws.Value(r.CidrIpv4) + aws.Value(r.CidrIpv6) + aws.Value(r.PrefixListId) + referenced(r)
	return protocol.Errorf("InvalidPermission.Duplicate", "the specified rule \"peer: %s, %s, ALLOW\" already exists",
		peer, traffic(*r.IpProtocol, *r.FromPort, *r.ToPort))
}

package ec2

import (
	"context"
	"slices"

	"fargo/aws"
	"fargo/aws/ec2"
	"fargo/aws/protocol"
	"fargo/record"
	"fargo/store"
)

// ModifySecurityGroupRules replaces rules, keeping their ids and kinds of peers.
func (s *Server) ModifySecurityGroupRules(ctx context.Context, in *ec2.ModifySecurityGroupRulesInput) (*ec2.ModifySecurityGroupRulesOutput, error) {
	err := s.changeRules(ctx, in.GroupId, nil, func(tx *store.Tx, g *record.EC2SecurityGroup) error {
		for _, u := range in.SecurityGroupRules {
			i := ruleIndex(g, *u.SecurityGroupRuleId)
			if i < 0 {
				return noRule(*u.SecurityGroupRuleId)
			}
			if u.SecurityGroupRule == nil {
				return missingParameter("SecurityGroupRule")
			}
			old := g.Rules[i]
			r, err := requestedRule(tx, g, old, u.SecurityGroupRule)
			if err != nil {
				return err
			}
			g.Rules[i] = r
		}
		if err := refuseDuplicates(g.Rules); err != nil {
			return err
		}
		return checkRuleCount(tx, g)
	})
	return &ec2.ModifySecurityGroupRulesOutput{Return: new(err == nil)}, err
}

func ruleIndex(g *record.EC2SecurityGroup, id string) int {
	return slices.IndexFunc(g.Rules, func(r ec2.SecurityGroupRule) bool { return *r.SecurityGroupRuleId == id })
}

func refuseDuplicates(all []ec2.SecurityGroupRule) error {
	for i, r := range all {
		if hasRule(all[:i], r) {
			return duplicate(r)
		}
	}
	return nil
}

// requestedRule is what becomes of a rule.
func requestedRule(r store.Reader, g *record.EC2SecurityGroup, old ec2.SecurityGroupRule, in *ec2.SecurityGroupRuleRequest) (ec2.SecurityGroupRule, error) {
	switch given := peersOf(in); {
	case given == 0:
		return old, protocol.Errorf("MissingParameter", "The request must contain exactly one of: cidrIp, cidrIpv6, prefixListId, or referencedGroupId")
	case given > 1:
		return old, protocol.Errorf("InvalidParameterCombination", "Only one of cidrIp, cidrIpv6, prefixListId, or referencedGroupId can be specified")
	}
	base, err := baseRule(g, *old.IsEgress, in.IpProtocol, in.FromPort, in.ToPort)
	if err != nil {
		return old, err
	}
	base.SecurityGroupRuleId, base.SecurityGroupRuleArn, base.Tags = old.SecurityGroupRuleId, old.SecurityGroupRuleArn, old.Tags
	peer, err := requestedPeer(r, g, old, in)
	if err != nil {
		return old, err
	}
	return base.with(in.Description, peer)
}

func peersOf(in *ec2.SecurityGroupRuleRequest) (n int) {
	for _, p := range []*string{in.CidrIpv4, in.CidrIpv6, in.PrefixListId, in.ReferencedGroupId} {
		if p != nil {
			n++
		}
	}
	return n
}

const otherKind = "You may not specify %s for an existing %s rule."

// requestedPeer is the one peer that a request names, of the kind that the rule has.
func requestedPeer(r store.Reader, g *record.EC2SecurityGroup, old ec2.SecurityGroupRule, in *ec2.SecurityGroupRuleRequest) (peer, error) {
	has := peerKind(old)
	switch {
	case in.CidrIpv4 != nil && old.CidrIpv4 == nil:
		return nil, badValue(otherKind, "an IPv4 CIDR", has)
	case in.CidrIpv6 != nil && old.CidrIpv6 == nil:
		return nil, badValue(otherKind, "an IPv6 CIDR", has)
	case in.ReferencedGroupId != nil && old.ReferencedGroupInfo == nil:
		return nil, badValue(otherKind, "a referenced group id", has)
	case in.PrefixListId != nil && old.PrefixListId == nil:
		return nil, badValue(otherKind, "a prefix list", has)
	case in.CidrIpv4 != nil:
		return cidrPeer(in.CidrIpv4), nil
	case in.CidrIpv6 != nil:
		return cidr6Peer(in.CidrIpv6), nil
	case in.PrefixListId != nil:
		return prefixListPeer(r, g, in.PrefixListId), nil
	}
	return groupPeer(r, g, ec2.UserIdGroupPair{GroupId: in.ReferencedGroupId}), nil
}

func peerKind(r ec2.SecurityGroupRule) string {
	switch {
	case r.CidrIpv4 != nil:
		return "IPv4 CIDR"
	case r.CidrIpv6 != nil:
		return "IPv6 CIDR"
	case r.PrefixListId != nil:
		return "prefix list"
	}
	return "referenced group id"
}

// describeRules changes the descriptions of rules, named by id or by what they
// allow.
func describeRules(tx *store.Tx, g *record.EC2SecurityGroup, egress bool, permissions []ec2.IpPermission, byID []ec2.SecurityGroupRuleDescription) error {
	for _, d := range byID {
		id := aws.Value(d.SecurityGroupRuleId)
		i := ruleIndex(g, id)
		if i < 0 || *g.Rules[i].IsEgress != egress {
			return noRule(id)
		}
		described, err := ruleBase(g.Rules[i]).with(d.Description, samePeer)
		if err != nil {
			return err
		}
		g.Rules[i] = described
	}
	if len(permissions) == 0 {
		return nil
	}
	if err := refusePorts(permissions); err != nil {
		return err
	}
	wanted, err := rules(tx, g, egress, permissions)
	if err != nil {
		return err
	}
	for _, w := range wanted {
		i := slices.IndexFunc(g.Rules, func(r ec2.SecurityGroupRule) bool { return sameRule(r, w) })
		if i < 0 {
			return noPermission()
		}
		g.Rules[i].Description = w.Description
	}
	return nil
}

// samePeer is for a rule that has its peer already.
func samePeer(*ec2.SecurityGroupRule) error { return nil }

// refusePorts refuses ranges of protocols that have none, which only the calls that
// describe rules do: those that add and take rules ignore them.
func refusePorts(permissions []ec2.IpPermission) error {
	for _, p := range permissions {
		name, err := ipProtocol(p.IpProtocol)
		switch {
		case err != nil:
			return err
		case hasPorts(name):
		case p.FromPort != nil:
			return badValue("When protocol is %s, you cannot specify from-port.", protocolText(name))
		case p.ToPort != nil:
			return badValue("When protocol is %s, you cannot specify to-port.", protocolText(name))
		}
	}
	return nil
}

// UpdateSecurityGroupRuleDescriptionsIngress changes descriptions of rules for
// what comes in.
func (s *Server) UpdateSecurityGroupRuleDescriptionsIngress(ctx context.Context, in *ec2.UpdateSecurityGroupRuleDescriptionsIngressInput) (*ec2.UpdateSecurityGroupRuleDescriptionsIngressOutput, error) {
	err := s.changeRules(ctx, in.GroupId, in.GroupName, func(tx *store.Tx, g *record.EC2SecurityGroup) error {
		return describeRules(tx, g, false, in.IpPermissions, in.SecurityGroupRuleDescriptions)
	})
	return &ec2.UpdateSecurityGroupRuleDescriptionsIngressOutput{Return: new(err == nil)}, err
}

// UpdateSecurityGroupRuleDescriptionsEgress changes descriptions of rules for
// what goes out.
func (s *Server) UpdateSecurityGroupRuleDescriptionsEgress(ctx context.Context, in *ec2.UpdateSecurityGroupRuleDescriptionsEgressInput) (*ec2.UpdateSecurityGroupRuleDescriptionsEgressOutput, error) {
	err := s.changeRules(ctx, in.GroupId, in.GroupName, func(tx *store.Tx, g *record.EC2SecurityGroup) error {
		return describeRules(tx, g, true, in.IpPermissions, in.SecurityGroupRuleDescriptions)
	})
	return &ec2.UpdateSecurityGroupRuleDescriptionsEgressOutput{Return: new(err == nil)}, err
}

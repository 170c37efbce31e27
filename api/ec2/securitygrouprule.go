package ec2

import (
	"context"
	"slices"
	"strings"
	"time"

	"fargo"
	"fargo/api"
	"fargo/aws/ec2"
	"fargo/aws/protocol"
	"fargo/plan"
	"fargo/record"
	"fargo/store"
)

// maxRules is how many rules a group may have in one direction.
// Source: VPC user guide, "Amazon VPC quotas".
const maxRules = 60

// ask is what the four calls that add and take rules have in common.
type ask struct {
	groupID, groupName *string
	permissions        []ec2.IpPermission
	egress             bool
}

// permission makes the one permission that the old parameters of a call mean.
func permission(protocol *string, from, to *int32, cidr, sourceGroup, owner *string) []ec2.IpPermission {
	if protocol == nil && from == nil && to == nil && cidr == nil && sourceGroup == nil {
		return nil
	}
	p := ec2.IpPermission{IpProtocol: protocol, FromPort: from, ToPort: to}
	if protocol == nil && sourceGroup != nil {
		p.IpProtocol = new(allProtocols)
	}
	if cidr != nil {
		p.IpRanges = []ec2.IpRange{{CidrIp: cidr}}
	}
	if sourceGroup != nil {
		p.UserIdGroupPairs = []ec2.UserIdGroupPair{{GroupName: sourceGroup, UserId: owner}}
	}
	return []ec2.IpPermission{p}
}

func (s *Server) authorize(ctx context.Context, a ask, specs []ec2.TagSpecification) ([]ec2.SecurityGroupRule, error) {
	tags, err := requestTags(specs, ec2.ResourceTypeSecurityGroupRule)
	if err != nil {
		return nil, err
	}
	var added []ec2.SecurityGroupRule
	err = s.update(ctx, func(tx *store.Tx, scope fargo.Scope, _ time.Time) error {
		g, err := findGroup(tx, scope, a.groupID, a.groupName)
		if err != nil {
			return err
		}
		if added, err = rules(tx, g, a.egress, a.permissions); err != nil {
			return err
		}
		c := *g
		c.Rules = slices.Clone(g.Rules)
		for i := range added {
			r := &added[i]
			if hasRule(g.Rules, *r) {
				return duplicate(*r)
			}
			identify(scope, r)
			r.Tags = tags
			c.Rules = append(c.Rules, *r)
			if len(tags) == 0 { // none are not shown as [] here
				r.Tags = nil
			}
		}
		if err := checkRuleCount(tx, &c); err != nil {
			return err
		}
		store.EC2SecurityGroups.Put(tx, &c)
		return nil
	})
	return added, err
}

// checkRuleCount holds a group's rules against the quota. One with a prefix list counts
// for as many as the list may have entries.
// Source: VPC user guide, "Prefix lists concepts and rules".
func checkRuleCount(r store.Reader, g *record.EC2SecurityGroup) error {
	count := map[bool]int{}
	for _, rule := range g.Rules {
		weight := 1
		if rule.PrefixListId != nil {
			l, err := findPrefixList(r, g.Scope, *rule.PrefixListId)
			if err != nil {
				return err
			}
			weight = plan.PrefixListWeight(l)
		}
		count[*rule.IsEgress] += weight
	}
	if count[true] > maxRules || count[false] > maxRules {
		return protocol.Errorf("RulesPerSecurityGroupLimitExceeded", "The maximum number of rules per security group has been reached.")
	}
	return nil
}

// AuthorizeSecurityGroupIngress adds rules for what comes in.
func (s *Server) AuthorizeSecurityGroupIngress(ctx context.Context, in *ec2.AuthorizeSecurityGroupIngressInput) (*ec2.AuthorizeSecurityGroupIngressOutput, error) {
	p := append(in.IpPermissions, permission(in.IpProtocol, in.FromPort, in.ToPort, in.CidrIp, in.SourceSecurityGroupName, in.SourceSecurityGroupOwnerId)...)
	added, err := s.authorize(ctx, ask{in.GroupId, in.GroupName, p, false}, in.TagSpecifications)
	return &ec2.AuthorizeSecurityGroupIngressOutput{Return: new(true), SecurityGroupRules: added}, err
}

// AuthorizeSecurityGroupEgress adds rules for what goes out.
func (s *Server) AuthorizeSecurityGroupEgress(ctx context.Context, in *ec2.AuthorizeSecurityGroupEgressInput) (*ec2.AuthorizeSecurityGroupEgressOutput, error) {
	p := append(in.IpPermissions, permission(in.IpProtocol, in.FromPort, in.ToPort, in.CidrIp, in.SourceSecurityGroupName, in.SourceSecurityGroupOwnerId)...)
	added, err := s.authorize(ctx, ask{in.GroupId, nil, p, true}, in.TagSpecifications)
	return &ec2.AuthorizeSecurityGroupEgressOutput{Return: new(true), SecurityGroupRules: added}, err
}

// revoke takes rules away, by id or by what they allow.
func (s *Server) revoke(ctx context.Context, a ask, ids []string) ([]ec2.RevokedSecurityGroupRule, error) {
	var revoked []ec2.RevokedSecurityGroupRule
	err := s.update(ctx, func(tx *store.Tx, scope fargo.Scope, _ time.Time) error {
		revoked = []ec2.RevokedSecurityGroupRule{}
		g, err := findGroup(tx, scope, a.groupID, a.groupName)
		if err != nil {
			return err
		}
		c := *g
		c.Rules = slices.Clone(g.Rules)
		take := func(is func(ec2.SecurityGroupRule) bool) bool {
			i := slices.IndexFunc(c.Rules, is)
			if i < 0 {
				return false
			}
			revoked = append(revoked, revokedView(c.Rules[i]))
			c.Rules = slices.Delete(c.Rules, i, i+1)
			return true
		}
		for _, id := range ids {
			if !take(func(r ec2.SecurityGroupRule) bool { return *r.SecurityGroupRuleId == id && *r.IsEgress == a.egress }) {
				return noRule(id)
			}
		}
		if len(ids) == 0 && len(a.permissions) == 0 {
			return missingEither("ipPermissions", "securityGroupRuleIds")
		}
		if len(ids) == 0 {
			unwanted, err := rules(tx, g, a.egress, a.permissions)
			if err != nil {
				return err
			}
			for _, u := range unwanted {
				if !take(func(r ec2.SecurityGroupRule) bool { return sameRule(r, u) }) {
					return noPermission()
				}
			}
		}
		store.EC2SecurityGroups.Put(tx, &c)
		return nil
	})
	return revoked, err
}

// noPermission is the error of a rule, named by what it allows, that is not there.
func noPermission() error {
	return protocol.Errorf("InvalidPermission.NotFound", "The specified rule does not exist in this security group.")
}

func revokedView(r ec2.SecurityGroupRule) ec2.RevokedSecurityGroupRule {
	v := ec2.RevokedSecurityGroupRule{
		SecurityGroupRuleId: r.SecurityGroupRuleId, GroupId: r.GroupId, IsEgress: r.IsEgress, IpProtocol: r.IpProtocol,
		FromPort: r.FromPort, ToPort: r.ToPort, CidrIpv4: r.CidrIpv4, CidrIpv6: r.CidrIpv6, PrefixListId: r.PrefixListId, Description: r.Description,
	}
	if r.ReferencedGroupInfo != nil {
		v.ReferencedGroupId = r.ReferencedGroupInfo.GroupId
	}
	return v
}

// RevokeSecurityGroupIngress takes rules for what comes in.
func (s *Server) RevokeSecurityGroupIngress(ctx context.Context, in *ec2.RevokeSecurityGroupIngressInput) (*ec2.RevokeSecurityGroupIngressOutput, error) {
	p := append(in.IpPermissions, permission(in.IpProtocol, in.FromPort, in.ToPort, in.CidrIp, in.SourceSecurityGroupName, in.SourceSecurityGroupOwnerId)...)
	revoked, err := s.revoke(ctx, ask{in.GroupId, in.GroupName, p, false}, in.SecurityGroupRuleIds)
	return &ec2.RevokeSecurityGroupIngressOutput{Return: new(true), RevokedSecurityGroupRules: revoked}, err
}

// RevokeSecurityGroupEgress takes rules for what goes out.
func (s *Server) RevokeSecurityGroupEgress(ctx context.Context, in *ec2.RevokeSecurityGroupEgressInput) (*ec2.RevokeSecurityGroupEgressOutput, error) {
	p := append(in.IpPermissions, permission(in.IpProtocol, in.FromPort, in.ToPort, in.CidrIp, in.SourceSecurityGroupName, in.SourceSecurityGroupOwnerId)...)
	revoked, err := s.revoke(ctx, ask{in.GroupId, nil, p, true}, in.SecurityGroupRuleIds)
	return &ec2.RevokeSecurityGroupEgressOutput{Return: new(true), RevokedSecurityGroupRules: revoked}, err
}

// changeRules commits what change makes of a copy of a group's rules.
func (s *Server) changeRules(ctx context.Context, id, name *string, change func(*store.Tx, *record.EC2SecurityGroup) error) error {
	return s.update(ctx, func(tx *store.Tx, scope fargo.Scope, _ time.Time) error {
		g, err := findGroup(tx, scope, id, name)
		if err != nil {
			return err
		}
		c := *g
		c.Rules = slices.Clone(g.Rules)
		if err := change(tx, &c); err != nil {
			return err
		}
		store.EC2SecurityGroups.Put(tx, &c)
		return nil
	})
}

var ruleFields = fields[ec2.SecurityGroupRule]{
	operation: "DescribeSecurityGroupRules",
	names: map[string]func(ec2.SecurityGroupRule) []string{
		"group-id":               one(func(r ec2.SecurityGroupRule) *string { return r.GroupId }),
		"security-group-rule-id": one(func(r ec2.SecurityGroupRule) *string { return r.SecurityGroupRuleId }),
	},
	tags: func(r ec2.SecurityGroupRule) []ec2.Tag { return r.Tags },
	// Unlike the older calls, this one takes no pattern for an id.
	check: map[string]func(string) error{
		"group-id":               func(id string) error { return malformedID("sg", "security group", id) },
		"security-group-rule-id": func(id string) error { return malformedID("sgr", "security group rule", id) },
	},
}

// DescribeSecurityGroupRules shows rules one by one.
func (s *Server) DescribeSecurityGroupRules(ctx context.Context, in *ec2.DescribeSecurityGroupRulesInput) (*ec2.DescribeSecurityGroupRulesOutput, error) {
	var all []ec2.SecurityGroupRule
	view := s.db.View()
	for g := range store.EC2SecurityGroups.Prefix(view, api.CallFrom(ctx).Scope().Key()) {
		all = append(all, shownRules(view, g)...)
	}
	id := func(r ec2.SecurityGroupRule) string { return *r.SecurityGroupRuleId }
	slices.SortFunc(all, func(a, b ec2.SecurityGroupRule) int { return strings.Compare(id(a), id(b)) })
	out, next, err := describe(slices.Values(all), query{in.SecurityGroupRuleIds, in.Filters, pages.Ask(in, in.NextToken, in.MaxResults)}, ruleFields, id, noRule)
	return &ec2.DescribeSecurityGroupRulesOutput{SecurityGroupRules: out, NextToken: next}, err
}

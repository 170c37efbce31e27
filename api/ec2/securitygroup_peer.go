package ec2

import (
	"context"
	"slices"
	"strings"

	"fargo"
	"fargo/api"
	"fargo/aws"
	"fargo/aws/ec2"
	"fargo/record"
	"fargo/store"
)

// A rule may name a group of a peer VPC. It stays when the group or the peering
// connection goes, and is stale then: it allows nothing.

// peeringOf is the active connection between two VPCs of one region, nil for none.
// Source: VPC peering guide, "Update your security groups to reference peer security
// groups".
func peeringOf(r store.Reader, vpc, other string) *record.EC2Peering {
	for p := range store.EC2Peerings.By(r, store.ByVPC, vpc) {
		if p.Active() && p.Other(vpc) == other && p.Scope.Region == p.Accepter().Region {
			return p
		}
	}
	return nil
}

// peeringByID is a connection, nil when it has been forgotten.
func peeringByID(r store.Reader, id string) *record.EC2Peering {
	for p := range store.EC2Peerings.By(r, store.PeeringByID, id) {
		return p
	}
	return nil
}

// isStale reports whether a rule names a group of a peer that it means no more.
func isStale(r store.Reader, g *record.EC2SecurityGroup, rule ec2.SecurityGroupRule) bool {
	of := rule.ReferencedGroupInfo
	if of == nil || of.VpcPeeringConnectionId == nil {
		return false
	}
	_, there := store.EC2SecurityGroups.Get(r, fargo.Scope{Account: *of.UserId, Region: g.Scope.Region}.Key(*of.GroupId))
	p := peeringByID(r, *of.VpcPeeringConnectionId)
	return !there || p == nil || !p.Active()
}

// staleReference is what a group's stale rules say of a group of a peer, so that they can
// be named by what they allow; nil for a group that none of them names.
func staleReference(r store.Reader, g *record.EC2SecurityGroup, id *string) *ec2.ReferencedSecurityGroup {
	for _, rule := range g.Rules {
		if id != nil && referenced(rule) == *id && isStale(r, g, rule) {
			return rule.ReferencedGroupInfo
		}
	}
	return nil
}

// shownRules are a group's rules with the states of the connections to peers.
func shownRules(r store.Reader, g *record.EC2SecurityGroup) []ec2.SecurityGroupRule {
	all := slices.Clone(g.Rules)
	for i, rule := range all {
		if of := rule.ReferencedGroupInfo; of != nil && of.VpcPeeringConnectionId != nil {
			shown := *of
			shown.PeeringStatus = new(string(ec2.VpcPeeringConnectionStateReasonCodeDeleted))
			if p := peeringByID(r, *of.VpcPeeringConnectionId); p != nil {
				shown.PeeringStatus = new(string(p.Connection.Status.Code))
			}
			all[i].ReferencedGroupInfo = &shown
		}
	}
	return all
}

// DescribeSecurityGroupReferences shows which VPCs have rules that name a group over a
// peering connection.
func (s *Server) DescribeSecurityGroupReferences(ctx context.Context, in *ec2.DescribeSecurityGroupReferencesInput) (*ec2.DescribeSecurityGroupReferencesOutput, error) {
	view, scope := s.db.View(), api.CallFrom(ctx).Scope()
	out := &ec2.DescribeSecurityGroupReferencesOutput{SecurityGroupReferenceSet: []ec2.SecurityGroupReference{}}
	for _, id := range in.GroupId {
		g, err := findGroup(view, scope, &id, nil)
		if err != nil {
			return nil, err
		}
		for p := range store.EC2Peerings.By(view, store.ByVPC, *g.Group.VpcId) {
			other := p.Other(*g.Group.VpcId)
			named := func(o *record.EC2SecurityGroup) bool { return refersTo(o, id) }
			if p.Active() && slices.ContainsFunc(slices.Collect(store.EC2SecurityGroups.By(view, store.ByVPC, other)), named) {
				out.SecurityGroupReferenceSet = append(out.SecurityGroupReferenceSet, ec2.SecurityGroupReference{
					GroupId: g.Group.GroupId, ReferencingVpcId: &other, VpcPeeringConnectionId: p.Connection.VpcPeeringConnectionId,
				})
			}
		}
	}
	return out, nil
}

// DescribeStaleSecurityGroups shows the groups of a VPC that have stale rules, with those.
func (s *Server) DescribeStaleSecurityGroups(ctx context.Context, in *ec2.DescribeStaleSecurityGroupsInput) (*ec2.DescribeStaleSecurityGroupsOutput, error) {
	view := s.db.View()
	if _, err := findVPC(view, api.CallFrom(ctx).Scope(), *in.VpcId); err != nil {
		return nil, err
	}
	var all []ec2.StaleSecurityGroup
	for g := range store.EC2SecurityGroups.By(view, store.ByVPC, *in.VpcId) {
		stale := *g
		stale.Rules = slices.DeleteFunc(slices.Clone(g.Rules), func(r ec2.SecurityGroupRule) bool { return !isStale(view, g, r) })
		if len(stale.Rules) == 0 {
			continue
		}
		v := groupView(view, &stale)
		all = append(all, ec2.StaleSecurityGroup{
			GroupId: v.GroupId, GroupName: v.GroupName, Description: v.Description, VpcId: v.VpcId,
			StaleIpPermissions: stalePermissions(v.IpPermissions), StaleIpPermissionsEgress: stalePermissions(v.IpPermissionsEgress),
		})
	}
	slices.SortFunc(all, func(a, b ec2.StaleSecurityGroup) int { return strings.Compare(*a.GroupId, *b.GroupId) })
	shown, next, err := describe(slices.Values(all), query{page: pages.Ask(in, in.NextToken, in.MaxResults)}, fields[ec2.StaleSecurityGroup]{},
		func(g ec2.StaleSecurityGroup) string { return *g.GroupId }, nil)
	return &ec2.DescribeStaleSecurityGroupsOutput{StaleSecurityGroupSet: aws.List(shown), NextToken: next}, err
}

func stalePermissions(permissions []ec2.IpPermission) []ec2.StaleIpPermission {
	out := []ec2.StaleIpPermission{}
	for _, p := range permissions {
		out = append(out, ec2.StaleIpPermission{
			IpProtocol: p.IpProtocol, FromPort: p.FromPort, ToPort: p.ToPort, UserIdGroupPairs: p.UserIdGroupPairs,
			IpRanges: []string{}, PrefixListIds: []string{},
		})
	}
	return out
}

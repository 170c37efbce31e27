package ec2

import (
	"context"
	"net/netip"

	"fargo/api"
	"fargo/aws/ec2"
	"fargo/record"
	"fargo/store"
)

// DescribeNetworkAcls shows each VPC's default access control list, which lets
// everything pass. There are no others.
func (s *Server) DescribeNetworkAcls(ctx context.Context, in *ec2.DescribeNetworkAclsInput) (*ec2.DescribeNetworkAclsOutput, error) {
	view := s.db.View()
	all := func(yield func(ec2.NetworkAcl) bool) {
		for v := range store.EC2VPCs.Prefix(view, api.CallFrom(ctx).Scope().Key()) {
			if !yield(defaultACL(view, v)) {
				return
			}
		}
	}
	out, next, err := describe(all, query{in.NetworkAclIds, in.Filters, pages.Ask(in, in.NextToken, in.MaxResults)}, aclFields,
		func(a ec2.NetworkAcl) string { return *a.NetworkAclId },
		noSuch("acl"))
	return &ec2.DescribeNetworkAclsOutput{NetworkAcls: out, NextToken: next}, err
}

var aclFields = fields[ec2.NetworkAcl]{
	operation: "DescribeNetworkAcls",
	names: map[string]func(ec2.NetworkAcl) []string{
		"network-acl-id": one(func(a ec2.NetworkAcl) *string { return a.NetworkAclId }),
		"vpc-id":         one(func(a ec2.NetworkAcl) *string { return a.VpcId }),
		"owner-id":       one(func(a ec2.NetworkAcl) *string { return a.OwnerId }),
		"default":        func(a ec2.NetworkAcl) []string { return boolean(a.IsDefault) },

		"association.association-id": each(aclAssociations, func(a ec2.NetworkAclAssociation) *string { return a.NetworkAclAssociationId }),
		"association.network-acl-id": each(aclAssociations, func(a ec2.NetworkAclAssociation) *string { return a.NetworkAclId }),
		"association.subnet-id":      each(aclAssociations, func(a ec2.NetworkAclAssociation) *string { return a.SubnetId }),

		"entry.cidr":        each(entries, func(e ec2.NetworkAclEntry) *string { return e.CidrBlock }),
		"entry.protocol":    each(entries, func(e ec2.NetworkAclEntry) *string { return e.Protocol }),
		"entry.rule-action": each(entries, func(e ec2.NetworkAclEntry) *string { return new(string(e.RuleAction)) }),
		"entry.egress":      each(entries, func(e ec2.NetworkAclEntry) *string { return &boolean(e.Egress)[0] }),
		"entry.rule-number": each(entries, func(e ec2.NetworkAclEntry) *string { return &number(e.RuleNumber)[0] }),
	},
	absent: []string{
		"entry.icmp.code",
		"entry.icmp.type",
		"entry.ipv6-cidr",
		"entry.port-range.from",
		"entry.port-range.to",
	},
	tags: func(ec2.NetworkAcl) []ec2.Tag { return nil },
}

func aclAssociations(a ec2.NetworkAcl) []ec2.NetworkAclAssociation { return a.Associations }
func entries(a ec2.NetworkAcl) []ec2.NetworkAclEntry               { return a.Entries }

// defaultACL is a VPC's default access control list. Its id follows from the
// VPC's.
func defaultACL(r store.Reader, v *record.EC2VPC) ec2.NetworkAcl {
	id := "acl" + (*v.VPC.VpcId)[len("vpc"):]
	acl := ec2.NetworkAcl{
		NetworkAclId: &id, VpcId: v.VPC.VpcId, OwnerId: &v.Scope.Account, IsDefault: new(true),
		Tags: []ec2.Tag{}, Associations: []ec2.NetworkAclAssociation{},
	}
	for n := range store.EC2Subnets.By(r, store.ByVPC, *v.VPC.VpcId) {
		acl.Associations = append(acl.Associations, ec2.NetworkAclAssociation{
			NetworkAclId: &id, SubnetId: n.Subnet.SubnetId, NetworkAclAssociationId: new("aclassoc" + (*n.Subnet.SubnetId)[len("subnet"):]),
		})
	}
	everything := netip.PrefixFrom(netip.IPv4Unspecified(), 0).String()
	for _, egress := range []bool{true, false} {
		acl.Entries = append(acl.Entries,
			ec2.NetworkAclEntry{CidrBlock: &everything, Egress: &egress, Protocol: new("-1"), RuleAction: ec2.RuleActionAllow, RuleNumber: new(int32(100))},
			ec2.NetworkAclEntry{CidrBlock: &everything, Egress: &egress, Protocol: new("-1"), RuleAction: ec2.RuleActionDeny, RuleNumber: new(int32(32767))})
	}
	return acl
}

package ec2

import (
	"context"

	"fargo/api"
	"fargo/aws/ec2"
	"fargo/plan"
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

// defaultACL is a VPC's default access control list with its associations: all subnets.
func defaultACL(r store.Reader, v *record.EC2VPC) ec2.NetworkAcl {
	acl := plan.DefaultACL(v).ACL
	for n := range store.EC2Subnets.By(r, store.ByVPC, *v.VPC.VpcId) {
		acl.Associations = append(acl.Associations, ec2.NetworkAclAssociation{
			NetworkAclId: acl.NetworkAclId, SubnetId: n.Subnet.SubnetId, NetworkAclAssociationId: new("aclassoc" + (*n.Subnet.SubnetId)[len("subnet"):]),
		})
	}
	return acl
}

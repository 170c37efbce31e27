package ec2

import (
	"context"
	"slices"
	"strings"
	"time"

	"fargo"
	"fargo/api"
	"fargo/aws"
	"fargo/aws/ec2"
	"fargo/aws/protocol"
	"fargo/plan"
	"fargo/record"
	"fargo/store"
)

// maxACLs is how many network ACLs a VPC may have. Source: VPC user guide, "Amazon VPC
// quotas".
const maxACLs = 200

var noACL = noSuch("acl")

// findACL gives a list: one that is kept, or the default one of a VPC.
func findACL(r store.Reader, scope fargo.Scope, id string) (*record.EC2NetworkACL, error) {
	if a, ok := store.EC2NetworkACLs.Get(r, scope.Key(id)); ok {
		return a, nil
	}
	if digits, ok := strings.CutPrefix(id, "acl-"); ok {
		if v, ok := store.EC2VPCs.Get(r, scope.Key("vpc-"+digits)); ok {
			return plan.DefaultACL(v), nil
		}
	}
	return nil, noACL(id)
}

// aclsOf are the lists of a VPC as they are kept, the default one also when it is not.
func aclsOf(r store.Reader, v *record.EC2VPC) []*record.EC2NetworkACL {
	all := slices.Collect(store.EC2NetworkACLs.By(r, store.ByVPC, *v.VPC.VpcId))
	if !slices.ContainsFunc(all, isDefaultACL) {
		all = append(all, plan.DefaultACL(v))
	}
	return all
}

func isDefaultACL(a *record.EC2NetworkACL) bool { return aws.Value(a.ACL.IsDefault) }

// aclViews are the lists of a VPC as clients see them: the subnets that no list names are
// in the default one, and all lists end with denying the rest.
func aclViews(r store.Reader, v *record.EC2VPC) []ec2.NetworkAcl {
	all, named := aclsOf(r, v), map[string]bool{}
	for _, a := range all {
		for _, n := range a.ACL.Associations {
			named[*n.SubnetId] = true
		}
	}
	var out []ec2.NetworkAcl
	for _, a := range all {
		view := aclView(v, a)
		if isDefaultACL(a) {
			view.Associations = slices.Clone(view.Associations)
			for n := range store.EC2Subnets.By(r, store.ByVPC, *v.VPC.VpcId) {
				if id := *n.Subnet.SubnetId; !named[id] {
					view.Associations = append(view.Associations, aclAssociation(a, "aclassoc"+id[len("subnet"):], id))
				}
			}
		}
		out = append(out, view)
	}
	return out
}

// aclView is a list with its entries, and those associations that are on record.
func aclView(v *record.EC2VPC, a *record.EC2NetworkACL) ec2.NetworkAcl {
	view := a.ACL
	view.Entries = shownEntries(v, a)
	return view
}

func aclAssociation(a *record.EC2NetworkACL, id, subnet string) ec2.NetworkAclAssociation {
	return ec2.NetworkAclAssociation{NetworkAclId: a.ACL.NetworkAclId, NetworkAclAssociationId: &id, SubnetId: &subnet}
}

// allACLViews are those of a scope, by id.
func allACLViews(r store.Reader, scope fargo.Scope) []ec2.NetworkAcl {
	var all []ec2.NetworkAcl
	for v := range store.EC2VPCs.Prefix(r, scope.Key()) {
		all = append(all, aclViews(r, v)...)
	}
	slices.SortFunc(all, func(a, b ec2.NetworkAcl) int { return strings.Compare(*a.NetworkAclId, *b.NetworkAclId) })
	return all
}

// CreateNetworkAcl makes a list that lets nothing pass.
func (s *Server) CreateNetworkAcl(ctx context.Context, in *ec2.CreateNetworkAclInput) (*ec2.CreateNetworkAclOutput, error) {
	tags, err := requestTags(in.TagSpecifications, ec2.ResourceTypeNetworkAcl)
	if err != nil {
		return nil, err
	}
	request, err := requestOf(in.ClientToken, in)
	if err != nil {
		return nil, err
	}
	var view ec2.NetworkAcl
	err = s.update(ctx, func(tx *store.Tx, scope fargo.Scope, _ time.Time) error {
		v, err := findVPC(tx, scope, *in.VpcId)
		if err != nil {
			return err
		}
		a, err := repeatedOne(request, store.EC2NetworkACLs.Prefix(tx, scope.Key()))
		if err != nil {
			return err
		}
		if a != nil {
			view = aclView(v, a)
			return nil
		}
		if len(aclsOf(tx, v)) >= maxACLs {
			return protocol.Errorf("NetworkAclLimitExceeded", "The maximum number of network ACLs has been reached.")
		}
		a = &record.EC2NetworkACL{Scope: scope, EC2Request: request, ACL: ec2.NetworkAcl{
			NetworkAclId: new(fargo.NewEC2ID("acl")), VpcId: v.VPC.VpcId, OwnerId: &scope.Account, IsDefault: new(false),
			Tags: aws.List(tags), Associations: []ec2.NetworkAclAssociation{},
		}}
		store.EC2NetworkACLs.Put(tx, a)
		view = aclView(v, a)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &ec2.CreateNetworkAclOutput{NetworkAcl: &view, ClientToken: in.ClientToken}, nil
}

// DeleteNetworkAcl deletes a list that no subnet is in.
func (s *Server) DeleteNetworkAcl(ctx context.Context, in *ec2.DeleteNetworkAclInput) (*ec2.DeleteNetworkAclOutput, error) {
	return &ec2.DeleteNetworkAclOutput{}, s.update(ctx, func(tx *store.Tx, scope fargo.Scope, _ time.Time) error {
		a, err := findACL(tx, scope, *in.NetworkAclId)
		switch {
		case err != nil:
			return err
		case isDefaultACL(a):
			return badValue("cannot delete default network ACL %s", *in.NetworkAclId)
		case len(a.ACL.Associations) > 0:
			return inUse("The networkAcl '%s' has dependencies and cannot be deleted.", *in.NetworkAclId)
		}
		store.EC2NetworkACLs.Delete(tx, a.Key())
		return nil
	})
}

// withoutACLSubnet gives a copy of a list that does not name the subnet, and whether it
// did.
func withoutACLSubnet(a *record.EC2NetworkACL, subnet string) (*record.EC2NetworkACL, bool) {
	c := *a
	c.ACL.Associations = slices.DeleteFunc(slices.Clone(a.ACL.Associations), func(n ec2.NetworkAclAssociation) bool { return *n.SubnetId == subnet })
	return &c, len(c.ACL.Associations) != len(a.ACL.Associations)
}

// leaveACL takes a subnet out of the list that names it.
func leaveACL(tx *store.Tx, vpc, subnet string) {
	for a := range store.EC2NetworkACLs.By(tx, store.ByVPC, vpc) {
		if without, had := withoutACLSubnet(a, subnet); had {
			store.EC2NetworkACLs.Put(tx, without)
		}
	}
}

// ReplaceNetworkAclAssociation moves a subnet to another list.
func (s *Server) ReplaceNetworkAclAssociation(ctx context.Context, in *ec2.ReplaceNetworkAclAssociationInput) (*ec2.ReplaceNetworkAclAssociationOutput, error) {
	made := fargo.NewEC2ID("aclassoc")
	return &ec2.ReplaceNetworkAclAssociationOutput{NewAssociationId: &made}, s.update(ctx, func(tx *store.Tx, scope fargo.Scope, _ time.Time) error {
		from, subnet, err := findACLAssociation(tx, scope, *in.AssociationId)
		if err != nil {
			return err
		}
		to, err := findACL(tx, scope, *in.NetworkAclId)
		if err != nil {
			return err
		}
		if vpc := *from.VpcId; *to.ACL.VpcId != vpc {
			return badValue("network acl %s and subnet %s belong to different networks", *in.NetworkAclId, subnet)
		}
		leaveACL(tx, *from.VpcId, subnet)
		if to, err = findACL(tx, scope, *in.NetworkAclId); err != nil { // as it is now
			return err
		}
		c := *to
		c.ACL.Associations = append(slices.Clone(to.ACL.Associations), aclAssociation(to, made, subnet))
		store.EC2NetworkACLs.Put(tx, &c)
		return nil
	})
}

// findACLAssociation gives the list and the subnet of an association.
func findACLAssociation(r store.Reader, scope fargo.Scope, id string) (list ec2.NetworkAcl, subnet string, err error) {
	for _, a := range allACLViews(r, scope) {
		for _, n := range a.Associations {
			if *n.NetworkAclAssociationId == id {
				return a, *n.SubnetId, nil
			}
		}
	}
	return list, "", noSuch("aclassoc")(id)
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
		"entry.ipv6-cidr":   each(entries, func(e ec2.NetworkAclEntry) *string { return e.Ipv6CidrBlock }),
		"entry.protocol":    each(entries, func(e ec2.NetworkAclEntry) *string { return e.Protocol }),
		"entry.rule-action": each(entries, func(e ec2.NetworkAclEntry) *string { return new(string(e.RuleAction)) }),
		"entry.egress":      each(entries, func(e ec2.NetworkAclEntry) *string { return &boolean(e.Egress)[0] }),
		"entry.rule-number": each(entries, func(e ec2.NetworkAclEntry) *string { return decimal(e.RuleNumber) }),

		"entry.icmp.code":       each(entries, func(e ec2.NetworkAclEntry) *string { return decimal(icmp(e).Code) }),
		"entry.icmp.type":       each(entries, func(e ec2.NetworkAclEntry) *string { return decimal(icmp(e).Type) }),
		"entry.port-range.from": each(entries, func(e ec2.NetworkAclEntry) *string { return decimal(ports(e).From) }),
		"entry.port-range.to":   each(entries, func(e ec2.NetworkAclEntry) *string { return decimal(ports(e).To) }),
	},
	tags: func(a ec2.NetworkAcl) []ec2.Tag { return a.Tags },
}

func aclAssociations(a ec2.NetworkAcl) []ec2.NetworkAclAssociation { return a.Associations }
func entries(a ec2.NetworkAcl) []ec2.NetworkAclEntry               { return a.Entries }
func icmp(e ec2.NetworkAclEntry) ec2.IcmpTypeCode                  { return aws.Value(e.IcmpTypeCode) }
func ports(e ec2.NetworkAclEntry) ec2.PortRange                    { return aws.Value(e.PortRange) }

// DescribeNetworkAcls shows the lists of all VPCs.
func (s *Server) DescribeNetworkAcls(ctx context.Context, in *ec2.DescribeNetworkAclsInput) (*ec2.DescribeNetworkAclsOutput, error) {
	all := allACLViews(s.db.View(), api.CallFrom(ctx).Scope())
	out, next, err := describe(slices.Values(all), query{in.NetworkAclIds, in.Filters, pages.Ask(in, in.NextToken, in.MaxResults)}, aclFields,
		func(a ec2.NetworkAcl) string { return *a.NetworkAclId }, noACL)
	return &ec2.DescribeNetworkAclsOutput{NetworkAcls: out, NextToken: next}, err
}

package ec2

import (
	"context"
	"net/netip"
	"time"

	"fargo"
	"fargo/api"
	"fargo/aws"
	"fargo/aws/ec2"
	"fargo/aws/protocol"
	"fargo/record"
	"fargo/store"
)

// parseCIDR reads an IPv4 block.
func parseCIDR(block string) (netip.Prefix, error) {
	p, err := netip.ParsePrefix(block)
	if err != nil || !p.Addr().Is4() {
		return p, protocol.Errorf("InvalidParameterValue", "Value (%s) for parameter cidrBlock is invalid. This is not a valid CIDR block.", block)
	}
	return p.Masked(), nil
}

func newVPC(scope fargo.Scope, block netip.Prefix, tags []ec2.Tag) *record.EC2VPC {
	return &record.EC2VPC{Scope: scope, DNSSupport: true, VPC: ec2.Vpc{
		VpcId: new(fargo.NewEC2ID("vpc")), OwnerId: &scope.Account, State: ec2.VpcStateAvailable,
		CidrBlock: new(block.String()), InstanceTenancy: ec2.TenancyDefault, IsDefault: new(false),
		DhcpOptionsId: new(dhcpOptions), Tags: tags,
		CidrBlockAssociationSet:     []ec2.VpcCidrBlockAssociation{newBlock(block)},
		Ipv6CidrBlockAssociationSet: []ec2.VpcIpv6CidrBlockAssociation{},
	}}
}

// putVPC stores a new VPC with what every VPC has: a main route table and a
// default security group.
func putVPC(tx *store.Tx, v *record.EC2VPC) (*record.EC2RouteTable, *record.EC2SecurityGroup) {
	main := newRouteTable(v, nil)
	main.RouteTable.Associations = []ec2.RouteTableAssociation{newAssociation(main, nil)}
	group := newSecurityGroup(v, "default", "default VPC security group", nil)
	group.Rules = append(group.Rules, ec2.SecurityGroupRule{
		GroupId: group.Group.GroupId, GroupOwnerId: &v.Scope.Account,
		IsEgress: new(false), IpProtocol: new("-1"), FromPort: new(int32(-1)), ToPort: new(int32(-1)),
		ReferencedGroupInfo: &ec2.ReferencedSecurityGroup{GroupId: group.Group.GroupId, UserId: &v.Scope.Account}, Tags: []ec2.Tag{},
	})
	identify(v.Scope, &group.Rules[len(group.Rules)-1])
	store.EC2VPCs.Put(tx, v)
	store.EC2RouteTables.Put(tx, main)
	store.EC2SecurityGroups.Put(tx, group)
	return main, group
}

// CreateVpc makes a VPC with its main route table and default security group.
func (s *Server) CreateVpc(ctx context.Context, in *ec2.CreateVpcInput) (*ec2.CreateVpcOutput, error) {
	if in.CidrBlock == nil && in.Ipv4IpamPoolId == nil {
		return nil, missingEither("cidrBlock", "ipv4IpamPoolId")
	}
	if err := refuseSet(map[string]bool{
		"Ipv6CidrBlock": in.Ipv6CidrBlock != nil, "Ipv6Pool": in.Ipv6Pool != nil,
		"Ipv4IpamPoolId": in.Ipv4IpamPoolId != nil, "Ipv6IpamPoolId": in.Ipv6IpamPoolId != nil, "VpcEncryptionControl": in.VpcEncryptionControl != nil,
	}); err != nil {
		return nil, err
	}
	block, err := parseCIDR(*in.CidrBlock)
	if err != nil {
		return nil, err
	}
	if err := s.checkVPCBlock(block, *in.CidrBlock); err != nil {
		return nil, err
	}
	tags, err := requestTags(in.TagSpecifications, ec2.ResourceTypeVpc)
	if err != nil {
		return nil, err
	}
	var v *record.EC2VPC
	err = s.update(ctx, func(tx *store.Tx, scope fargo.Scope, _ time.Time) error {
		if border := in.Ipv6CidrBlockNetworkBorderGroup; border != nil && *border != scope.Region {
			return notImplemented("Ipv6CidrBlockNetworkBorderGroup")
		}
		v = newVPC(scope, block, tags)
		if aws.Value(in.AmazonProvidedIpv6CidrBlock) {
			six, err := s.newBlock6(tx, v)
			if err != nil {
				return err
			}
			v.VPC.Ipv6CidrBlockAssociationSet = append(v.VPC.Ipv6CidrBlockAssociationSet, six)
		}
		putVPC(tx, v)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &ec2.CreateVpcOutput{Vpc: &v.VPC}, nil
}

func findVPC(r store.Reader, scope fargo.Scope, id string) (*record.EC2VPC, error) {
	v, ok := store.EC2VPCs.Get(r, scope.Key(id))
	if !ok {
		return nil, noVPC(id)
	}
	return v, nil
}

// defaultVPC is the scope's default VPC, nil when it was deleted.
func defaultVPC(r store.Reader, scope fargo.Scope) *record.EC2VPC {
	for v := range store.EC2VPCs.Prefix(r, scope.Key()) {
		if aws.Value(v.VPC.IsDefault) {
			return v
		}
	}
	return nil
}

var vpcFields = fields[*record.EC2VPC]{
	operation: "DescribeVpcs",
	names: map[string]func(*record.EC2VPC) []string{
		"vpc-id":          one(func(v *record.EC2VPC) *string { return v.VPC.VpcId }),
		"cidr":            one(func(v *record.EC2VPC) *string { return v.VPC.CidrBlock }),
		"cidr-block":      one(func(v *record.EC2VPC) *string { return v.VPC.CidrBlock }),
		"owner-id":        one(func(v *record.EC2VPC) *string { return v.VPC.OwnerId }),
		"dhcp-options-id": one(func(v *record.EC2VPC) *string { return v.VPC.DhcpOptionsId }),
		"state":           func(v *record.EC2VPC) []string { return []string{string(v.VPC.State)} },
		"is-default":      func(v *record.EC2VPC) []string { return boolean(v.VPC.IsDefault) },
		"isDefault":       func(v *record.EC2VPC) []string { return boolean(v.VPC.IsDefault) },

		"cidr-block-association.cidr-block":     each(vpcBlocks, func(a ec2.VpcCidrBlockAssociation) *string { return a.CidrBlock }),
		"cidr-block-association.association-id": each(vpcBlocks, func(a ec2.VpcCidrBlockAssociation) *string { return a.AssociationId }),
		"cidr-block-association.state":          each(vpcBlocks, func(a ec2.VpcCidrBlockAssociation) *string { return new(string(a.CidrBlockState.State)) }),

		"ipv6-cidr-block-association.ipv6-cidr-block": each(vpcBlocks6, func(a ec2.VpcIpv6CidrBlockAssociation) *string { return a.Ipv6CidrBlock }),
		"ipv6-cidr-block-association.ipv6-pool":       each(vpcBlocks6, func(a ec2.VpcIpv6CidrBlockAssociation) *string { return a.Ipv6Pool }),
		"ipv6-cidr-block-association.association-id":  each(vpcBlocks6, func(a ec2.VpcIpv6CidrBlockAssociation) *string { return a.AssociationId }),
		"ipv6-cidr-block-association.state": each(vpcBlocks6, func(a ec2.VpcIpv6CidrBlockAssociation) *string {
			return new(string(a.Ipv6CidrBlockState.State))
		}),
	},
	tags: func(v *record.EC2VPC) []ec2.Tag { return v.VPC.Tags },
}

func vpcBlocks(v *record.EC2VPC) []ec2.VpcCidrBlockAssociation { return v.VPC.CidrBlockAssociationSet }

func vpcBlocks6(v *record.EC2VPC) []ec2.VpcIpv6CidrBlockAssociation {
	return v.VPC.Ipv6CidrBlockAssociationSet
}

func boolean(b *bool) []string {
	if aws.Value(b) {
		return []string{"true"}
	}
	return []string{"false"}
}

// DescribeVpcs shows VPCs.
func (s *Server) DescribeVpcs(ctx context.Context, in *ec2.DescribeVpcsInput) (*ec2.DescribeVpcsOutput, error) {
	found, next, err := describe(store.EC2VPCs.Prefix(s.db.View(), api.CallFrom(ctx).Scope().Key()),
		query{in.VpcIds, in.Filters, pages.Ask(in, in.NextToken, in.MaxResults)}, vpcFields,
		func(v *record.EC2VPC) string { return *v.VPC.VpcId },
		noVPC)
	out := &ec2.DescribeVpcsOutput{Vpcs: []ec2.Vpc{}, NextToken: next}
	for _, v := range found {
		out.Vpcs = append(out.Vpcs, v.VPC)
	}
	return out, err
}

// DeleteVpc deletes a VPC that nothing is left in but what came with it.
func (s *Server) DeleteVpc(ctx context.Context, in *ec2.DeleteVpcInput) (*ec2.DeleteVpcOutput, error) {
	return &ec2.DeleteVpcOutput{}, s.update(ctx, func(tx *store.Tx, scope fargo.Scope, now time.Time) error {
		v, err := findVPC(tx, scope, *in.VpcId)
		if err != nil {
			return err
		}
		id := *v.VPC.VpcId
		dependent := inUse("The vpc '%s' has dependencies and cannot be deleted.", id)
		for range store.EC2Subnets.By(tx, store.ByVPC, id) {
			return dependent
		}
		for g := range store.EC2InternetGateways.Prefix(tx, scope.Key()) {
			for _, a := range g.Gateway.Attachments {
				if *a.VpcId == id {
					return dependent
				}
			}
		}
		if holdsVPC(tx, scope, id) {
			return dependent
		}
		for t := range store.EC2RouteTables.By(tx, store.ByVPC, id) {
			if !isMain(t) {
				return dependent
			}
			store.EC2RouteTables.Delete(tx, t.Key())
		}
		for g := range store.EC2SecurityGroups.By(tx, store.ByVPC, id) {
			if *g.Group.GroupName != "default" {
				return dependent
			}
			store.EC2SecurityGroups.Delete(tx, g.Key())
		}
		for a := range store.EC2NetworkACLs.By(tx, store.ByVPC, id) {
			if !isDefaultACL(a) {
				return dependent
			}
			store.EC2NetworkACLs.Delete(tx, a.Key())
		}
		endPeerings(tx, scope, id, now)
		store.EC2VPCs.Delete(tx, v.Key())
		return nil
	})
}

// ModifyVpcAttribute changes a VPC's DNS attributes.
func (s *Server) ModifyVpcAttribute(ctx context.Context, in *ec2.ModifyVpcAttributeInput) (*ec2.ModifyVpcAttributeOutput, error) {
	if in.EnableNetworkAddressUsageMetrics != nil && aws.Value(in.EnableNetworkAddressUsageMetrics.Value) {
		return nil, notImplemented("EnableNetworkAddressUsageMetrics")
	}
	return &ec2.ModifyVpcAttributeOutput{}, s.update(ctx, func(tx *store.Tx, scope fargo.Scope, _ time.Time) error {
		v, err := findVPC(tx, scope, *in.VpcId)
		if err != nil {
			return err
		}
		c := *v
		if in.EnableDnsSupport != nil {
			c.DNSSupport = aws.Value(in.EnableDnsSupport.Value)
		}
		if in.EnableDnsHostnames != nil {
			c.DNSHostnames = aws.Value(in.EnableDnsHostnames.Value)
		}
		store.EC2VPCs.Put(tx, &c)
		return nil
	})
}

// DescribeVpcAttribute shows one attribute of a VPC.
func (s *Server) DescribeVpcAttribute(ctx context.Context, in *ec2.DescribeVpcAttributeInput) (*ec2.DescribeVpcAttributeOutput, error) {
	v, err := findVPC(s.db.View(), api.CallFrom(ctx).Scope(), *in.VpcId)
	if err != nil {
		return nil, err
	}
	out := &ec2.DescribeVpcAttributeOutput{VpcId: in.VpcId}
	switch in.Attribute {
	case ec2.VpcAttributeNameEnableDnsSupport:
		out.EnableDnsSupport = &ec2.AttributeBooleanValue{Value: &v.DNSSupport}
	case ec2.VpcAttributeNameEnableDnsHostnames:
		out.EnableDnsHostnames = &ec2.AttributeBooleanValue{Value: &v.DNSHostnames}
	case ec2.VpcAttributeNameEnableNetworkAddressUsageMetrics:
		out.EnableNetworkAddressUsageMetrics = &ec2.AttributeBooleanValue{Value: new(false)}
	default:
		return nil, badValue("Value (%s) for parameter attribute is invalid. Unknown attribute.", in.Attribute)
	}
	return out, nil
}

// CreateDefaultVpc makes the default VPC again after it was deleted.
func (s *Server) CreateDefaultVpc(ctx context.Context, _ *ec2.CreateDefaultVpcInput) (*ec2.CreateDefaultVpcOutput, error) {
	block, free, err := s.networks.freeBlock()
	if err != nil {
		return nil, err
	}
	if !free { // ours
		return nil, protocol.Errorf("InvalidVpc.Range", "There is no block for a default VPC that this machine has no network in.")
	}
	var v *record.EC2VPC
	err = s.update(ctx, func(tx *store.Tx, scope fargo.Scope, _ time.Time) error {
		if old := defaultVPC(tx, scope); old != nil {
			return protocol.Errorf("DefaultVpcAlreadyExists", "A Default VPC already exists for this account in this region.")
		}
		v = putDefaultVPC(tx, scope, block)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &ec2.CreateDefaultVpcOutput{Vpc: &v.VPC}, nil
}

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
	"fargo/plan"
	"fargo/record"
	"fargo/store"
)

// newSubnet makes a subnet. Without a block it has only IPv6.
func newSubnet(v *record.EC2VPC, block netip.Prefix, zone ec2.AvailabilityZone, tags []ec2.Tag) *record.EC2Subnet {
	id, native, hostname := fargo.NewEC2ID("subnet"), !block.IsValid(), ec2.HostnameTypeIpName
	if native {
		hostname = ec2.HostnameTypeResourceName
	}
	n := &record.EC2Subnet{Scope: v.Scope, Subnet: ec2.Subnet{
		SubnetId: &id, SubnetArn: new(v.Scope.ARN("ec2", "subnet/"+id)), OwnerId: &v.Scope.Account, VpcId: v.VPC.VpcId,
		AvailabilityZone: zone.ZoneName, AvailabilityZoneId: zone.ZoneId,
		State: ec2.SubnetStateAvailable, DefaultForAz: new(false), MapPublicIpOnLaunch: new(false),
		AssignIpv6AddressOnCreation: &native, MapCustomerOwnedIpOnLaunch: new(false), EnableDns64: new(false), Ipv6Native: &native,
		PrivateDnsNameOptionsOnLaunch: &ec2.PrivateDnsNameOptionsOnLaunch{
			HostnameType: hostname, EnableResourceNameDnsARecord: new(false), EnableResourceNameDnsAAAARecord: new(false),
		},
		Ipv6CidrBlockAssociationSet: []ec2.SubnetIpv6CidrBlockAssociation{}, Tags: tags,
	}}
	if !native {
		n.Subnet.CidrBlock = new(block.String())
	}
	return n
}

// CreateSubnet cuts a subnet out of a VPC.
func (s *Server) CreateSubnet(ctx context.Context, in *ec2.CreateSubnetInput) (*ec2.CreateSubnetOutput, error) {
	if err := checkFamilies(in); err != nil {
		return nil, err
	}
	if err := refuseSet(map[string]bool{
		"OutpostArn": in.OutpostArn != nil, "Ipv4IpamPoolId": in.Ipv4IpamPoolId != nil, "Ipv6IpamPoolId": in.Ipv6IpamPoolId != nil,
	}); err != nil {
		return nil, err
	}
	var block netip.Prefix
	if in.CidrBlock != nil {
		var err error
		if block, err = parseCIDR(*in.CidrBlock); err != nil {
			return nil, err
		}
	}
	tags, err := requestTags(in.TagSpecifications, ec2.ResourceTypeSubnet)
	if err != nil {
		return nil, err
	}
	var made *record.EC2Subnet
	err = s.update(ctx, func(tx *store.Tx, scope fargo.Scope, _ time.Time) error {
		v, err := findVPC(tx, scope, *in.VpcId)
		if err != nil { // of any text, as EC2 does here
			return ids["vpc"].missing(*in.VpcId)
		}
		if in.CidrBlock != nil {
			if err := checkSubnetBlock(tx, v, block, *in.CidrBlock); err != nil {
				return err
			}
		}
		zone, err := chooseZone(scope.Region, in.AvailabilityZone, in.AvailabilityZoneId)
		if err != nil {
			return err
		}
		made = newSubnet(v, block, zone, tags)
		if in.Ipv6CidrBlock != nil {
			block6, err := checkSubnetBlock6(tx, v, *in.Ipv6CidrBlock)
			if err != nil {
				return err
			}
			made.Subnet.Ipv6CidrBlockAssociationSet = append(made.Subnet.Ipv6CidrBlockAssociationSet, newSubnetBlock6(block6))
		}
		store.EC2Subnets.Put(tx, made)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &ec2.CreateSubnetOutput{Subnet: new(subnetView(s.db.View(), made))}, nil
}

// checkFamilies refuses blocks that do not go with the subnet's kind.
func checkFamilies(in *ec2.CreateSubnetInput) error {
	switch {
	case !aws.Value(in.Ipv6Native):
		if in.CidrBlock == nil && in.Ipv4IpamPoolId == nil {
			return missingEither("cidrBlock", "ipv4IpamPoolId")
		}
	case in.Ipv6CidrBlock == nil && in.Ipv6IpamPoolId == nil:
		return missingEither("ipv6CidrBlock", "ipv6IpamPoolId")
	case in.CidrBlock != nil || in.Ipv4IpamPoolId != nil:
		return protocol.Errorf("InvalidParameterCombination", "When specifying ipv4 parameters, cidrBlock or ipv4IpamPoolId, you cannot set ipv6Native to true.")
	}
	return nil
}

func checkSubnetBlock(r store.Reader, v *record.EC2VPC, block netip.Prefix, given string) error {
	inside := false
	for _, c := range v.CIDRs() {
		inside = inside || (c.Contains(block.Addr()) && block.Bits() >= c.Bits())
	}
	if !inside || !usableBlock(block) {
		return protocol.Errorf("InvalidSubnet.Range", "The CIDR '%s' is invalid.", given)
	}
	for o := range store.EC2Subnets.By(r, store.ByVPC, *v.VPC.VpcId) {
		if o.Prefix().Overlaps(block) {
			return protocol.Errorf("InvalidSubnet.Conflict", "The CIDR '%s' conflicts with another subnet", given)
		}
	}
	return nil
}

func chooseZone(region string, name, id *string) (ec2.AvailabilityZone, error) {
	all := zones(region)
	for _, z := range all {
		if (name != nil && *z.ZoneName == *name) || (name == nil && id != nil && *z.ZoneId == *id) {
			return z, nil
		}
	}
	if name != nil || id != nil {
		return ec2.AvailabilityZone{}, badValue("Value (%s) for parameter availabilityZone is invalid. Subnets can currently only be created in the following availability zones: %s, %s, %s.",
			aws.Value(name)+aws.Value(id), *all[0].ZoneName, *all[1].ZoneName, *all[2].ZoneName)
	}
	return all[0], nil
}

func findSubnet(r store.Reader, scope fargo.Scope, id string) (*record.EC2Subnet, error) {
	n, ok := store.EC2Subnets.Get(r, scope.Key(id))
	if !ok {
		return nil, noSubnet(id)
	}
	return n, nil
}

// subnetView is a subnet as clients see it, with its free addresses counted.
func subnetView(r store.Reader, s *record.EC2Subnet) ec2.Subnet {
	free := plan.Capacity(s.Prefix())
	for i := range store.EC2NetworkInterfaces.By(r, store.InterfaceBySubnet, *s.Subnet.SubnetId) {
		free -= len(i.Interface.PrivateIpAddresses)
	}
	v := s.Subnet
	v.AvailableIpAddressCount = new(int32(free))
	v.AvailabilityZoneId = zoneIDOf(s.Scope.Region, *v.AvailabilityZone)
	return v
}

var subnetFields = fields[ec2.Subnet]{
	operation: "DescribeSubnets",
	names: map[string]func(ec2.Subnet) []string{
		"subnet-id":                  one(func(s ec2.Subnet) *string { return s.SubnetId }),
		"subnet-arn":                 one(func(s ec2.Subnet) *string { return s.SubnetArn }),
		"vpc-id":                     one(func(s ec2.Subnet) *string { return s.VpcId }),
		"cidr":                       one(func(s ec2.Subnet) *string { return s.CidrBlock }),
		"cidrBlock":                  one(func(s ec2.Subnet) *string { return s.CidrBlock }),
		"cidr-block":                 one(func(s ec2.Subnet) *string { return s.CidrBlock }),
		"availability-zone":          one(func(s ec2.Subnet) *string { return s.AvailabilityZone }),
		"availabilityZone":           one(func(s ec2.Subnet) *string { return s.AvailabilityZone }),
		"availability-zone-id":       one(func(s ec2.Subnet) *string { return s.AvailabilityZoneId }),
		"availabilityZoneId":         one(func(s ec2.Subnet) *string { return s.AvailabilityZoneId }),
		"owner-id":                   one(func(s ec2.Subnet) *string { return s.OwnerId }),
		"state":                      func(s ec2.Subnet) []string { return []string{string(s.State)} },
		"default-for-az":             func(s ec2.Subnet) []string { return boolean(s.DefaultForAz) },
		"defaultForAz":               func(s ec2.Subnet) []string { return boolean(s.DefaultForAz) },
		"map-public-ip-on-launch":    func(s ec2.Subnet) []string { return boolean(s.MapPublicIpOnLaunch) },
		"available-ip-address-count": func(s ec2.Subnet) []string { return number(s.AvailableIpAddressCount) },
		"enable-dns64":               func(s ec2.Subnet) []string { return boolean(s.EnableDns64) },
		"ipv6-native":                func(s ec2.Subnet) []string { return boolean(s.Ipv6Native) },

		"ipv6-cidr-block-association.ipv6-cidr-block": each(subnetBlocks6, func(a ec2.SubnetIpv6CidrBlockAssociation) *string { return a.Ipv6CidrBlock }),
		"ipv6-cidr-block-association.association-id":  each(subnetBlocks6, func(a ec2.SubnetIpv6CidrBlockAssociation) *string { return a.AssociationId }),
		"ipv6-cidr-block-association.state": each(subnetBlocks6, func(a ec2.SubnetIpv6CidrBlockAssociation) *string {
			return new(string(a.Ipv6CidrBlockState.State))
		}),
		"map-customer-owned-ip-on-launch": func(s ec2.Subnet) []string { return boolean(s.MapCustomerOwnedIpOnLaunch) },
		"private-dns-name-options-on-launch.hostname-type": func(s ec2.Subnet) []string {
			return []string{string(s.PrivateDnsNameOptionsOnLaunch.HostnameType)}
		},
		"private-dns-name-options-on-launch.enable-resource-name-dns-a-record": func(s ec2.Subnet) []string {
			return boolean(s.PrivateDnsNameOptionsOnLaunch.EnableResourceNameDnsARecord)
		},
		"private-dns-name-options-on-launch.enable-resource-name-dns-aaaa-record": func(s ec2.Subnet) []string {
			return boolean(s.PrivateDnsNameOptionsOnLaunch.EnableResourceNameDnsAAAARecord)
		},
	},
	// There are no Outposts, which alone have these.
	absent: []string{"customer-owned-ipv4-pool", "enable-lni-at-device-index", "outpost-arn"},
	tags:   func(s ec2.Subnet) []ec2.Tag { return s.Tags },
}

func subnetBlocks6(s ec2.Subnet) []ec2.SubnetIpv6CidrBlockAssociation {
	return s.Ipv6CidrBlockAssociationSet
}

// DescribeSubnets shows subnets.
func (s *Server) DescribeSubnets(ctx context.Context, in *ec2.DescribeSubnetsInput) (*ec2.DescribeSubnetsOutput, error) {
	view := s.db.View()
	all := func(yield func(ec2.Subnet) bool) {
		for n := range store.EC2Subnets.Prefix(view, api.CallFrom(ctx).Scope().Key()) {
			if !yield(subnetView(view, n)) {
				return
			}
		}
	}
	out, next, err := describe(all, query{in.SubnetIds, in.Filters, pages.Ask(in, in.NextToken, in.MaxResults)}, subnetFields,
		func(s ec2.Subnet) string { return *s.SubnetId },
		noSubnet)
	return &ec2.DescribeSubnetsOutput{Subnets: out, NextToken: next}, err
}

// DeleteSubnet deletes a subnet without interfaces.
func (s *Server) DeleteSubnet(ctx context.Context, in *ec2.DeleteSubnetInput) (*ec2.DeleteSubnetOutput, error) {
	return &ec2.DeleteSubnetOutput{}, s.update(ctx, func(tx *store.Tx, scope fargo.Scope, _ time.Time) error {
		n, err := findSubnet(tx, scope, *in.SubnetId)
		if err != nil {
			return err
		}
		for range store.EC2NetworkInterfaces.By(tx, store.InterfaceBySubnet, *in.SubnetId) {
			return inUse("The subnet '%s' has dependencies and cannot be deleted.", *in.SubnetId)
		}
		for t := range store.EC2RouteTables.By(tx, store.ByVPC, *n.Subnet.VpcId) {
			if without, had := withoutSubnet(t, *in.SubnetId); had {
				store.EC2RouteTables.Put(tx, without)
			}
		}
		leaveACL(tx, *n.Subnet.VpcId, *in.SubnetId)
		store.EC2Subnets.Delete(tx, n.Key())
		return nil
	})
}

// ModifySubnetAttribute changes what a subnet does for what is started in it.
func (s *Server) ModifySubnetAttribute(ctx context.Context, in *ec2.ModifySubnetAttributeInput) (*ec2.ModifySubnetAttributeOutput, error) {
	set := func(v *ec2.AttributeBooleanValue) bool { return v != nil && aws.Value(v.Value) }
	if err := refuseSet(map[string]bool{
		"EnableDns64": set(in.EnableDns64), "CustomerOwnedIpv4Pool": in.CustomerOwnedIpv4Pool != nil,
		"MapCustomerOwnedIpOnLaunch": set(in.MapCustomerOwnedIpOnLaunch), "EnableLniAtDeviceIndex": in.EnableLniAtDeviceIndex != nil,
	}); err != nil {
		return nil, err
	}
	return &ec2.ModifySubnetAttributeOutput{}, s.update(ctx, func(tx *store.Tx, scope fargo.Scope, _ time.Time) error {
		n, err := findSubnet(tx, scope, *in.SubnetId)
		if err != nil {
			return err
		}
		c := *n
		options := *c.Subnet.PrivateDnsNameOptionsOnLaunch
		if in.AssignIpv6AddressOnCreation != nil {
			if _, has := n.Prefix6(); !has && set(in.AssignIpv6AddressOnCreation) {
				return badValue("Invalid value 'true' for assign-ipv6-address-on-creation. Cannot set assign-ipv6-address-on-creation to true unless the subnet (%s) has an IPv6 CIDR block associated with it.", *in.SubnetId)
			}
			c.Subnet.AssignIpv6AddressOnCreation = new(set(in.AssignIpv6AddressOnCreation))
		}
		if in.MapPublicIpOnLaunch != nil {
			c.Subnet.MapPublicIpOnLaunch = in.MapPublicIpOnLaunch.Value
		}
		if in.PrivateDnsHostnameTypeOnLaunch != "" {
			options.HostnameType = in.PrivateDnsHostnameTypeOnLaunch
		}
		if in.EnableResourceNameDnsARecordOnLaunch != nil {
			options.EnableResourceNameDnsARecord = in.EnableResourceNameDnsARecordOnLaunch.Value
		}
		if in.EnableResourceNameDnsAAAARecordOnLaunch != nil {
			options.EnableResourceNameDnsAAAARecord = in.EnableResourceNameDnsAAAARecordOnLaunch.Value
		}
		c.Subnet.PrivateDnsNameOptionsOnLaunch = &options
		store.EC2Subnets.Put(tx, &c)
		return nil
	})
}

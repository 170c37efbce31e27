package ec2

import (
	"context"
	"net/netip"
	"slices"
	"time"

	"fargo"
	"fargo/api"
	"fargo/aws"
	"fargo/aws/ec2"
	"fargo/aws/protocol"
	"fargo/desired"
	"fargo/plan"
	"fargo/record"
	"fargo/store"
)

// maxInterfaceGroups is how many security groups an interface can be in.
// Source: VPC user guide, "Amazon VPC quotas".
const maxInterfaceGroups = 5

// CreateNetworkInterface makes an interface that is nobody's: it holds an
// address, and no machine has it.
func (s *Server) CreateNetworkInterface(ctx context.Context, in *ec2.CreateNetworkInterfaceInput) (*ec2.CreateNetworkInterfaceOutput, error) {
	if err := refuseSet(map[string]bool{
		"InterfaceType": in.InterfaceType != "", "Ipv4Prefix": len(in.Ipv4Prefixes) > 0, "Ipv4PrefixCount": in.Ipv4PrefixCount != nil,
		"Ipv6Prefix": len(in.Ipv6Prefixes) > 0, "Ipv6PrefixCount": in.Ipv6PrefixCount != nil, "Ipv6Addresses": len(in.Ipv6Addresses) > 0,
		"Ipv6AddressCount": in.Ipv6AddressCount != nil, "SecondaryPrivateIpAddressCount": in.SecondaryPrivateIpAddressCount != nil,
		"PrivateIpAddresses": len(in.PrivateIpAddresses) > 1, "EnablePrimaryIpv6": aws.Value(in.EnablePrimaryIpv6),
		"ConnectionTrackingSpecification": in.ConnectionTrackingSpecification != nil, "Operator": in.Operator != nil,
	}); err != nil {
		return nil, err
	}
	tags, err := requestTags(in.TagSpecifications, ec2.ResourceTypeNetworkInterface)
	if err != nil {
		return nil, err
	}
	wanted, err := wantedAddress(in)
	if err != nil {
		return nil, err
	}
	var made *record.EC2NetworkInterface
	err = s.update(ctx, func(tx *store.Tx, scope fargo.Scope, now time.Time) error {
		n, err := findSubnet(tx, scope, *in.SubnetId)
		if err != nil {
			return err
		}
		vpc := *n.Subnet.VpcId
		groups, err := interfaceGroups(tx, scope, vpc, in.Groups)
		if err != nil {
			return err
		}
		i, ok := plan.InterfaceAt(fargo.NewEC2ID("eni"), plan.Candidate{
			Subnet: *in.SubnetId, VPC: vpc, Zone: *n.Subnet.AvailabilityZone, Prefix: n.Prefix(),
			Taken: func(a netip.Addr) bool { return store.AddressTaken(tx, vpc, a) },
		}, wanted, nil)
		switch {
		case !ok && wanted.IsValid() && plan.Assignable(n.Prefix(), wanted):
			return protocol.Errorf("InvalidIPAddress.InUse", "The specified address is already in use.")
		case !ok && wanted.IsValid():
			return badValue("Address %s does not fall within the subnet's address range", wanted)
		case !ok:
			return protocol.Errorf("InsufficientFreeAddressesInSubnet", "The specified subnet does not have enough free addresses to satisfy the request.")
		}
		made = newInterface(scope, &i, n, groups, in.Description, tags, now)
		store.EC2NetworkInterfaces.Put(tx, made)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &ec2.CreateNetworkInterfaceOutput{NetworkInterface: new(interfaceView(s.db.View(), made)), ClientToken: in.ClientToken}, nil
}

// wantedAddress is the address that a call asks for, in either of two ways.
func wantedAddress(in *ec2.CreateNetworkInterfaceInput) (netip.Addr, error) {
	given := in.PrivateIpAddress
	if len(in.PrivateIpAddresses) == 1 {
		given = in.PrivateIpAddresses[0].PrivateIpAddress
	}
	if given == nil {
		return netip.Addr{}, nil
	}
	a, err := netip.ParseAddr(*given)
	if err != nil || !a.Is4() {
		return a, badValue("Value (%s) for parameter privateIpAddress is invalid. Invalid IPv4 address.", *given)
	}
	return a, nil
}

// interfaceGroups finds an interface's groups: those named, or the VPC's
// default one.
func interfaceGroups(r store.Reader, scope fargo.Scope, vpc string, ids []string) ([]ec2.GroupIdentifier, error) {
	if len(ids) > maxInterfaceGroups {
		return nil, protocol.Errorf("SecurityGroupsPerInterfaceLimitExceeded", "The maximum number of security groups per interface has been reached.")
	}
	var out []ec2.GroupIdentifier
	for g := range store.EC2SecurityGroups.By(r, store.ByVPC, vpc) {
		if slices.Contains(ids, *g.Group.GroupId) || (len(ids) == 0 && *g.Group.GroupName == "default") {
			out = append(out, ec2.GroupIdentifier{GroupId: g.Group.GroupId, GroupName: g.Group.GroupName})
		}
	}
	for _, id := range ids {
		if slices.ContainsFunc(out, func(g ec2.GroupIdentifier) bool { return *g.GroupId == id }) {
			continue
		}
		if _, err := findGroup(r, scope, &id, nil); err != nil {
			return nil, err
		}
		return nil, badValue("You have specified two resources that belong to different networks.")
	}
	return out, nil
}

func newInterface(scope fargo.Scope, i *desired.Interface, n *record.EC2Subnet, groups []ec2.GroupIdentifier, description *string, tags []ec2.Tag, now time.Time) *record.EC2NetworkInterface {
	address, name := i.Address.String(), fargo.PrivateDNSName(scope.Region, i.Address)
	return &record.EC2NetworkInterface{Scope: scope, CreatedAt: now, Interface: ec2.NetworkInterface{
		NetworkInterfaceId: &i.ID, SubnetId: &i.Subnet, VpcId: &i.VPC, OwnerId: &scope.Account, MacAddress: &i.MAC,
		AvailabilityZone: n.Subnet.AvailabilityZone,
		Description:      new(aws.Value(description)), Groups: groups, InterfaceType: ec2.NetworkInterfaceTypeInterface,
		PrivateDnsName: &name, PrivateIpAddress: &address,
		PrivateIpAddresses: []ec2.NetworkInterfacePrivateIpAddress{{Primary: new(true), PrivateDnsName: &name, PrivateIpAddress: &address}},
		Ipv6Addresses:      []ec2.NetworkInterfaceIpv6Address{}, RequesterManaged: new(false), SourceDestCheck: new(true),
		Status: ec2.NetworkInterfaceStatusAvailable, TagSet: tags,
	}}
}

// ModifyNetworkInterfaceAttribute changes an interface's groups, description or
// source check, if it is the user's own.
func (s *Server) ModifyNetworkInterfaceAttribute(ctx context.Context, in *ec2.ModifyNetworkInterfaceAttributeInput) (*ec2.ModifyNetworkInterfaceAttributeOutput, error) {
	if err := refuseSet(map[string]bool{
		"EnaSrdSpecification": in.EnaSrdSpecification != nil, "EnablePrimaryIpv6": aws.Value(in.EnablePrimaryIpv6), "Attachment": in.Attachment != nil,
		"ConnectionTrackingSpecification": in.ConnectionTrackingSpecification != nil, "AssociatePublicIpAddress": aws.Value(in.AssociatePublicIpAddress),
		"AssociatedSubnetId": len(in.AssociatedSubnetIds) > 0,
	}); err != nil {
		return nil, err
	}
	return &ec2.ModifyNetworkInterfaceAttributeOutput{}, s.update(ctx, func(tx *store.Tx, scope fargo.Scope, _ time.Time) error {
		i, ok := store.EC2NetworkInterfaces.Get(tx, scope.Key(*in.NetworkInterfaceId))
		switch {
		case !ok:
			return noInterface(*in.NetworkInterfaceId)
		case i.TaskARN != "" || aws.Value(i.Interface.RequesterManaged):
			return protocol.Errorf("OperationNotPermitted", "You do not have permission to access the specified resource.")
		}
		c := *i
		if in.Groups != nil {
			groups, err := interfaceGroups(tx, scope, *i.Interface.VpcId, in.Groups)
			if err != nil {
				return err
			}
			c.Interface.Groups = groups
		}
		if in.Description != nil {
			c.Interface.Description = in.Description.Value
		}
		if in.SourceDestCheck != nil {
			c.Interface.SourceDestCheck = in.SourceDestCheck.Value
		}
		store.EC2NetworkInterfaces.Put(tx, &c)
		return nil
	})
}

// DescribeNetworkInterfaceAttribute shows one attribute of an interface.
func (s *Server) DescribeNetworkInterfaceAttribute(ctx context.Context, in *ec2.DescribeNetworkInterfaceAttributeInput) (*ec2.DescribeNetworkInterfaceAttributeOutput, error) {
	i, ok := store.EC2NetworkInterfaces.Get(s.db.View(), api.CallFrom(ctx).Scope().Key(*in.NetworkInterfaceId))
	if !ok {
		return nil, noInterface(*in.NetworkInterfaceId)
	}
	out := &ec2.DescribeNetworkInterfaceAttributeOutput{NetworkInterfaceId: in.NetworkInterfaceId}
	switch in.Attribute {
	case ec2.NetworkInterfaceAttributeDescription:
		out.Description = &ec2.AttributeValue{Value: i.Interface.Description}
	case ec2.NetworkInterfaceAttributeGroupSet:
		out.Groups = aws.List(i.Interface.Groups)
	case ec2.NetworkInterfaceAttributeSourceDestCheck:
		out.SourceDestCheck = &ec2.AttributeBooleanValue{Value: i.Interface.SourceDestCheck}
	case ec2.NetworkInterfaceAttributeAttachment:
		out.Attachment = i.Interface.Attachment
	default:
		return nil, badValue("Value (%s) for parameter attribute is invalid. Unknown network interface attribute.", in.Attribute)
	}
	return out, nil
}

package ec2

import (
	"context"
	"slices"
	"time"

	"fargo"
	"fargo/api"
	"fargo/aws"
	"fargo/aws/ec2"
	"fargo/aws/protocol"
	"fargo/record"
	"fargo/store"
)

// ModifyNetworkInterfaceAttribute changes one attribute of an interface, if it is the
// user's own.
func (s *Server) ModifyNetworkInterfaceAttribute(ctx context.Context, in *ec2.ModifyNetworkInterfaceAttributeInput) (*ec2.ModifyNetworkInterfaceAttributeOutput, error) {
	if err := refuseSet(map[string]bool{
		"EnaSrdSpecification": in.EnaSrdSpecification != nil, "ConnectionTrackingSpecification": in.ConnectionTrackingSpecification != nil,
		"AssociatePublicIpAddress": aws.Value(in.AssociatePublicIpAddress), "AssociatedSubnetId": len(in.AssociatedSubnetIds) > 0,
	}); err != nil {
		return nil, err
	}
	given := 0
	for _, set := range []bool{in.Groups != nil, in.Description != nil, in.SourceDestCheck != nil, in.EnablePrimaryIpv6 != nil, in.Attachment != nil} {
		if set {
			given++
		}
	}
	if given > 1 {
		return nil, protocol.Errorf("InvalidParameterCombination", "Fields for multiple attribute types specified")
	}
	return &ec2.ModifyNetworkInterfaceAttributeOutput{}, s.update(ctx, func(tx *store.Tx, scope fargo.Scope, _ time.Time) error {
		i, err := findOwnInterface(tx, scope, *in.NetworkInterfaceId)
		if err != nil {
			return err
		}
		c := *i
		switch {
		case in.Groups != nil:
			if c.Interface.Groups, err = interfaceGroups(tx, scope, *i.Interface.VpcId, in.Groups); err != nil {
				return err
			}
		case in.Description != nil:
			c.Interface.Description = in.Description.Value
		case in.SourceDestCheck != nil:
			c.Interface.SourceDestCheck = in.SourceDestCheck.Value
		case aws.Value(in.EnablePrimaryIpv6):
			c.Interface.Ipv6Addresses = slices.Clone(i.Interface.Ipv6Addresses)
			if err := makePrimary6(&c); err != nil {
				return err
			}
		case in.Attachment != nil: // a user's own interface is attached to nothing
			return protocol.Errorf("InvalidAttachmentID.NotFound", "The attachment ID '%s' does not exist", aws.Value(in.Attachment.AttachmentId))
		}
		store.EC2NetworkInterfaces.Put(tx, &c)
		return nil
	})
}

// makePrimary6 makes an interface's first IPv6 address the primary one, which stays so.
func makePrimary6(i *record.EC2NetworkInterface) error {
	if len(i.Interface.Ipv6Addresses) == 0 {
		return badValue("The network interface %s has no IPv6 address.", *i.Interface.NetworkInterfaceId)
	}
	i.Interface.Ipv6Addresses[0].IsPrimaryIpv6 = new(true)
	return nil
}

// ResetNetworkInterfaceAttribute makes an interface check sources and destinations again.
func (s *Server) ResetNetworkInterfaceAttribute(ctx context.Context, in *ec2.ResetNetworkInterfaceAttributeInput) (*ec2.ResetNetworkInterfaceAttributeOutput, error) {
	return &ec2.ResetNetworkInterfaceAttributeOutput{}, s.update(ctx, func(tx *store.Tx, scope fargo.Scope, _ time.Time) error {
		i, err := findOwnInterface(tx, scope, *in.NetworkInterfaceId)
		switch {
		case err != nil:
			return err
		case in.SourceDestCheck == nil:
			return missingParameter("sourceDestCheck")
		}
		c := *i
		c.Interface.SourceDestCheck = new(true)
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
	case ec2.NetworkInterfaceAttributeAssociatePublicIpAddress:
		out.AssociatePublicIpAddress = new(false)
	default:
		return nil, badValue("Value (%s) for parameter attribute is invalid. Unknown attribute.", in.Attribute)
	}
	return out, nil
}

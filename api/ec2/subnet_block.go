package ec2

import (
	"context"
	"net/netip"
	"slices"
	"time"

	"fargo"
	"fargo/aws"
	"fargo/aws/ec2"
	"fargo/aws/protocol"
	"fargo/record"
	"fargo/store"
)

// Bounds of an IPv6 block of a subnet, whose length is a multiple of four bits.
// Source: VPC user guide, "IPv6 subnet CIDR blocks".
const (
	largestBlock6  = 44
	smallestBlock6 = 64
)

// checkSubnetBlock6 refuses an IPv6 block that a new subnet cannot have.
func checkSubnetBlock6(r store.Reader, v *record.EC2VPC, given string) (netip.Prefix, error) {
	block, err := parseCIDR6(given)
	if err != nil {
		return block, err
	}
	if block.Bits() < largestBlock6 || block.Bits() > smallestBlock6 || block.Bits()%4 != 0 {
		return block, badValue("invalid value for parameter ipv6-cidr-block: %s", given)
	}
	if !slices.ContainsFunc(v.CIDRs6(), func(c netip.Prefix) bool { return c.Contains(block.Addr()) && block.Bits() >= c.Bits() }) {
		return block, protocol.Errorf("InvalidSubnet.Range", "The CIDR '%s' is invalid.", given)
	}
	for o := range store.EC2Subnets.By(r, store.ByVPC, *v.VPC.VpcId) {
		if slices.ContainsFunc(o.Prefixes(), block.Overlaps) {
			return block, protocol.Errorf("InvalidSubnet.Conflict", "The CIDR '%s' conflicts with another subnet", given)
		}
	}
	return block, nil
}

// newSubnetBlock6 is the association of a subnet with an IPv6 block.
func newSubnetBlock6(block netip.Prefix) ec2.SubnetIpv6CidrBlockAssociation {
	return ec2.SubnetIpv6CidrBlockAssociation{
		AssociationId: new(fargo.NewEC2ID("subnet-cidr-assoc")), Ipv6CidrBlock: new(block.String()),
		Ipv6CidrBlockState: &ec2.SubnetCidrBlockState{State: ec2.SubnetCidrBlockStateCodeAssociated},
		IpSource:           ec2.IpSourceAmazon, Ipv6AddressAttribute: ec2.Ipv6AddressAttributePublic,
	}
}

// AssociateSubnetCidrBlock gives a subnet an IPv6 block of its VPC's.
func (s *Server) AssociateSubnetCidrBlock(ctx context.Context, in *ec2.AssociateSubnetCidrBlockInput) (*ec2.AssociateSubnetCidrBlockOutput, error) {
	if err := refuseSet(map[string]bool{"Ipv6IpamPoolId": in.Ipv6IpamPoolId != nil, "Ipv6NetmaskLength": in.Ipv6NetmaskLength != nil}); err != nil {
		return nil, err
	}
	if in.Ipv6CidrBlock == nil {
		return nil, missingEither("ipv6CidrBlock", "ipv6IpamPoolId")
	}
	out := &ec2.AssociateSubnetCidrBlockOutput{SubnetId: in.SubnetId}
	return out, s.update(ctx, func(tx *store.Tx, scope fargo.Scope, _ time.Time) error {
		n, err := findSubnet(tx, scope, *in.SubnetId)
		if err != nil {
			return err
		}
		v, err := findVPC(tx, scope, *n.Subnet.VpcId)
		if err != nil {
			return err
		}
		if _, has := n.Prefix6(); has {
			return protocol.Errorf("CidrLimitExceeded", "The subnet %s has an IPv6 CIDR block already.", *in.SubnetId)
		}
		block, err := checkSubnetBlock6(tx, v, *in.Ipv6CidrBlock)
		if err != nil {
			return err
		}
		made := newSubnetBlock6(block)
		c := *n
		c.Subnet.Ipv6CidrBlockAssociationSet = append(slices.Clone(n.Subnet.Ipv6CidrBlockAssociationSet), made)
		store.EC2Subnets.Put(tx, &c)
		made.Ipv6CidrBlockState = &ec2.SubnetCidrBlockState{State: ec2.SubnetCidrBlockStateCodeAssociating}
		out.Ipv6CidrBlockAssociation = &made
		return nil
	})
}

// subnetOfBlock is the subnet with an association, nil for none.
func subnetOfBlock(r store.Reader, scope fargo.Scope, association string) *record.EC2Subnet {
	for n := range store.EC2Subnets.Prefix(r, scope.Key()) {
		if subnetBlockIndex(n, association) >= 0 {
			return n
		}
	}
	return nil
}

func subnetBlockIndex(n *record.EC2Subnet, association string) int {
	return slices.IndexFunc(n.Subnet.Ipv6CidrBlockAssociationSet, func(a ec2.SubnetIpv6CidrBlockAssociation) bool { return *a.AssociationId == association })
}

// DisassociateSubnetCidrBlock takes the IPv6 block from a subnet in which nothing has an
// address of it.
func (s *Server) DisassociateSubnetCidrBlock(ctx context.Context, in *ec2.DisassociateSubnetCidrBlockInput) (*ec2.DisassociateSubnetCidrBlockOutput, error) {
	out := &ec2.DisassociateSubnetCidrBlockOutput{}
	return out, s.update(ctx, func(tx *store.Tx, scope fargo.Scope, _ time.Time) error {
		id := *in.AssociationId
		n := subnetOfBlock(tx, scope, id)
		switch {
		case n == nil:
			return protocol.Errorf("InvalidSubnetCidrBlockAssociationID.NotFound", "The subnet CIDR block with association ID '%s' does not exist", id)
		case aws.Value(n.Subnet.Ipv6Native):
			return protocol.Errorf("OperationNotPermitted", "The subnet IPv6 CIDR block with association ID %s may not be disassociated, because its subnet has only IPv6.", id)
		case aws.Value(n.Subnet.AssignIpv6AddressOnCreation):
			return protocol.Errorf("InvalidCidrBlock.InUse", "The subnet IPv6 CIDR block with association ID %s may not be disassociated, because its subnet has assign-ipv6-address-on-creation set to true.", id)
		}
		for i := range store.EC2NetworkInterfaces.By(tx, store.InterfaceBySubnet, *n.Subnet.SubnetId) {
			if len(i.Interface.Ipv6Addresses) > 0 {
				return protocol.Errorf("InvalidCidrBlock.InUse", "The subnet IPv6 CIDR block with association ID %s may not be disassociated, because network interface %s has an address of it.", id, *i.Interface.NetworkInterfaceId)
			}
		}
		place := subnetBlockIndex(n, id)
		gone := n.Subnet.Ipv6CidrBlockAssociationSet[place]
		c := *n
		c.Subnet.Ipv6CidrBlockAssociationSet = slices.Delete(slices.Clone(n.Subnet.Ipv6CidrBlockAssociationSet), place, place+1)
		store.EC2Subnets.Put(tx, &c)
		gone.Ipv6CidrBlockState = &ec2.SubnetCidrBlockState{State: ec2.SubnetCidrBlockStateCodeDisassociating}
		out.SubnetId, out.Ipv6CidrBlockAssociation = n.Subnet.SubnetId, &gone
		return nil
	})
}

package record

import (
	"net/netip"
	"slices"

	"fargo/aws/ec2"
)

// Public is the public IPv4 address of an interface's primary private one; the zero
// Addr when it has none.
func (i *EC2NetworkInterface) Public() netip.Addr {
	if i.Interface.Association == nil {
		return netip.Addr{}
	}
	return netip.MustParseAddr(*i.Interface.Association.PublicIp)
}

// WithAssociation is an interface with an association of one of its private addresses;
// nil for none.
func (i *EC2NetworkInterface) WithAssociation(private string, a *ec2.NetworkInterfaceAssociation) *EC2NetworkInterface {
	c := *i
	c.Interface.PrivateIpAddresses = slices.Clone(i.Interface.PrivateIpAddresses)
	for n := range c.Interface.PrivateIpAddresses {
		if p := &c.Interface.PrivateIpAddresses[n]; *p.PrivateIpAddress == private {
			p.Association = a
		}
	}
	if private == *c.Interface.PrivateIpAddress {
		c.Interface.Association = a
	}
	return &c
}

// AssociatedWith is an Elastic IP address with an association with a private address of
// an interface.
func (a *EC2Address) AssociatedWith(i *EC2NetworkInterface, private, association string) *EC2Address {
	c := *a
	c.Address.AssociationId, c.Address.PrivateIpAddress = &association, &private
	c.Address.NetworkInterfaceId, c.Address.NetworkInterfaceOwnerId = i.Interface.NetworkInterfaceId, i.Interface.OwnerId
	return &c
}

// Disassociated is an Elastic IP address without an association.
func (a *EC2Address) Disassociated() *EC2Address {
	c := *a
	c.Address.AssociationId, c.Address.PrivateIpAddress = nil, nil
	c.Address.NetworkInterfaceId, c.Address.NetworkInterfaceOwnerId = nil, nil
	return &c
}

// Association is what an interface shows of an Elastic IP address that is associated
// with it. The public name is not kept: it depends on the VPC.
func (a *EC2Address) Association() *ec2.NetworkInterfaceAssociation {
	return &ec2.NetworkInterfaceAssociation{
		AllocationId: a.Address.AllocationId, AssociationId: a.Address.AssociationId,
		IpOwnerId: &a.Scope.Account, PublicIp: a.Address.PublicIp,
	}
}

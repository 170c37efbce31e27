package ec2

import (
	"context"
	"slices"
	"time"

	"fargo"
	"fargo/aws"
	"fargo/aws/ec2"
	"fargo/aws/protocol"
	"fargo/record"
	"fargo/store"
)

// AssociateAddress has a private address of an interface of the user's own be reached at
// an Elastic IP address. Asking again for what there is changes nothing.
func (s *Server) AssociateAddress(ctx context.Context, in *ec2.AssociateAddressInput) (*ec2.AssociateAddressOutput, error) {
	if err := eitherAddress(in.AllocationId, in.PublicIp); err != nil {
		return nil, err
	}
	switch {
	case in.InstanceId == nil && in.NetworkInterfaceId == nil:
		return nil, protocol.Errorf("MissingParameter", "Either instance ID or network interface id must be specified")
	case in.InstanceId != nil:
		return nil, noSuch("i")(*in.InstanceId) // there are no instances
	}
	out := &ec2.AssociateAddressOutput{}
	return out, s.update(ctx, func(tx *store.Tx, scope fargo.Scope, _ time.Time) error {
		a, err := associable(tx, scope, in)
		if err != nil {
			return err
		}
		i, private, err := associationTarget(tx, scope, in)
		if err != nil {
			return err
		}
		switch of := a.Address; {
		case of.AssociationId == nil:
		case *of.NetworkInterfaceId == *in.NetworkInterfaceId && *of.PrivateIpAddress == private:
			out.AssociationId = of.AssociationId
			return nil
		case in.AllowReassociation != nil && !*in.AllowReassociation:
			return protocol.Errorf("Resource.AlreadyAssociated", "resource %s is already associated with associate-id %s", *of.AllocationId, *of.AssociationId)
		case isManaged(tx, a):
			return notManageable()
		}
		out.AssociationId = new(fargo.NewEC2ID("eipassoc"))
		store.AssociateAddress(tx, a, i, private, *out.AssociationId)
		return nil
	})
}

// associable is the address that a call wants to associate.
func associable(r store.Reader, scope fargo.Scope, in *ec2.AssociateAddressInput) (*record.EC2Address, error) {
	if in.AllocationId != nil {
		return findAddress(r, scope, *in.AllocationId)
	}
	if addressByIP(r, scope, *in.PublicIp) == nil {
		return nil, notYours(*in.PublicIp)
	}
	return nil, protocol.Errorf("InvalidParameterCombination", "You must specify an allocation id when mapping an address to a VPC instance")
}

// associationTarget finds the interface that a call names, and the private address on it.
func associationTarget(r store.Reader, scope fargo.Scope, in *ec2.AssociateAddressInput) (*record.EC2NetworkInterface, string, error) {
	i, ok := store.EC2NetworkInterfaces.Get(r, scope.Key(*in.NetworkInterfaceId))
	switch {
	case !ok:
		return nil, "", noInterface(*in.NetworkInterfaceId)
	case i.TaskARN != "" || aws.Value(i.Interface.RequesterManaged):
		return nil, "", notManageable()
	case !hasGateway(r, scope, *i.Interface.VpcId):
		return nil, "", protocol.Errorf("Gateway.NotAttached", "Network %s is not attached to any internet gateway", *i.Interface.VpcId)
	case in.PrivateIpAddress == nil:
		return i, *i.Interface.PrivateIpAddress, nil
	}
	if !slices.ContainsFunc(i.Interface.PrivateIpAddresses, func(p ec2.NetworkInterfacePrivateIpAddress) bool {
		return *p.PrivateIpAddress == *in.PrivateIpAddress
	}) {
		return nil, "", badValue("The address %s is not an address of the network interface %s.", *in.PrivateIpAddress, *in.NetworkInterfaceId)
	}
	return i, *in.PrivateIpAddress, nil
}

// hasGateway reports whether a VPC has an Internet gateway.
func hasGateway(r store.Reader, scope fargo.Scope, vpc string) bool {
	for g := range store.EC2InternetGateways.Prefix(r, scope.Key()) {
		for _, a := range g.Gateway.Attachments {
			if aws.Value(a.VpcId) == vpc {
				return true
			}
		}
	}
	return false
}

// isManaged reports whether an address is associated with an interface that a service
// has made: a load balancer's, or a NAT gateway's.
func isManaged(r store.Reader, a *record.EC2Address) bool {
	i, ok := store.EC2NetworkInterfaces.Get(r, a.Scope.Key(aws.Value(a.Address.NetworkInterfaceId)))
	return ok && aws.Value(i.Interface.RequesterManaged)
}

// DisassociateAddress takes an Elastic IP address from the user's interface that has it.
func (s *Server) DisassociateAddress(ctx context.Context, in *ec2.DisassociateAddressInput) (*ec2.DisassociateAddressOutput, error) {
	switch {
	case in.AssociationId == nil && in.PublicIp == nil:
		return nil, protocol.Errorf("MissingParameter", "Either public IP or association id must be specified")
	case in.AssociationId != nil && in.PublicIp != nil:
		return nil, protocol.Errorf("InvalidParameterCombination", "You may specify public IP or association id, but not both in the same call")
	}
	return &ec2.DisassociateAddressOutput{}, s.update(ctx, func(tx *store.Tx, scope fargo.Scope, _ time.Time) error {
		if in.PublicIp != nil {
			if addressByIP(tx, scope, *in.PublicIp) == nil {
				return notYours(*in.PublicIp)
			}
			return badValue("You must specify an association id when unmapping an address from a VPC instance")
		}
		a := addressByAssociation(tx, scope, *in.AssociationId)
		switch {
		case a == nil:
			return noSuch("eipassoc")(*in.AssociationId)
		case isManaged(tx, a):
			return notManageable()
		}
		store.DisassociateAddress(tx, a)
		return nil
	})
}

// addressByAssociation is the address with an association; nil when there is none.
func addressByAssociation(r store.Reader, scope fargo.Scope, association string) *record.EC2Address {
	for a := range store.EC2Addresses.Prefix(r, scope.Key()) {
		if aws.Value(a.Address.AssociationId) == association {
			return a
		}
	}
	return nil
}

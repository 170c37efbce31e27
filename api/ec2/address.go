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

// publicPool is the name of the pool of addresses that are nobody's own.
const publicPool = "amazon"

// AllocateAddress gives the account an Elastic IP address.
func (s *Server) AllocateAddress(ctx context.Context, in *ec2.AllocateAddressInput) (*ec2.AllocateAddressOutput, error) {
	if err := refuseSet(map[string]bool{
		"PublicIpv4Pool":        aws.Value(in.PublicIpv4Pool) != "" && *in.PublicIpv4Pool != publicPool,
		"CustomerOwnedIpv4Pool": in.CustomerOwnedIpv4Pool != nil, "IpamPoolId": in.IpamPoolId != nil,
	}); err != nil {
		return nil, err
	}
	if in.Domain == ec2.DomainTypeStandard {
		return nil, badValue("Value (%s) for parameter domain is invalid. There is no EC2-Classic any more.", in.Domain)
	}
	if region := api.CallFrom(ctx).Region; aws.Value(in.NetworkBorderGroup) != "" && *in.NetworkBorderGroup != region {
		return nil, badValue("Value (%s) for parameter networkBorderGroup is invalid. The only group of the region is %s.", *in.NetworkBorderGroup, region)
	}
	tags, err := requestTags(in.TagSpecifications, ec2.ResourceTypeElasticIp)
	if err != nil {
		return nil, err
	}
	var made *record.EC2Address
	err = s.update(ctx, func(tx *store.Tx, scope fargo.Scope, _ time.Time) error {
		if countAddresses(tx, scope) >= s.elasticIPs {
			return protocol.Errorf("AddressLimitExceeded", "The maximum number of addresses has been reached.")
		}
		id := fargo.NewEC2ID("eipalloc")
		ip, err := s.allocatable(tx, id, in.Address)
		if err != nil {
			return err
		}
		made = &record.EC2Address{Scope: scope, Address: ec2.Address{
			AllocationId: &id, PublicIp: new(ip.String()), Domain: ec2.DomainTypeVpc,
			PublicIpv4Pool: new(publicPool), NetworkBorderGroup: &scope.Region, Tags: tags,
		}}
		store.EC2Addresses.Put(tx, made)
		return nil
	})
	if err != nil {
		return nil, err
	}
	a := &made.Address
	return &ec2.AllocateAddressOutput{
		AllocationId: a.AllocationId, PublicIp: a.PublicIp, Domain: a.Domain,
		PublicIpv4Pool: a.PublicIpv4Pool, NetworkBorderGroup: a.NetworkBorderGroup,
	}, nil
}

func countAddresses(r store.Reader, scope fargo.Scope) (n int) {
	for range store.EC2Addresses.Prefix(r, scope.Key()) {
		n++
	}
	return n
}

// allocatable is a free public address: the one that is wanted, or any.
func (s *Server) allocatable(r store.Reader, seed string, wanted *string) (netip.Addr, error) {
	taken := func(a netip.Addr) bool { return store.PublicAddressTaken(r, a) }
	if wanted == nil {
		a, ok := plan.FreePublicAddress(s.public, seed, taken)
		if !ok {
			return a, protocol.Errorf("InsufficientAddressCapacity", "There are not enough free addresses to satisfy the request.").WithStatus(503)
		}
		return a, nil
	}
	a, err := netip.ParseAddr(*wanted)
	if err != nil || !plan.IsPublicAddress(s.public, a) || taken(a) {
		return a, noAddress(*wanted)
	}
	return a, nil
}

// noAddress is the error of a public address that is not the account's.
func noAddress(ip string) error {
	return protocol.Errorf("InvalidAddress.NotFound", "Address '%s' not found.", ip)
}

// notManageable is the error of what a service manages for the account.
func notManageable() error {
	return protocol.Errorf("AuthFailure", "You do not have permission to access the specified resource.")
}

// ReleaseAddress gives an Elastic IP address back that nothing is associated with.
func (s *Server) ReleaseAddress(ctx context.Context, in *ec2.ReleaseAddressInput) (*ec2.ReleaseAddressOutput, error) {
	if err := eitherAddress(in.AllocationId, in.PublicIp); err != nil {
		return nil, err
	}
	return &ec2.ReleaseAddressOutput{}, s.update(ctx, func(tx *store.Tx, scope fargo.Scope, _ time.Time) error {
		if in.PublicIp != nil {
			if addressByIP(tx, scope, *in.PublicIp) == nil {
				return notYours(*in.PublicIp)
			}
			return badValue("You must specify an allocation id when releasing a VPC elastic IP address")
		}
		a, err := findAddress(tx, scope, *in.AllocationId)
		switch {
		case err != nil:
			return err
		case aws.Value(in.NetworkBorderGroup) != "" && *in.NetworkBorderGroup != *a.Address.NetworkBorderGroup:
			return noAddress(*a.Address.PublicIp)
		case a.Address.AssociationId != nil:
			return protocol.Errorf("InvalidIPAddress.InUse", "Address %s is in use.", *a.Address.PublicIp)
		case a.PTR != "":
			return protocol.Errorf("InvalidAddress.PtrSet", "The address with allocation id [%s] cannot be released because it has a PTR record set.", *a.Address.AllocationId)
		}
		store.EC2Addresses.Delete(tx, a.Key())
		return nil
	})
}

// eitherAddress refuses a call that names no address, or names it twice.
func eitherAddress(allocation, ip *string) error {
	switch {
	case allocation == nil && ip == nil:
		return protocol.Errorf("MissingParameter", "Either public IP or allocation id must be specified")
	case allocation != nil && ip != nil:
		return protocol.Errorf("InvalidParameterCombination", "You may specify public IP or allocation id, but not both in the same call")
	}
	return nil
}

// notYours is the error of a public address that the account has not allocated.
func notYours(ip string) error {
	return protocol.Errorf("AuthFailure", "The address '%s' does not belong to you.", ip)
}

func findAddress(r store.Reader, scope fargo.Scope, allocation string) (*record.EC2Address, error) {
	a, ok := store.EC2Addresses.Get(r, scope.Key(allocation))
	if !ok {
		return nil, noSuch("eipalloc")(allocation)
	}
	return a, nil
}

// addressByIP is the account's Elastic IP address; nil when it has not allocated that.
func addressByIP(r store.Reader, scope fargo.Scope, ip string) *record.EC2Address {
	for a := range store.EC2Addresses.By(r, store.AddressByPublicIP, ip) {
		if a.Scope == scope {
			return a
		}
	}
	return nil
}

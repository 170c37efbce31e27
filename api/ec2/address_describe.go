package ec2

import (
	"context"
	"slices"

	"fargo/api"
	"fargo/aws"
	"fargo/aws/ec2"
	"fargo/record"
	"fargo/store"
)

// anAddress shortens the accessors below.
type anAddress = *record.EC2Address

var addressFields = fields[anAddress]{
	operation: "DescribeAddresses",
	names: map[string]func(anAddress) []string{
		"allocation-id":              one(func(a anAddress) *string { return a.Address.AllocationId }),
		"association-id":             one(func(a anAddress) *string { return a.Address.AssociationId }),
		"network-border-group":       one(func(a anAddress) *string { return a.Address.NetworkBorderGroup }),
		"network-interface-id":       one(func(a anAddress) *string { return a.Address.NetworkInterfaceId }),
		"network-interface-owner-id": one(func(a anAddress) *string { return a.Address.NetworkInterfaceOwnerId }),
		"private-ip-address":         one(func(a anAddress) *string { return a.Address.PrivateIpAddress }),
		"public-ip":                  one(func(a anAddress) *string { return a.Address.PublicIp }),
		// Not documented, and used all the same.
		"domain": func(a anAddress) []string { return []string{string(a.Address.Domain)} },
	},
	absent: []string{"instance-id"},
	tags:   func(a anAddress) []ec2.Tag { return a.Address.Tags },
}

// DescribeAddresses shows the account's Elastic IP addresses: all, or those that are
// named by their allocations or by themselves.
func (s *Server) DescribeAddresses(ctx context.Context, in *ec2.DescribeAddressesInput) (*ec2.DescribeAddressesOutput, error) {
	r, scope := s.db.View(), api.CallFrom(ctx).Scope()
	allocations := slices.Clone(in.AllocationIds)
	for _, ip := range in.PublicIps {
		a := addressByIP(r, scope, ip)
		if a == nil {
			return nil, noAddress(ip)
		}
		allocations = append(allocations, *a.Address.AllocationId)
	}
	found, _, err := describe(store.EC2Addresses.Prefix(r, scope.Key()), query{ids: allocations, filters: in.Filters}, addressFields,
		func(a anAddress) string { return *a.Address.AllocationId }, noSuch("eipalloc"))
	out := &ec2.DescribeAddressesOutput{Addresses: []ec2.Address{}}
	for _, a := range found {
		out.Addresses = append(out.Addresses, a.Address)
	}
	return out, err
}

// DescribeAddressesAttribute shows the names that the reverse records of Elastic IP
// addresses are to have.
func (s *Server) DescribeAddressesAttribute(ctx context.Context, in *ec2.DescribeAddressesAttributeInput) (*ec2.DescribeAddressesAttributeOutput, error) {
	found, next, err := describe(store.EC2Addresses.Prefix(s.db.View(), api.CallFrom(ctx).Scope().Key()),
		query{ids: in.AllocationIds, page: pages.Ask(in, in.NextToken, in.MaxResults)}, addressFields,
		func(a anAddress) string { return *a.Address.AllocationId }, noSuch("eipalloc"))
	out := &ec2.DescribeAddressesAttributeOutput{Addresses: []ec2.AddressAttribute{}, NextToken: next}
	for _, a := range found {
		out.Addresses = append(out.Addresses, addressAttribute(a))
	}
	return out, err
}

func addressAttribute(a *record.EC2Address) ec2.AddressAttribute {
	return ec2.AddressAttribute{
		AllocationId: a.Address.AllocationId, PublicIp: a.Address.PublicIp, PtrRecord: aws.NonZero(a.PTR),
	}
}

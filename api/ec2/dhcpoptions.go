package ec2

import (
	"context"
	"slices"

	"fargo"
	"fargo/api"
	"fargo/aws/ec2"
)

// dhcpOptions is the one set of DHCP options there is: the VPC's own resolver.
const dhcpOptions = "dopt-00000000000000001"

var dhcpFields = fields[ec2.DhcpOptions]{
	operation: "DescribeDhcpOptions",
	names: map[string]func(ec2.DhcpOptions) []string{
		"dhcp-options-id": one(func(o ec2.DhcpOptions) *string { return o.DhcpOptionsId }),
		"owner-id":        one(func(o ec2.DhcpOptions) *string { return o.OwnerId }),
		"key":             each(dhcpConfigurations, func(c ec2.DhcpConfiguration) *string { return c.Key }),
		"value":           each(dhcpConfigurations, func(c ec2.DhcpConfiguration) *string { return c.Values[0].Value }),
	},
	tags: func(ec2.DhcpOptions) []ec2.Tag { return nil },
}

func dhcpConfigurations(o ec2.DhcpOptions) []ec2.DhcpConfiguration { return o.DhcpConfigurations }

// DescribeDhcpOptions shows the options that every VPC has.
func (s *Server) DescribeDhcpOptions(ctx context.Context, in *ec2.DescribeDhcpOptionsInput) (*ec2.DescribeDhcpOptionsOutput, error) {
	scope := api.CallFrom(ctx).Scope()
	all := []ec2.DhcpOptions{{
		DhcpOptionsId: new(dhcpOptions), OwnerId: &scope.Account, Tags: []ec2.Tag{},
		DhcpConfigurations: []ec2.DhcpConfiguration{
			{Key: new("domain-name"), Values: []ec2.AttributeValue{{Value: new(fargo.PrivateDomain(scope.Region))}}},
			{Key: new("domain-name-servers"), Values: []ec2.AttributeValue{{Value: new("AmazonProvidedDNS")}}},
		},
	}}
	found, next, err := describe(slices.Values(all), query{in.DhcpOptionsIds, in.Filters, pages.Ask(in, in.NextToken, in.MaxResults)}, dhcpFields,
		func(o ec2.DhcpOptions) string { return *o.DhcpOptionsId },
		noSuch("dopt"))
	return &ec2.DescribeDhcpOptionsOutput{DhcpOptions: found, NextToken: next}, err
}

package plan

import (
	"net/netip"
	"strings"

	"fargo"
	"fargo/aws"
	"fargo/aws/ec2"
	"fargo/desired"
	"fargo/record"
)

const (
	// DefaultDHCPOptions is the id of the set of DHCP options that a VPC begins with,
	// the same in every account and region.
	DefaultDHCPOptions = "dopt-00000000000000001"
	// NoDHCPOptions is what a VPC has instead of the id of a set when it has none.
	// Source: EC2 API, AssociateDhcpOptions.
	NoDHCPOptions = "default"
	// AmazonDNS means the VPC's resolver among the servers of a set.
	AmazonDNS = "AmazonProvidedDNS"
)

// The DHCP options that act on tasks. Source: EC2 API, CreateDhcpOptions.
const (
	DHCPDomainName    = "domain-name"
	DHCPDomainServers = "domain-name-servers"
)

// DHCPOptions is the set that VPCs begin with.
// Source: VPC user guide, "DHCP option sets".
func DHCPOptions(scope fargo.Scope) *record.EC2DHCPOptions {
	return &record.EC2DHCPOptions{Scope: scope, Options: ec2.DhcpOptions{
		DhcpOptionsId: new(DefaultDHCPOptions), OwnerId: &scope.Account, Tags: []ec2.Tag{},
		DhcpConfigurations: []ec2.DhcpConfiguration{
			{Key: new(DHCPDomainName), Values: []ec2.AttributeValue{{Value: new(fargo.PrivateDomain(scope.Region))}}},
			{Key: new(DHCPDomainServers), Values: []ec2.AttributeValue{{Value: new(AmazonDNS)}}},
		},
	}}
}

// Resolver is what a task that starts in a VPC finds in its resolv.conf, by the VPC's
// set of DHCP options, nil for none; and nil for the one that VPCs begin with.
func Resolver(v *record.EC2VPC, set *record.EC2DHCPOptions) *desired.Resolver {
	if id := aws.Value(v.VPC.DhcpOptionsId); id == DefaultDHCPOptions || id == "" {
		return nil
	}
	r := &desired.Resolver{}
	if set == nil {
		return r
	}
	for _, c := range set.Options.DhcpConfigurations {
		for _, value := range c.Values {
			switch *c.Key {
			case DHCPDomainName:
				r.Search = append(r.Search, strings.Fields(*value.Value)...)
			case DHCPDomainServers:
				if *value.Value == AmazonDNS {
					r.Servers = append(r.Servers, desired.VPCResolver)
				} else if a, err := netip.ParseAddr(*value.Value); err == nil {
					r.Servers = append(r.Servers, a)
				}
			}
		}
	}
	return r
}

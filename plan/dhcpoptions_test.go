package plan

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"fargo"
	"fargo/aws/ec2"
	"fargo/desired"
	"fargo/record"
)

func TestResolver(t *testing.T) {
	set := func(key string, values ...string) ec2.DhcpConfiguration {
		c := ec2.DhcpConfiguration{Key: &key}
		for _, v := range values {
			c.Values = append(c.Values, ec2.AttributeValue{Value: &v})
		}
		return c
	}
	own := &record.EC2DHCPOptions{Options: ec2.DhcpOptions{DhcpConfigurations: []ec2.DhcpConfiguration{
		set(DHCPDomainName, "corp.example lab.example\nnameserver 9.9.9.9"), set(DHCPDomainServers, "10.0.0.5", AmazonDNS), set("ntp-servers", "10.0.0.6"),
	}}}
	for _, test := range []struct {
		name, id string
		set      *record.EC2DHCPOptions
		want     *desired.Resolver
	}{
		{"a VPC of an older store", "", nil, nil},
		{"the set that VPCs begin with", DefaultDHCPOptions, DHCPOptions(fargo.Scope{Region: "us-east-1"}), nil},
		{"none", NoDHCPOptions, nil, &desired.Resolver{}},
		{"one of the user's own", "dopt-1", own, &desired.Resolver{
			Search:  []string{"corp.example", "lab.example", "nameserver", "9.9.9.9"}, // no line of its own
			Servers: []netip.Addr{netip.MustParseAddr("10.0.0.5"), desired.VPCResolver},
		}},
	} {
		v := &record.EC2VPC{VPC: ec2.Vpc{DhcpOptionsId: &test.id}}
		if diff := cmp.Diff(test.want, Resolver(v, test.set), cmpopts.EquateComparable(netip.Addr{})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
	}
}

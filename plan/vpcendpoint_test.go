package plan

import (
	"fmt"
	"net/netip"
	"testing"

	"fargo/aws/ec2"
	"fargo/desired"
	"fargo/record"
)

// TestEndpointRecords holds which addresses the regional and the private name of an
// endpoint have.
func TestEndpointRecords(t *testing.T) {
	four, six := netip.MustParseAddr("10.0.0.9"), netip.MustParseAddr("2001:db8::9")
	dual, only6 := desired.Interface{ID: "eni-1", Address: four, IPv6: six}, desired.Interface{ID: "eni-1", IPv6: six}
	tests := []struct {
		kind              ec2.IpAddressType
		records           ec2.DnsRecordIpType
		at                desired.Interface
		regional, private string
	}{
		{ec2.IpAddressTypeIpv4, ec2.DnsRecordIpTypeIpv4, desired.Interface{ID: "eni-1", Address: four}, "[10.0.0.9]", "[10.0.0.9]"},
		{ec2.IpAddressTypeDualstack, ec2.DnsRecordIpTypeDualstack, dual, "[10.0.0.9 2001:db8::9]", "[10.0.0.9 2001:db8::9]"},
		{ec2.IpAddressTypeDualstack, ec2.DnsRecordIpTypeIpv4, dual, "[10.0.0.9]", "[10.0.0.9]"},
		{ec2.IpAddressTypeDualstack, ec2.DnsRecordIpTypeIpv6, dual, "[2001:db8::9]", "[2001:db8::9]"},
		{ec2.IpAddressTypeDualstack, ec2.DnsRecordIpTypeServiceDefined, dual, "[10.0.0.9 2001:db8::9]", "[10.0.0.9]"},
		{ec2.IpAddressTypeIpv6, ec2.DnsRecordIpTypeServiceDefined, only6, "[2001:db8::9]", "[2001:db8::9]"},
	}
	for _, c := range tests {
		e := &record.EC2VPCEndpoint{Interfaces: []desired.Interface{c.at}, Endpoint: ec2.VpcEndpoint{
			VpcId: new("vpc-1"), State: EndpointAvailable, IpAddressType: c.kind, DnsOptions: &ec2.DnsOptions{DnsRecordIpType: c.records},
			DnsEntries: []ec2.DnsEntry{{DnsName: new("a.vpce.amazonaws.com")}, {DnsName: new("a-us-east-1a.vpce.amazonaws.com")}, {DnsName: new("logs.amazonaws.com")}},
		}}
		got := map[string]string{}
		for _, r := range EndpointRecords([]*record.EC2VPCEndpoint{e}) {
			got[r.Name] = fmt.Sprint(r.Addresses)
		}
		if got["a.vpce.amazonaws.com"] != c.regional || got["a-us-east-1a.vpce.amazonaws.com"] != c.regional || got["logs.amazonaws.com"] != c.private {
			t.Errorf("%s with records %s: %v", c.kind, c.records, got)
		}
	}
}

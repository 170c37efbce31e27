package fargo

import (
	"net/netip"
	"strings"
)

// PrivateDNSName is the name EC2 gives a private address.
// Source: VPC user guide, "DNS attributes for your VPC".
func PrivateDNSName(region string, a netip.Addr) string {
	return "ip-" + strings.ReplaceAll(a.String(), ".", "-") + "." + PrivateDomain(region)
}

// PrivateDomain is what the private names of a region's interfaces end in.
// Source: VPC user guide, "DHCP option sets".
func PrivateDomain(region string) string {
	if region == "us-east-1" {
		return "ec2.internal"
	}
	return region + ".compute.internal"
}

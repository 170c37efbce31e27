package fargo

import (
	"net/netip"
	"strings"
)

// PrivateDNSName is the name EC2 gives a private address. That of an IPv6 address is
// ours: EC2 names what has no other by the id of its instance.
// Source: VPC user guide, "DNS attributes for your VPC".
func PrivateDNSName(region string, a netip.Addr) string {
	return "ip-" + strings.NewReplacer(".", "-", ":", "-").Replace(a.String()) + "." + PrivateDomain(region)
}

// PublicDNSName is the name EC2 gives a public address in VPCs with DNS host names.
// Source: VPC user guide, "DNS attributes for your VPC".
func PublicDNSName(region string, a netip.Addr) string {
	domain := region + ".compute.amazonaws.com"
	if region == "us-east-1" {
		domain = "compute-1.amazonaws.com"
	}
	return "ec2-" + strings.ReplaceAll(a.String(), ".", "-") + "." + domain
}

// PrivateDomain is what the private names of a region's interfaces end in.
// Source: VPC user guide, "DHCP option sets".
func PrivateDomain(region string) string {
	if region == "us-east-1" {
		return "ec2.internal"
	}
	return region + ".compute.internal"
}

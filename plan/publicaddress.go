package plan

import (
	"encoding/binary"
	"net/netip"

	"fargo/aws/ec2"
)

// FreePublicAddress finds a public address of a range that is not taken, and neither
// its first nor its last, which some take for a network's own; ok is false when there is
// none. Where the search begins follows from seed.
func FreePublicAddress(of netip.Prefix, seed string, taken func(netip.Addr) bool) (addr netip.Addr, ok bool) {
	if !of.IsValid() {
		return netip.Addr{}, false
	}
	return freeOf(of, 1, 1<<(32-of.Bits())-2, seed, taken)
}

// IsPublicAddress reports whether an interface may have a public address: it is in the
// range, and neither its first nor its last.
func IsPublicAddress(of netip.Prefix, a netip.Addr) bool {
	if !a.Is4() || !of.IsValid() || !of.Contains(a) {
		return false
	}
	n := position(of, a)
	return n > 0 && n < 1<<(32-of.Bits())-1
}

// position is how far an address is from the first of its range.
func position(of netip.Prefix, a netip.Addr) int {
	return int(binary.BigEndian.Uint32(a.AsSlice())) - int(binary.BigEndian.Uint32(of.Masked().Addr().AsSlice()))
}

// The owners of public addresses that are given automatically, as interfaces show them.
// Sources: DescribeNetworkInterfaces of tasks and of load balancers in public reports.
const (
	OwnerAmazon = "amazon"
	OwnerELB    = "amazon-elb"
)

// AutoAssigned is what an interface shows of a public address that it has for as long as
// it exists. The public name is not kept: it depends on the VPC.
func AutoAssigned(a netip.Addr, owner string) *ec2.NetworkInterfaceAssociation {
	if !a.IsValid() {
		return nil
	}
	return &ec2.NetworkInterfaceAssociation{IpOwnerId: &owner, PublicIp: new(a.String())}
}

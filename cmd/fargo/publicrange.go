package main

import (
	"fmt"
	"net/netip"

	"fargo/instance"
	"fargo/kernel"
	"fargo/store"
)

// The lengths that the prefix of a range of public addresses may have.
const (
	largestPublicRange  = 8
	smallestPublicRange = 28
)

// notPublic are the addresses that no interface can have.
// Source: RFC 6890, section 2.2.2; RFC 5771.
var notPublic = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),
	netip.MustParsePrefix("127.0.0.0/8"),
	netip.MustParsePrefix("169.254.0.0/16"),
	netip.MustParsePrefix("224.0.0.0/4"),
}

// publicRange is the range of public addresses that the flags give an instance.
func (f *machineFlags) publicRange(inst *instance.Instance) netip.Prefix {
	if f.PublicRange.IsValid() {
		return f.PublicRange
	}
	return inst.PublicRange()
}

// checkPublicRange refuses a range that cannot be one of public addresses on this
// machine.
func checkPublicRange(r netip.Prefix) error {
	switch {
	case !r.Addr().Is4():
		return fmt.Errorf("--public-range %s: it must be a range of IPv4 addresses", r)
	case r != r.Masked():
		return fmt.Errorf("--public-range %s: the range is %s", r, r.Masked())
	case r.Bits() < largestPublicRange || r.Bits() > smallestPublicRange:
		return fmt.Errorf("--public-range %s: its prefix length must be from %d to %d", r, largestPublicRange, smallestPublicRange)
	}
	for _, n := range notPublic {
		if n.Overlaps(r) {
			return fmt.Errorf("--public-range %s: no interface can have an address of %s", r, n)
		}
	}
	networks, err := kernel.MachineNetworks()
	if err != nil {
		return err
	}
	for _, n := range networks {
		if n.Prefix.Overlaps(r) {
			return fmt.Errorf("--public-range %s: it overlaps %s, which this machine reaches itself (%q): it could reach only one of the two", r, n.Prefix, n.Link)
		}
	}
	return nil
}

// checkPublicState refuses a range with addresses of a VPC, and one without an address
// that is in use: nothing would lead there any more.
func checkPublicState(view store.Reader, r netip.Prefix) error {
	for v := range store.EC2VPCs.All(view) {
		for _, block := range v.CIDRs() {
			if block.Overlaps(r) {
				return fmt.Errorf("--public-range %s: it overlaps %s, a block of %s", r, block, *v.VPC.VpcId)
			}
		}
	}
	for a := range store.EC2Addresses.All(view) {
		if ip, err := netip.ParseAddr(*a.Address.PublicIp); err != nil || !r.Contains(ip) {
			return fmt.Errorf("--public-range %s: the Elastic IP address %s (%s) is not in it; start with the range that it is of, to release it first", r, *a.Address.PublicIp, *a.Address.AllocationId)
		}
	}
	for i := range store.EC2NetworkInterfaces.All(view) {
		if ip := i.Public(); ip.IsValid() && !r.Contains(ip) {
			return fmt.Errorf("--public-range %s: the address %s of %s is not in it; start with the range that it is of, to end what has it first", r, ip, *i.Interface.NetworkInterfaceId)
		}
	}
	return nil
}

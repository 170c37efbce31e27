package ec2

import (
	"net/netip"

	"fargo/aws"
	"fargo/aws/ec2"
	"fargo/aws/protocol"
)

// wanted is what a new interface is to have of addresses.
type wanted struct {
	primary        netip.Addr // the zero Addr means any
	secondary, six []netip.Addr
	// moreSecondary and moreSix are how many more of any kind; moreSix is nil when the
	// call says nothing of IPv6, so that the subnet decides.
	moreSecondary int
	moreSix       *int32
}

// wantedAddresses reads the addresses that a call asks for, in either of two ways.
func wantedAddresses(in *ec2.CreateNetworkInterfaceInput) (w wanted, err error) {
	if in.PrivateIpAddress != nil {
		if w.primary, err = parseIPv4(*in.PrivateIpAddress); err != nil {
			return w, err
		}
	}
	for _, p := range in.PrivateIpAddresses {
		a, err := parseIPv4(aws.Value(p.PrivateIpAddress))
		switch {
		case err != nil:
			return w, err
		case !aws.Value(p.Primary) && len(in.PrivateIpAddresses) > 1:
			w.secondary = append(w.secondary, a)
		case w.primary.IsValid() && w.primary != a:
			return w, protocol.Errorf("InvalidParameterCombination", "Only one primary private IP address can be specified.")
		default:
			w.primary = a
		}
	}
	if n := in.SecondaryPrivateIpAddressCount; n != nil {
		if err := counted(len(w.secondary), n, "privateIpAddresses", "secondaryPrivateIpAddressCount"); err != nil {
			return w, err
		}
		w.moreSecondary = int(*n)
	}
	for _, x := range in.Ipv6Addresses {
		a, err := parseIPv6(aws.Value(x.Ipv6Address))
		if err != nil {
			return w, err
		}
		w.six = append(w.six, a)
	}
	if n := in.Ipv6AddressCount; n != nil && (*n != 0 || len(w.six) > 0) {
		if err := counted(len(w.six), n, "ipv6Addresses", "ipv6AddressCount"); err != nil {
			return w, err
		}
	}
	w.moreSix = in.Ipv6AddressCount
	return w, nil
}

// of chooses the addresses in a subnet. One that has only IPv6 gives no others, and IPv6
// always.
func (w wanted) of(free *freeAddresses) (wanted, error) {
	native := aws.Value(free.subnet.Subnet.Ipv6Native)
	var err error
	switch {
	case native && (w.primary.IsValid() || len(w.secondary) > 0 || w.moreSecondary > 0):
		return w, badValue("The subnet %s has no IPv4 CIDR block.", *free.subnet.Subnet.SubnetId)
	case !native:
		if w.primary, err = free.four(w.primary); err != nil {
			return w, err
		}
		if w.secondary, err = several(free.four, w.secondary, w.moreSecondary); err != nil {
			return w, err
		}
	}
	count := int(aws.Value(w.moreSix))
	if w.moreSix == nil && len(w.six) == 0 && (native || aws.Value(free.subnet.Subnet.AssignIpv6AddressOnCreation)) {
		count = 1
	}
	w.six, err = several(free.six, w.six, count)
	return w, err
}

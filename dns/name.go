package dns

import (
	"net/netip"
	"slices"
	"strings"

	"fargo"
	"fargo/desired"
)

// zoneOf is the zone that a name is in, if it is one that we are authoritative for.
// Its names are never forwarded: other resolvers know other load balancers by them,
// or none.
func zoneOf(name string) (zone string, ok bool) {
	labels := strings.Split(name, ".")
	n := len(labels)
	last := func(k int) string { return strings.Join(labels[n-min(k, n):], ".") }
	switch {
	case last(3) == "elb.amazonaws.com":
		return last(4), true // <region>.elb.amazonaws.com, of ALBs
	case last(2) == "amazonaws.com" && n >= 4 && labels[n-4] == "elb":
		return last(4), true // elb.<region>.amazonaws.com, of NLBs
	case last(2) == "ec2.internal":
		return last(2), true
	case last(2) == "compute.internal":
		return last(3), true // <region>.compute.internal
	}
	return "", false
}

// addressIn parses a private name, as [fargo.PrivateDNSName] makes it.
func addressIn(name, region string) (netip.Addr, bool) {
	host, ok := strings.CutSuffix(name, "."+fargo.PrivateDomain(region))
	if !ok {
		return netip.Addr{}, false
	}
	digits, ok := strings.CutPrefix(host, "ip-")
	if !ok || strings.Contains(digits, ".") {
		return netip.Addr{}, false
	}
	return ipv4(strings.Split(digits, "-"))
}

// publicAddressIn parses a public name of any region, as [fargo.PublicDNSName] makes it.
func publicAddressIn(name string) (a netip.Addr, domain string, ok bool) {
	host, domain, _ := strings.Cut(name, ".")
	digits, ok := strings.CutPrefix(host, "ec2-")
	if !ok || (domain != "compute-1.amazonaws.com" && !strings.HasSuffix(domain, ".compute.amazonaws.com")) {
		return netip.Addr{}, "", false
	}
	a, ok = ipv4(strings.Split(digits, "-"))
	return a, domain, ok
}

// reverseZone is where names of addresses are. Source: RFC 1035, 3.5.
const reverseZone = ".in-addr.arpa"

// reverseZoneOf is the zone of a name in reverseZone that is of an address of a range. It
// ends where the range's last whole octet does.
func reverseZoneOf(name string, of netip.Prefix) string {
	labels := strings.Split(name, ".")
	return strings.Join(labels[4-max(1, of.Bits()/8):], ".")
}

// addressOf parses a name in reverseZone.
func addressOf(name string) (netip.Addr, bool) {
	digits, ok := strings.CutSuffix(name, reverseZone)
	if !ok {
		return netip.Addr{}, false
	}
	octets := strings.Split(digits, ".")
	slices.Reverse(octets)
	return ipv4(octets)
}

func ipv4(octets []string) (netip.Addr, bool) {
	a, err := netip.ParseAddr(strings.Join(octets, "."))
	return a, err == nil && a.Is4()
}

// rangeOf is the VPC's range that an address is in.
func rangeOf(v *desired.VPC, a netip.Addr) (netip.Prefix, bool) {
	for _, c := range v.CIDRs {
		if c.Contains(a) {
			return c, true
		}
	}
	return netip.Prefix{}, false
}

// canonical is the form in which names are compared: in lower case, without the final
// dot. Source: RFC 4343.
func canonical(name string) string { return strings.ToLower(strings.TrimSuffix(name, ".")) }

// wildcard is the name of the record that stands for a name and its siblings:
// "*.example.com" for "a.example.com". Unlike RFC 4592's it has one label in place of
// the asterisk.
func wildcard(name string) string {
	_, parent, _ := strings.Cut(name, ".")
	return "*." + parent
}

package plan

import (
	"encoding/binary"
	"hash/fnv"
	"net/netip"
)

// reservedAddresses6 are the first addresses of a subnet that AWS takes, and it takes
// the last one. Source: VPC user guide, "Subnet CIDR blocks".
const reservedAddresses6 = 4

// FreeAddress6 finds an IPv6 address of subnet that is neither reserved nor taken; ok is
// false when there is none, also for the zero Prefix. Where the search begins follows
// from seed.
func FreeAddress6(subnet netip.Prefix, seed string, taken func(netip.Addr) bool) (addr netip.Addr, ok bool) {
	if !subnet.IsValid() {
		return netip.Addr{}, false
	}
	b := subnet.Masked().Addr().As16()
	binary.BigEndian.PutUint64(b[8:], binary.BigEndian.Uint64(b[8:])|hash64(seed)&hostMask(subnet))
	first := netip.AddrFrom16(b)
	for a := first; ; {
		if Assignable6(subnet, a) && !taken(a) {
			return a, true
		}
		if a = a.Next(); !subnet.Contains(a) {
			a = subnet.Masked().Addr()
		}
		if a == first {
			return netip.Addr{}, false
		}
	}
}

// Assignable6 reports whether an interface may have an IPv6 address: it is in the subnet
// and not one of the reserved ones.
func Assignable6(subnet netip.Prefix, a netip.Addr) bool {
	if !a.Is6() || !subnet.Contains(a) {
		return false
	}
	b := a.As16()
	host, mask := binary.BigEndian.Uint64(b[8:]), hostMask(subnet)
	if binary.BigEndian.Uint64(b[:8]) != upperHalf(subnet) {
		return true // of a subnet larger than a /64, far from its ends
	}
	return host&mask >= reservedAddresses6 && host&mask != mask
}

// hostMask has the bits of the lower half of an address that a subnet leaves free.
func hostMask(subnet netip.Prefix) uint64 {
	if subnet.Bits() <= 64 {
		return ^uint64(0)
	}
	return 1<<(128-subnet.Bits()) - 1
}

func upperHalf(p netip.Prefix) uint64 {
	b := p.Masked().Addr().As16()
	return binary.BigEndian.Uint64(b[:8])
}

func hash64(s string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(s))
	return h.Sum64()
}

// FreeBlock6 finds a block of the length bits in of that taken does not refuse; ok is
// false when there is none. Where the search begins follows from seed, so that a block
// given back is not the next one given out. bits is 64 at most.
func FreeBlock6(of netip.Prefix, bits int, seed string, taken func(netip.Prefix) bool) (block netip.Prefix, ok bool) {
	if !of.IsValid() || bits < of.Bits() || bits > 64 {
		return netip.Prefix{}, false
	}
	count := uint64(1) << (bits - of.Bits())
	start := hash64(seed) % count
	for i := range count {
		b := of.Masked().Addr().As16()
		binary.BigEndian.PutUint64(b[:8], upperHalf(of)|((start+i)%count)<<(64-bits))
		if block := netip.PrefixFrom(netip.AddrFrom16(b), bits); !taken(block) {
			return block, true
		}
	}
	return netip.Prefix{}, false
}

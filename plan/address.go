package plan

import (
	"encoding/binary"
	"hash/fnv"
	"net/netip"
)

// reservedAddresses are taken by AWS in every subnet: the first four (network,
// router, resolver, future use) and the last.
// Source: VPC user guide, "Subnet CIDR blocks".
const reservedAddresses = 5

// Capacity is how many IPv4 addresses a subnet has for interfaces when it is empty; 0
// for the zero Prefix of a subnet that has only IPv6.
func Capacity(subnet netip.Prefix) int {
	if !subnet.IsValid() {
		return 0
	}
	return 1<<(32-subnet.Bits()) - reservedAddresses
}

// FreeAddress finds an address of subnet that is neither reserved nor taken; ok
// is false when there is none. Where the search begins follows from seed, so
// that addresses spread over the subnet and one just given back is not the next
// one given out.
func FreeAddress(subnet netip.Prefix, seed string, taken func(netip.Addr) bool) (addr netip.Addr, ok bool) {
	return freeOf(subnet, 4, Capacity(subnet), seed, taken)
}

// freeOf finds an address that is not taken among n of a range, of which skipped are
// before the first.
func freeOf(of netip.Prefix, skipped, n int, seed string, taken func(netip.Addr) bool) (addr netip.Addr, ok bool) {
	if n <= 0 {
		return netip.Addr{}, false
	}
	first := binary.BigEndian.Uint32(of.Masked().Addr().AsSlice()) + uint32(skipped)
	start := int(hash(seed) % uint32(n))
	for i := range n {
		var b [4]byte
		binary.BigEndian.PutUint32(b[:], first+uint32((start+i)%n))
		if a := netip.AddrFrom4(b); !taken(a) {
			return a, true
		}
	}
	return netip.Addr{}, false
}

func hash(s string) uint32 {
	h := fnv.New32a()
	h.Write([]byte(s))
	return h.Sum32()
}

// Assignable reports whether an interface may have an address: it is in the
// subnet and not one of the reserved ones.
func Assignable(subnet netip.Prefix, a netip.Addr) bool {
	if !a.Is4() || !subnet.Contains(a) {
		return false
	}
	n := position(subnet, a)
	return n >= 4 && n < 4+Capacity(subnet)
}

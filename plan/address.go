// Package plan is the mind: pure functions from what is wanted and what is seen
// to what should change. It knows ECS's and EC2's rules; it refuses to know a
// clock, a disk, a socket or a goroutine, so that every decision can be tested
// as text and rehearsed by the million.
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

// Capacity is how many interfaces a subnet has room for when it is empty.
func Capacity(subnet netip.Prefix) int {
	return 1<<(32-subnet.Bits()) - reservedAddresses
}

// FreeAddress finds an address of subnet that is neither reserved nor taken; ok
// is false when there is none. Where the search begins follows from seed, so
// that addresses spread over the subnet and one just given back is not the next
// one given out.
func FreeAddress(subnet netip.Prefix, seed string, taken func(netip.Addr) bool) (addr netip.Addr, ok bool) {
	n := Capacity(subnet)
	if n <= 0 {
		return netip.Addr{}, false
	}
	first := binary.BigEndian.Uint32(subnet.Masked().Addr().AsSlice()) + 4
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

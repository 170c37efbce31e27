package targetgroup

import (
	"encoding/binary"
	"hash/fnv"
	"net/netip"
)

// Flow is what the balancer knows of a connection, or of datagrams that belong
// together, when it chooses a target.
type Flow struct {
	Client, Local netip.AddrPort
}

// hash tells flows apart; with bySource, only their clients' addresses.
func (f Flow) hash(bySource bool) uint64 {
	h := fnv.New64a()
	address := f.Client.Addr().As16()
	h.Write(address[:])
	if !bySource {
		address = f.Local.Addr().As16()
		h.Write(address[:])
		h.Write(binary.BigEndian.AppendUint16(nil, f.Client.Port()))
		h.Write(binary.BigEndian.AppendUint16(nil, f.Local.Port()))
	}
	return h.Sum64()
}

// ChooseFor is the target for a flow: the same for as long as the target is there,
// whichever others come and go (highest random weight). It is nil when there is none.
func (t *Table) ChooseFor(f Flow) *Target {
	seed := f.hash(t.Sticky.Kind == "source_ip")
	var best *Target
	var highest uint64
	for _, e := range t.eligible {
		if weight := mix(seed ^ e.seed); best == nil || weight > highest {
			best, highest = e, weight
		}
	}
	return best
}

// mix spreads a number over all bits (the finalizer of splitmix64).
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

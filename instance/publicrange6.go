package instance

import (
	"encoding/binary"
	"net/netip"
	"strconv"
)

// PublicRange6 is the range of the IPv6 addresses of the instance's VPCs: a /48 of the
// addresses for documentation, which are routed nowhere. No other instance has it.
// Source: RFC 3849.
func (i *Instance) PublicRange6() netip.Prefix {
	id, err := strconv.ParseUint(i.ID, 16, 16)
	if err != nil {
		panic("instance: " + err.Error()) // never: Find and New check it
	}
	a := netip.MustParseAddr("2001:db8::").As16()
	binary.BigEndian.PutUint16(a[4:], uint16(id))
	return netip.PrefixFrom(netip.AddrFrom16(a), 48)
}

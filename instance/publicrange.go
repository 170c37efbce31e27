package instance

import (
	"encoding/binary"
	"net/netip"
	"strconv"
)

// publicBits is the length of the prefix of [Instance.PublicRange]: as many ranges as
// there are ids are in 240.0.0.0/4.
const publicBits = 20

// PublicRange is the range of the instance's public IPv4 addresses unless the user
// gives another: a /20 of 240.0.0.0/4, which is reserved and routed nowhere, so that it
// hides no address of anybody. No other instance has it.
// Source: RFC 1112, section 4: "Class E".
func (i *Instance) PublicRange() netip.Prefix {
	id, err := strconv.ParseUint(i.ID, 16, 16)
	if err != nil {
		panic("instance: " + err.Error()) // never: Find and New check it
	}
	var a [4]byte
	binary.BigEndian.PutUint32(a[:], 240<<24|uint32(id)<<(32-publicBits))
	return netip.PrefixFrom(netip.AddrFrom4(a), publicBits)
}

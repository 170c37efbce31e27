package kernel

import (
	"net/netip"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

// A family is IPv4 or IPv6, as rules see them. A router has the rules and sets of IPv6
// only when its VPC has an IPv6 CIDR.
type family struct {
	word    string // in nft(8)
	suffix  string // of the names of sets
	number  byte   // of the netfilter family
	length  uint32 // of an address
	offsets [2]uint32
	address nftables.SetDatatype
}

var (
	ip4 = &family{"ip", "", unix.NFPROTO_IPV4, 4, [2]uint32{12, 16}, nftables.TypeIPAddr}
	ip6 = &family{"ip6", "-6", unix.NFPROTO_IPV6, 16, [2]uint32{8, 24}, nftables.TypeIP6Addr}
)

func familyOf(a netip.Addr) *family {
	if a.Is4() {
		return ip4
	}
	return ip6
}

// is matches the packets of the family. In a table of family inet a header must be
// known to be of the family before it is read.
func (f *family) is() term {
	return term{"meta nfproto ip" + map[*family]string{ip4: "v4", ip6: "v6"}[f], f.check()}
}

func (f *family) check() []expr.Any {
	return []expr.Any{
		&expr.Meta{Key: expr.MetaKeyNFPROTO, Register: 1},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: []byte{f.number}},
	}
}

// linked are elements of a link and an address.
func (f *family) linked() nftables.SetDatatype {
	return nftables.MustConcatSetType(nftables.TypeIFName, f.address)
}

func (f *family) source() side      { return side{f, f.word + " saddr", f.offsets[0]} }
func (f *family) destination() side { return side{f, f.word + " daddr", f.offsets[1]} }

// A side is the source or the destination of a packet.
type side struct {
	*family
	text   string
	offset uint32 // in the header
}

// load puts the address into a register.
func (s side) load(register uint32) []expr.Any {
	return append(s.check(), &expr.Payload{
		DestRegister: register, Base: expr.PayloadBaseNetworkHeader, Offset: s.offset, Len: s.length,
	})
}

func (s side) in(prefix netip.Prefix) term { return s.compare(expr.CmpOpEq, " ", prefix) }

func (s side) notIn(prefix netip.Prefix) term { return s.compare(expr.CmpOpNeq, " != ", prefix) }

func (s side) is(a netip.Addr) term { return s.in(single(a)) }

func (s side) compare(op expr.CmpOp, sign string, prefix netip.Prefix) term {
	exprs := s.load(1)
	text := prefix.String()
	if prefix.IsSingleIP() {
		text = prefix.Addr().String()
	} else {
		exprs = append(exprs, mask(1, netmask(prefix), make([]byte, s.length)))
	}
	return term{s.text + sign + text, append(exprs, &expr.Cmp{Op: op, Register: 1, Data: prefix.Masked().Addr().AsSlice()})}
}

// inSet looks the address up in the set of the family.
func (s side) inSet(name string) term {
	name += s.suffix
	return term{s.text + " @" + name, append(s.load(1), &expr.Lookup{SourceRegister: 1, SetName: name})}
}

// verdictIn jumps where the map of the family sends the address, or goes on if it is
// not there.
func (s side) verdictIn(name string) term {
	name += s.suffix
	return term{s.text + " vmap @" + name, append(s.load(1),
		&expr.Lookup{SourceRegister: 1, SetName: name, IsDestRegSet: true})}
}

// linkAnd looks up the link that a packet comes over, and its source address, in a set
// or, with verdict, a map of the family.
func (f *family) linkAnd(name string, verdict, invert bool) term {
	name += f.suffix
	sign := " @"
	switch {
	case verdict:
		sign = " vmap @"
	case invert:
		sign = " != @"
	}
	// Registers are 16 bytes: the name fills the first, the address follows.
	exprs := append(f.source().load(2), &expr.Meta{Key: expr.MetaKeyIIFNAME, Register: 1},
		&expr.Lookup{SourceRegister: 1, SetName: name, IsDestRegSet: verdict, Invert: invert})
	return term{"iifname . " + f.word + " saddr" + sign + name, exprs}
}

func netmask(p netip.Prefix) []byte {
	out := make([]byte, p.Addr().BitLen()/8)
	for i := range p.Bits() {
		out[i/8] |= 0x80 >> (i % 8)
	}
	return out
}

func mask(register uint32, mask, xor []byte) expr.Any {
	return &expr.Bitwise{SourceRegister: register, DestRegister: register, Len: uint32(len(mask)), Mask: mask, Xor: xor}
}

// Addresses that are only on one link, of hosts and of all that listen.
var (
	linkLocal6 = netip.MustParsePrefix("fe80::/10")
	multicast6 = netip.MustParsePrefix("ff02::/16")
)

// neighborRules let the router be asked for its hardware address, and be answered.
// Source: RFC 4861, neighbor solicitation and advertisement.
func neighborRules() []rule {
	to := ip6.destination()
	return []rule{{to.in(linkLocal6), neighborKinds(), accept}, {to.in(multicast6), neighborKinds(), accept}}
}

// neighborKinds matches the questions and the answers; the kernel takes none that was
// forwarded.
func neighborKinds() term {
	return term{"icmpv6 type 135-136", append(l4proto(unix.IPPROTO_ICMPV6),
		&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseTransportHeader, Offset: 0, Len: 1},
		&expr.Range{Op: expr.CmpOpEq, Register: 1, FromData: []byte{135}, ToData: []byte{136}},
	)}
}

package kernel

import (
	"fmt"
	"hash/fnv"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
)

// A mark is what a router knows of where a packet goes: the next hop that a route table
// has said in the lower half, and the NAT gateway that the packet passes in the upper
// half. A connection has the mark of its first packet, and what later packets of
// it are marked with must go with that.
type mark uint32

const (
	hopMask     mark = 0xffff
	markLocal   mark = 0x0001 // an interface of the VPC
	markBeyond  mark = 0x4000 // the bit of all that leave by the uplink
	markPublic  mark = 0x4001 // the Internet gateway
	markService mark = 0x4002 // a gateway endpoint
	markEgress  mark = 0x4003 // an egress-only Internet gateway
	markReturn  mark = 0x8000 // back to a NAT gateway, which knows the hop

	firstPeer, peerCount = 0x0100, 0x3f00
	gatewayCount         = 0x7fff
)

// numbers gives each id a number of its own from 0 up to count, which rarely changes
// when others come and go: by a hash, and the next free one. The ids are sorted.
func numbers(ids []string, count uint32) map[string]uint32 {
	out, used := make(map[string]uint32, len(ids)), map[uint32]bool{}
	for _, id := range ids {
		h := fnv.New32a()
		h.Write([]byte(id))
		n := h.Sum32() % count
		for used[n] {
			n = (n + 1) % count
		}
		out[id], used[n] = n, true
	}
	return out
}

func peerMark(number uint32) mark    { return mark(firstPeer + number) }
func gatewayMark(number uint32) mark { return mark(number+1) << 16 }

func loadMark(register uint32) expr.Any {
	return &expr.Meta{Key: expr.MetaKeyMARK, Register: register}
}

func (m mark) is() term {
	return term{fmt.Sprintf("meta mark %#x", uint32(m)), []expr.Any{
		loadMark(1), &expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: native(uint32(m))},
	}}
}

// isIn compares the bits of part.
func (m mark) isIn(part mark) term {
	return term{fmt.Sprintf("meta mark & %#x == %#x", uint32(part), uint32(m)), []expr.Any{
		loadMark(1), mask(1, native(uint32(part)), make([]byte, 4)),
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: native(uint32(m))},
	}}
}

// isSet matches when a bit of m is set.
func (m mark) isSet() term {
	return term{fmt.Sprintf("meta mark & %#x != 0", uint32(m)), anyBit(loadMark(1), uint32(m))}
}

func (m mark) set() term {
	return term{fmt.Sprintf("meta mark set %#x", uint32(m)), []expr.Any{
		&expr.Immediate{Register: 1, Data: native(uint32(m))},
		&expr.Meta{Key: expr.MetaKeyMARK, SourceRegister: true, Register: 1},
	}}
}

// ofConnection is like set for the mark of the connection.
func (m mark) ofConnection() term {
	return term{fmt.Sprintf("ct mark set %#x", uint32(m)), []expr.Any{
		&expr.Immediate{Register: 1, Data: native(uint32(m))},
		&expr.Ct{Key: expr.CtKeyMARK, SourceRegister: true, Register: 1},
	}}
}

// isConnections matches the packets of connections with the mark; 0 is those without.
func (m mark) isConnections() term {
	return term{fmt.Sprintf("ct mark %#x", uint32(m)), []expr.Any{
		&expr.Ct{Key: expr.CtKeyMARK, Register: 1}, &expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: native(uint32(m))},
	}}
}

// saveMark gives the connection the mark of the packet.
var saveMark = term{"ct mark set meta mark", []expr.Any{
	loadMark(1), &expr.Ct{Key: expr.CtKeyMARK, SourceRegister: true, Register: 1},
}}

// The number of the first of the kernel's registers of four bytes.
const register32 = 8

// markPairs are elements of the marks of a connection and a packet.
var markPairs = nftables.MustConcatSetType(nftables.TypeMark, nftables.TypeMark)

// marksIn looks the mark of the connection and that of the packet up in a set.
func marksIn(name string) term {
	return term{"ct mark . meta mark @" + name, []expr.Any{
		&expr.Ct{Key: expr.CtKeyMARK, Register: register32}, loadMark(register32 + 1),
		&expr.Lookup{SourceRegister: register32, SetName: name},
	}}
}

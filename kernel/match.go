package kernel

import (
	"fmt"
	"net/netip"

	"github.com/google/nftables/binaryutil"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

// A term is a part of a rule: a match or a verdict. The text is what nft(8)
// would print; terms with the same text are the same.
type term struct {
	text  string
	exprs []expr.Any
}

func iifname(name string) term { return linkTerm("iifname", expr.MetaKeyIIFNAME, expr.CmpOpEq, name) }

func notIifname(name string) term {
	return linkTerm("iifname", expr.MetaKeyIIFNAME, expr.CmpOpNeq, name)
}

func oifname(name string) term { return linkTerm("oifname", expr.MetaKeyOIFNAME, expr.CmpOpEq, name) }

// linkTerm compares the name of a link, or its beginning if name ends in "*".
func linkTerm(word string, key expr.MetaKey, op expr.CmpOp, name string) term {
	data := linkBytes(name)
	if n := len(name); n > 0 && name[n-1] == '*' {
		data = []byte(name[:n-1])
	}
	sign := " "
	if op == expr.CmpOpNeq {
		sign = " != "
	}
	return term{fmt.Sprintf("%s%s%q", word, sign, name), []expr.Any{
		&expr.Meta{Key: key, Register: 1},
		&expr.Cmp{Op: op, Register: 1, Data: data},
	}}
}

// linkBytes is a link's name as the kernel compares it.
func linkBytes(name string) []byte {
	b := make([]byte, unix.IFNAMSIZ)
	copy(b, name)
	return b
}

// A side is the source or destination of an IPv4 packet.
type side struct {
	word   string
	offset uint32 // in the IPv4 header
}

var (
	source      = side{"ip saddr", 12}
	destination = side{"ip daddr", 16}
)

// load puts the address into a register. In a table of family inet the header
// must be known to be IPv4 before it is read.
func (s side) load(register uint32) []expr.Any {
	return []expr.Any{
		&expr.Meta{Key: expr.MetaKeyNFPROTO, Register: register},
		&expr.Cmp{Op: expr.CmpOpEq, Register: register, Data: []byte{unix.NFPROTO_IPV4}},
		&expr.Payload{DestRegister: register, Base: expr.PayloadBaseNetworkHeader, Offset: s.offset, Len: 4},
	}
}

func (s side) in(prefix netip.Prefix) term {
	exprs := s.load(1)
	text := s.word + " " + prefix.String()
	if prefix.IsSingleIP() {
		text = s.word + " " + prefix.Addr().String()
	} else {
		exprs = append(exprs, &expr.Bitwise{
			SourceRegister: 1, DestRegister: 1, Len: 4,
			Mask: netmask(prefix.Bits()), Xor: make([]byte, 4),
		})
	}
	return term{text, append(exprs, &expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: prefix.Masked().Addr().AsSlice()})}
}

func (s side) is(a netip.Addr) term { return s.in(netip.PrefixFrom(a, a.BitLen())) }

func (s side) inSet(name string) term {
	return term{s.word + " @" + name, append(s.load(1), &expr.Lookup{SourceRegister: 1, SetName: name})}
}

// verdictIn jumps where the map sends the address, or goes on if it is not there.
func (s side) verdictIn(name string) term {
	return term{s.word + " vmap @" + name, append(s.load(1),
		&expr.Lookup{SourceRegister: 1, SetName: name, IsDestRegSet: true})}
}

// linkAndSourceInSet matches packets that come over a link with the address
// that belongs to it.
func linkAndSourceInSet(name string) term {
	// Registers are 16 bytes: the name fills the first, the address follows.
	exprs := append(source.load(2), &expr.Meta{Key: expr.MetaKeyIIFNAME, Register: 1})
	return term{"iifname . ip saddr @" + name, append(exprs, &expr.Lookup{SourceRegister: 1, SetName: name})}
}

func netmask(bits int) []byte {
	return binaryutil.BigEndian.PutUint32(^uint32(0) << (32 - bits))
}

// ctState matches the connection tracker's view of a packet.
func ctState(text string, bits uint32) term {
	return term{"ct state " + text, []expr.Any{
		&expr.Ct{Key: expr.CtKeySTATE, Register: 1},
		&expr.Bitwise{
			SourceRegister: 1, DestRegister: 1, Len: 4,
			Mask: binaryutil.NativeEndian.PutUint32(bits), Xor: make([]byte, 4),
		},
		&expr.Cmp{Op: expr.CmpOpNeq, Register: 1, Data: make([]byte, 4)},
	}}
}

var (
	ctKnown   = ctState("established,related", expr.CtStateBitESTABLISHED|expr.CtStateBitRELATED)
	ctInvalid = ctState("invalid", expr.CtStateBitINVALID)
)

func l4proto(number uint8) []expr.Any {
	return []expr.Any{
		&expr.Meta{Key: expr.MetaKeyL4PROTO, Register: 1},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: []byte{number}},
	}
}

// protocol matches an IP protocol by number.
func protocol(number uint8) term {
	return term{fmt.Sprintf("meta l4proto %d", number), l4proto(number)}
}

// ports matches the destination port of tcp or udp.
func ports(number uint8, from, to uint16) term {
	word := "tcp"
	if number == unix.IPPROTO_UDP {
		word = "udp"
	}
	exprs := append(l4proto(number), &expr.Payload{DestRegister: 1, Base: expr.PayloadBaseTransportHeader, Offset: 2, Len: 2})
	if from == to {
		return term{fmt.Sprintf("%s dport %d", word, from), append(exprs,
			&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: binaryutil.BigEndian.PutUint16(from)})}
	}
	return term{fmt.Sprintf("%s dport %d-%d", word, from, to), append(exprs, &expr.Range{
		Op: expr.CmpOpEq, Register: 1,
		FromData: binaryutil.BigEndian.PutUint16(from), ToData: binaryutil.BigEndian.PutUint16(to),
	})}
}

// icmp matches type and code; a negative one is any.
func icmp(kind, code int) term {
	t := term{"meta l4proto icmp", l4proto(unix.IPPROTO_ICMP)}
	for _, field := range []struct {
		word   string
		value  int
		offset uint32
	}{{"type", kind, 0}, {"code", code, 1}} {
		if field.value < 0 {
			continue
		}
		t.text += fmt.Sprintf(" icmp %s %d", field.word, field.value)
		t.exprs = append(t.exprs,
			&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseTransportHeader, Offset: field.offset, Len: 1},
			&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: []byte{uint8(field.value)}})
	}
	return t
}

var (
	accept     = term{"accept", []expr.Any{&expr.Verdict{Kind: expr.VerdictAccept}}}
	drop       = term{"drop", []expr.Any{&expr.Verdict{Kind: expr.VerdictDrop}}}
	masquerade = term{"masquerade", []expr.Any{&expr.Masq{}}}
	// reject drops a packet and tells its sender that the host cannot be reached.
	reject = term{"reject with icmpx host-unreachable", []expr.Any{
		&expr.Reject{Type: unix.NFT_REJECT_ICMPX_UNREACH, Code: unix.NFT_REJECT_ICMPX_HOST_UNREACH},
	}}
)

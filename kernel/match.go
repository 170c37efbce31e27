package kernel

import (
	"fmt"

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

// ctState matches the connection tracker's view of a packet.
func ctState(text string, bits uint32) term {
	return term{"ct state " + text, anyBit(&expr.Ct{Key: expr.CtKeySTATE, Register: 1}, bits)}
}

// ipsDstNAT is IPS_DST_NAT of linux/netfilter/nf_conntrack_common.h.
const ipsDstNAT = 1 << 5

// anyBit matches if the number that load puts into register 1 has one of the bits.
func anyBit(load expr.Any, bits uint32) []expr.Any {
	return []expr.Any{load, mask(1, native(bits), make([]byte, 4)), &expr.Cmp{Op: expr.CmpOpNeq, Register: 1, Data: make([]byte, 4)}}
}

func native(n uint32) []byte { return binaryutil.NativeEndian.PutUint32(n) }

var (
	ctKnown   = ctState("established,related", expr.CtStateBitESTABLISHED|expr.CtStateBitRELATED)
	ctInvalid = ctState("invalid", expr.CtStateBitINVALID)
	ctNew     = ctState("new", expr.CtStateBitNEW)
	// ctTranslated matches the packets of connections whose destination is translated.
	ctTranslated = term{"ct status dnat", anyBit(&expr.Ct{Key: expr.CtKeySTATUS, Register: 1}, ipsDstNAT)}
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

// icmp matches type and code of ICMP or ICMPv6; a negative one is any.
func icmp(number uint8, kind, code int) term {
	word := "icmp"
	if number == unix.IPPROTO_ICMPV6 {
		word = "icmpv6"
	}
	t := term{"meta l4proto " + word, l4proto(number)}
	for _, field := range []struct {
		word   string
		value  int
		offset uint32
	}{{"type", kind, 0}, {"code", code, 1}} {
		if field.value < 0 {
			continue
		}
		t.text += fmt.Sprintf(" %s %s %d", word, field.word, field.value)
		t.exprs = append(t.exprs,
			&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseTransportHeader, Offset: field.offset, Len: 1},
			&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: []byte{uint8(field.value)}})
	}
	return t
}

var (
	accept     = verdict("accept", expr.VerdictAccept, "")
	drop       = verdict("drop", expr.VerdictDrop, "")
	back       = verdict("return", expr.VerdictReturn, "")
	masquerade = term{"masquerade", []expr.Any{&expr.Masq{}}}
	// Both drop a packet and tell its sender that the host, or the network, cannot be
	// reached.
	rejectHost    = reject("host-unreachable", unix.NFT_REJECT_ICMPX_HOST_UNREACH)
	rejectNetwork = reject("no-route", unix.NFT_REJECT_ICMPX_NO_ROUTE)
)

// jump comes back at the end of the chain, and goTo does not.
func jump(chain string) term { return verdict("jump "+chain, expr.VerdictJump, chain) }
func goTo(chain string) term { return verdict("goto "+chain, expr.VerdictGoto, chain) }

func verdict(text string, kind expr.VerdictKind, chain string) term {
	return term{text, []expr.Any{&expr.Verdict{Kind: kind, Chain: chain}}}
}

func reject(word string, code uint8) term {
	return term{"reject with icmpx " + word, []expr.Any{&expr.Reject{Type: unix.NFT_REJECT_ICMPX_UNREACH, Code: code}}}
}

package kernel

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

// A packet is what rules see of one. Of ICMP the destination port is the type, and the
// source port the type of the answer.
type packet struct {
	iif, oif     string
	saddr, daddr netip.Addr
	sport, dport uint16
	proto        uint8
	mark         uint32
}

// A connection is what the connection tracker knows.
type connection struct {
	known      bool // there was an answer
	untracked  bool // it knows nothing of what hosts say about their links
	mark       uint32
	from, to   netip.Addr // as the first packet had it
	snat, dnat netip.Addr
}

// An interpreter runs a ruleset as the kernel would.
type interpreter struct {
	rules ruleset
	p     *packet
	ct    *connection
	regs  [80]byte
}

// Ends of a chain's evaluation. "" goes on.
const (
	didAccept, didDrop, didHost, didNetwork, didReturn = "accept", "drop", "host unreachable", "network unreachable", "return"
)

// hook runs the base chains of a hook with priorities in a range, and of one kind.
func (in *interpreter) hook(number *nftables.ChainHook, from, before nftables.ChainPriority, kind nftables.ChainType) string {
	var names []string
	for name, c := range in.rules.chains {
		if c.hook != nil && *c.hook.number == *number && c.hook.priority >= from && c.hook.priority < before && c.hook.kind == kind {
			names = append(names, name)
		}
	}
	slices.SortFunc(names, func(a, b string) int {
		return cmp.Compare(in.rules.chains[a].hook.priority, in.rules.chains[b].hook.priority)
	})
	for _, name := range names {
		end := in.chain(name)
		if end == "" || end == didReturn {
			end = didAccept
			if in.rules.chains[name].hook.policy == nftables.ChainPolicyDrop {
				end = didDrop
			}
		}
		if end != didAccept {
			return end
		}
	}
	return didAccept
}

func (in *interpreter) chain(name string) string {
	c, ok := in.rules.chains[name]
	if !ok {
		panic("no chain " + name)
	}
	for _, r := range c.rules {
		switch end := in.rule(r); end {
		case "":
		case didReturn:
			return ""
		default:
			return end
		}
	}
	return ""
}

// rule is the end that a rule makes; "" if it does not match or goes on.
func (in *interpreter) rule(r rule) string {
	for _, t := range r {
		for _, e := range t.exprs {
			if end, matches := in.expr(e); !matches || end != "" {
				return end
			}
		}
	}
	return ""
}

func (in *interpreter) reg(n uint32) []byte {
	if n >= register32 {
		return in.regs[(n-register32)*4:]
	}
	return in.regs[(n-1)*16:]
}

func (in *interpreter) load(n uint32, data []byte) {
	clear(in.reg(n)[:(len(data)+3)/4*4])
	copy(in.reg(n), data)
}

func (in *interpreter) number(n uint32) uint32 { return binary.NativeEndian.Uint32(in.reg(n)) }

func (in *interpreter) expr(e expr.Any) (end string, matches bool) {
	switch e := e.(type) {
	case *expr.Meta:
		if e.SourceRegister {
			in.p.mark = in.number(e.Register)
			return "", true
		}
		in.load(e.Register, in.meta(e.Key))
	case *expr.Ct:
		if e.SourceRegister {
			in.ct.mark = in.number(e.Register)
			return "", true
		}
		if in.ct.untracked && e.Key != expr.CtKeySTATE {
			return "", false
		}
		in.load(e.Register, native(in.tracked(e.Key)))
	case *expr.Payload:
		in.load(e.DestRegister, in.header(e.Base)[e.Offset:e.Offset+e.Len])
	case *expr.Immediate:
		in.load(e.Register, e.Data)
	case *expr.Bitwise:
		for i := range e.Mask {
			in.reg(e.DestRegister)[i] = in.reg(e.SourceRegister)[i]&e.Mask[i] ^ e.Xor[i]
		}
	case *expr.Cmp:
		return "", bytes.Equal(in.reg(e.Register)[:len(e.Data)], e.Data) == (e.Op == expr.CmpOpEq)
	case *expr.Range:
		is := in.reg(e.Register)[:len(e.FromData)]
		return "", bytes.Compare(is, e.FromData) >= 0 && bytes.Compare(is, e.ToData) <= 0
	case *expr.Hash:
		sum := uint32(0)
		for _, b := range in.reg(e.SourceRegister)[:e.Length] {
			sum += uint32(b)
		}
		in.load(e.DestRegister, native(sum%e.Modulus))
	case *expr.Lookup:
		return in.lookup(e)
	case *expr.NAT:
		a, _ := netip.AddrFromSlice(in.reg(e.RegAddrMin)[:4])
		in.translate(e.Type, a)
		return didAccept, true
	case *expr.Masq:
		in.translate(expr.NATTypeSourceNAT, uplinkNumber(0).router)
		return didAccept, true
	case *expr.Reject:
		return map[uint8]string{unix.NFT_REJECT_ICMPX_HOST_UNREACH: didHost, unix.NFT_REJECT_ICMPX_NO_ROUTE: didNetwork}[e.Code], true
	case *expr.Verdict:
		return in.verdict(e.Kind, e.Chain), true
	case *expr.Log:
	case *expr.Dynset:
		return "", false // no destination has too many connections
	default:
		panic(fmt.Sprintf("what is %T?", e))
	}
	return "", true
}

func (in *interpreter) verdict(kind expr.VerdictKind, chain string) string {
	switch kind {
	case expr.VerdictAccept:
		return didAccept
	case expr.VerdictDrop:
		return didDrop
	case expr.VerdictReturn:
		return didReturn
	case expr.VerdictJump:
		return in.chain(chain)
	case expr.VerdictGoto:
		return cmp.Or(in.chain(chain), didReturn)
	}
	panic("what verdict?")
}

func (in *interpreter) lookup(e *expr.Lookup) (string, bool) {
	s, ok := in.rules.sets[e.SetName]
	if !ok {
		panic("no set " + e.SetName)
	}
	for element, to := range s.elements {
		key := element.bytes()
		if !bytes.Equal(in.reg(e.SourceRegister)[:len(key)], key) {
			continue
		}
		switch {
		case e.Invert:
			return "", false
		case to.chain != "":
			return in.chain(to.chain), true
		case to.addr.IsValid():
			in.load(e.DestRegister, to.addr.AsSlice())
		}
		return "", true
	}
	return "", e.Invert
}

func (in *interpreter) meta(key expr.MetaKey) []byte {
	switch key {
	case expr.MetaKeyNFPROTO:
		return []byte{familyOf(in.p.daddr).number}
	case expr.MetaKeyIIFNAME:
		return linkBytes(in.p.iif)
	case expr.MetaKeyOIFNAME:
		return linkBytes(in.p.oif)
	case expr.MetaKeyL4PROTO:
		return []byte{in.p.proto}
	case expr.MetaKeyMARK:
		return native(in.p.mark)
	}
	panic("what meta key?")
}

func (in *interpreter) tracked(key expr.CtKey) uint32 {
	switch {
	case in.ct.untracked:
		return expr.CtStateBitUNTRACKED
	case key == expr.CtKeyMARK:
		return in.ct.mark
	case key == expr.CtKeySTATE && in.ct.known:
		return expr.CtStateBitESTABLISHED
	case key == expr.CtKeySTATE:
		return expr.CtStateBitNEW
	case key == expr.CtKeySTATUS && in.ct.dnat.IsValid():
		return ipsDstNAT
	case key == expr.CtKeySTATUS:
		return 0
	}
	panic("what ct key?")
}

func (in *interpreter) header(base expr.PayloadBase) []byte {
	out := make([]byte, 40)
	if base == expr.PayloadBaseNetworkHeader {
		f := familyOf(in.p.daddr)
		copy(out[f.offsets[0]:], in.p.saddr.AsSlice())
		copy(out[f.offsets[1]:], in.p.daddr.AsSlice())
		return out
	}
	if !hasPorts(in.p.proto) {
		out[0] = byte(in.p.dport)
		return out
	}
	binary.BigEndian.PutUint16(out, in.p.sport)
	binary.BigEndian.PutUint16(out[2:], in.p.dport)
	return out
}

func (in *interpreter) translate(kind expr.NATType, a netip.Addr) {
	if kind == expr.NATTypeSourceNAT {
		in.ct.snat, in.p.saddr = a, a
	} else {
		in.ct.dnat, in.p.daddr = a, a
	}
}

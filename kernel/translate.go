package kernel

import (
	"fmt"
	"net/netip"

	"github.com/google/nftables"
	"github.com/google/nftables/binaryutil"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

// Ports that a NAT gateway gives connections. Source: VPC user guide, "NAT gateways":
// "A NAT gateway uses ports 1024–65535."
const firstNATPort, lastNATPort = 1024, 65535

// maxNATConnections is how many connections one address of a NAT gateway has to one
// destination at most. Source: VPC user guide, "NAT gateways": "Each IPv4 address can
// support up to 55,000 simultaneous connections to each unique destination", which is
// the address, the port and the protocol.
const maxNATConnections = 55000

// translateIn replaces an address by what the map of IPv4 addresses has for it.
func translateIn(s side, name string) term {
	word, kind := "snat", expr.NATTypeSourceNAT
	if s == ip4.destination() {
		word, kind = "dnat", expr.NATTypeDestNAT
	}
	return term{fmt.Sprintf("%s ip to %s map @%s", word, s.text, name), append(s.load(1),
		&expr.Lookup{SourceRegister: 1, DestRegister: 1, IsDestRegSet: true, SetName: name},
		&expr.NAT{Type: kind, Family: unix.NFPROTO_IPV4, RegAddrMin: 1})}
}

// sourceIs replaces the source by an address and one of the ports of NAT gateways.
func sourceIs(a netip.Addr) term {
	return term{fmt.Sprintf("snat ip to %s:%d-%d", a, firstNATPort, lastNATPort), []expr.Any{
		&expr.Immediate{Register: 1, Data: a.AsSlice()},
		&expr.Immediate{Register: 2, Data: binaryutil.BigEndian.PutUint16(firstNATPort)},
		&expr.Immediate{Register: 3, Data: binaryutil.BigEndian.PutUint16(lastNATPort)},
		&expr.NAT{Type: expr.NATTypeSourceNAT, Family: unix.NFPROTO_IPV4, RegAddrMin: 1, RegProtoMin: 2, RegProtoMax: 3, Specified: true},
	}}
}

// share matches one connection of so many, always the same ones.
func share(i, of int) term {
	exprs := ip4.check()
	exprs = append(exprs,
		&expr.Payload{DestRegister: register32, Base: expr.PayloadBaseNetworkHeader, Offset: ip4.offsets[0], Len: 8}, // both addresses
		&expr.Payload{DestRegister: register32 + 2, Base: expr.PayloadBaseTransportHeader, Offset: 0, Len: 4},        // both ports
		&expr.Hash{SourceRegister: register32, DestRegister: 1, Length: 12, Modulus: uint32(of), Seed: 1, Type: expr.HashTypeJenkins},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: native(uint32(i))},
	)
	return term{fmt.Sprintf("jhash ip saddr . ip daddr . th sport . th dport mod %d seed 0x1 == %d", of, i), exprs}
}

// destinations are elements of a source, a destination and its port.
var destinations = nftables.MustConcatSetType(nftables.TypeIPAddr, nftables.TypeIPAddr, nftables.TypeInetService)

// tooMany matches a new connection of tcp or udp when its source has more than most
// to the same destination. The set is the kernel's to fill.
func tooMany(number uint8, name string, most uint32) term {
	word := protocolWords[number]
	exprs := append(ip4.check(), l4proto(number)...)
	exprs = append(exprs,
		&expr.Payload{DestRegister: register32, Base: expr.PayloadBaseNetworkHeader, Offset: ip4.offsets[0], Len: 8},
		&expr.Payload{DestRegister: register32 + 2, Base: expr.PayloadBaseTransportHeader, Offset: 2, Len: 2},
		&expr.Dynset{SrcRegKey: register32, SetName: name, Operation: unix.NFT_DYNSET_OP_ADD, Exprs: []expr.Any{
			&expr.Connlimit{Count: most, Flags: expr.NFT_CONNLIMIT_F_INV},
		}})
	return term{fmt.Sprintf("add @%s { ip saddr . ip daddr . %s dport ct count over %d }", name, word, most), exprs}
}

// protocolWords are what nft(8) calls protocols that have ports.
var protocolWords = map[uint8]string{unix.IPPROTO_TCP: "tcp", unix.IPPROTO_UDP: "udp"}

// counter counts the packets that reach it.
var counter = term{"counter", []expr.Any{&expr.Counter{}}}

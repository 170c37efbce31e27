package proxyprotocol

import (
	"encoding/binary"
	"net/netip"
)

// signature begins every header of version 2.
const signature = "\r\n\r\n\x00\r\nQUIT\n"

// Local is the header of a connection that is the balancer's own.
const Local = signature + "\x20\x00\x00\x00"

// What a header speaks of.
const (
	Stream   = 1
	Datagram = 2
)

// Header tells a target where a connection or a datagram really comes from.
// Source: "The PROXY protocol", version 2, section 2.2.
func Header(source, destination netip.AddrPort, kind byte) []byte {
	const proxied, ip4, ip6 = 0x21, 0x10, 0x20
	client, local := source.Addr().Unmap(), destination.Addr().Unmap()
	family, addresses := byte(ip4), append(client.AsSlice(), local.AsSlice()...)
	if client.Is6() || local.Is6() {
		a, b := client.As16(), local.As16()
		family, addresses = ip6, append(a[:], b[:]...)
	}
	h := append([]byte(signature), proxied, family|kind)
	h = binary.BigEndian.AppendUint16(h, uint16(len(addresses)+4))
	h = append(h, addresses...)
	h = binary.BigEndian.AppendUint16(h, source.Port())
	return binary.BigEndian.AppendUint16(h, destination.Port())
}

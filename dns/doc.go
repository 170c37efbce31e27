// Package dns answers for the names of VPCs, and makes the machine itself know
// those that are its own.
//
// In every VPC it is the Amazon-provided resolver: at 169.254.169.253 and at
// the second address after the base of each of the VPC's ranges, on sockets
// inside the VPC's router. A question goes along the links of one chain, and
// the first that has an answer gives it:
//
//	refuse    what is no question for a resolver
//	record    names we were given: load balancers
//	address   ip-10-0-0-1.ec2.internal, for every address of the VPC
//	reverse   the way back, 1.0.0.10.in-addr.arpa
//	zone      whatever else is in a zone of ours does not exist
//	forward   the rest of the world, by the machine's own resolvers
//
// On the machine it keeps lines in /etc/hosts, see [Hosts].
//
// All of it is answered from memory and from what was set last: it goes on
// while the control plane is away. It refuses to know who made a name and why,
// how a router comes to be, and what is at an address.
//
// Sources: Amazon VPC user guide, "DNS attributes for your VPC" and "Amazon DNS
// server"; RFC 1034, 1035, 2308 (negative answers), 6891 (EDNS), 7766 (TCP).
package dns

import (
	"net"
	"net/netip"
)

// Network makes sockets inside the routers of VPCs. An address takes one socket
// of a kind at a time. An error says that it has one, or can have none now: the
// router may not be there yet.
type Network interface {
	ListenUDP(vpc string, addr netip.AddrPort) (*net.UDPConn, error)
	ListenTCP(vpc string, addr netip.AddrPort) (net.Listener, error)
}

// Package dns is the Amazon-provided resolver of every VPC, and it adds the names of
// load balancers, and the public names of interfaces, to the hosts file of the machine.
//
// In a VPC it answers at 169.254.169.253 and at the second address after the base of
// each of the VPC's CIDRs, on sockets inside the VPC's router. A query goes through
// a chain of handlers, and the first that has an answer gives it:
//
//	refuse          queries that are not for a resolver
//	record          the names that were set: load balancers, interface endpoints
//	address         ip-10-0-0-1.ec2.internal, for every address of the VPC
//	reverse         1.0.0.10.in-addr.arpa, for every address of the VPC
//	public          ec2-240-0-0-1.compute-1.amazonaws.com, for the public addresses of
//	                interfaces: the private address in their own VPC, and in those
//	                whose peering connection with it says so
//	public reverse  1.0.0.240.in-addr.arpa, the same back
//	s3              the names of S3 where it has an address of its own in the VPC
//	platform        the names of AWS that stand for Fargo's own APIs: see
//	                [desired.Platform]
//	zone            other names in the zones above do not exist
//	forward         all others, by the machine's own resolvers: among them the public
//	                names of addresses that are not of the instance's range
//
// On the machine it keeps lines in /etc/hosts, see [Hosts].
//
// Answers come from memory, from what was set last, so they do not depend on the
// control plane. The package does not know who made a name, how a router is made, or
// what is at an address.
//
// Sources: Amazon VPC user guide, "DNS attributes for your VPC" and "Amazon DNS
// server"; RFC 1034, 1035, 2308 (negative answers), 6891 (EDNS), 7766 (TCP).
package dns

import (
	"net"
	"net/netip"
)

// Network makes sockets inside the routers of VPCs. An address takes one socket of a
// kind at a time. An error means that the address has one, or that none can be made
// now, because the router may not exist yet.
type Network interface {
	ListenUDP(vpc string, addr netip.AddrPort) (*net.UDPConn, error)
	ListenTCP(vpc string, addr netip.AddrPort) (net.Listener, error)
}

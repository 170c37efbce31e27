// Package kernel makes the networks, the control groups and the sized file systems of
// tasks. It implements what [host.Network] and [host.TaskCgroup] describe, and is the
// only package that uses netlink, nftables, network namespaces, sysctl, cgroupfs and loop
// devices. It does not know why a network is as it is, what is written into a file
// system, what a container is, or any protocol above TCP and UDP.
//
// # The shape of a VPC
//
// Every VPC is one network namespace that acts as its router. Every interface
// is a namespace of its own, joined to its router by a veth pair; nothing is
// bridged. A second kind of veth pair, the uplink, joins each router to the
// machine:
//
//	 interface eni-1          router vpc-1                        machine
//	┌─────────────────┐   ┌────────────────────────────────┐   ┌──────────────────────┐
//	│ eth0            │   │ fg1a2b-k3v5q2ha          host0 │   │ fg1a2b-a9fec004      │
//	│ 172.31.0.5/20   ├───┤ to 172.31.0.5   169.254.192.5  ├───┤ 169.254.192.4        │
//	│ via 169.254.1.1 │   │ lo: 169.254.1.1, 169.254.170.2 │   │ to 172.31.0.5        │
//	└─────────────────┘   │     169.254.169.253, base+2, 3 │   │    via 169.254.192.5 │
//	                      └────────────────────────────────┘   └──────────────────────┘
//
// # What decides about a packet
//
// The packet filter of the router reads like the VPC: it has chains named after its
// subnets, route tables, network ACLs, NAT gateways and groups. What an address is
// (which interface's, in which subnet, translated to what) is an element of a set or a
// map, so that an interface that comes or goes changes no rule.
//
//	guard         the link and the source of a packet lead to subnet-…-out: what is for
//	              the subnet itself goes to "vpc", and the rest crosses the border:
//	              acl-…-out, then rtb-…, which has a rule for each route. These lead to
//	              "vpc", "internet", "egress-only", "service", to-vpc-…, or nat-…-….
//	              Each of them marks the packet with its next hop.
//	tracked       the mark of a connection is that of its first packet. A packet
//	              with another is dropped: an answer takes the way back that its
//	              route table says, and that has to be where the question came from.
//	destinations  public addresses become private ones
//	egress        the groups of the source, for new connections
//	sources       private addresses become public ones, or those of a NAT gateway
//	limits        connections for which a NAT gateway has no port are counted and dropped
//	ingress       into the subnet (subnet-…-in, acl-…-in), and for new connections the
//	              groups of the destination
//
// The first runs before the kernel looks for the connection, and the last after it
// has translated the source: at both ends addresses and ports are those on the wire
// there, as for a VPC's lists and tables. That is why routes are looked up by rules and
// not by the kernel's routing, which sees destinations that are translated. The kernel's
// routing only has what follows from the mark: an interface has a route, all else leaves
// by the uplink, and a peer is a table of its own, chosen by mark.
//
// Every combination of security groups that some interface has is a pair of chains, one
// for each direction. A group that a rule names is a set of addresses. Groups ask
// about new connections, and access lists about every packet.
//
// # What a packet may do
//
//   - Between two interfaces: the source's groups must allow it out and the
//     destination's groups must allow it in, and if they are in two subnets the lists
//     of both. A source address that is not the interface's own is dropped before
//     anything looks at it.
//   - From an interface to an unused address of the VPC: each packet is answered with
//     ICMP "host unreachable"; to where no route leads, with "network unreachable"; by
//     a route to a blackhole, or to the Internet without a public address, not at all.
//   - From the machine to an interface: it leaves from the uplink's own address
//     (169.254.192.0/18, or of IPv6 fdfa:7260::/32), so of the groups and lists of the
//     destination only rules for 0.0.0.0/0 and other blocks with that address admit
//     it. A program that binds another address of the machine reaches no private
//     address. Answers need no route.
//   - From an interface to the machine: never, but for answers.
//   - To a public address: DNAT in the router of the interface that has it. From other
//     interfaces, in the same VPC too, the packet goes by way of the machine, and arrives
//     with the sender's public address. From the machine it arrives as above. From outside
//     of the machine it arrives only with [Config].PublicRouted.
//   - From an interface to the Internet: with its public address, that of a NAT gateway,
//     or its own of IPv6; the machine lets no other pass. Without PublicRouted the
//     machine replaces it by an address of its own. What a route to a service lets out
//     has the router's uplink address until the machine replaces that.
//     Forwarding (net.ipv4.ip_forward, net.ipv6.conf.all.forwarding) is switched on
//     when something first needs it, and is not switched off again: other programs
//     may rely on it by then. Link-local addresses (a cloud's metadata service) stay
//     out of reach.
//   - To a NAT gateway: only answers. They pass its subnet's list twice, as their
//     questions did.
//   - Through a peering: with private addresses, which the other router checks.
//   - From an interface to the router's own addresses: TCP 80 of 169.254.170.2; port 53
//     of 169.254.169.253 and of the second address after each CIDR's base; TCP 80 and
//     443 of the third after the first CIDR's, unless the subnet's PlatformFor leaves the
//     interface out, and of the address of S3, unless S3For does. Groups
//     and lists have no say in these, as on AWS.
//
// A VPC without subnets is from an older control plane: see withSubnets.
//
// # What an instance has on the machine
//
// Everything carries the instance (four hexadecimal digits, here 1a2b); nothing
// that does not carry it is changed:
//
//   - links fg1a2b-*, with routes of protocol 236 over them. Those of private addresses
//     are appended to those that exist: of several VPCs with one address, the first is
//     reached. Those of public and IPv6 addresses have none beside them;
//   - for each VPC CIDR and the ranges of public addresses a route "unreachable …
//     metric 2147418112 + 0x1a2b", added before the first interface, so that no packet
//     to an unused address leaves by the machine's default route;
//   - the nftables table "inet fargo-1a2b";
//   - namespaces bound below /run/fargo-1a2b/netns;
//   - control groups below /fargo-1a2b in every hierarchy, with what is in them: a
//     process in a group that no task has is killed.
//
// Sources: ip-route(8), nft(8), Documentation/networking/ip-sysctl.rst and
// Documentation/admin-guide/cgroup-v2.rst of the kernel; Amazon VPC user guide,
// "Security groups", "Network ACLs", "Route tables", "NAT gateways" and "DNS attributes".
package kernel

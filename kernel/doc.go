// Package kernel makes the networks and control groups of tasks. It implements what
// [host.Network] and [host.TaskCgroup] describe, and is the only package that uses
// netlink, nftables, network namespaces, sysctl and cgroupfs. It does not know why
// a network is as it is, what a container is, or any protocol above TCP and UDP.
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
//	└─────────────────┘   │     169.254.169.253, base+2    │   │    via 169.254.192.5 │
//	                      └────────────────────────────────┘   └──────────────────────┘
//
// In the router's packet filter every combination of security groups that some
// interface has is a pair of chains, one for each direction, which a packet
// reaches by looking its address up in a verdict map. A group that a rule names
// is a set of addresses. What no group allows is dropped, in both directions.
//
// # What a packet may do
//
//   - Between two interfaces: the source's groups must allow it out and the
//     destination's groups must allow it in. A source address that is not the
//     interface's own is dropped before anything looks at it.
//   - From an interface to an unused address of the VPC: each packet is answered
//     with ICMP "host unreachable".
//   - From the machine to an interface: it leaves from the uplink's own address
//     (169.254.192.0/18), so of the groups of the destination only rules for
//     0.0.0.0/0 and other blocks with that address admit it. A program that binds
//     another address of the machine reaches no interface.
//   - From an interface to the machine: never, but for answers.
//   - From an interface to the Internet: only with [desired.Interface].Internet.
//     The router replaces the source by its uplink address, so that VPCs with
//     the same addresses stay apart, and the machine replaces that by its own.
//     Forwarding (net.ipv4.ip_forward) is switched on when the first such
//     interface is added, and is not switched off again: other programs may
//     rely on it by then. Link-local addresses (a cloud's metadata service) stay out
//     of reach.
//   - From anywhere else to an interface: never, but for answers.
//   - From an interface to the router's own addresses: TCP 80 of 169.254.170.2;
//     port 53 of 169.254.169.253 and of the second address after each CIDR's
//     base. Groups have no say in these, as on AWS.
//
// # What an instance has on the machine
//
// Everything carries the instance (four hexadecimal digits, here 1a2b); nothing
// that does not carry it is changed:
//
//   - links fg1a2b-*, with routes of protocol 236 over them, appended to
//     those that exist: of several VPCs with one address, the first is reached;
//   - for each VPC CIDR a route "unreachable … metric 2147418112 + 0x1a2b", added
//     before the first interface, so that no packet to an unused address leaves by
//     the machine's default route;
//   - the nftables table "inet fargo-1a2b";
//   - namespaces bound below /run/fargo-1a2b/netns;
//   - control groups below /fargo-1a2b in every hierarchy, with what is in them: a
//     process in a group that no task has is killed.
//
// Sources: ip-route(8), nft(8), Documentation/networking/ip-sysctl.rst and
// Documentation/admin-guide/cgroup-v2.rst of the kernel; Amazon VPC user guide,
// "Security groups" and "DNS attributes".
package kernel

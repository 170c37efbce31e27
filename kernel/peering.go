package kernel

import (
	"fmt"
	"net/netip"
	"slices"

	"fargo/desired"
)

// A peer is another VPC, as the router of one sees it.
type peer struct {
	vpc    string
	link   string // what this router calls its link to the other
	mark   mark   // of packets to it
	cidrs  []netip.Prefix
	groups []desired.SecurityGroup
	ipv6   bool // both have it
}

// A peering joins two routers by a link of their own. Peerings are comparable: a
// change of any field makes another.
type peering struct {
	a, b peerEnd
	ipv6 bool // both have it
}

// A peerEnd is one router's part in it.
type peerEnd struct {
	vpc    string
	link   string // its name here
	mark   mark   // of packets that leave by it; also the routing table
	router netip.Addr
	ipv6   netip.Addr // of this end
}

// findPeers lists for each VPC those with which both say that they are peers. The
// others of a peer that cannot be made are made.
func findPeers(cfg Config, vpcs map[string]desired.VPC) map[string][]peer {
	out := map[string][]peer{}
	for _, id := range sorted(vpcs) {
		ids := slices.Compact(slices.Sorted(slices.Values(vpcs[id].Peers)))
		number := numbers(ids, peerCount)
		for _, other := range ids {
			v, there := vpcs[other]
			if !there || other == id || !slices.Contains(v.Peers, id) {
				continue
			}
			out[id] = append(out[id], peer{other, cfg.portName(other), peerMark(number[other]), v.CIDRs, v.Groups, hasIPv6(v) && hasIPv6(vpcs[id])})
		}
	}
	return out
}

// peerings are all links between routers, by the ids of both.
func peerings(peers map[string][]peer, links map[string]uplink) map[string]peering {
	end := func(number int, here, there string) peerEnd {
		i := slices.IndexFunc(peers[here], func(p peer) bool { return p.vpc == there })
		return peerEnd{here, peers[here][i].link, peers[here][i].mark, links[here].router, peering6[number]}
	}
	out := map[string]peering{}
	for id, all := range peers {
		for _, p := range all {
			if id < p.vpc {
				out[id+" "+p.vpc] = peering{end(0, id, p.vpc), end(1, p.vpc, id), p.ipv6}
			}
		}
	}
	return out
}

// A policy is a rule of the kernel's routing: packets with a mark use a table of its
// number.
type policy struct {
	mark mark
	ipv6 bool
}

// command is the rest of a command line of ip(8).
func (p policy) command(verb string) string {
	option := ""
	if p.ipv6 {
		option = "-6 "
	}
	return fmt.Sprintf("%srule %s fwmark %#x/%#x lookup %d priority %d", option, verb, uint32(p.mark), uint32(hopMask), p.mark, policyPriority)
}

// policyPriority is before the kernel's own rules but for the table "local". It is as
// our routes are marked.
const policyPriority = routeProtocol

// addPeering joins two routers.
func addPeering(p peering) script {
	s := script{id: p.a.vpc, vpc: p.b.vpc}
	s.add(p.a.vpc, vethAdd{name: p.a.link, peer: p.b.link, peerNS: p.b.vpc})
	for _, ends := range [][2]peerEnd{{p.a, p.b}, {p.b, p.a}} {
		here, there := ends[0], ends[1]
		s.add(here.vpc,
			// What comes in by this link is not always what leaves by it: that
			// depends on the subnet. The packet filter knows the sources.
			sysctl{"net/ipv4/conf/all/rp_filter", "0"},
			sysctl{"net/ipv4/conf/" + here.link + "/rp_filter", "0"},
			linkUp{here.link},
			// The address by which it asks for the other's hardware address.
			addrAdd{dev: here.link, prefix: single(here.router)},
			routeAdd{route: peerRoute(here, there)},
			policyAdd{policy{here.mark, false}},
		)
		if p.ipv6 {
			s.add(here.vpc, enableIPv6(here.link, here.ipv6)...)
			s.add(here.vpc, routeAdd{route: peerRoute6(here, there)}, policyAdd{policy{here.mark, true}})
		}
	}
	return s
}

// removePeering takes the link away, and with it the routes.
func removePeering(p peering) script {
	s := script{id: p.a.vpc, vpc: p.b.vpc}
	for _, e := range []peerEnd{p.a, p.b} {
		s.add(e.vpc, policyDel{policy{e.mark, false}})
		if p.ipv6 {
			s.add(e.vpc, policyDel{policy{e.mark, true}})
		}
	}
	s.add(p.a.vpc, linkDel{p.a.link})
	return s
}

func peerRoute(here, there peerEnd) route {
	return route{to: everywhere, via: there.router, dev: here.link, onlink: true, table: int(here.mark)}
}

func peerRoute6(here, there peerEnd) route {
	return route{to: everywhere6, via: there.ipv6, dev: here.link, table: int(here.mark)}
}

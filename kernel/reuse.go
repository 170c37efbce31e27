package kernel

import (
	"reflect"
	"slices"

	"fargo/desired"
)

// A routerInput is what the ruleset of a router is made from, besides its link.
type routerInput struct {
	vpc        desired.VPC
	peers      []peer
	interfaces []desired.Interface
}

// addRules makes the ruleset of a router, or takes the one that it has if nothing has
// changed that it is made from: most changes are about one VPC of many.
func (r *router) addRules(cfg Config, prev *layout, from routerInput) {
	if prev != nil {
		if old, had := prev.routers[r.vpc]; had && old.link == r.link && reflect.DeepEqual(old.from, from) {
			r.rules, r.invalid, r.from = old.rules, old.invalid, old.from
			return
		}
	}
	r.rules, r.invalid = routerRules(cfg, from.vpc, r.link, from.peers, from.interfaces)
	r.from = from.clone()
}

// clone copies all that the caller might change.
func (in routerInput) clone() routerInput {
	in.vpc = cloneVPC(in.vpc)
	in.peers = slices.Clone(in.peers)
	for i, p := range in.peers {
		in.peers[i].cidrs, in.peers[i].groups = slices.Clone(p.cidrs), cloneGroups(p.groups)
	}
	in.interfaces = slices.Clone(in.interfaces)
	for i, e := range in.interfaces {
		in.interfaces[i].Groups, in.interfaces[i].Resolver = slices.Clone(e.Groups), cloneResolver(e.Resolver)
	}
	return in
}

func cloneResolver(r *desired.Resolver) *desired.Resolver {
	if r == nil {
		return nil
	}
	return &desired.Resolver{Search: slices.Clone(r.Search), Servers: slices.Clone(r.Servers)}
}

func cloneVPC(v desired.VPC) desired.VPC {
	v.CIDRs, v.Groups = slices.Clone(v.CIDRs), cloneGroups(v.Groups)
	v.Peers, v.DNSPeers = slices.Clone(v.Peers), slices.Clone(v.DNSPeers)
	v.S3.Names = slices.Clone(v.S3.Names)
	v.Subnets = slices.Clone(v.Subnets)
	for i, s := range v.Subnets {
		v.Subnets[i].Prefixes = slices.Clone(s.Prefixes)
	}
	v.RouteTables = slices.Clone(v.RouteTables)
	for i, t := range v.RouteTables {
		v.RouteTables[i].Routes = slices.Clone(t.Routes)
	}
	v.ACLs = slices.Clone(v.ACLs)
	for i, a := range v.ACLs {
		v.ACLs[i].Ingress, v.ACLs[i].Egress = slices.Clone(a.Ingress), slices.Clone(a.Egress)
	}
	v.NATGateways = slices.Clone(v.NATGateways)
	for i, g := range v.NATGateways {
		v.NATGateways[i].Addresses = slices.Clone(g.Addresses)
	}
	return v
}

func cloneGroups(groups []desired.SecurityGroup) []desired.SecurityGroup {
	groups = slices.Clone(groups)
	for i, g := range groups {
		groups[i].Ingress, groups[i].Egress, groups[i].Members = slices.Clone(g.Ingress), slices.Clone(g.Egress), slices.Clone(g.Members)
	}
	return groups
}

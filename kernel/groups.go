package kernel

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"fargo/desired"
)

// invalid are errors by the place of what is wrong: a rule, a member, a route.
type invalid map[string]error

func (i invalid) join() error {
	var errs []error
	for _, place := range sorted(i) {
		errs = append(errs, fmt.Errorf("%s: %w", place, i[place]))
	}
	return errors.Join(errs...)
}

// groupRules writes a pair of chains for each combination of security groups
// that some interface has, and an address set for each group that a rule names.
type groupRules struct {
	groups   map[string]*desired.SecurityGroup // also those of peers, which rules may name
	families []*family
	into     *ruleset
	invalid  invalid
}

// chains adds the pair for a combination, if it is missing. It returns what follows
// "in-" and "out-" in their names.
func (g groupRules) chains(ids []string) string {
	ids = slices.Compact(slices.Sorted(slices.Values(ids)))
	suffix := strings.Join(ids, ".")
	if _, done := g.into.chains["in-"+suffix]; done {
		return suffix
	}
	var in, out []rule
	for _, id := range ids {
		in = g.append(in, (*family).source, g.groups[id].Ingress, "security group "+id+": ingress")
		out = g.append(out, (*family).destination, g.groups[id].Egress, "security group "+id+": egress")
	}
	g.into.chains["in-"+suffix], g.into.chains["out-"+suffix] = chain{rules: in}, chain{rules: out}
	return suffix
}

// append adds rules, without duplicates.
func (g groupRules) append(to []rule, peer func(*family) side, rules []desired.Rule, place string) []rule {
	for i, r := range rules {
		all, err := g.rules(peer, r)
		if err != nil {
			g.invalid[fmt.Sprintf("%s rule %d", place, i)] = err
		}
		for _, terms := range all {
			if !slices.ContainsFunc(to, terms.same) {
				to = append(to, terms)
			}
		}
	}
	return to
}

// rules is a rule as the kernel takes it: one for each family that it is about.
func (g groupRules) rules(peer func(*family) side, r desired.Rule) ([]rule, error) {
	traffic, err := trafficTerms(r.Protocol, r.FromPort, r.ToPort)
	if err != nil {
		return nil, err
	}
	var out []rule
	switch {
	case r.Group != "":
		g.members(r.Group)
		for _, f := range g.families {
			out = append(out, slices.Concat(rule{peer(f).inSet(r.Group)}, traffic, rule{accept}))
		}
	case !r.CIDR.IsValid():
		return nil, errors.New("neither CIDR nor group")
	case slices.Contains(g.families, familyOf(r.CIDR.Addr())):
		out = append(out, slices.Concat(blockTerms(peer, r.CIDR, len(g.families) > 1), traffic, rule{accept}))
	}
	return out, nil
}

// blockTerms matches a block of addresses. Where both families are, all of one is not
// all there is.
func blockTerms(peer func(*family) side, cidr netip.Prefix, both bool) rule {
	f := familyOf(cidr.Addr())
	switch {
	case cidr.Bits() > 0:
		return rule{peer(f).in(cidr)}
	case both:
		return rule{f.is()}
	}
	return nil
}

// members adds the sets of a group's addresses, if they are missing. A group that is
// not known has none.
func (g groupRules) members(id string) {
	if _, done := g.into.sets[id]; done {
		return
	}
	for _, f := range g.families {
		g.into.sets[id+f.suffix] = newSet(f.address)
	}
	group, ok := g.groups[id]
	if !ok {
		return
	}
	for _, a := range group.Members {
		if f := familyOf(a); a.IsValid() && slices.Contains(g.families, f) {
			g.into.sets[id+f.suffix].add(a)
		} else if !a.IsValid() {
			g.invalid[fmt.Sprintf("security group %s: member %s", id, a)] = errors.New("is not an address")
		}
	}
}

// trafficTerms is the protocol part of a rule or an entry. Source of the meanings: EC2
// API, IpPermission and NetworkAclEntry.
func trafficTerms(name string, from, to int) (rule, error) {
	number, all, err := protocolNumber(name)
	if err != nil || all {
		return nil, err
	}
	switch number {
	case unix.IPPROTO_TCP, unix.IPPROTO_UDP:
		if from < 0 || from == 0 && to == 65535 {
			return rule{protocol(number)}, nil
		}
		if to < from || to > 65535 {
			return nil, fmt.Errorf("ports %d to %d", from, to)
		}
		return rule{ports(number, uint16(from), uint16(to))}, nil
	case unix.IPPROTO_ICMP, unix.IPPROTO_ICMPV6:
		if from > 255 || to > 255 {
			return nil, fmt.Errorf("ICMP type %d code %d", from, to)
		}
		return rule{icmp(number, from, to)}, nil
	}
	return rule{protocol(number)}, nil
}

func protocolNumber(name string) (number uint8, all bool, err error) {
	switch name {
	case "-1":
		return 0, true, nil
	case "tcp":
		return unix.IPPROTO_TCP, false, nil
	case "udp":
		return unix.IPPROTO_UDP, false, nil
	case "icmp":
		return unix.IPPROTO_ICMP, false, nil
	case "icmpv6":
		return unix.IPPROTO_ICMPV6, false, nil
	}
	n, err := strconv.ParseUint(name, 10, 8)
	if err != nil {
		return 0, false, fmt.Errorf("protocol %q", name)
	}
	return uint8(n), false, nil
}

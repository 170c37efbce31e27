package kernel

import (
	"fmt"
	"slices"

	"fargo/desired"
)

// aclChains adds two chains for each access list: what comes into its subnets and
// what goes out of them. They return from what is allowed and drop the rest, whatever
// the connection tracker knows.
func (b *builder) aclChains() {
	for _, acl := range b.vpc.ACLs {
		b.rules.chains[acl.ID+"-in"] = chain{rules: b.aclRules((*family).source, rejectedInbound, acl.Ingress, "network ACL "+acl.ID+": ingress")}
		b.rules.chains[acl.ID+"-out"] = chain{rules: b.aclRules((*family).destination, rejectedOutbound, acl.Egress, "network ACL "+acl.ID+": egress")}
	}
}

func (b *builder) aclRules(peer func(*family) side, rejected uint16, entries []desired.ACLEntry, place string) []rule {
	var out []rule
	for i, e := range entries {
		traffic, err := trafficTerms(e.Protocol, e.FromPort, e.ToPort)
		if err == nil && !e.CIDR.IsValid() {
			err = fmt.Errorf("has no CIDR")
		}
		if err != nil {
			b.invalid[fmt.Sprintf("%s entry %d", place, i)] = err
			// Entries after it might allow what it denies.
			break
		}
		if !slices.Contains(b.families, familyOf(e.CIDR.Addr())) {
			continue
		}
		verdict := rule{logRejected(rejected), drop}
		if e.Allow {
			verdict = rule{back}
		}
		out = append(out, slices.Concat(blockTerms(peer, e.CIDR, len(b.families) > 1), traffic, verdict))
	}
	return append(out, rule{logRejected(rejected), drop})
}

// throughACL are the rules that let a packet on when the access list of a subnet lets
// it cross the border. A list that is not there lets nothing pass.
func (b *builder) throughACL(s desired.Subnet, direction string) []rule {
	if s.ACL == "" {
		return nil // of an older control plane
	}
	if _, there := b.rules.chains[s.ACL+direction]; !there {
		b.invalid["subnet "+s.ID] = fmt.Errorf("network ACL %s is not there", s.ACL)
		return []rule{{drop}}
	}
	return []rule{{jump(s.ACL + direction)}}
}

package worker

import (
	"slices"

	"fargo/balancer/health"
	"fargo/desired"
	"fargo/secret"
)

// config is all that a worker is to do, in pieces that each change by themselves: load
// balancers, target groups, certificates, what is known of the targets of a group. It
// is not changed once it is made: the next generation is another value.
type config struct {
	// generation tells one from those before it. 0 is of a worker that was told nothing.
	generation   uint64
	balancers    []desired.Balancer // whose certificates have no chain: it is in certificates
	groups       []desired.BalancerGroup
	certificates []certificate
	health       []groupHealth
	// tickets are the secrets of [balancer.Server.SetTickets].
	tickets []secret.Exposed
}

// certificate is a certificate's chain, in PEM, and its private key. Its id, which is
// that of the key, has the digest of the chain: load balancers name it by that, and a
// worker is told each once however many listeners use it.
type certificate struct {
	ID    desired.SecretID `json:"id"`
	Chain string           `json:"chain"`
	Key   secret.Exposed   `json:"key,omitzero"` // empty when the node has not got it
}

// groupHealth is what is known of the targets of a group.
type groupHealth struct {
	Group   string          `json:"group"` // ARN
	Targets []health.Status `json:"targets"`
}

func balancerKey(b *desired.Balancer) string   { return b.ARN }
func groupKey(g *desired.BalancerGroup) string { return g.ARN }
func certificateKey(c *certificate) string     { return string(c.ID) }
func healthKey(h *groupHealth) string          { return h.Group }

// splitCertificates takes the certificates out of load balancers, each once, in the
// order in which listeners name them.
func splitCertificates(balancers []desired.Balancer, keys map[desired.SecretID]secret.Text) (without []desired.Balancer, all []certificate) {
	known := map[desired.SecretID]bool{}
	without = mapCertificates(balancers, func(c desired.Certificate) desired.Certificate {
		if !known[c.KeyID] {
			known[c.KeyID] = true
			all = append(all, certificate{c.KeyID, c.Chain, secret.Exposed{Text: keys[c.KeyID]}})
		}
		c.Chain = ""
		return c
	})
	return without, all
}

// joinCertificates undoes splitCertificates.
func joinCertificates(without []desired.Balancer, all []certificate) ([]desired.Balancer, map[desired.SecretID]secret.Text) {
	chains := make(map[desired.SecretID]string, len(all))
	keys := make(map[desired.SecretID]secret.Text, len(all))
	for _, c := range all {
		chains[c.ID] = c.Chain
		if !c.Key.IsZero() {
			keys[c.ID] = c.Key.Text
		}
	}
	return mapCertificates(without, func(c desired.Certificate) desired.Certificate {
		c.Chain = chains[c.KeyID]
		return c
	}), keys
}

// mapCertificates are load balancers with other certificates.
func mapCertificates(balancers []desired.Balancer, other func(desired.Certificate) desired.Certificate) []desired.Balancer {
	balancers = slices.Clone(balancers)
	for i := range balancers {
		b := &balancers[i]
		b.Listeners = slices.Clone(b.Listeners)
		for j := range b.Listeners {
			l := &b.Listeners[j]
			l.Certificates = slices.Clone(l.Certificates)
			for k := range l.Certificates {
				l.Certificates[k] = other(l.Certificates[k])
			}
		}
	}
	return balancers
}

// splitHealth sorts what is known by group. It is in the order of groups.
func splitHealth(known []health.Status) (all []groupHealth) {
	for _, s := range known {
		if n := len(all); n == 0 || all[n-1].Group != s.Group {
			all = append(all, groupHealth{Group: s.Group})
		}
		last := &all[len(all)-1]
		last.Targets = append(last.Targets, s)
	}
	return all
}

// joinHealth undoes splitHealth.
func joinHealth(all []groupHealth) []health.Status {
	known := []health.Status{}
	for _, h := range all {
		known = append(known, h.Targets...)
	}
	return known
}

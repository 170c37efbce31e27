package dns

import (
	"context"
	"net/netip"
	"slices"

	"github.com/miekg/dns"

	"fargo/desired"
)

// publicNames answers for the public names of a range of addresses. Those of other
// addresses are AWS's own.
type publicNames struct{ of netip.Prefix }

// address answers with the private address in the VPC of the interface, and elsewhere
// with the public one.
func (p publicNames) address(_ context.Context, q *query) *dns.Msg {
	a, domain, ok := publicAddressIn(q.name)
	if !ok || !p.of.Contains(a) {
		return nil
	}
	m := q.reply()
	r, ok := q.view.public()[a]
	if !ok || canonical(r.Name) != q.name {
		m.Rcode = dns.RcodeNameError
		return q.complete(m, domain)
	}
	if q.wantsType(dns.TypeA) {
		m.Answer = append(m.Answer, q.a(publicAddress(r, q.vpc), ttlOf(r)))
	}
	return q.complete(m, domain)
}

// publicAddress is what a public name stands for in a VPC.
func publicAddress(r *desired.Record, vpc *desired.VPC) netip.Addr {
	if len(r.Addresses) > 0 && (r.VPC == vpc.ID || slices.Contains(vpc.DNSPeers, r.VPC)) {
		return r.Addresses[0]
	}
	return r.Public
}

// reverse answers with the public name of an address.
func (p publicNames) reverse(_ context.Context, q *query) *dns.Msg {
	a, ok := addressOf(q.name)
	if !ok || !p.of.Contains(a) {
		return nil
	}
	m := q.reply()
	r, ok := q.view.public()[a]
	switch {
	case !ok:
		m.Rcode = dns.RcodeNameError
	case q.wantsType(dns.TypePTR):
		m.Answer = append(m.Answer, &dns.PTR{Hdr: q.header(dns.TypePTR, ttlOf(r)), Ptr: r.Name + "."})
	}
	return q.complete(m, reverseZoneOf(q.name, p.of))
}

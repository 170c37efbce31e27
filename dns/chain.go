package dns

import (
	"context"
	"net/netip"
	"slices"
	"time"

	"github.com/miekg/dns"

	"fargo"
	"fargo/desired"
)

// A query is one question with what the handlers need to answer it.
type query struct {
	view     *view
	vpc      *desired.VPC
	msg      *dns.Msg
	q        dns.Question
	name     string // canonical
	sequence uint32 // counts queries, to rotate the addresses of answers
}

// A link of the chain answers, or returns nil for the next one to answer.
type link struct {
	name   string
	answer func(context.Context, *query) *dns.Msg
}

// localTTL is the TTL of answers that are not of a record, negative ones included.
const localTTL = 60 // seconds

// refuse refuses zone transfers, and classes other than IN.
func refuse(_ context.Context, q *query) *dns.Msg {
	if q.q.Qclass != dns.ClassINET || q.q.Qtype == dns.TypeAXFR || q.q.Qtype == dns.TypeIXFR {
		return q.failure(dns.RcodeRefused)
	}
	return nil
}

// record answers with all addresses of a record, rotated by one for every other query,
// as most programs use the first. Addresses of both families that are in pairs come
// first equally often, each among its own.
func record(_ context.Context, q *query) *dns.Msg {
	r, ok := q.view.record(q.vpc.ID, q.name)
	if !ok {
		return nil
	}
	ours, ok := zoneOf(q.name)
	if !ok {
		ours = q.name
	}
	m := q.reply()
	ttl := ttlOf(r)
	first := 0
	if n := len(r.Addresses); n > 0 {
		// Most ask for A and AAAA in turn, and would have the same first address each time.
		first = int(q.sequence / 2 % uint32(n)) //nolint:gosec // smaller than an int already
	}
	for i := range r.Addresses {
		switch a := r.Addresses[(first+i)%len(r.Addresses)]; {
		case a.Is4() && q.wantsType(dns.TypeA):
			m.Answer = append(m.Answer, q.a(a, ttl))
		case a.Is6() && q.wantsType(dns.TypeAAAA):
			m.Answer = append(m.Answer, q.aaaa(a, ttl))
		}
	}
	return q.complete(m, ours)
}

func ttlOf(r *desired.Record) uint32 {
	return uint32(r.TTL / time.Second) //nolint:gosec // RFC 2181 wants 31 bits
}

// address answers for the private names of the VPC's addresses, whether they are in use or
// not. In a VPC without host names there are none.
func address(_ context.Context, q *query) *dns.Msg {
	a, ok := addressIn(q.name, q.vpc.Region)
	if !ok {
		return nil
	}
	if _, ok := rangeOf(q.vpc, a); !ok || q.vpc.NoHostNames {
		return nil
	}
	m := q.reply()
	if q.wantsType(dns.TypeA) {
		m.Answer = append(m.Answer, q.a(a, localTTL))
	}
	return q.complete(m, fargo.PrivateDomain(q.vpc.Region))
}

// reverse answers with the private name of an address of the VPC, if it has one.
func reverse(_ context.Context, q *query) *dns.Msg {
	a, ok := addressOf(q.name)
	if !ok {
		return nil
	}
	cidr, ok := rangeOf(q.vpc, a)
	if !ok {
		return nil
	}
	m := q.reply()
	switch {
	case q.vpc.NoHostNames:
		m.Rcode = dns.RcodeNameError
	case q.wantsType(dns.TypePTR):
		m.Answer = append(m.Answer, &dns.PTR{Hdr: q.header(dns.TypePTR, localTTL), Ptr: fargo.PrivateDNSName(q.vpc.Region, a) + "."})
	}
	return q.complete(m, reverseZoneOf(q.name, cidr))
}

// s3 answers for the names of S3 where that has an address of its own in the VPC.
func s3(_ context.Context, q *query) *dns.Msg {
	own := &q.vpc.S3
	if !slices.Contains(own.Names, q.name) && !slices.Contains(own.Names, wildcard(q.name)) {
		return nil
	}
	m := q.reply()
	if q.wantsType(dns.TypeA) {
		m.Answer = append(m.Answer, q.a(own.Address, localTTL))
	}
	return q.complete(m, q.name)
}

// platform answers for the names of Fargo's own APIs with the address that they have in
// the VPC, which is IPv4.
func platform(_ context.Context, q *query) *dns.Msg {
	if !q.view.platform[q.name] && !q.view.platform[wildcard(q.name)] {
		return nil
	}
	a, ok := desired.PlatformAddress(q.vpc)
	if !ok {
		return nil
	}
	m := q.reply()
	if q.wantsType(dns.TypeA) {
		m.Answer = append(m.Answer, q.a(a, localTTL))
	}
	return q.complete(m, q.name)
}

// zone answers that a name of our zones does not exist: those that do, the handlers
// before it have answered.
func zone(_ context.Context, q *query) *dns.Msg {
	ours, ok := zoneOf(q.name)
	if !ok {
		return nil
	}
	m := q.reply()
	switch {
	case q.name == ours && q.wantsType(dns.TypeSOA):
		m.Answer = append(m.Answer, soa(ours))
	case q.name != ours && !q.view.parents[q.name]:
		m.Rcode = dns.RcodeNameError
	}
	return q.complete(m, ours)
}

func (q *query) wantsType(kind uint16) bool { return q.q.Qtype == kind || q.q.Qtype == dns.TypeANY }

// reply is an empty answer. It repeats the name with the case of the query, for
// clients that encode random bits in it (0x20).
func (q *query) reply() *dns.Msg {
	m := new(dns.Msg).SetReply(q.msg)
	m.RecursionAvailable = true
	return m
}

func (q *query) failure(rcode int) *dns.Msg {
	m := q.reply()
	m.Rcode = rcode
	return m
}

func (q *query) header(kind uint16, ttl uint32) dns.RR_Header {
	return dns.RR_Header{Name: q.q.Name, Rrtype: kind, Class: dns.ClassINET, Ttl: ttl}
}

func (q *query) a(address netip.Addr, ttl uint32) dns.RR {
	return &dns.A{Hdr: q.header(dns.TypeA, ttl), A: address.AsSlice()}
}

func (q *query) aaaa(address netip.Addr, ttl uint32) dns.RR {
	return &dns.AAAA{Hdr: q.header(dns.TypeAAAA, ttl), AAAA: address.AsSlice()}
}

// complete adds the zone's SOA to a negative answer, for its TTL. Source: RFC 2308, 3
// and 5.
func (q *query) complete(m *dns.Msg, zone string) *dns.Msg {
	if len(m.Answer) == 0 {
		m.Ns = append(m.Ns, soa(zone))
	}
	return m
}

// soa is the start of authority of one of our zones. It is never transferred: of its
// numbers only the last, the TTL of negative answers, has a meaning.
func soa(zone string) dns.RR {
	return &dns.SOA{
		Hdr: dns.RR_Header{Name: zone + ".", Rrtype: dns.TypeSOA, Class: dns.ClassINET, Ttl: localTTL},
		Ns:  "ns." + zone + ".", Mbox: "hostmaster." + zone + ".",
		Serial: 1, Refresh: 7200, Retry: 900, Expire: 1209600, Minttl: localTTL,
	}
}

package dns

import (
	"context"
	"net/netip"
	"strings"
	"time"

	"github.com/miekg/dns"

	"fargo"
	"fargo/desired"
)

// A query is one question, and whoever answers it needs.
type query struct {
	view *view
	vpc  *desired.VPC
	msg  *dns.Msg
	q    dns.Question
	name string // canonical
	turn uint32 // counts questions, so that answers can take turns
}

// A link of the chain answers, or leaves the question to the next with nil.
type link struct {
	name   string
	answer func(context.Context, *query) *dns.Msg
}

// ownTTL is how long answers of ours may be remembered that are not of a record,
// such as that there is no such name.
const ownTTL = 60 // seconds

// refuse turns away what only an authority could answer, and what is not about
// the Internet.
func refuse(_ context.Context, q *query) *dns.Msg {
	if q.q.Qclass != dns.ClassINET || q.q.Qtype == dns.TypeAXFR || q.q.Qtype == dns.TypeIXFR {
		return q.fails(dns.RcodeRefused)
	}
	return nil
}

// record answers with all addresses of a record, each time another one first,
// as programs mostly use the first.
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
	if q.asks(dns.TypeA) {
		first := 0
		if n := len(r.Addresses); n > 0 {
			first = int(q.turn % uint32(n)) //nolint:gosec // smaller than an int already
		}
		for i := range r.Addresses {
			if a := r.Addresses[(first+i)%len(r.Addresses)]; a.Is4() {
				m.Answer = append(m.Answer, q.a(a, uint32(r.TTL/time.Second))) //nolint:gosec // RFC 2181 wants 31 bits
			}
		}
	}
	return q.nothingMore(m, ours)
}

// address answers for the private names of the VPC's addresses, whether anything
// has them or not.
func address(_ context.Context, q *query) *dns.Msg {
	a, ok := addressIn(q.name, q.vpc.Region)
	if !ok {
		return nil
	}
	if _, ok := within(q.vpc, a); !ok {
		return nil
	}
	m := q.reply()
	if q.asks(dns.TypeA) {
		m.Answer = append(m.Answer, q.a(a, ownTTL))
	}
	return q.nothingMore(m, fargo.PrivateDomain(q.vpc.Region))
}

// reverse answers with the private name of an address of the VPC.
func reverse(_ context.Context, q *query) *dns.Msg {
	a, ok := addressOf(q.name)
	if !ok {
		return nil
	}
	cidr, ok := within(q.vpc, a)
	if !ok {
		return nil
	}
	m := q.reply()
	if q.asks(dns.TypePTR) {
		m.Answer = append(m.Answer, &dns.PTR{Hdr: q.header(dns.TypePTR, ownTTL), Ptr: fargo.PrivateDNSName(q.vpc.Region, a) + "."})
	}
	// The zone ends where the range's last whole octet does.
	labels := strings.Split(q.name, ".")
	return q.nothingMore(m, strings.Join(labels[4-max(1, cidr.Bits()/8):], "."))
}

// zone says that there is nothing: whatever exists in our zones, a link before
// has answered.
func zone(_ context.Context, q *query) *dns.Msg {
	ours, ok := zoneOf(q.name)
	if !ok {
		return nil
	}
	m := q.reply()
	switch {
	case q.name == ours && q.asks(dns.TypeSOA):
		m.Answer = append(m.Answer, soa(ours))
	case q.name != ours && !q.view.above[q.name]:
		m.Rcode = dns.RcodeNameError
	}
	return q.nothingMore(m, ours)
}

func (q *query) asks(kind uint16) bool { return q.q.Qtype == kind || q.q.Qtype == dns.TypeANY }

// reply is an answer with nothing in it. It repeats the name as it was asked,
// for clients that hide an identifier in its upper and lower case.
func (q *query) reply() *dns.Msg {
	m := new(dns.Msg).SetReply(q.msg)
	m.RecursionAvailable = true
	return m
}

func (q *query) fails(rcode int) *dns.Msg {
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

// nothingMore completes an answer that is ours. One that says no has the zone's
// SOA, which says for how long that holds. Source: RFC 2308, 3 and 5.
func (q *query) nothingMore(m *dns.Msg, zone string) *dns.Msg {
	if len(m.Answer) == 0 {
		m.Ns = append(m.Ns, soa(zone))
	}
	return m
}

// soa is the start of authority of a zone of ours. Nobody transfers it: only
// its last number, the TTL of negative answers, means anything.
func soa(zone string) dns.RR {
	return &dns.SOA{
		Hdr: dns.RR_Header{Name: zone + ".", Rrtype: dns.TypeSOA, Class: dns.ClassINET, Ttl: ownTTL},
		Ns:  "ns." + zone + ".", Mbox: "hostmaster." + zone + ".",
		Serial: 1, Refresh: 7200, Retry: 900, Expire: 1209600, Minttl: ownTTL,
	}
}

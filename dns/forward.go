package dns

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/miekg/dns"
	"golang.org/x/sync/singleflight"
)

// A query is forwarded to each resolver in turn, twice, and in all for no longer than
// clients wait before they repeat it (resolv.conf(5): 5 seconds).
const (
	attemptTimeout = 1500 * time.Millisecond
	forwardTimeout = 4500 * time.Millisecond
	attempts       = 2
)

// maxForwarded bounds the queries under way, and so sockets and memory. It is what
// one interface may send in a second on AWS.
const maxForwarded = 1024

// A forwarder sends queries to the machine's resolvers, and caches the answers.
type forwarder struct {
	upstream func() []netip.AddrPort
	log      *slog.Logger
	cache    *cache
	inFlight singleflight.Group // equal queries are sent once
	slots    chan struct{}

	mu struct {
		sync.Mutex
		servers []netip.AddrPort // whose answers are in the cache
	}
}

func newForwarder(upstream func() []netip.AddrPort, log *slog.Logger) *forwarder {
	return &forwarder{upstream: upstream, log: log, cache: newCache(), slots: make(chan struct{}, maxForwarded)}
}

// answer is the last link of the chain: it always answers.
func (f *forwarder) answer(ctx context.Context, q *query) *dns.Msg {
	servers := f.servers()
	key := keyOf(q)
	found := f.cache.get(key, time.Now())
	if found == nil && len(servers) > 0 {
		select {
		case f.slots <- struct{}{}:
			defer func() { <-f.slots }()
		default:
			return q.failure(dns.RcodeServerFailure)
		}
		shared, _, _ := f.inFlight.Do(key.String(), func() (any, error) {
			m := f.ask(ctx, key, servers)
			if m != nil {
				f.cache.put(key, m, time.Now())
			}
			return m, nil
		})
		found = shared.(*dns.Msg)
	}
	if found == nil {
		return q.failure(dns.RcodeServerFailure)
	}
	m := q.failure(found.Rcode)
	m.AuthenticatedData = found.AuthenticatedData
	m.Answer, m.Ns, m.Extra = slices.Clone(found.Answer), slices.Clone(found.Ns), slices.Clone(found.Extra)
	return m
}

// servers are the resolvers to use now. When they have changed, the cache is cleared:
// in another network, names may have other addresses.
func (f *forwarder) servers() []netip.AddrPort {
	now := f.upstream()
	f.mu.Lock()
	defer f.mu.Unlock()
	if !slices.Equal(f.mu.servers, now) {
		f.mu.servers = now
		f.cache.clear()
	}
	return now
}

// ask sends the query until one resolver answers; nil if none does. The answer is to
// that query, without its OPT record.
func (f *forwarder) ask(ctx context.Context, key key, servers []netip.AddrPort) *dns.Msg {
	ctx, cancel := context.WithTimeout(ctx, forwardTimeout)
	defer cancel()
	for range attempts {
		for _, server := range servers {
			m, err := exchange(ctx, key, server)
			if ctx.Err() != nil {
				return nil
			}
			if err != nil {
				f.log.Debug("resolver does not answer", "resolver", server, "name", key.name, "err", err)
				continue
			}
			if m.Rcode == dns.RcodeSuccess || m.Rcode == dns.RcodeNameError {
				m.Extra = slices.DeleteFunc(m.Extra, func(rr dns.RR) bool { return rr.Header().Rrtype == dns.TypeOPT })
				return m
			}
			f.log.Debug("resolver refuses", "resolver", server, "name", key.name, "rcode", dns.RcodeToString[m.Rcode])
		}
	}
	return nil
}

// exchange sends the query to one resolver: by UDP; again by TCP when the answer was
// truncated; and without EDNS to one that does not understand it (RFC 6891, 6.2.2 and 7).
func exchange(ctx context.Context, key key, server netip.AddrPort) (*dns.Msg, error) {
	msg := new(dns.Msg).SetQuestion(dns.Fqdn(key.name), key.kind)
	msg.CheckingDisabled = key.checkingDisabled
	msg.SetEdns0(datagram, key.dnssec)
	m, err := send(ctx, "udp", msg, server)
	if err == nil && (m.Rcode == dns.RcodeFormatError || m.Rcode == dns.RcodeNotImplemented) {
		msg.Extra = nil
		m, err = send(ctx, "udp", msg, server)
	}
	if err == nil && m.Truncated {
		return send(ctx, "tcp", msg, server)
	}
	return m, err
}

func send(ctx context.Context, network string, msg *dns.Msg, server netip.AddrPort) (*dns.Msg, error) {
	ctx, cancel := context.WithTimeout(ctx, attemptTimeout)
	defer cancel()
	client := dns.Client{Net: network, Timeout: attemptTimeout}
	m, _, err := client.ExchangeContext(ctx, msg, server.String())
	if err != nil {
		return nil, err
	}
	if len(m.Question) != 1 || canonical(m.Question[0].Name) != canonical(msg.Question[0].Name) || m.Question[0].Qtype != msg.Question[0].Qtype {
		return nil, errors.New("answer to another question")
	}
	return m, nil
}

package dns

import (
	"context"
	"log/slog"
	"net/netip"
	"sync"
	"sync/atomic"

	"github.com/miekg/dns"

	"fargo/desired"
	"fargo/sockets"
)

// Config is the configuration of a server. All fields but Public and Hosts are
// required.
type Config struct {
	Network Network
	// Upstream returns the machine's own resolvers in order. It is called for every
	// query that is forwarded, and must not block for long. With none, forwarded
	// queries fail.
	Upstream func() []netip.AddrPort
	// Public is the range of the instance's public addresses. No other resolver knows
	// their names.
	Public netip.Prefix
	// Hosts is the hosts file of the machine; nil leaves it alone.
	Hosts  *Hosts
	Logger *slog.Logger
}

// Server answers in all VPCs of the machine.
type Server struct {
	cfg      Config
	chain    []link
	view     atomic.Pointer[view] // nil until the first Set
	sequence atomic.Uint32
	sockets  *sockets.Set[endpoint]
	hosts    chan struct{} // has an element when there is a newer view
}

// New makes a server; Run runs it.
func New(cfg Config) *Server {
	s := &Server{cfg: cfg, hosts: make(chan struct{}, 1)}
	s.sockets = sockets.New(sockets.Config[endpoint]{Name: "resolver", Listen: s.listen, Logger: cfg.Logger})
	public := publicNames{cfg.Public}
	s.chain = []link{
		{"refuse", refuse},
		{"record", record},
		{"address", address},
		{"reverse", reverse},
		{"public", public.address},
		{"public reverse", public.reverse},
		{"s3", s3},
		{"platform", platform},
		{"zone", zone},
		{"forward", newForwarder(cfg.Upstream, cfg.Logger).answer},
	}
	return s
}

// Set replaces the VPCs to answer in, the names, and the names of Fargo's own APIs
// ([desired.Platform.Names]). It may be called before Run, by one caller at a time. The
// server keeps the slices. When it returns, answers are of the new ones, and sockets in
// VPCs that are not among them are closed; sockets in new VPCs are opened as soon as
// there is a router.
func (s *Server) Set(vpcs []desired.VPC, records []desired.Record, platform []string) {
	v := newView(vpcs, records, platform)
	s.view.Store(v)
	s.sockets.Set(v.endpoints())
	select {
	case s.hosts <- struct{}{}:
	default:
	}
}

// Run answers until ctx ends, and returns nil. The hosts file stays as it is.
// Nothing happens before the first Set, so that a start without a control plane
// removes no name from the machine.
func (s *Server) Run(ctx context.Context) error {
	var both sync.WaitGroup
	both.Go(func() { s.sockets.Run(ctx) })
	if s.cfg.Hosts != nil {
		both.Go(func() { s.updateHosts(ctx) })
	}
	both.Wait()
	return nil
}

// resolve answers one query from a VPC.
func (s *Server) resolve(ctx context.Context, vpc string, msg *dns.Msg) *dns.Msg {
	v := s.view.Load()
	q := &query{view: v, vpc: v.vpcs[vpc], msg: msg, sequence: s.sequence.Add(1)}
	if q.vpc == nil || len(msg.Question) != 1 {
		return q.failure(dns.RcodeRefused)
	}
	q.q = msg.Question[0]
	q.name = canonical(q.q.Name)
	if opt := msg.IsEdns0(); opt != nil && opt.Version() != 0 {
		return q.failure(dns.RcodeBadVers)
	}
	for _, l := range s.chain {
		if m := l.answer(ctx, q); m != nil {
			s.cfg.Logger.Debug("answered", "vpc", vpc, "name", q.name, "type", dns.TypeToString[q.q.Qtype],
				"by", l.name, "rcode", dns.RcodeToString[m.Rcode])
			return m
		}
	}
	return q.failure(dns.RcodeServerFailure)
}

// datagram is the largest answer by UDP, to clients that accept it: it is never
// fragmented. Source: DNS Flag Day 2020.
const datagram = 1232

// fit makes an answer one that the sender of msg can take: with EDNS when it uses
// that, and truncated when it is by UDP and too long.
func fit(answer, msg *dns.Msg, tcp bool) {
	size := dns.MinMsgSize
	opt := msg.IsEdns0()
	if opt != nil {
		size = min(max(int(opt.UDPSize()), dns.MinMsgSize), datagram)
		answer.SetEdns0(datagram, opt.Do())
	}
	if tcp {
		size = dns.MaxMsgSize
	}
	answer.Compress = true
	answer.Truncate(size)
}

package dns

import (
	"context"
	"log/slog"
	"net/netip"
	"sync"
	"sync/atomic"

	"github.com/miekg/dns"

	"fargo/desired"
)

// Config is what a server is made of.
type Config struct {
	Network Network
	// Upstream gives the machine's own resolvers in the order to ask them, anew
	// for every question that goes there. With none, names that are not ours
	// cannot be resolved. It must not block for long.
	Upstream func() []netip.AddrPort
	// Hosts makes the machine know the names too; nil leaves it alone.
	Hosts  *Hosts
	Logger *slog.Logger
}

// Server answers in all VPCs of the machine.
type Server struct {
	cfg   Config
	chain []link
	view  atomic.Pointer[view] // nil until the first Set
	turn  atomic.Uint32
	// There is a newer view, for each who follows it.
	sockets, hosts chan struct{}

	mu struct {
		sync.Mutex
		serving map[endpoint]func() // what closes it
	}
}

// New makes a server; Run runs it.
func New(cfg Config) *Server {
	s := &Server{cfg: cfg, sockets: make(chan struct{}, 1), hosts: make(chan struct{}, 1)}
	s.mu.serving = map[endpoint]func(){}
	s.chain = []link{
		{"refuse", refuse},
		{"record", record},
		{"address", address},
		{"reverse", reverse},
		{"zone", zone},
		{"forward", newForwarder(cfg.Upstream, cfg.Logger).answer},
	}
	return s
}

// Set replaces all that is known: the VPCs to answer in, and the names. It may
// be called before Run, by one at a time. The server keeps both. From its return
// answers are of the new ones, and nothing is left in VPCs that are not among
// them; in new ones there are sockets as soon as there is a router.
func (s *Server) Set(vpcs []desired.VPC, records []desired.Record) {
	v := newView(vpcs, records)
	s.view.Store(v)
	s.closeAllBut(v.endpoints())
	wake(s.sockets)
	wake(s.hosts)
}

func wake(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// Run answers until ctx ends. Then it returns nil; what the machine knows, it
// goes on knowing. Nothing happens before the first Set, so that a start without
// a control plane forgets no name of the machine.
func (s *Server) Run(ctx context.Context) error {
	var both sync.WaitGroup
	both.Go(func() { s.serve(ctx) })
	if s.cfg.Hosts != nil {
		both.Go(func() { s.nameMachine(ctx) })
	}
	both.Wait()
	return nil
}

// resolve answers one question asked in a VPC.
func (s *Server) resolve(ctx context.Context, vpc string, msg *dns.Msg) *dns.Msg {
	v := s.view.Load()
	q := &query{view: v, vpc: v.vpcs[vpc], msg: msg, turn: s.turn.Add(1)}
	if q.vpc == nil || len(msg.Question) != 1 {
		return q.fails(dns.RcodeRefused)
	}
	q.q = msg.Question[0]
	q.name = canonical(q.q.Name)
	if opt := msg.IsEdns0(); opt != nil && opt.Version() != 0 {
		return q.fails(dns.RcodeBadVers)
	}
	for _, l := range s.chain {
		if m := l.answer(ctx, q); m != nil {
			s.cfg.Logger.Debug("answered", "vpc", vpc, "name", q.name, "type", dns.TypeToString[q.q.Qtype],
				"by", l.name, "rcode", dns.RcodeToString[m.Rcode])
			return m
		}
	}
	return q.fails(dns.RcodeServerFailure)
}

// datagram is the most that we send by UDP to those who take that much: what
// passes everywhere without being cut to pieces. Source: DNS Flag Day 2020.
const datagram = 1232

// fit makes an answer one that msg's sender can take: with the extension it
// uses, and cut if it must come by UDP and is too long.
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

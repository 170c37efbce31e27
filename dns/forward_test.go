package dns

import (
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/miekg/dns"

	"fargo/desired"
)

// serverOf is a server whose machine has these resolvers.
func serverOf(resolvers ...*resolver) *Server {
	s := New(Config{Logger: slog.New(slog.DiscardHandler), Upstream: func() []netip.AddrPort {
		var out []netip.AddrPort
		for _, r := range resolvers {
			out = append(out, r.addr)
		}
		return out
	}})
	s.Set([]desired.VPC{vpc("vpc-1", "172.31.0.0/16")}, nil, nil)
	return s
}

func (s *Server) query(t *testing.T, name string, kind uint16) *dns.Msg {
	t.Helper()
	return s.resolve(t.Context(), "vpc-1", new(dns.Msg).SetQuestion(name, kind))
}

func TestForwardAsksTheNextResolver(t *testing.T) {
	broken, lame, good := startResolver(t), startResolver(t), startResolver(t)
	broken.behave(func(_ dns.ResponseWriter, q *dns.Msg) *dns.Msg {
		return new(dns.Msg).SetRcode(q, dns.RcodeServerFailure)
	})
	lame.behave(func(_ dns.ResponseWriter, q *dns.Msg) *dns.Msg { // to something nobody asked
		return new(dns.Msg).SetReply(new(dns.Msg).SetQuestion("other.example.", dns.TypeA)).SetRcode(q, dns.RcodeRefused)
	})
	good.add(t, "www.example. 60 IN A 192.0.2.1")
	m := serverOf(broken, lame, good).query(t, "www.example.", dns.TypeA)
	if m.Rcode != dns.RcodeSuccess || len(m.Answer) != 1 {
		t.Errorf("answer %v", m)
	}
}

func TestForwardGivesUp(t *testing.T) {
	broken := startResolver(t)
	broken.behave(func(_ dns.ResponseWriter, q *dns.Msg) *dns.Msg {
		return new(dns.Msg).SetRcode(q, dns.RcodeServerFailure)
	})
	s := serverOf(broken)
	if m := s.query(t, "www.example.", dns.TypeA); m.Rcode != dns.RcodeServerFailure {
		t.Errorf("answer %v", m)
	}
	if asked := broken.questions(); len(asked) != attempts {
		t.Errorf("asked %v", asked)
	}
	// And does not remember that.
	broken.behave(nil)
	broken.add(t, "www.example. 60 IN A 192.0.2.1")
	if m := s.query(t, "www.example.", dns.TypeA); m.Rcode != dns.RcodeSuccess {
		t.Errorf("answer %v", m)
	}
}

// RFC 7766, 5: what is cut is asked for again by TCP.
func TestForwardLongAnswers(t *testing.T) {
	r := startResolver(t)
	for i := range 100 {
		r.add(t, fmt.Sprintf("many.example. 60 IN A 192.0.2.%d", i))
	}
	s := serverOf(r)
	msg := new(dns.Msg).SetQuestion("many.example.", dns.TypeA)
	m := s.resolve(t.Context(), "vpc-1", msg)
	if len(m.Answer) != 100 {
		t.Errorf("%d answers", len(m.Answer))
	}
	if got := strings.Join(r.questions(), ", "); got != "udp many.example. A, tcp many.example. A" {
		t.Errorf("asked %s", got)
	}
	for _, tcp := range []bool{false, true} {
		fitted := m.Copy()
		fit(fitted, msg, tcp)
		if fitted.Truncated == tcp || tcp != (len(fitted.Answer) == 100) || !tcp && fitted.Len() > dns.MinMsgSize {
			t.Errorf("tcp %v: %d answers, %d bytes, cut %v", tcp, len(fitted.Answer), fitted.Len(), fitted.Truncated)
		}
	}
}

// RFC 6891, 7: a resolver that does not know EDNS says FORMERR.
func TestForwardWithoutEDNS(t *testing.T) {
	r := startResolver(t)
	r.behave(func(_ dns.ResponseWriter, q *dns.Msg) *dns.Msg {
		if q.IsEdns0() != nil {
			return new(dns.Msg).SetRcode(q, dns.RcodeFormatError)
		}
		m := new(dns.Msg).SetReply(q)
		m.Answer = append(m.Answer, &dns.A{Hdr: dns.RR_Header{Name: q.Question[0].Name, Rrtype: dns.TypeA, Class: dns.ClassINET, Ttl: 1}, A: []byte{192, 0, 2, 1}})
		return m
	})
	if m := serverOf(r).query(t, "old.example.", dns.TypeA); m.Rcode != dns.RcodeSuccess || len(m.Answer) != 1 {
		t.Errorf("answer %v", m)
	}
}

// Many ask the same at once, and the resolver is asked once.
func TestForwardAsksOnce(t *testing.T) {
	r := startResolver(t)
	release := make(chan struct{})
	r.behave(func(_ dns.ResponseWriter, q *dns.Msg) *dns.Msg {
		<-release
		return new(dns.Msg).SetReply(q) // nothing to remember
	})
	s := serverOf(r)
	f := newForwarder(s.cfg.Upstream, s.cfg.Logger)
	s.chain[len(s.chain)-1].answer = f.answer
	var all sync.WaitGroup
	const many = 20
	for range many {
		all.Go(func() { s.query(t, "www.example.", dns.TypeA) })
	}
	deadline := time.Now().Add(20 * time.Second)
	for len(f.slots) < many && time.Now().Before(deadline) {
		time.Sleep(time.Millisecond)
	}
	close(release)
	all.Wait()
	if asked := len(r.questions()); asked == 0 || asked > 3 { // who took a slot may not have joined yet
		t.Errorf("asked %d times", asked)
	}
}

// On another network what was remembered is forgotten.
func TestForwardClearsCacheInAnotherNetwork(t *testing.T) {
	office, home := startResolver(t), startResolver(t)
	office.add(t, "intra.example. 3600 IN A 192.0.2.1")
	home.add(t, "intra.example. 3600 IN A 192.0.2.2")
	here := office
	s := New(Config{Logger: slog.New(slog.DiscardHandler), Upstream: func() []netip.AddrPort { return []netip.AddrPort{here.addr} }})
	s.Set([]desired.VPC{vpc("vpc-1", "172.31.0.0/16")}, nil, nil)
	for i, want := range []string{"192.0.2.1", "192.0.2.1", "192.0.2.2"} {
		if i == 2 {
			here = home
		}
		if m := s.query(t, "intra.example.", dns.TypeA); len(m.Answer) != 1 || m.Answer[0].(*dns.A).A.String() != want {
			t.Errorf("%d: %v, want %s", i, m.Answer, want)
		}
	}
}

func TestCacheKeepsTime(t *testing.T) {
	message := func(code int, section string, rrs ...string) *dns.Msg {
		m := new(dns.Msg)
		m.Rcode = code
		for _, text := range rrs {
			rr, err := dns.NewRR(text)
			if err != nil {
				t.Fatal(err)
			}
			if section == "answer" {
				m.Answer = append(m.Answer, rr)
			} else {
				m.Ns = append(m.Ns, rr)
			}
		}
		return m
	}
	const negative = "example. 900 IN SOA ns.example. root.example. 1 2 3 4 30"
	for _, c := range []struct {
		name string
		m    *dns.Msg
		want time.Duration
	}{
		{"the shortest", message(0, "answer", "a.example. 300 IN CNAME b.example.", "b.example. 20 IN A 192.0.2.1"), 20 * time.Second},
		{"not for ever", message(0, "answer", "a.example. 864000 IN A 192.0.2.1"), time.Hour},
		{"not at all", message(0, "answer", "a.example. 0 IN A 192.0.2.1"), 0},
		{"no such name", message(dns.RcodeNameError, "authority", negative), 30 * time.Second},
		{"no such record", message(0, "authority", negative), 30 * time.Second},
		{"nobody knows how long", message(dns.RcodeNameError, ""), 0},
		{"failure", message(dns.RcodeServerFailure, "authority", negative), 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cache, k := newCache(), key{name: "a.example", kind: dns.TypeA}
				cache.put(k, c.m, time.Now())
				if c.want == 0 {
					if cache.get(k, time.Now()) != nil {
						t.Error("kept")
					}
					return
				}
				first := append(c.m.Answer, c.m.Ns...)[0].Header().Ttl
				time.Sleep(c.want - time.Second)
				m := cache.get(k, time.Now())
				if m == nil {
					t.Fatal("forgotten too soon")
				}
				left := append(m.Answer, m.Ns...)[0].Header().Ttl
				if gone := uint32((c.want - time.Second) / time.Second); left != first-gone {
					t.Errorf("%d seconds left of %d after %d", left, first, gone)
				}
				time.Sleep(time.Second)
				if cache.get(k, time.Now()) != nil {
					t.Error("not forgotten")
				}
			})
		})
	}
}

// Whatever a program in a task sends, it gets an answer that fits.
func FuzzResolve(f *testing.F) {
	seed := func(m *dns.Msg) {
		wire, err := m.Pack()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(wire)
	}
	seed(new(dns.Msg).SetQuestion(balancerName+".", dns.TypeA))
	seed(new(dns.Msg).SetQuestion("9.5.31.172.in-addr.arpa.", dns.TypePTR).SetEdns0(4096, true))
	seed(new(dns.Msg).SetQuestion("ip-172-31-0-1.ec2.internal.", dns.TypeANY))
	seed(new(dns.Msg).SetQuestion(".", dns.TypeNS))
	s := New(quiet())
	s.Set([]desired.VPC{vpc("vpc-1", "172.31.0.0/16")}, names(balancerName, "172.31.0.10 172.31.16.10"), nil)
	f.Fuzz(func(t *testing.T, wire []byte) {
		var msg dns.Msg
		if msg.Unpack(wire) != nil {
			return
		}
		m := s.resolve(t.Context(), "vpc-1", &msg)
		fit(m, &msg, false)
		out, err := m.Pack()
		if err != nil {
			t.Fatalf("%v does not pack: %v", m, err)
		}
		if len(out) > datagram || m.Id != msg.Id || !m.Response {
			t.Fatalf("%d bytes: %v", len(out), m)
		}
	})
}

package dns

import (
	"net"
	"net/netip"
	"slices"
	"sync"
	"testing"

	"github.com/miekg/dns"
)

// A resolver is one of the world's, on loopback: it answers from what it was
// given, and keeps a list of the questions.
type resolver struct {
	addr netip.AddrPort

	mu    sync.Mutex
	rrs   []dns.RR
	asked []string
	// mood, when set, answers instead; nil from it is silence.
	mood func(w dns.ResponseWriter, q *dns.Msg) *dns.Msg
}

func startResolver(t *testing.T) *resolver {
	t.Helper()
	udp, tcp := listenBoth(t)
	r := &resolver{addr: udp.LocalAddr().(*net.UDPAddr).AddrPort()}
	for _, s := range []*dns.Server{{PacketConn: udp}, {Listener: tcp}} {
		s.Handler = dns.HandlerFunc(r.serve)
		begun, ended := make(chan struct{}), make(chan error, 1)
		s.NotifyStartedFunc = func() { close(begun) }
		go func() { ended <- s.ActivateAndServe() }()
		<-begun
		t.Cleanup(func() {
			if err := s.Shutdown(); err != nil {
				t.Error(err)
			}
			<-ended
		})
	}
	return r
}

// listenBoth binds one port for both networks: a few tries, as somebody else may
// have the other half of it.
func listenBoth(t *testing.T) (*net.UDPConn, net.Listener) {
	t.Helper()
	const tries = 100
	for range tries {
		tcp, err := net.Listen("tcp4", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		udp, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: tcp.Addr().(*net.TCPAddr).Port})
		if err == nil {
			return udp, tcp
		}
		tcp.Close()
	}
	t.Fatal("no port is free for both networks")
	return nil, nil
}

func (r *resolver) serve(w dns.ResponseWriter, q *dns.Msg) {
	r.mu.Lock()
	question := q.Question[0]
	r.asked = append(r.asked, w.LocalAddr().Network()+" "+question.Name+" "+dns.TypeToString[question.Qtype])
	mood := r.mood
	m := new(dns.Msg).SetReply(q)
	m.RecursionAvailable = true
	known := false
	for _, rr := range r.rrs {
		if canonical(rr.Header().Name) != canonical(question.Name) {
			continue
		}
		known = true
		if rr.Header().Rrtype == question.Qtype {
			m.Answer = append(m.Answer, rr)
		}
	}
	r.mu.Unlock()
	if mood != nil {
		m = mood(w, q)
	} else if !known {
		m.Rcode = dns.RcodeNameError
		m.Ns = append(m.Ns, soa("example"))
	}
	if m == nil {
		return
	}
	if w.LocalAddr().Network() == "udp" {
		size := dns.MinMsgSize
		if opt := q.IsEdns0(); opt != nil {
			size = int(opt.UDPSize())
		}
		m.Truncate(size)
	}
	_ = w.WriteMsg(m)
}

func (r *resolver) add(t *testing.T, text string) {
	t.Helper()
	rr, err := dns.NewRR(text)
	if err != nil {
		t.Fatal(err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.rrs = append(r.rrs, rr)
}

func (r *resolver) behave(mood func(dns.ResponseWriter, *dns.Msg) *dns.Msg) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.mood = mood
}

// questions gives those asked since it was called last.
func (r *resolver) questions() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	asked := slices.Clone(r.asked)
	r.asked = nil
	return asked
}

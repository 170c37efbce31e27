package dns

import (
	"flag"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"fargo/desired"
)

var rewrite = flag.Bool("rewrite", false, "write what the scenarios come to into their files")

// TestChain plays the scenarios of testdata/chain. In one, a line says
//
//	vpc ID REGION CIDR… [off|nameless]   there is a VPC; off: without DNS; nameless:
//	                                     without host names
//	public CIDR                          the range of public addresses
//	peer VPC of VPC                      public names resolve over a peering connection
//	record NAME TTL ADDRESS… [in VPC] [public ADDRESS]
//	                                     there is a name
//	platform NAME…                       Fargo's own APIs have these names
//	s3 ADDRESS NAME… of VPC              S3 has these, and an address of its own
//	world RR                             the machine's resolver knows this
//	offline                              the machine has no resolver
//	VPC? NAME TYPE [option…]             this is asked: an option is chaos,
//	                                     dnssec, edns=SIZE, version=N
//
// and what is indented is the answer: its code, its records, and what went on
// to the machine's resolver.
func TestChain(t *testing.T) {
	files, err := filepath.Glob("testdata/chain/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no scenarios", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := play(t, string(text))
			if *rewrite {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			} else if got != string(text) {
				t.Errorf("%s comes to\n%s", file, got)
			}
		})
	}
}

// play does what a scenario says and gives it back with the answers it came to.
func play(t *testing.T, scenario string) string {
	var out strings.Builder
	var vpcs []desired.VPC
	var records []desired.Record
	var platform []string
	world := startResolver(t)
	upstream := []netip.AddrPort{world.addr}
	cfg := Config{Upstream: func() []netip.AddrPort { return upstream }, Logger: slog.New(slog.DiscardHandler)}
	s := New(cfg)
	for line := range strings.Lines(scenario) {
		if strings.HasPrefix(line, "\t") {
			continue // an answer of before
		}
		out.WriteString(line)
		words := strings.Fields(line)
		switch {
		case len(words) == 0 || words[0] == "#":
			continue
		case words[0] == "vpc":
			vpcs = append(vpcs, readVPC(t, words[1:]))
		case words[0] == "record":
			records = append(records, readRecord(t, words[1:]))
		case words[0] == "public":
			cfg.Public = netip.MustParsePrefix(words[1])
			s = New(cfg)
		case words[0] == "peer":
			i := slices.IndexFunc(vpcs, func(v desired.VPC) bool { return v.ID == words[1] })
			vpcs[i].DNSPeers = append(vpcs[i].DNSPeers, words[3])
		case words[0] == "s3":
			of := len(words) - 2
			i := slices.IndexFunc(vpcs, func(v desired.VPC) bool { return v.ID == words[of+1] })
			vpcs[i].S3 = desired.ServiceAddress{Address: netip.MustParseAddr(words[1]), Names: words[2:of]}
		case words[0] == "platform":
			platform = append(platform, words[1:]...)
		case words[0] == "world":
			world.add(t, strings.Join(words[1:], " "))
		case words[0] == "offline":
			upstream = nil
		case strings.HasSuffix(words[0], "?"):
			s.Set(vpcs, records, platform)
			msg := readQuestion(t, words[1:])
			m := s.resolve(t.Context(), strings.TrimSuffix(words[0], "?"), msg)
			fit(m, msg, false)
			write(t, &out, m)
			for _, q := range world.questions() {
				fmt.Fprintf(&out, "\tforwarded %s\n", q)
			}
		default:
			t.Fatalf("what is %q?", line)
		}
	}
	return out.String()
}

func readVPC(t *testing.T, words []string) desired.VPC {
	v := desired.VPC{ID: words[0], Region: words[1], DNS: true}
	for _, w := range words[2:] {
		if w == "off" {
			v.DNS = false
			continue
		}
		if w == "nameless" {
			v.NoHostNames = true
			continue
		}
		c, err := netip.ParsePrefix(w)
		if err != nil {
			t.Fatal(err)
		}
		v.CIDRs = append(v.CIDRs, c)
	}
	return v
}

func readRecord(t *testing.T, words []string) desired.Record {
	ttl, err := time.ParseDuration(words[1])
	if err != nil {
		t.Fatal(err)
	}
	r := desired.Record{Name: words[0], TTL: ttl}
	for i := 2; i < len(words); i++ {
		switch words[i] {
		case "in":
			i++
			r.VPC = words[i]
		case "public":
			i++
			r.Public = netip.MustParseAddr(words[i])
		default:
			a, err := netip.ParseAddr(words[i])
			if err != nil {
				t.Fatal(err)
			}
			r.Addresses = append(r.Addresses, a)
		}
	}
	return r
}

func readQuestion(t *testing.T, words []string) *dns.Msg {
	kind, ok := dns.StringToType[words[1]]
	if !ok {
		t.Fatalf("no type %q", words[1])
	}
	msg := new(dns.Msg).SetQuestion(dns.Fqdn(words[0]), kind)
	for _, option := range words[2:] {
		name, value, _ := strings.Cut(option, "=")
		n, _ := strconv.Atoi(value)
		switch name {
		case "chaos":
			msg.Question[0].Qclass = dns.ClassCHAOS
		case "dnssec":
			msg.SetEdns0(1232, true)
		case "edns":
			msg.SetEdns0(uint16(n), false)
		case "version":
			msg.SetEdns0(1232, false)
			msg.IsEdns0().SetVersion(uint8(n))
		default:
			t.Fatalf("no option %q", option)
		}
	}
	return msg
}

// write shows an answer as it comes out of the wire.
func write(t *testing.T, out *strings.Builder, m *dns.Msg) {
	wire, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	var back dns.Msg
	if err := back.Unpack(wire); err != nil {
		t.Fatal(err)
	}
	out.WriteString("\t" + dns.RcodeToString[back.Rcode])
	for _, flag := range []struct {
		name string
		set  bool
	}{{"authoritative", back.Authoritative}, {"truncated", back.Truncated}, {"no recursion", !back.RecursionAvailable}} {
		if flag.set {
			out.WriteString(" " + flag.name)
		}
	}
	if opt := back.IsEdns0(); opt != nil {
		fmt.Fprintf(out, " edns=%d", opt.UDPSize())
		if opt.Do() {
			out.WriteString(" dnssec")
		}
	}
	out.WriteString("\n")
	for _, rr := range append(append(back.Answer, back.Ns...), back.Extra...) {
		if rr.Header().Rrtype != dns.TypeOPT {
			out.WriteString("\t" + strings.ReplaceAll(rr.String(), "\t", " ") + "\n")
		}
	}
}

package dns

import (
	"net/netip"
	"slices"
	"testing"

	"github.com/miekg/dns"
	"pgregory.net/rapid"

	"fargo"
	"fargo/desired"
)

// A public address has one name, which leads back to it everywhere but where it stands
// for the private address: in the VPC of its interface and in those that resolve over a
// peering connection with it. Nobody else is asked.
func TestPublicNamesLeadBack(t *testing.T) {
	cfg := quiet()
	cfg.Public = netip.MustParsePrefix("240.1.16.0/20")
	vpcs := []string{"vpc-1", "vpc-2", "vpc-3"}
	address := rapid.Custom(func(t *rapid.T) netip.Addr {
		return netip.AddrFrom4([4]byte{240, 1, rapid.ByteRange(16, 31).Draw(t, "third"), rapid.Byte().Draw(t, "fourth")})
	})
	rapid.Check(t, func(t *rapid.T) {
		known := map[netip.Addr]desired.Record{}
		var records []desired.Record
		for _, public := range rapid.SliceOfNDistinct(address, 0, 8, rapid.ID).Draw(t, "addresses") {
			r := desired.Record{
				Name:   fargo.PublicDNSName(rapid.SampledFrom([]string{"us-east-1", "eu-west-1", "us-gov-west-1"}).Draw(t, "region"), public),
				VPC:    rapid.SampledFrom(vpcs).Draw(t, "vpc"),
				Public: public, Addresses: []netip.Addr{netip.AddrFrom4([4]byte{10, 0, 0, byte(4 + len(records))})},
			}
			records, known[public] = append(records, r), r
		}
		var all []desired.VPC
		resolves := map[[2]string]bool{}
		for _, id := range vpcs {
			v := vpc(id, "10.0.0.0/16")
			for _, other := range vpcs {
				if id != other && rapid.Bool().Draw(t, id+" resolves "+other) {
					v.DNSPeers = append(v.DNSPeers, other)
				}
				resolves[[2]string{id, other}] = id == other || slices.Contains(v.DNSPeers, other)
			}
			all = append(all, v)
		}
		s := New(cfg)
		s.Set(all, records, nil)
		ask := func(vpc, name string, kind uint16) *dns.Msg {
			m := s.resolve(t.Context(), vpc, new(dns.Msg).SetQuestion(dns.Fqdn(name), kind))
			if m.Rcode == dns.RcodeServerFailure {
				t.Fatalf("%s in %s was forwarded", name, vpc)
			}
			return m
		}
		check := func(in string, public netip.Addr) {
			backwards, err := dns.ReverseAddr(public.String())
			if err != nil {
				t.Fatal(err)
			}
			back := ask(in, backwards, dns.TypePTR)
			r, ok := known[public]
			if !ok {
				if m := ask(in, fargo.PublicDNSName("us-east-1", public), dns.TypeA); m.Rcode != dns.RcodeNameError || back.Rcode != dns.RcodeNameError {
					t.Fatalf("of no interface: %v, %v", m, back)
				}
				return
			}
			want := public
			if resolves[[2]string{in, r.VPC}] {
				want = r.Addresses[0]
			}
			if len(back.Answer) != 1 || back.Answer[0].(*dns.PTR).Ptr != r.Name+"." {
				t.Fatalf("%v in %s has the name %v, not %s", public, in, back.Answer, r.Name)
			}
			m := ask(in, back.Answer[0].(*dns.PTR).Ptr, dns.TypeA)
			if len(m.Answer) != 1 || m.Answer[0].(*dns.A).A.String() != want.String() {
				t.Fatalf("%s in %s is %v, not %v", r.Name, in, m.Answer, want)
			}
		}
		for _, in := range vpcs {
			check(in, address.Draw(t, "any"))
			for public := range known {
				check(in, public)
			}
		}
	})
}

//go:build e2e

package kernel

import (
	"io"
	"net"
	"net/netip"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"
)

// BenchmarkNATFlow sends one TCP flow through a NAT gateway to a namespace beyond the
// machine, and one through the same links with nothing but ip(8) and one rule of nft(8),
// in turns. The ratio is the median of those of all turns: which processor a flow is on
// makes more of a difference than the rules.
func BenchmarkNATFlow(b *testing.B) {
	n, far := newRouted(b, Config{Instance: "b006"})
	apply(b, n, natWorld(1))
	plainNAT(b, far)
	l, err := far.ListenTCP("outside", netip.MustParseAddrPort("203.0.113.1:80"))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { l.Close() })
	paths := map[string]dialer{"gateway": from(n, "eni-10.1.1.10"), "plain": from(far, "plain-client")}
	rates := map[string][]float64{}
	for b.Loop() {
		turn := map[string]float64{}
		for name, dial := range paths { // in any order
			turn[name] = throughput(b, dial, l)
			rates[name] = append(rates[name], turn[name])
		}
		rates["ratio"] = append(rates["ratio"], turn["gateway"]/turn["plain"])
	}
	b.ReportMetric(median(rates["gateway"])/1e9, "GB/s-gateway")
	b.ReportMetric(median(rates["plain"])/1e9, "GB/s-plain")
	b.ReportMetric(median(rates["ratio"]), "ratio")
}

func median(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
}

// throughput is how many bytes a second arrive at the listener.
func throughput(b *testing.B, dial dialer, l net.Listener) float64 {
	const size = 1 << 28
	c, err := dial(b.Context(), netip.MustParseAddrPort("203.0.113.1:80"))
	if err != nil {
		b.Fatal(err)
	}
	go func() {
		defer c.Close()
		block := make([]byte, 1<<18)
		for sent := 0; sent < size; sent += len(block) {
			if _, err := c.Write(block); err != nil {
				return
			}
		}
	}()
	s, err := l.Accept()
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	begun := time.Now()
	got, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{s}, make([]byte, 1<<18))
	if err != nil || got != size {
		b.Fatalf("%d bytes came: %v", got, err)
	}
	return float64(got) / time.Since(begun).Seconds()
}

// plainNAT makes a client and a router, as one would by hand, next to ours.
func plainNAT(b *testing.B, far *Network) {
	b.Helper()
	client, router := netip.MustParsePrefix("10.77.0.2/24"), netip.MustParsePrefix("10.77.0.1/24")
	down, up := netip.MustParsePrefix("10.78.0.1/24"), netip.MustParsePrefix("10.78.0.2/24")
	public := netip.MustParsePrefix("198.18.0.1/32")
	var s script
	s.add("", netnsAdd{"plain-client"}, netnsAdd{"plain-router"},
		vethAdd{name: "plain0", peer: "up0", peerNS: "plain-router"}, addrAdd{dev: "plain0", prefix: down},
		routeAdd{route: route{to: public, via: up.Addr(), dev: "plain0"}})
	s.add("plain-router", vethAdd{name: "down0", peer: "eth0", peerNS: "plain-client"},
		linkUp{"up0"}, addrAdd{dev: "up0", prefix: up}, addrAdd{dev: "down0", prefix: router},
		sysctl{"net/ipv4/ip_forward", "1"}, routeAdd{route: route{to: everywhere, via: down.Addr(), dev: "up0"}})
	s.add("plain-client", linkUp{"eth0"}, addrAdd{dev: "eth0", prefix: client},
		routeAdd{route: route{to: everywhere, via: router.Addr(), dev: "eth0"}})
	s.add("outside", routeAdd{route: route{to: public, via: netip.MustParseAddr("203.0.113.2"), dev: "eth0"}})
	if err := far.machine.runScript(s); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := (linkDel{"plain0"}).do(far.machine, far.machine.own); err != nil {
			b.Error(err)
		}
	})
	err := far.inside("plain-router", func() error {
		nft := exec.Command("nft", "-f", "-")
		nft.Stdin = strings.NewReader(`table ip plain { chain post { type nat hook postrouting priority 100; oifname "up0" snat to 198.18.0.1; }; }`)
		return nft.Run()
	})
	if err != nil {
		b.Fatal(err)
	}
}

package balancer_test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"fargo/aws/elbv2"
	"fargo/balancer"
	"fargo/desired"
)

// newSystem6 is a system whose clients and ports are of ::1, and a target there.
func newSystem6(t *testing.T, handler http.HandlerFunc, configure ...func(*balancer.Config)) (h *system, target string) {
	l, err := net.Listen("tcp6", "[::1]:0")
	if err != nil {
		t.Fatalf("this test needs ::1 on the loopback interface: %v", err)
	}
	s := &httptest.Server{Listener: l, Config: &http.Server{Handler: handler}}
	s.Start()
	t.Cleanup(s.Close)
	h = newSystem(t, configure...)
	h.network.IPv6 = true
	return h, l.Addr().String()
}

// TestIPv6 holds that requests of IPv6 clients are told apart by their addresses and
// reach a target by IPv6, which learns of the client, as the access log does.
func TestIPv6(t *testing.T) {
	root := t.TempDir()
	h, target := newSystem6(t, func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, r.Header.Get("X-Forwarded-For"))
	}, func(c *balancer.Config) { c.AccessLogs = root })
	rule := func(cidr string) desired.BalancerRule {
		r := forwardTo("arn:g")
		r.Conditions = []elbv2.RuleCondition{{Field: new("source-ip"), SourceIpConfig: &elbv2.SourceIpConditionConfig{Values: []string{cidr}}}}
		return r
	}
	lb := alb(rule("::1/128"), desired.BalancerRule{ARN: "arn:rule", Priority: "default", Actions: []elbv2.Action{{Type: "fixed-response", FixedResponseConfig: &elbv2.FixedResponseActionConfig{StatusCode: new("404")}}}})
	lb.ARN = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/app/test/1"
	lb.Attributes = map[string]string{"access_logs.s3.enabled": "true", "access_logs.s3.bucket": "logs", "routing.http.xff_client_port.enabled": "true"}
	h.set([]desired.Balancer{lb}, []desired.BalancerGroup{group("arn:g", target)})
	h.healthy(1)
	c := dial(t, h.addr(80))
	from := c.LocalAddr().String()
	if got := exchangeOn(t, c); got != from {
		t.Errorf("the target learns of %q, not of %s", got, from)
	}
	c.Close()
	line := logLines(t, root, "logs", "*", 1)[0]
	if !strings.Contains(line, " "+from+" "+target+" ") {
		t.Errorf("the log has %q, not %s and %s", line, from, target)
	}

	lb.Listeners[0].Rules[0] = rule("2001:db8::/32")
	h.set([]desired.Balancer{lb}, []desired.BalancerGroup{group("arn:g", target)})
	if got := get(t, h, "/"); !strings.HasPrefix(got, "404") {
		t.Errorf("%q for a client whose address no rule has", got)
	}
}

// exchangeOn makes a request on a connection, and gives the body of the answer.
func exchangeOn(t *testing.T, c net.Conn) string {
	t.Helper()
	fmt.Fprintf(c, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
	answer, err := io.ReadAll(c)
	if err != nil {
		t.Fatal(err)
	}
	_, body, _ := bytes.Cut(answer, []byte("\r\n\r\n"))
	return string(body)
}

// TestStreamIPv6 holds that a network load balancer passes a connection by IPv6, and
// tells the target of it.
func TestStreamIPv6(t *testing.T) {
	h, _ := newSystem6(t, func(http.ResponseWriter, *http.Request) {})
	l, err := net.Listen("tcp6", "[::1]:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() { io.Copy(c, c); c.Close() }()
		}
	}()
	g := flowGroup("TCP", l.Addr().String())
	g.Attributes["proxy_protocol_v2.enabled"] = "true"
	h.set([]desired.Balancer{nlb("TCP", "arn:g")}, []desired.BalancerGroup{g})
	h.healthy(1)
	c := dial(t, h.addr(90))
	fmt.Fprint(c, "hello")
	header := make([]byte, 16+36+5)
	if _, err := io.ReadFull(c, header); err != nil {
		t.Fatal(err)
	}
	loopback := netip.IPv6Loopback().AsSlice()
	if header[13] != 0x21 || !bytes.Equal(header[16:32], loopback) || !bytes.Equal(header[32:48], loopback) || string(header[52:]) != "hello" {
		t.Errorf("the target is told %q", header)
	}
}

// TestIPv6ComesAndGoes holds that a port is opened anew when its interface gets an IPv6
// address or loses it: the interface was made anew.
func TestIPv6ComesAndGoes(t *testing.T) {
	m := &flakyNetwork{opened: make(chan net.Listener, 10)}
	h := newSystem(t, func(c *balancer.Config) {
		m.Network = c.Network
		c.Network = m
	})
	for n, six := range []string{"", "2001:db8::9", "2001:db8::9", ""} {
		lb := alb(forwardTo("arn:g"))
		if six != "" {
			lb.Interfaces[0].IPv6 = netip.MustParseAddr(six)
		}
		h.set([]desired.Balancer{lb}, []desired.BalancerGroup{group("arn:g")})
		if want := n != 2; len(m.opened) > 0 != want {
			t.Errorf("step %d: opened %v", n, !want)
		}
		for len(m.opened) > 0 {
			<-m.opened
		}
		if got := get(t, h, "/"); !strings.HasPrefix(got, "503") {
			t.Errorf("step %d: %s", n, got)
		}
	}
}

package worker_test

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"fargo/aws/elbv2"
	"fargo/balancer/balancertest"
	"fargo/balancer/health"
	"fargo/balancer/worker"
	"fargo/desired"
	"fargo/secret"
)

// testCertificate is a certificate and its key, in PEM.
func testCertificate(t *testing.T) (desired.Certificate, secret.Text) {
	s := httptest.NewTLSServer(http.NotFoundHandler())
	defer s.Close()
	own := s.TLS.Certificates[0]
	key, err := x509.MarshalPKCS8PrivateKey(own.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	chain := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: own.Certificate[0]}))
	private := string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}))
	return desired.Certificate{ARN: "arn:certificate", Chain: chain, KeyID: desired.CertificateKeyOf(chain)}, secret.New(private)
}

// manyBalancers are n load balancers, each with a listener of HTTPS and a target group
// of eight targets, which are not checked.
func manyBalancers(n int, c desired.Certificate) (balancers []desired.Balancer, groups []desired.BalancerGroup) {
	for i := range n {
		g := desired.BalancerGroup{
			ARN: fmt.Sprintf("arn:group-%03d", i), Name: fmt.Sprintf("targetgroup/group-%03d/1", i),
			Group: elbv2.TargetGroup{Protocol: "HTTP", HealthCheckEnabled: new(false)},
		}
		for j := range 8 {
			address := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, byte(i), byte(j)}), 80)
			g.Targets = append(g.Targets, desired.BalancerTarget{ID: address.Addr().String(), Port: 80, Address: address, RegisteredAt: time.Unix(1000, 0)})
		}
		rule := desired.BalancerRule{ARN: "arn:rule", Priority: "default", Actions: []elbv2.Action{{Type: "forward", TargetGroupArn: &g.ARN}}}
		balancers = append(balancers, desired.Balancer{
			ARN: fmt.Sprintf("arn:balancer-%03d", i), Name: fmt.Sprintf("app/balancer-%03d/1", i), Interfaces: []desired.Interface{{ID: fmt.Sprintf("eni-%03d", i)}},
			Listeners: []desired.BalancerListener{{
				ARN: "arn:listener", Protocol: "HTTPS", Port: 443, SSLPolicy: "ELBSecurityPolicy-TLS13-1-2-2021-06",
				Certificates: []desired.Certificate{c}, Rules: []desired.BalancerRule{rule},
			}},
		})
		groups = append(groups, g)
	}
	return balancers, groups
}

// A change of one target costs as much to tell with a hundred load balancers as with
// one: workers are told of its group and of nothing else.
func TestChangeIsTold(t *testing.T) {
	c, key := testCertificate(t)
	// told is how many bytes all workers get to begin with, and for the change of a
	// target.
	told := func(n int) (whole, change int64) {
		m := newMachine(t)
		m.keys = map[desired.SecretID]secret.Text{c.KeyID: key}
		log := slog.New(slog.DiscardHandler)
		checker := health.NewChecker(health.Config{Network: &balancertest.Loopback{}, Logger: log, Pace: 1})
		t.Cleanup(checker.Close)
		// It does not run: what it asks by the clock would be counted too.
		f := worker.NewFleet(worker.FleetConfig{Checker: checker, Processes: m, Workers: 2, Logger: log})
		balancers, groups := manyBalancers(n, c)
		m.set(f, balancers, groups)
		whole = m.received.Load()
		balancers, groups = manyBalancers(n, c) // as from a message: nothing is shared with those before
		groups[0].Targets[0].Draining = true
		m.set(f, balancers, groups)
		return whole, m.received.Load() - whole
	}
	_, one := told(1)
	whole, many := told(100)
	t.Logf("bytes to two workers: %d with a hundred load balancers, %d for a change, %d with one load balancer", whole, many, one)
	if many > one+64 { // lengths of numbers
		t.Errorf("a change is %d bytes with a hundred load balancers and %d with one", many, one)
	}
	if many < 100 || many > whole/20 {
		t.Errorf("a change is %d bytes of %d", many, whole)
	}
}

// patch sends a worker an update by hand.
func patch(t *testing.T, p *process, body string) (status int) {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", p.Socket())
	}}}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPatch, "http://worker/config", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	answer, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	return answer.StatusCode
}

// An update that leads from another generation than a worker's changes nothing. A
// worker that has another than the fleet thinks is told all.
func TestGenerations(t *testing.T) {
	m := newMachine(t)
	f, _ := m.newFleet()
	b, g := configuration(target(t, "one"))
	m.set(f, b, g)
	healthy(t, f, 1)
	before := m.alive()
	for _, p := range before {
		if got := patch(t, p, `{"from": 7, "to": 8, "balancers": {"gone": ["arn:alb"]}}`); got != http.StatusConflict {
			t.Errorf("an update from another generation: %d", got)
		}
	}
	serves := func(want string) {
		t.Helper()
		for range 20 { // some with each worker
			if answer, err := m.get(); err != nil || answer != want {
				t.Fatalf("%q %v, want %q", answer, err, want)
			}
		}
	}
	serves("200 one")
	for _, p := range before {
		if got := patch(t, p, `{"to": 8}`); got != http.StatusOK {
			t.Errorf("an update from nothing: %d", got)
		}
	}
	if _, err := m.get(); err == nil {
		t.Error("workers serve that have nothing to do")
	}
	g[0].Targets = nil
	m.set(f, b, g)
	serves("503 " + unavailable)
	if now := m.alive(); len(now) != 2 || now[0] != before[0] || now[1] != before[1] {
		t.Error("the workers are others")
	}
}

// unavailable is the page for a group without targets.
const unavailable = "<html>\r\n<head><title>503 Service Temporarily Unavailable</title></head>\r\n<body>\r\n<center><h1>503 Service Temporarily Unavailable</h1></center>\r\n</body>\r\n</html>\r\n"

// What cannot be done is told again each time, although it has not changed, until it
// can be done; and no change of something else hides it.
func TestWhatCannotBeDoneIsToldAgain(t *testing.T) {
	m := newMachine(t)
	f, _ := m.newFleet()
	c, key := testCertificate(t)
	b, g := configuration(target(t, "one"))
	l := &b[0].Listeners[0]
	l.Protocol, l.SSLPolicy, l.Certificates = "HTTPS", "ELBSecurityPolicy-TLS13-1-2-2021-06", []desired.Certificate{c}
	for i := range 3 {
		if err := f.Set(t.Context(), b, g, nil); err == nil || !strings.Contains(err.Error(), "no certificate that can be used") {
			t.Errorf("%d: %v", i, err)
		}
		if i > 0 {
			g[0].Attributes = map[string]string{"slow_start.duration_seconds": "30"}
		}
	}
	m.keys = map[desired.SecretID]secret.Text{c.KeyID: key} // of the same name
	m.set(f, b, g)
}

package balancer_test

import (
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"syscall"
	"testing"

	"fargo/desired"
)

// inZones is a balancer with an interface in each of zones a and b.
func inZones(b desired.Balancer) desired.Balancer {
	b.Interfaces = []desired.Interface{{ID: "eni-1"}, {ID: "eni-2"}}
	b.Zones = []string{"a", "b"}
	return b
}

// Without cross-zone load balancing, each interface uses the targets of its own
// zone and those that are in none.
func TestZonalConnections(t *testing.T) {
	h := newSystem(t)
	says := func(word string) string {
		return target(t, func(c net.Conn) { io.WriteString(c, word) })
	}
	g := flowGroup("TCP", says("in a"), says("in b"))
	g.Targets[0].Zone, g.Targets[1].Zone, g.Zonal = "a", "b", true
	b := []desired.Balancer{inZones(nlb("TCP", "arn:g"))}
	h.set(b, []desired.BalancerGroup{g})
	h.healthy(2)
	from := func(eni string) string {
		c, err := net.Dial("tcp", h.network.Addr("tcp", eni, 90))
		var answer []byte
		if err == nil {
			defer c.Close()
			answer, err = io.ReadAll(c)
		}
		if errors.Is(err, syscall.ECONNRESET) {
			return "reset"
		}
		if err != nil {
			t.Error(err)
		}
		return string(answer)
	}
	for range 10 {
		if a, b := from("eni-1"), from("eni-2"); a != "in a" || b != "in b" {
			t.Fatalf("%q and %q", a, b)
		}
	}
	g.Targets = g.Targets[:1:1]
	h.set(b, []desired.BalancerGroup{g})
	if a, b := from("eni-1"), from("eni-2"); a != "in a" || b != "reset" {
		t.Errorf("with an empty zone: %q and %q", a, b)
	}
	g.Targets[0].Zone = "all"
	g.Targets[0].RegisteredAt = g.Targets[0].RegisteredAt.Add(1)
	h.set(b, []desired.BalancerGroup{g})
	h.healthy(1)
	if a, b := from("eni-1"), from("eni-2"); a != "in a" || b != "in a" {
		t.Errorf("with a target outside: %q and %q", a, b)
	}
	g.Targets[0].Zone, g.Zonal = "a", false
	h.set(b, []desired.BalancerGroup{g})
	if a, b := from("eni-1"), from("eni-2"); a != "in a" || b != "in a" {
		t.Errorf("across zones: %q and %q", a, b)
	}
}

// An application load balancer's node without a target in its zone answers 503;
// one whose targets are all unhealthy uses them all the same.
func TestZonalRequests(t *testing.T) {
	h := newSystem(t)
	a := backend(t, func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "in a") })
	ill := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "in b", 500) }))
	t.Cleanup(ill.Close)
	g := group("arn:g", a, ill.Listener.Addr().String())
	g.Targets[0].Zone, g.Targets[1].Zone, g.Zonal = "a", "b", true
	b := []desired.Balancer{inZones(alb(forwardTo("arn:g")))}
	h.set(b, []desired.BalancerGroup{g})
	h.healthy(1)
	h.until(2, func(r desired.TargetReport) bool { return r.State == "healthy" || r.State == "initial" })
	get := func(eni string) (int, string) {
		r, err := http.Get("http://" + h.network.Addr("tcp", eni, 80))
		if err != nil {
			t.Fatal(err)
		}
		defer r.Body.Close()
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Fatal(err)
		}
		return r.StatusCode, string(body)
	}
	for range 4 {
		if status, body := get("eni-1"); status != 200 || body != "in a" {
			t.Errorf("zone a: %d %q", status, body)
		}
		if status, body := get("eni-2"); status != 500 || body != "in b\n" {
			t.Errorf("zone b fails open: %d %q", status, body)
		}
	}
	g.Targets = g.Targets[:1:1]
	h.set(b, []desired.BalancerGroup{g})
	if status, _ := get("eni-2"); status != 503 {
		t.Errorf("an empty zone: %d", status)
	}
}

package balancer_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"testing"

	"fargo/balancer/metrics"
	"fargo/desired"
)

// What comes to an interface is counted in its zone, also when the load balancer is not
// configured any more; connections to targets are counted with those of clients.
func TestZonesAreCounted(t *testing.T) {
	h := newSystem(t)
	a := backend(t, func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "hello") })
	b := inZones(alb(forwardTo("arn:g")))
	h.set([]desired.Balancer{b}, []desired.BalancerGroup{group("arn:g", a)})
	h.healthy(1)
	for _, eni := range []string{"eni-1", "eni-2", "eni-2"} {
		c := dial(t, h.network.Addr("tcp", eni, 80))
		io.WriteString(c, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
		if _, err := io.ReadAll(c); err != nil {
			t.Fatal(err)
		}
	}
	of := func(group, zone string) (m desired.BalancerMeasurement) {
		for _, m := range (metrics.Snapshot{"": h.server.Metrics()}).Since(nil) {
			if m.Group == group && m.Zone == zone {
				return m
			}
		}
		return m
	}
	eventually(t, "connections are done with", func() bool {
		return of("", "a").Gauges["ActiveConnectionCount"] == 1 && of("", "b").Gauges["ActiveConnectionCount"] == 1 // those to the target
	})
	for zone, requests := range map[string]float64{"a": 1, "b": 2} {
		lb, g := of("", zone), of("arn:g", zone)
		if g.Counts["RequestCount"] != requests || g.Counts["RequestCountPerTarget"] != requests || g.Gauges["HealthyHostCount"] != 1 {
			t.Errorf("zone %s: %+v", zone, g)
		}
		if lb.Counts["NewConnectionCount"] != requests+1 || lb.Counts["ProcessedBytes"] == 0 {
			t.Errorf("zone %s: %+v", zone, lb)
		}
		var times float64
		for _, took := range g.Times["TargetResponseTime"] {
			times += took.Count
		}
		if times != requests {
			t.Errorf("zone %s: %v times", zone, times)
		}
	}
	h.set(nil, nil)
	if g := of("arn:g", "b"); g.Counts["RequestCount"] != 2 || len(g.Gauges) > 0 {
		t.Errorf("afterwards: %+v", g)
	}
}

// What passes once a connection has another protocol is counted as it passes.
func TestWebSocketsAreCounted(t *testing.T) {
	h := newSystem(t)
	a := target(t, func(c net.Conn) {
		in := bufio.NewReader(c)
		if r, err := http.ReadRequest(in); err != nil || r.URL.Path == "/health" {
			io.WriteString(c, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
			return
		}
		io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
		io.Copy(c, in)
	})
	h.set([]desired.Balancer{alb(forwardTo("arn:g"))}, []desired.BalancerGroup{group("arn:g", a)})
	h.healthy(1)
	c := dial(t, h.addr(80))
	io.WriteString(c, "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
	in := bufio.NewReader(c)
	if r, err := http.ReadResponse(in, nil); err != nil || r.StatusCode != 101 {
		t.Fatal(r, err)
	}
	const size = 100_000
	go c.Write(make([]byte, size))
	if _, err := io.CopyN(io.Discard, in, size); err != nil {
		t.Fatal(err)
	}
	eventually(t, "both directions are counted", func() bool { return h.counted("")["ProcessedBytes"] == 2*size })
	c.Close()
	eventually(t, "it is over", func() bool { return h.counted("arn:g")["RequestCount"] == 1 })
	if n := h.counted("")["ProcessedBytes"]; n <= 2*size || n > 2*size+1000 {
		t.Errorf("%v bytes in all", n)
	}
}

// A client that comes without a cookie is one that could not stay with a target.
func TestNonStickyRequests(t *testing.T) {
	h := newSystem(t)
	g := group("arn:g", backend(t, func(http.ResponseWriter, *http.Request) {}))
	g.Attributes = map[string]string{"stickiness.enabled": "true", "stickiness.type": "lb_cookie"}
	h.set([]desired.Balancer{alb(forwardTo("arn:g"))}, []desired.BalancerGroup{g})
	h.healthy(1)
	if n, told := h.counted("arn:g")["NonStickyRequestCount"]; n != 0 || !told {
		t.Errorf("at first: %v %v", n, told)
	}
	var cookies []*http.Cookie
	for range 3 {
		r, _ := http.NewRequest(http.MethodGet, "http://"+h.addr(80)+"/", nil)
		for _, c := range cookies {
			r.AddCookie(c)
		}
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		cookies = answer.Cookies()
	}
	eventually(t, "all are counted", func() bool { return h.counted("arn:g")["RequestCount"] == 3 })
	if n := h.counted("arn:g")["NonStickyRequestCount"]; n != 1 {
		t.Errorf("%v", n)
	}
}

// Flows to targets that are chosen for want of healthy ones are counted, but those of TLS.
func TestUnhealthyFlows(t *testing.T) {
	h := newSystem(t)
	a := target(t, func(c net.Conn) { io.WriteString(c, "x") })
	g := flowGroup("TCP", a)
	g.Group.HealthCheckPort = new("1") // where nobody listens
	g.Group.UnhealthyThresholdCount = new(int32(1))
	h.set([]desired.Balancer{nlb("TCP", "arn:g")}, []desired.BalancerGroup{g})
	h.until(1, func(r desired.TargetReport) bool { return r.State == "unhealthy" })
	c := dial(t, h.addr(90))
	if b, err := io.ReadAll(c); string(b) != "x" || err != nil {
		t.Errorf("%q %v", b, err)
	}
	c.Close()
	eventually(t, "it is counted", func() bool {
		c := h.counted("")
		return c["UnhealthyRoutingFlowCount"] == 1 && c["NewFlowCount_TCP"] == 1 && c["ProcessedBytes_TCP"] == 1 && c["ActiveFlowCount"] == 0
	})
}

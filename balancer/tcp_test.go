package balancer_test

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"syscall"
	"testing"

	"fargo/aws/elbv2"
	"fargo/balancer"
	"fargo/desired"
)

// nlb is a network load balancer with one listener on port 90.
func nlb(protocol, groupARN string) desired.Balancer {
	b := alb(forwardTo(groupARN))
	b.Network, b.Name = true, "net/test/1"
	b.Listeners[0].Protocol, b.Listeners[0].Port = protocol, 90
	return b
}

// flowGroup is a target group checked by TCP.
func flowGroup(protocol string, addresses ...string) desired.BalancerGroup {
	g := group("arn:g", addresses...)
	g.Group.Protocol, g.Group.HealthCheckProtocol = elbv2.ProtocolEnum(protocol), "TCP"
	return g
}

// The end of what a client sends is passed on, and the answer still comes.
func TestHalfClose(t *testing.T) {
	h := newSystem(t)
	a := target(t, func(c net.Conn) {
		all, _ := io.ReadAll(c)
		c.Write(bytes.ToUpper(all))
	})
	h.set([]desired.Balancer{nlb("TCP", "arn:g")}, []desired.BalancerGroup{flowGroup("TCP", a)})
	h.healthy(1)
	c := dial(t, h.addr(90))
	sent := strings.Repeat("hello ", 100000)
	go func() {
		io.WriteString(c, sent)
		c.(*net.TCPConn).CloseWrite()
	}()
	if got, err := io.ReadAll(c); string(got) != strings.ToUpper(sent) || err != nil {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}

// A connection that rests too long, or finds no target, is reset.
func TestResets(t *testing.T) {
	h := newSystem(t)
	b := nlb("TCP", "arn:g")
	b.Listeners[0].Attributes = map[string]string{"tcp.idle_timeout.seconds": "1"}
	h.set([]desired.Balancer{b}, []desired.BalancerGroup{flowGroup("TCP")})
	c, err := net.Dial("tcp", h.addr(90))
	if err == nil { // or the reset was faster
		_, err = io.ReadAll(c)
	}
	if !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("no target: %v", err)
	}
	if n := h.counted("")["NewFlowCount"]; n != 0 {
		t.Errorf("%v flows to no target are counted", n)
	}
	h.set([]desired.Balancer{b}, []desired.BalancerGroup{flowGroup("TCP", silent(t))})
	h.healthy(1)
	if _, err := io.ReadAll(dial(t, h.addr(90))); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("idle: %v", err)
	}
	eventually(t, "resets are counted", func() bool { return h.counted("")["TCP_ELB_Reset_Count"] == 2 })
}

// TestConnectionTermination has connections cut when the time to drain is over,
// if and only if the attribute says so.
func TestConnectionTermination(t *testing.T) {
	for _, cut := range []string{"true", "false"} {
		h := newSystem(t)
		a := target(t, func(c net.Conn) { io.Copy(c, c) })
		b := []desired.Balancer{nlb("TCP", "arn:g")}
		g := flowGroup("TCP", a)
		g.Attributes["deregistration_delay.connection_termination.enabled"] = cut
		h.set(b, []desired.BalancerGroup{g})
		h.healthy(1)
		c := dial(t, h.addr(90))
		in := bufio.NewReader(c)
		say := func() error {
			io.WriteString(c, "x\n")
			_, err := in.ReadString('\n')
			return err
		}
		if err := say(); err != nil {
			t.Fatal(err)
		}
		g.Targets[0].Draining = true
		h.set(b, []desired.BalancerGroup{g})
		if err := say(); err != nil {
			t.Errorf("while draining: %v", err)
		}
		g.Targets = nil
		h.set(b, []desired.BalancerGroup{g})
		if err := say(); (err != nil) != (cut == "true") {
			t.Errorf("termination %s: %v", cut, err)
		}
	}
}

// TestProxyProtocol reads the header a target gets, field by field.
func TestProxyProtocol(t *testing.T) {
	h := newSystem(t)
	headers := make(chan []byte, 10)
	a := target(t, func(c net.Conn) {
		header := make([]byte, 28)
		if _, err := io.ReadFull(c, header); err == nil {
			headers <- header
		}
	})
	g := flowGroup("TCP", a)
	g.Attributes["proxy_protocol_v2.enabled"] = "true"
	h.set([]desired.Balancer{nlb("TCP", "arn:g")}, []desired.BalancerGroup{g})
	h.healthy(1)
	c := dial(t, h.addr(90))
	got := <-headers
	if string(got[:12]) != "\r\n\r\n\x00\r\nQUIT\n" || got[12] != 0x21 || got[13] != 0x11 || binary.BigEndian.Uint16(got[14:]) != 12 {
		t.Errorf("header: %q", got)
	}
	client, local := c.LocalAddr().(*net.TCPAddr).AddrPort(), netip.MustParseAddrPort(h.addr(90))
	want := append(client.Addr().AsSlice(), local.Addr().AsSlice()...)
	want = binary.BigEndian.AppendUint16(want, client.Port())
	want = binary.BigEndian.AppendUint16(want, local.Port())
	if !bytes.Equal(got[16:], want) {
		t.Errorf("addresses: %v, want %v", got[16:], want)
	}
}

// A check's connection begins with a header too, which speaks of nobody.
func TestProxyProtocolInChecks(t *testing.T) {
	h := newSystem(t)
	a := target(t, func(c net.Conn) {
		header := make([]byte, 16)
		if _, err := io.ReadFull(c, header); err != nil || string(header[:12]) != "\r\n\r\n\x00\r\nQUIT\n" {
			return
		}
		if r, err := http.ReadRequest(bufio.NewReader(c)); err == nil && bytes.Equal(header[12:], []byte{0x20, 0, 0, 0}) && r.URL.Path == "/health" {
			io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
		}
	})
	g := group("arn:g", a)
	g.Group.Protocol = "TCP"
	g.Attributes["proxy_protocol_v2.enabled"] = "true"
	h.set([]desired.Balancer{nlb("TCP", "arn:g")}, []desired.BalancerGroup{g})
	h.healthy(1)
}

// Connections to a target that becomes unhealthy are reset, unless the
// attributes keep them, for some time or for good, or no target is better.
func TestUnhealthyConnections(t *testing.T) {
	const terminate, interval = "target_health_state.unhealthy.connection_termination.enabled", "target_health_state.unhealthy.draining_interval_seconds"
	for name, test := range map[string]struct {
		attributes map[string]string
		alone      bool
		state      string
		kept       bool
	}{
		"terminated":         {map[string]string{}, false, "unhealthy", false},
		"kept for some time": {map[string]string{terminate: "false", interval: "360000"}, false, "unhealthy.draining", true},
		"kept for good":      {map[string]string{terminate: "false", interval: "0"}, false, "unhealthy", true},
		"all are unhealthy":  {map[string]string{}, true, "unhealthy", true},
	} {
		t.Run(name, func(t *testing.T) {
			h := newSystem(t, func(c *balancer.Config) { c.Pace = 3000 })
			ill, err := net.Listen("tcp4", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { ill.Close() })
			go func() {
				for {
					c, err := ill.Accept()
					if err != nil {
						return
					}
					go func() {
						defer c.Close()
						io.Copy(c, c)
					}()
				}
			}()
			g := flowGroup("TCP", ill.Addr().String())
			g.Attributes = test.attributes
			b := []desired.Balancer{nlb("TCP", "arn:g")}
			h.set(b, []desired.BalancerGroup{g})
			h.healthy(1)
			c := dial(t, h.addr(90))
			in := bufio.NewReader(c)
			say := func() error {
				io.WriteString(c, "x\n")
				_, err := in.ReadString('\n')
				return err
			}
			if err := say(); err != nil {
				t.Fatal(err)
			}
			if !test.alone {
				more := flowGroup("TCP", silent(t))
				g.Targets = append(g.Targets, more.Targets...)
				h.set(b, []desired.BalancerGroup{g})
				h.healthy(2)
			}
			ill.Close()
			h.until(1, func(r desired.TargetReport) bool { return r.State == test.state })
			if test.kept {
				if err := say(); err != nil {
					t.Errorf("the connection ended: %v", err)
				}
			} else if _, err := in.ReadByte(); !errors.Is(err, syscall.ECONNRESET) {
				t.Errorf("the connection was not reset: %v", err)
			}
			if test.state == "unhealthy.draining" {
				g.Attributes = map[string]string{terminate: "false", interval: "1"}
				h.set(b, []desired.BalancerGroup{g})
				h.until(1, func(r desired.TargetReport) bool { return r.State == "unhealthy" })
				if _, err := in.ReadByte(); !errors.Is(err, syscall.ECONNRESET) {
					t.Errorf("the connection was not reset in the end: %v", err)
				}
			}
		})
	}
}

// A reset of either side is passed on to the other, and the end of what a target
// sends leaves the client free to send on.
func TestEndsArePassedOn(t *testing.T) {
	h := newSystem(t)
	ended := make(chan error, 10)
	a := target(t, func(c net.Conn) {
		in := bufio.NewReader(c)
		word, _ := in.ReadString('\n')
		switch word {
		case "reset\n":
			c.(*net.TCPConn).SetLinger(0)
		case "half\n":
			c.(*net.TCPConn).CloseWrite()
			word, err := in.ReadString('\n')
			if word != "more\n" {
				err = fmt.Errorf("%q, %w", word, err)
			}
			ended <- err
		case "wait\n":
			_, err := in.ReadByte()
			ended <- err
		}
	})
	h.set([]desired.Balancer{nlb("TCP", "arn:g")}, []desired.BalancerGroup{flowGroup("TCP", a)})
	h.healthy(1)

	c := dial(t, h.addr(90))
	io.WriteString(c, "reset\n")
	if _, err := io.ReadAll(c); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the target's reset came as %v", err)
	}

	c = dial(t, h.addr(90))
	io.WriteString(c, "half\n")
	if rest, err := io.ReadAll(c); len(rest) > 0 || err != nil {
		t.Errorf("the end of what the target sends: %q %v", rest, err)
	}
	io.WriteString(c, "more\n")
	if err := <-ended; err != nil {
		t.Errorf("the target got %v", err)
	}

	c = dial(t, h.addr(90))
	io.WriteString(c, "wait\n")
	c.(*net.TCPConn).SetLinger(0)
	eventually(t, "the connection is open", func() bool { return h.counted("")["ActiveFlowCount_TCP"] > 0 })
	c.Close()
	if err := <-ended; !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the client's reset came as %v", err)
	}
	eventually(t, "resets are counted", func() bool {
		m := h.counted("")
		return m["TCP_Client_Reset_Count"] == 1 && m["TCP_Target_Reset_Count"] == 1 && m["TCP_ELB_Reset_Count"] == 0
	})
}

func TestTLSTermination(t *testing.T) {
	h := newSystem(t)
	a := target(t, func(c net.Conn) { io.Copy(c, c) })
	b := nlb("TLS", "arn:g")
	b.Listeners[0].Certificates = []desired.Certificate{keyPair(t, "a.example"), keyPair(t, "b.example")}
	b.Listeners[0].ALPN = []string{"HTTP2Preferred"}
	b.Listeners[0].SSLPolicy = "ELBSecurityPolicy-TLS13-1-3-2021-06"
	h.set([]desired.Balancer{b}, []desired.BalancerGroup{flowGroup("TCP", a)})
	h.healthy(1)
	c := tls.Client(dial(t, h.addr(90)), &tls.Config{InsecureSkipVerify: true, ServerName: "b.example", NextProtos: []string{"http/1.1", "h2"}})
	io.WriteString(c, "hello\n")
	if line, err := bufio.NewReader(c).ReadString('\n'); err != nil || line != "hello\n" {
		t.Errorf("%q %v", line, err)
	}
	state := c.ConnectionState()
	if state.PeerCertificates[0].DNSNames[0] != "b.example" || state.NegotiatedProtocol != "h2" || state.Version != tls.VersionTLS13 {
		t.Errorf("%v %s %x", state.PeerCertificates[0].DNSNames, state.NegotiatedProtocol, state.Version)
	}
	old := tls.Client(dial(t, h.addr(90)), &tls.Config{InsecureSkipVerify: true, MaxVersion: tls.VersionTLS12})
	if err := old.Handshake(); err == nil {
		t.Error("TLS 1.2 was accepted")
	}
	eventually(t, "it is counted", func() bool { return h.counted("")["ClientTLSNegotiationErrorCount"] == 1 })
}

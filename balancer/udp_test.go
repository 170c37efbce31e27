package balancer_test

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"

	"fargo/desired"
)

// Datagrams of a client go to one target, and its answers come back; when the
// target is gone, to another.
func TestUDP(t *testing.T) {
	h := newSystem(t)
	var alive [2]atomic.Bool
	udpTarget := func(i int) string {
		c, err := net.ListenPacket("udp4", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		go func() {
			buffer := make([]byte, 100)
			for {
				n, from, err := c.ReadFrom(buffer)
				if err != nil {
					return
				}
				alive[i].Store(true)
				c.WriteTo(append([]byte{'0' + byte(i), ' '}, buffer[:n]...), from)
			}
		}()
		return c.LocalAddr().String()
	}
	g := flowGroup("UDP", udpTarget(0), udpTarget(1))
	g.Attributes["deregistration_delay.connection_termination.enabled"] = "true"
	b := []desired.Balancer{nlb("UDP", "arn:g")}
	h.set(b, []desired.BalancerGroup{g})
	c, err := net.Dial("udp", h.network.Addr("udp", "eni-1", 90))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	say := func() string {
		t.Helper()
		c.SetDeadline(dialDeadline())
		buffer := make([]byte, 100)
		io.WriteString(c, "hello")
		n, err := c.Read(buffer)
		if err != nil {
			t.Fatal(err)
		}
		return string(buffer[:n])
	}
	mine := say()
	for range 5 {
		if got := say(); got != mine {
			t.Errorf("%q after %q", got, mine)
		}
	}
	gone := int(mine[0] - '0')
	g.Targets[gone].Draining = true
	h.set(b, []desired.BalancerGroup{g})
	g.Targets = append(g.Targets[:gone:gone], g.Targets[gone+1:]...)
	h.set(b, []desired.BalancerGroup{g})
	eventually(t, "the flow moves", func() bool { return say() != mine })
}

// Each client's port is a flow of its own, and with the PROXY protocol each
// datagram says whose it is, and which address and port of the load balancer it was
// sent to, whatever the address is that the socket is bound to.
func TestUDPProxyProtocol(t *testing.T) {
	for _, protocol := range []string{"UDP", "TCP_UDP"} {
		t.Run(protocol, func(t *testing.T) { udpProxyProtocol(t, protocol) })
	}
}

func udpProxyProtocol(t *testing.T, protocol string) {
	h := newSystem(t)
	echo, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { echo.Close() })
	go func() {
		buffer := make([]byte, 100)
		for {
			n, from, err := echo.ReadFrom(buffer)
			if err != nil {
				return
			}
			echo.WriteTo(buffer[:n], from)
		}
	}()
	// checks are of TCP
	check := silent(t)
	g := flowGroup(protocol, echo.LocalAddr().String())
	g.Group.HealthCheckPort = new(strings.Split(check, ":")[1])
	g.Attributes["proxy_protocol_v2.enabled"] = "true"
	h.set([]desired.Balancer{nlb(protocol, "arn:g")}, []desired.BalancerGroup{g})
	h.healthy(1)
	for range 2 {
		c, err := net.Dial("udp", h.network.Addr("udp", "eni-1", 90))
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		c.SetDeadline(dialDeadline())
		for range 2 {
			io.WriteString(c, "hello")
			buffer := make([]byte, 100)
			n, err := c.Read(buffer)
			if err != nil {
				t.Fatal(err)
			}
			from := c.LocalAddr().(*net.UDPAddr).AddrPort()
			got := buffer[:n]
			to := netip.MustParseAddrPort("192.0.2.1:90")
			if !bytes.Equal(got[20:24], to.Addr().AsSlice()) || binary.BigEndian.Uint16(got[26:]) != to.Port() {
				t.Errorf("%q to %s", got, to)
			}
			if n != 28+5 || string(got[28:]) != "hello" || got[13] != 0x12 || !bytes.Equal(got[16:20], from.Addr().AsSlice()) || binary.BigEndian.Uint16(got[24:]) != from.Port() {
				t.Errorf("%q from %s", got, from)
			}
		}
	}
	eventually(t, "two flows are counted", func() bool { return h.counted("")["NewFlowCount_UDP"] == 2 })
}

//go:build e2e

package kernel

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"net"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"fargo/desired"
	"fargo/host"
)

// Rules by number let their protocols pass, which have no ports, and nothing else.
func TestProtocolsByNumber(t *testing.T) {
	n := newTestNetwork(t, "a041")
	tunnels := desired.SecurityGroup{ID: "sg-tunnels", Egress: allowAll}
	for _, number := range []string{"47", "50", "51", "132"} {
		tunnels.Ingress = append(tunnels.Ingress, desired.Rule{Protocol: number, FromPort: -1, ToPort: -1, CIDR: anywhere})
	}
	shut := desired.SecurityGroup{ID: "sg-shut", Egress: allowAll}
	apply(t, n, host.Network{
		VPCs:       []desired.VPC{vpc("vpc-1", tunnels, shut)},
		Interfaces: []desired.Interface{eni(11, "vpc-1", "sg-shut"), eni(12, "vpc-1", "sg-tunnels")},
	})
	for _, number := range []int{unix.IPPROTO_GRE, unix.IPPROTO_ESP, unix.IPPROTO_AH, unix.IPPROTO_SCTP} {
		if err := pass(n, number, "eni-vpc-1-11", "eni-vpc-1-12", "172.31.0.12", longer); err != nil {
			t.Errorf("protocol %d: %v", number, err)
		}
	}
	for _, number := range []int{unix.IPPROTO_IPIP, unix.IPPROTO_UDPLITE} {
		if err := pass(n, number, "eni-vpc-1-11", "eni-vpc-1-12", "172.31.0.12", soon); err == nil {
			t.Errorf("protocol %d passes without a rule for it", number)
		}
	}
}

// pass sends one packet of a protocol from an interface to another, and waits for it.
func pass(n *Network, number int, from, to, address string, within time.Duration) error {
	return passBetween(n, n, number, from, to, address, within)
}

// passBetween is pass between two networks.
func passBetween(here, there *Network, number int, from, to, address string, within time.Duration) error {
	var receiver, sender net.PacketConn
	listen := func(c *net.PacketConn) func() error {
		return func() (err error) {
			*c, err = net.ListenPacket(fmt.Sprintf("ip4:%d", number), "0.0.0.0")
			return err
		}
	}
	if err := there.inside(to, listen(&receiver)); err != nil {
		return err
	}
	defer receiver.Close()
	if err := here.inside(from, listen(&sender)); err != nil {
		return err
	}
	defer sender.Close()
	if _, err := sender.WriteTo(packetOf(number), &net.IPAddr{IP: net.ParseIP(address)}); err != nil {
		return err
	}
	receiver.SetReadDeadline(time.Now().Add(within))
	_, _, err := receiver.ReadFrom(make([]byte, 1500))
	return err
}

// packetOf is the smallest packet that the kernel's connection tracking takes for one
// of the protocol: an association's first of SCTP (RFC 9260, INIT), and anything of the
// others.
func packetOf(number int) []byte {
	p := make([]byte, 32)
	if number != unix.IPPROTO_SCTP {
		return p
	}
	binary.BigEndian.PutUint16(p[0:], 5000) // source port
	binary.BigEndian.PutUint16(p[2:], 5000) // destination port
	p[12] = 1                               // the chunk's type
	binary.BigEndian.PutUint16(p[14:], 20)  // its length
	binary.BigEndian.PutUint32(p[16:], 1)   // the tag
	binary.BigEndian.PutUint32(p[20:], 1500)
	binary.BigEndian.PutUint16(p[24:], 1)
	binary.BigEndian.PutUint16(p[26:], 1)
	binary.LittleEndian.PutUint32(p[8:], crc32.Checksum(p, crc32.MakeTable(crc32.Castagnoli)))
	return p
}

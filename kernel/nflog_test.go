package kernel

import (
	"encoding/hex"
	"net/netip"
	"testing"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"fargo/host"
)

func TestParsePacket(t *testing.T) {
	tuple := func(from, to string) host.Tuple {
		return host.Tuple{Source: netip.MustParseAddrPort(from), Destination: netip.MustParseAddrPort(to)}
	}
	for _, c := range []struct {
		name, packet string
		want         host.Rejection
		ok           bool
	}{
		{
			"a SYN", "4500003c0001400040060000ac1f0005ac1f0006" + "c0010050" + "0000000000000000a002ffff00000000",
			host.Rejection{Protocol: 6, Bytes: 60, TCPFlags: 2, Tuple: tuple("172.31.0.5:49153", "172.31.0.6:80")},
			true,
		},
		{
			"UDP after an IP option", "460000240001400040110000ac1f0005ac1f0006" + "01010101" + "0035d431000c0000",
			host.Rejection{Protocol: 17, Bytes: 36, Tuple: tuple("172.31.0.5:53", "172.31.0.6:54321")},
			true,
		},
		{
			"a ping", "450000540001400040010000ac1f0005ac1f0006" + "0800f7ff00010001",
			host.Rejection{Protocol: 1, Bytes: 84, Tuple: tuple("172.31.0.5:0", "172.31.0.6:0")},
			true,
		},
		{
			"a later fragment", "450005dc000100b940110000ac1f0005ac1f0006" + "0035d431000c0000",
			host.Rejection{Protocol: 17, Bytes: 1500, Tuple: tuple("172.31.0.5:0", "172.31.0.6:0")},
			true,
		},
		{
			"IPv6", "6000000000140640" + "20010db8000000000000000000000005" + "20010db8000000000000000000000006" + "c0010050000000000000000050040000",
			host.Rejection{Protocol: 6, Bytes: 60, TCPFlags: 4, Tuple: tuple("[2001:db8::5]:49153", "[2001:db8::6]:80")},
			true,
		},
		{"a header cut short", "4500003c00014000", host.Rejection{}, false},
		{"nothing", "", host.Rejection{}, false},
		{"ARP", "0001080006040001", host.Rejection{}, false},
	} {
		b, err := hex.DecodeString(c.packet)
		if err != nil {
			t.Fatal(c.name, err)
		}
		var got host.Rejection
		if ok := parsePacket(b, &got); ok != c.ok || ok && got != c.want {
			t.Errorf("%s: %+v, %v; want %+v, %v", c.name, got, ok, c.want, c.ok)
		}
	}
}

// A message is whatever the kernel sends; it is read without harm, and what is read of a
// packet has both of its addresses.
func FuzzRejectionIn(f *testing.F) {
	e := netlink.NewAttributeEncoder()
	e.Bytes(nflogPayload, []byte("\x45\x00\x00\x3c\x00\x01\x40\x00\x40\x06\x00\x00\xac\x1f\x00\x05\xac\x1f\x00\x06\xc0\x01\x00\x50"))
	attrs, err := e.Encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(append([]byte{unix.AF_INET, 0, 0, 2}, attrs...))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, data []byte) {
		m := netlink.Message{Header: netlink.Header{Type: unix.NFNL_SUBSYS_ULOG<<8 | nflogPacket}, Data: data}
		if r, ok := rejectionIn(m); ok && (!r.Source.IsValid() || !r.Destination.IsValid()) {
			t.Errorf("%+v", r)
		}
	})
}

func TestRejectionIn(t *testing.T) {
	e := netlink.NewAttributeEncoder()
	e.Bytes(nflogPayload, []byte("\x45\x00\x00\x3c\x00\x01\x40\x00\x40\x06\x00\x00\xac\x1f\x00\x05\xac\x1f\x00\x06\xc0\x01\x00\x50"))
	attrs, err := e.Encode()
	if err != nil {
		t.Fatal(err)
	}
	m := netlink.Message{Header: netlink.Header{Type: unix.NFNL_SUBSYS_ULOG<<8 | nflogPacket}, Data: append([]byte{unix.AF_INET, 0, 0, byte(rejectedInbound)}, attrs...)}
	r, ok := rejectionIn(m)
	if !ok || !r.Inbound || r.Destination != netip.MustParseAddrPort("172.31.0.6:80") {
		t.Errorf("%+v, %v", r, ok)
	}
}

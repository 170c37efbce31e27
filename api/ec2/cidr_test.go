package ec2

import (
	"errors"
	"net/netip"
	"testing"

	"fargo"
)

func in(blocks ...string) Networks {
	return func() (all []fargo.MachineNetwork, err error) {
		for _, b := range blocks {
			all = append(all, fargo.MachineNetwork{Prefix: netip.MustParsePrefix(b), Link: "eth0"})
		}
		return all, nil
	}
}

// AWS's block, unless the machine is in it: then one that it is not in.
func TestDefaultBlockIsOneTheMachineIsNotIn(t *testing.T) {
	for _, test := range []struct {
		networks Networks
		want     string
	}{
		{nil, "172.31.0.0/16"},
		{in("10.0.0.0/8", "192.168.0.0/16"), "172.31.0.0/16"},
		{in("172.31.16.0/20"), "172.30.0.0/16"},
		{in("172.16.0.0/12"), "10.255.0.0/16"},
		{in("172.16.0.0/12", "10.128.0.0/9"), "10.127.0.0/16"},
		{in("172.16.0.0/12", "10.0.0.0/8"), "100.127.0.0/16"},
		{in("172.16.0.0/12", "10.0.0.0/8", "100.64.0.0/10"), ""},
	} {
		block, free, err := test.networks.freeBlock()
		got := ""
		if free {
			got = block.String()
		}
		if err != nil || got != test.want {
			t.Errorf("%q, %v, want %q", got, err, test.want)
		}
	}
}

// What is not known is not taken for free.
func TestUnknownNetworksAreAnError(t *testing.T) {
	failed := errors.New("no netlink")
	unknown := Networks(func() ([]fargo.MachineNetwork, error) { return nil, failed })
	if _, free, err := unknown.freeBlock(); free || !errors.Is(err, failed) {
		t.Errorf("%v, %v", free, err)
	}
	if err := New(Config{Networks: unknown}).checkVPCBlock(netip.MustParsePrefix("10.0.0.0/16"), "10.0.0.0/16"); !errors.Is(err, failed) {
		t.Error(err)
	}
}

// A VPC with public addresses would hide them from the machine.
func TestPublicAddressesAreOfNoVPC(t *testing.T) {
	s := New(Config{Public: netip.MustParsePrefix("203.0.112.0/20")})
	if err := s.checkVPCBlock(netip.MustParsePrefix("203.0.113.0/24"), "203.0.113.0/24"); err == nil {
		t.Error("a VPC has the range")
	}
	if err := s.checkVPCBlock(netip.MustParsePrefix("198.51.100.0/24"), "198.51.100.0/24"); err != nil {
		t.Error(err)
	}
}

package ec2

import (
	"fmt"
	"net/netip"

	"fargo"
	"fargo/aws/protocol"
)

// Networks gives the networks that the machines of the tasks are in, as they are
// now. VPCs are reached by the machines' own routes, so that a VPC and a network
// with the same addresses would hide each other.
type Networks func() ([]fargo.MachineNetwork, error)

// unusable are the blocks that no interface can have an address of.
// Source: RFC 6890, section 2.2.2; RFC 5771 (multicast); RFC 1112 (reserved). AWS
// refuses them with the error of a block of a bad size.
var unusable = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),      // this network
	netip.MustParsePrefix("127.0.0.0/8"),    // loopback
	netip.MustParsePrefix("169.254.0.0/16"), // link-local: metadata, the VPC's resolver, Fargo's own links
	netip.MustParsePrefix("224.0.0.0/4"),    // multicast
	netip.MustParsePrefix("240.0.0.0/4"),    // reserved, and broadcast
}

// Bounds of a VPC and of a subnet. Source: VPC user guide, "VPC CIDR blocks".
const (
	largestBlock  = 16
	smallestBlock = 28
)

// usableBlock reports whether a VPC, or a subnet, can have a block.
func usableBlock(block netip.Prefix) bool {
	for _, u := range unusable {
		if u.Overlaps(block) {
			return false
		}
	}
	return block.Bits() >= largestBlock && block.Bits() <= smallestBlock
}

// checkVPCBlock refuses a block that no VPC can have here.
func (s *Server) checkVPCBlock(block netip.Prefix, given string) error {
	if !usableBlock(block) {
		return protocol.Errorf("InvalidVpc.Range", "The CIDR '%s' is invalid.", given)
	}
	if s.public.IsValid() && s.public.Overlaps(block) { // ours, as well
		return protocol.Errorf("InvalidVpc.Range", "The CIDR '%s' overlaps %s, which public addresses are of here.", given, s.public)
	}
	taken, err := s.networks.overlapping(block)
	if err != nil {
		return err
	}
	if taken != nil { // ours: on AWS there is no machine to be in the way
		return protocol.Errorf("InvalidVpc.Range", "The CIDR '%s' overlaps %s. Choose another: the machine could reach only one of the two.", given, describeNetwork(taken))
	}
	return nil
}

func describeNetwork(n *fargo.MachineNetwork) string {
	if n.Link == "" {
		return fmt.Sprintf("%s, a network that this machine has a route to", n.Prefix)
	}
	return fmt.Sprintf("%s, which this machine reaches by its interface %s", n.Prefix, n.Link)
}

// overlapping is the first network with addresses of a block, nil when there is
// none, or nobody knows.
func (n Networks) overlapping(block netip.Prefix) (*fargo.MachineNetwork, error) {
	if n == nil {
		return nil, nil
	}
	all, err := n()
	if err != nil {
		return nil, fmt.Errorf("the machine's networks: %w", err)
	}
	for i := range all {
		if all[i].Prefix.Overlaps(block) {
			return &all[i], nil
		}
	}
	return nil, nil
}

// defaultBlocks are what a default VPC may have, the best first: AWS's, which a
// machine that is itself in the default VPC of an AWS account cannot use, and then
// others of private and shared addresses (RFC 1918, RFC 6598).
func defaultBlocks(yield func(netip.Prefix) bool) {
	for _, of := range []struct{ first, from, to int }{{172, 31, 16}, {10, 255, 0}, {100, 127, 64}} {
		for second := of.from; second >= of.to; second-- {
			block := netip.PrefixFrom(netip.AddrFrom4([4]byte{byte(of.first), byte(second)}), largestBlock)
			if !yield(block) {
				return
			}
		}
	}
}

// freeBlock is the first block for a default VPC that the machine is not in.
func (n Networks) freeBlock() (block netip.Prefix, free bool, err error) {
	for block := range defaultBlocks {
		taken, err := n.overlapping(block)
		if err != nil || taken == nil {
			return block, err == nil, err
		}
	}
	return netip.Prefix{}, false, nil
}

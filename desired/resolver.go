package desired

import "net/netip"

// VPCResolver is the address of a VPC's resolver on every interface in it, the same as
// the VPC's base address plus two. Source: VPC user guide, "Amazon DNS server".
var VPCResolver = netip.MustParseAddr("169.254.169.253")

// Resolver is how the processes of a task resolve names: what its resolv.conf says. It
// comes from the DHCP options of its VPC.
type Resolver struct {
	Search  []string     `json:"search,omitempty"` // domains
	Servers []netip.Addr `json:"servers,omitempty"`
}

package desired

import "net/netip"

// Subnet is a part of a VPC whose interfaces share a route table and a network
// access control list.
type Subnet struct {
	ID         string         `json:"id"`         // "subnet-…"
	Prefixes   []netip.Prefix `json:"prefixes"`   // IPv4, IPv6
	RouteTable string         `json:"routeTable"` // an id of the VPC's RouteTables
	ACL        string         `json:"acl"`        // an id of the VPC's ACLs
	// PlatformFor says which interfaces may use the address of [Platform].
	PlatformFor PlatformUsers `json:"platformFor,omitempty"`
	// S3For says which interfaces may use the address of S3, if it has one of its own.
	S3For PlatformUsers `json:"s3For,omitempty"`
}

// PlatformUsers are some of the interfaces of a subnet.
type PlatformUsers string

// The kinds of interfaces that may use the address of the platform.
const (
	PlatformForAll    PlatformUsers = ""
	PlatformForPublic PlatformUsers = "public" // those with a public address
	PlatformForNone   PlatformUsers = "none"
)

// RouteTable says where packets of interfaces in its subnets go. Source: VPC user
// guide, "Configure route tables".
type RouteTable struct {
	ID string `json:"id"` // "rtb-…"
	// Routes are in the order in which they are tried: the longest prefix first. What
	// none of them has is unreachable.
	Routes []Route `json:"routes"`
}

// Route is where packets to a block of addresses go. What is translated on the way
// has been looked up already: when NAT is set, Target is what the route table of the
// NAT gateway's subnet says.
type Route struct {
	To     netip.Prefix `json:"to"`
	Target RouteTarget  `json:"target"`
	// NAT is the gateway that the packet passes: its source becomes the gateway's
	// public address on the way to the Internet, and its private one elsewhere. A
	// gateway without a public address has no way to the Internet.
	NAT string `json:"nat,omitempty"`
	// Peer is the other VPC, with RoutePeer.
	Peer string `json:"peer,omitempty"`
}

// RouteTarget is a kind of next hop.
type RouteTarget string

// The kinds of next hops.
const (
	// RouteLocal is the interface of the VPC that has the address.
	RouteLocal RouteTarget = "local"
	// RouteInternet is the Internet gateway: for IPv4, packets of an interface with a
	// public address leave with that as their source, and those of others are
	// dropped; for IPv6, packets leave as they are.
	RouteInternet RouteTarget = "internet"
	// RouteEgressOnly is an egress-only Internet gateway: IPv6 packets leave as they
	// are, and only answers come back.
	RouteEgressOnly RouteTarget = "egress-only"
	// RouteService is a gateway endpoint: packets reach a service of AWS, whatever
	// their source.
	RouteService RouteTarget = "service"
	// RoutePeer is another VPC.
	RoutePeer RouteTarget = "peer"
	// RouteBlackhole is a target that is gone: packets are dropped.
	RouteBlackhole RouteTarget = "blackhole"
)

// NATGateway translates the sources of packets of other interfaces.
type NATGateway struct {
	ID     string `json:"id"`     // "nat-…"
	Subnet string `json:"subnet"` // whose ACL its packets pass, in and out
	// Addresses are the pairs it translates to; connections are spread over them.
	// There is one at least.
	Addresses []NATAddress `json:"addresses"`
}

// NATAddress is an address of a NAT gateway.
type NATAddress struct {
	Private netip.Addr `json:"private"`
	Public  netip.Addr `json:"public,omitzero"` // the zero Addr: a private gateway
}

// ACL is a network access control list: what may cross the border of its subnets.
// Connections are not tracked: an answer needs an entry of its own. Packets between
// two interfaces of one subnet cross no border. Source: VPC user guide, "Network ACLs".
type ACL struct {
	ID string `json:"id"` // "acl-…"
	// The entries in the order of their numbers: the first that a packet matches
	// decides, and what none matches is denied.
	Ingress []ACLEntry `json:"ingress,omitempty"`
	Egress  []ACLEntry `json:"egress,omitempty"`
}

// ACLEntry allows or denies one kind of traffic with one block of addresses: the
// source of what comes in, the destination of what goes out.
type ACLEntry struct {
	Allow bool         `json:"allow,omitempty"`
	CIDR  netip.Prefix `json:"cidr"`
	// Protocol, FromPort and ToPort are as in [Rule]. Ports are those of the packet's
	// destination, also when it is an answer.
	Protocol string `json:"protocol"`
	FromPort int    `json:"fromPort"`
	ToPort   int    `json:"toPort"`
}

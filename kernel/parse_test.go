package kernel

import (
	"net/netip"
	"strconv"
	"strings"
	"testing"

	"fargo/desired"
)

// parseRouting reads a line of a scenario that is about routes and lists.
func parseRouting(t *testing.T, v *desired.VPC, f []string) {
	switch f[0] {
	case "peer":
		v.Peers = append(v.Peers, f[1])
	case "s3":
		v.S3 = desired.ServiceAddress{Address: netip.MustParseAddr(f[1])}
	case "subnet":
		s := desired.Subnet{ID: f[1], RouteTable: f[2], ACL: f[3]}
		for _, cidr := range f[4:] {
			if users, ok := strings.CutPrefix(cidr, "platform-for-"); ok {
				s.PlatformFor = desired.PlatformUsers(users)
				continue
			}
			if users, ok := strings.CutPrefix(cidr, "s3-for-"); ok {
				s.S3For = desired.PlatformUsers(users)
				continue
			}
			s.Prefixes = append(s.Prefixes, netip.MustParsePrefix(cidr))
		}
		v.Subnets = append(v.Subnets, s)
	case "nat":
		g := desired.NATGateway{ID: f[1], Subnet: f[2]}
		for _, pair := range f[3:] {
			private, public, both := strings.Cut(pair, "=")
			a := desired.NATAddress{Private: netip.MustParseAddr(private)}
			if both {
				a.Public = netip.MustParseAddr(public)
			}
			g.Addresses = append(g.Addresses, a)
		}
		v.NATGateways = append(v.NATGateways, g)
	case "acl":
		v.ACLs = append(v.ACLs, parseACL(t, f[1:]))
	case "rtb":
		table := desired.RouteTable{ID: f[1]}
		for f = f[2:]; len(f) >= 2; f = f[2:] {
			if f[0] == "via" {
				table.Routes[len(table.Routes)-1].NAT = f[1]
				continue
			}
			target, peer, _ := strings.Cut(f[1], ":")
			table.Routes = append(table.Routes, desired.Route{To: netip.MustParsePrefix(f[0]), Target: desired.RouteTarget(target), Peer: peer})
		}
		v.RouteTables = append(v.RouteTables, table)
	}
}

func parseACL(t *testing.T, f []string) desired.ACL {
	acl := desired.ACL{ID: f[0]}
	for f = f[1:]; len(f) >= 5; f = f[5:] {
		from, to, _ := strings.Cut(f[3], "..")
		e := desired.ACLEntry{Allow: f[1] == "allow", Protocol: f[2], CIDR: netip.MustParsePrefix(f[4])}
		var err error
		if e.FromPort, err = strconv.Atoi(from); err != nil {
			t.Fatal(err)
		}
		if e.ToPort, err = strconv.Atoi(to); err != nil {
			t.Fatal(err)
		}
		if f[0] == "in" {
			acl.Ingress = append(acl.Ingress, e)
		} else {
			acl.Egress = append(acl.Egress, e)
		}
	}
	return acl
}

// parseOptions reads the end of a line about an interface.
func parseOptions(e *desired.Interface, f []string) {
	for i, word := range f {
		switch word {
		case "subnet":
			e.Subnet = f[i+1]
		case "public":
			e.Public = netip.MustParseAddr(f[i+1])
		case "ipv6":
			e.IPv6 = netip.MustParseAddr(f[i+1])
			e.IPv6Prefix = netip.PrefixFrom(e.IPv6, 64).Masked()
		}
	}
}

package endpoint

import (
	"net/netip"
	"slices"
	"strings"

	"fargo/desired"
)

const (
	plainPort  = 80
	securePort = 443
)

// A place is where a socket should be.
type place struct {
	in   string // the id of a VPC or an interface
	addr netip.AddrPort
}

func (p place) String() string { return p.addr.String() + " in " + p.in }

// places are all where sockets should be.
func places(vpcs []desired.VPC, endpoints []desired.Endpoint) (all []place) {
	add := func(in string, a netip.Addr) {
		for _, port := range []uint16{plainPort, securePort} {
			all = append(all, place{in, netip.AddrPortFrom(a, port)})
		}
	}
	for i := range vpcs {
		if a, ok := desired.PlatformAddress(&vpcs[i]); ok {
			add(vpcs[i].ID, a)
		}
		if a := vpcs[i].S3.Address; a.IsValid() {
			add(vpcs[i].ID, a)
		}
	}
	for _, e := range endpoints {
		for _, i := range e.Interfaces {
			for _, a := range []netip.Addr{i.Address, i.IPv6} {
				if a.IsValid() {
					add(i.ID, a)
				}
			}
		}
	}
	return all
}

// s3In are the addresses that S3 has of its own, by VPC.
func s3In(vpcs []desired.VPC) map[string]desired.ServiceAddress {
	all := map[string]desired.ServiceAddress{}
	for i := range vpcs {
		if vpcs[i].S3.Address.IsValid() {
			all[vpcs[i].ID] = vpcs[i].S3
		}
	}
	return all
}

// isOf reports whether a host, perhaps with a port, is one of a service.
func isOf(s desired.ServiceAddress, host string) bool {
	host, _, _ = strings.Cut(strings.ToLower(host), ":")
	_, parent, _ := strings.Cut(host, ".")
	return slices.Contains(s.Names, host) || slices.Contains(s.Names, "*."+parent)
}

// byInterface are the ids of endpoints by those of their interfaces.
func byInterface(endpoints []desired.Endpoint) map[string]string {
	all := map[string]string{}
	for _, e := range endpoints {
		for _, i := range e.Interfaces {
			all[i.ID] = e.ID
		}
	}
	return all
}

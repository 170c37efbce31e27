package desired

import "net/netip"

// Endpoint is an interface endpoint: interfaces of a VPC at which Fargo's APIs answer.
type Endpoint struct {
	ID         string      `json:"id"` // "vpce-…"
	Interfaces []Interface `json:"interfaces"`
}

// Platform is how Fargo's own APIs are reached from inside VPCs. Every VPC has an
// address for them: the third after the base of its first CIDR, which AWS keeps for
// itself. The zero value means that there is no such address.
type Platform struct {
	// Upstream is the base URL of the APIs as the node reaches them:
	// "http://127.0.0.1:4566".
	Upstream string `json:"upstream,omitempty"`
	// Names are the names of AWS that stand for the address, in lower case, without a
	// final dot: "ecs.us-east-1.amazonaws.com". One that begins with "*." stands for
	// every name with one label more.
	Names []string `json:"names,omitempty"`
	// Certificates are what the address and the interface endpoints identify
	// themselves with; the first is the default, the others are chosen by SNI.
	Certificates []Certificate `json:"certificates,omitempty"`
	// InEnvironment says that containers are told of the address, by AWS_ENDPOINT_URL.
	InEnvironment bool `json:"inEnvironment,omitempty"`
	// CA is the certificate, in PEM, of the authority that has signed Certificates.
	CA string `json:"ca,omitempty"`
}

// ServiceAddress is an address of one of Fargo's APIs alone, in one VPC.
type ServiceAddress struct {
	Address netip.Addr `json:"address"` // IPv4, in none of the VPC's CIDRs
	// Names stand for the address in the VPC, and are as [Platform].Names.
	Names []string `json:"names"`
}

// PlatformAddress is the address of [Platform] in a VPC: the third after the base of its
// first IPv4 CIDR. There is none in a VPC without IPv4.
// Source: VPC user guide, "Subnet CIDR blocks": AWS reserves it for future use.
func PlatformAddress(v *VPC) (a netip.Addr, ok bool) {
	for _, c := range v.CIDRs {
		if c.Addr().Is4() {
			return c.Masked().Addr().Next().Next().Next(), true
		}
	}
	return netip.Addr{}, false
}

package plan

import (
	"net/netip"
	"slices"
	"strings"

	"fargo/aws/ec2"
	"fargo/desired"
	"fargo/record"
)

// The states of endpoints as EC2 writes them, which is not as its model has them.
// Source: the examples of the EC2 API's DescribeVpcEndpoints.
const (
	EndpointPending   ec2.State = "pending"
	EndpointAvailable ec2.State = "available"
	EndpointDeleting  ec2.State = "deleting"
)

// EndpointNames are the DNS names of an interface endpoint that stand for its interfaces
// in its VPC: first its regional name, then one of each of its interfaces' zones, which
// are all known in every VPC; with private DNS, then those of the service, which are
// known so in its VPC only.
func EndpointNames(e *record.EC2VPCEndpoint) []string {
	names := make([]string, len(e.Endpoint.DnsEntries))
	for i, d := range e.Endpoint.DnsEntries {
		names[i] = strings.ToLower(*d.DnsName)
	}
	return names
}

// EndpointRecords are the names of the interface endpoints that are available, with
// their addresses. A name that begins with "*." stands for every name with one label
// more. The result is sorted, so that equal endpoints give equal values.
func EndpointRecords(endpoints []*record.EC2VPCEndpoint) []desired.Record {
	var out []desired.Record
	for _, e := range endpoints {
		if e.Endpoint.State != EndpointAvailable || len(e.Interfaces) == 0 {
			continue
		}
		for n, name := range EndpointNames(e) {
			r := desired.Record{Name: name, TTL: recordTTL}
			switch {
			case n >= 1 && n <= len(e.Interfaces):
				r.Addresses = endpointAddresses(e, e.Interfaces[n-1:n], false)
			case n > len(e.Interfaces):
				r.VPC = *e.Endpoint.VpcId
				r.Addresses = endpointAddresses(e, e.Interfaces, true)
			default:
				r.Addresses = endpointAddresses(e, e.Interfaces, false)
			}
			out = append(out, r)
		}
	}
	slices.SortFunc(out, func(a, b desired.Record) int {
		return strings.Compare(a.Name+"\x00"+a.VPC, b.Name+"\x00"+b.VPC)
	})
	return out
}

// endpointAddresses are those of interfaces that a name of an endpoint stands for, a
// private one or not.
// Source: AWS PrivateLink guide, "DNS record IP type".
func endpointAddresses(e *record.EC2VPCEndpoint, interfaces []desired.Interface, private bool) (out []netip.Addr) {
	has4, has6 := true, true
	if o := e.Endpoint.DnsOptions; o != nil {
		switch o.DnsRecordIpType {
		case ec2.DnsRecordIpTypeIpv4:
			has6 = false
		case ec2.DnsRecordIpTypeIpv6:
			has4 = false
		case ec2.DnsRecordIpTypeServiceDefined: // no service is known in its own name by IPv6 alone
			has6 = !private || e.Endpoint.IpAddressType == ec2.IpAddressTypeIpv6
		}
	}
	for _, i := range interfaces {
		for _, a := range i.Addresses() {
			if a.Is4() && has4 || a.Is6() && has6 {
				out = append(out, a)
			}
		}
	}
	slices.SortFunc(out, netip.Addr.Compare)
	return out
}

// Endpoints gives the interface endpoints that a node must run, each with those of its
// interfaces that are on the node. The result is sorted, so that equal endpoints are
// equal values.
func Endpoints(endpoints []*record.EC2VPCEndpoint, node string) []desired.Endpoint {
	var out []desired.Endpoint
	for _, e := range endpoints {
		d := desired.Endpoint{ID: *e.Endpoint.VpcEndpointId}
		for _, i := range e.Interfaces {
			if e.Nodes[i.ID] == node {
				d.Interfaces = append(d.Interfaces, i)
			}
		}
		if len(d.Interfaces) > 0 {
			out = append(out, d)
		}
	}
	slices.SortFunc(out, func(a, b desired.Endpoint) int { return strings.Compare(a.ID, b.ID) })
	return out
}

// PlaceEndpoint gives each interface of an endpoint its node, as [PlaceInterfaces] does
// for load balancers: near to what is in the VPC. The zones are those of the interfaces.
func PlaceEndpoint(e *record.EC2VPCEndpoint, zones []string, v InterfaceView) map[string]string {
	return placeInterfaces(e.Interfaces, zones, e.Nodes, v)
}

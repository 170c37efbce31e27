package plan

import (
	"net/netip"
	"slices"
	"strings"
	"time"

	"fargo"
)

// recordTTL is that of a load balancer's name.
// Source: Elastic Load Balancing user guide, "Request routing": 60 seconds.
const recordTTL = time.Minute

// Records gives the names of load balancers with the addresses of their
// interfaces, as every VPC and the machine know them. An internal load
// balancer's name is as public as any; its addresses are not. The result is
// sorted, so that equal names are equal values.
func Records(loadBalancers []*fargo.ELBLoadBalancer) []fargo.Record {
	var out []fargo.Record
	for _, l := range loadBalancers {
		if l.LoadBalancer.DNSName == nil || len(l.Interfaces) == 0 {
			continue
		}
		r := fargo.Record{Name: strings.ToLower(*l.LoadBalancer.DNSName), TTL: recordTTL}
		for _, i := range l.Interfaces {
			r.Addresses = append(r.Addresses, i.Address)
		}
		slices.SortFunc(r.Addresses, netip.Addr.Compare)
		out = append(out, r)
	}
	slices.SortFunc(out, func(a, b fargo.Record) int { return strings.Compare(a.Name, b.Name) })
	return out
}

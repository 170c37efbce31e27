package elbv2

import (
	"net/netip"
	"slices"
	"strings"

	"fargo"
	"fargo/aws"
	"fargo/aws/elbv2"
	"fargo/desired"
	"fargo/plan"
	"fargo/record"
	"fargo/store"
)

// checkElastic refuses allocations that there are not, and those that are in use: an
// Elastic IP address is of one zone of one load balancer.
func checkElastic(r store.Reader, scope fargo.Scope, places []place) error {
	var missing, given []string
	inUse := false
	for _, p := range places {
		if p.elastic == "" {
			continue
		}
		a, ok := store.EC2Addresses.Get(r, scope.Key(p.elastic))
		if !ok {
			missing = append(missing, "'"+p.elastic+"'")
			continue
		}
		inUse = inUse || a.Address.AssociationId != nil || slices.Contains(given, p.elastic)
		given = append(given, p.elastic)
	}
	switch {
	case len(missing) > 0:
		return elbv2.AllocationIdNotFoundException("The allocation IDs %s do not exist", strings.Join(missing, ", "))
	case inUse:
		return elbv2.ResourceInUseException("The allocation IDs are not available for use")
	}
	return nil
}

// givePublicAddress gives an interface of an internet-facing load balancer its public
// address, and returns the Elastic IP address that it is, if it is one.
func (s *Server) givePublicAddress(r store.Reader, lb *record.ELBLoadBalancer, i *desired.Interface, p place) (*record.EC2Address, error) {
	if !hasPublicIPv4(&lb.LoadBalancer) || !s.public.IsValid() {
		return nil, nil
	}
	if p.elastic != "" {
		a, _ := store.EC2Addresses.Get(r, lb.Scope.Key(p.elastic))
		i.Public = netip.MustParseAddr(*a.Address.PublicIp)
		return a, nil
	}
	public, ok := plan.FreePublicAddress(s.public, i.ID, func(a netip.Addr) bool { return store.PublicAddressTaken(r, a) })
	if !ok {
		return nil, invalid("There are not enough free public addresses in %s.", s.public)
	}
	i.Public = public
	return nil, nil
}

// allocationOf is the Elastic IP address that a load balancer has in a zone, "" for none.
func allocationOf(z elbv2.AvailabilityZone) string {
	for _, a := range z.LoadBalancerAddresses {
		if a.AllocationId != nil {
			return aws.Value(a.AllocationId)
		}
	}
	return ""
}

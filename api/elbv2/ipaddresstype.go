package elbv2

import (
	"maps"
	"net/netip"
	"slices"

	"fargo/aws/ec2"
	"fargo/aws/elbv2"
	"fargo/desired"
	"fargo/plan"
	"fargo/record"
	"fargo/store"
)

// hasIPv6 reports whether load balancers with an IP address type have IPv6 addresses.
func hasIPv6(t elbv2.IpAddressType) bool {
	return t == elbv2.IpAddressTypeDualstack || t == elbv2.IpAddressTypeDualstackWithoutPublicIpv4
}

// hasPublicIPv4 reports whether a load balancer has public IPv4 addresses.
func hasPublicIPv4(lb *elbv2.LoadBalancer) bool {
	return lb.Scheme == elbv2.LoadBalancerSchemeEnumInternetFacing && lb.IpAddressType != elbv2.IpAddressTypeDualstackWithoutPublicIpv4
}

// checkIPAddressType holds which load balancers may be without public IPv4 addresses:
// only those that otherwise have some which nobody chooses.
// Source: ALB user guide, "IP address types".
func checkIPAddressType(lb *elbv2.LoadBalancer) error {
	const without = elbv2.IpAddressTypeDualstackWithoutPublicIpv4
	switch {
	case lb.IpAddressType != without:
	case lb.Type != elbv2.LoadBalancerTypeEnumApplication:
		return unfit("IP address type '%s' is not supported for load balancers with type '%s'", without, lb.Type)
	case lb.Scheme != elbv2.LoadBalancerSchemeEnumInternetFacing:
		return unfit("IP address type '%s' is not supported for load balancers with scheme '%s'", without, lb.Scheme)
	}
	return nil
}

// checkListenerFamily refuses listeners that a load balancer with IPv6 addresses can have
// on AWS only with a prefix for source NAT.
// Source: NLB user guide, "Listener configuration".
func checkListenerFamily(lb *record.ELBLoadBalancer, p elbv2.ProtocolEnum) error {
	udp := p == elbv2.ProtocolEnumUdp || p == elbv2.ProtocolEnumTcpUdp
	return refuse(gap{string(p) + " listeners of dualstack load balancers, which need EnablePrefixForIpv6SourceNat", udp && hasIPv6(lb.LoadBalancer.IpAddressType)})
}

// chooseIPv6 gives a place its IPv6 CIDR, and the address of it that a mapping asks for.
func chooseIPv6(p *place, s *record.EC2Subnet, lb *elbv2.LoadBalancer, m elbv2.SubnetMapping) error {
	if hasIPv6(lb.IpAddressType) {
		prefix, ok := s.Prefix6()
		if !ok {
			return invalid("You must specify subnets with an associated IPv6 CIDR block.")
		}
		p.Prefix6 = prefix
	}
	if m.IPv6Address == nil {
		return nil
	}
	if lb.Type != elbv2.LoadBalancerTypeEnumNetwork || !p.Prefix6.IsValid() {
		return unfit("You can only specify IPv6 addresses for Network Load Balancers with IP address type 'dualstack'.")
	}
	a, err := netip.ParseAddr(*m.IPv6Address)
	if err != nil || !plan.Assignable6(p.Prefix6, a) {
		return unavailable(*m.IPv6Address, p.Subnet)
	}
	p.wanted6 = a
	return nil
}

// giveIPv6 gives an interface the IPv6 address that it is to have in a place, where there
// is one, and keeps one that it has.
func giveIPv6(i *desired.Interface, p place) error {
	i.IPv6Prefix = p.Prefix6
	switch {
	case !p.Prefix6.IsValid():
		i.IPv6 = netip.Addr{}
		return nil
	case i.IPv6.IsValid():
		return nil
	case p.wanted6.IsValid():
		if p.Taken(p.wanted6) {
			return inUse(p.wanted6, p.Subnet)
		}
		i.IPv6 = p.wanted6
		return nil
	}
	free, ok := plan.FreeAddress6(p.Prefix6, i.ID, p.Taken)
	if !ok {
		return elbv2.InvalidSubnetException("Not enough IP space available in %s. ELB requires at least %d free IP addresses in each subnet.", p.Subnet, minFreeAddresses)
	}
	i.IPv6 = free
	return nil
}

// readdress gives an interface that stays the addresses of the IP address type that next
// has, and shows them in its zone and in its record.
func (s *Server) readdress(tx *store.Tx, old, next *record.ELBLoadBalancer, i *desired.Interface, zone *elbv2.AvailabilityZone, p place) error {
	if old.LoadBalancer.IpAddressType == next.LoadBalancer.IpAddressType {
		return nil
	}
	if err := giveIPv6(i, p); err != nil {
		return err
	}
	zone.LoadBalancerAddresses = slices.DeleteFunc(slices.Clone(zone.LoadBalancerAddresses), func(a elbv2.LoadBalancerAddress) bool {
		return a.IPv6Address != nil && !i.IPv6.IsValid()
	})
	zone.LoadBalancerAddresses = append(zone.LoadBalancerAddresses, chosenIPv6(p)...)
	had, has := hasPublicIPv4(&old.LoadBalancer), hasPublicIPv4(&next.LoadBalancer)
	switch {
	case had && !has:
		i.Public = netip.Addr{}
	case !had && has:
		if _, err := s.givePublicAddress(tx, next, i, p); err != nil {
			return err
		}
	}
	shown, ok := store.EC2NetworkInterfaces.Get(tx, old.Scope.Key(i.ID))
	if !ok {
		return nil
	}
	c := *shown
	if had != has {
		c = *shown.WithAssociation(i.Address.String(), plan.AutoAssigned(i.Public, plan.OwnerELB))
	}
	c.Interface.Ipv6Addresses = shownIPv6(i)
	store.EC2NetworkInterfaces.Put(tx, &c)
	return nil
}

// chosenIPv6 is what a zone shows of the IPv6 address that was asked for.
func chosenIPv6(p place) []elbv2.LoadBalancerAddress {
	if !p.wanted6.IsValid() {
		return nil
	}
	return []elbv2.LoadBalancerAddress{{IPv6Address: new(p.wanted6.String())}}
}

// shownIPv6 is what EC2 shows of an interface's IPv6 address.
func shownIPv6(i *desired.Interface) []ec2.NetworkInterfaceIpv6Address {
	if !i.IPv6.IsValid() {
		return []ec2.NetworkInterfaceIpv6Address{}
	}
	return []ec2.NetworkInterfaceIpv6Address{{Ipv6Address: new(i.IPv6.String()), IsPrimaryIpv6: new(false)}}
}

// showGateway shows in the records of a load balancer's interfaces whether the Internet
// gateway lets something in to them.
func showGateway(tx *store.Tx, lb *record.ELBLoadBalancer) {
	var denied *bool
	if hasIPv6(lb.LoadBalancer.IpAddressType) && lb.Attributes[plan.DenyGateway] == "true" {
		denied = new(true)
	}
	for _, i := range lb.Interfaces {
		if shown, ok := store.EC2NetworkInterfaces.Get(tx, lb.Scope.Key(i.ID)); ok {
			c := *shown
			c.Interface.DenyAllIgwTraffic = denied
			store.EC2NetworkInterfaces.Put(tx, &c)
		}
	}
}

// attributesAfter are a load balancer's attributes with the IP address type that next
// has: the one that is about IPv6 begins anew.
func attributesAfter(old, next *record.ELBLoadBalancer) map[string]string {
	if hasIPv6(old.LoadBalancer.IpAddressType) == hasIPv6(next.LoadBalancer.IpAddressType) {
		return old.Attributes
	}
	m := maps.Clone(old.Attributes)
	m[plan.DenyGateway] = loadBalancerAttributes(&next.LoadBalancer).defaults()[plan.DenyGateway]
	return m
}

package elbv2

import (
	"context"
	"slices"
	"time"

	"fargo"
	"fargo/aws"
	"fargo/aws/elbv2"
	"fargo/record"
	"fargo/store"
)

// SetSubnets puts a load balancer into other subnets, and may set its IP address type.
func (s *Server) SetSubnets(ctx context.Context, in *elbv2.SetSubnetsInput) (*elbv2.SetSubnetsOutput, error) {
	if err := refuse(gap{"EnablePrefixForIpv6SourceNat", in.EnablePrefixForIpv6SourceNat == elbv2.EnablePrefixForIpv6SourceNatEnumOn}); err != nil {
		return nil, err
	}
	out := &elbv2.SetSubnetsOutput{}
	return out, s.update(ctx, func(tx *store.Tx, scope fargo.Scope, now time.Time) error {
		lb, err := loadBalancer(tx, scope, *in.LoadBalancerArn)
		if err != nil {
			return err
		}
		c := *lb
		if in.IpAddressType != "" {
			c.LoadBalancer.IpAddressType = in.IpAddressType
		}
		if err := s.relocate(tx, lb, &c, in.Subnets, in.SubnetMappings, now); err != nil {
			return err
		}
		out.AvailabilityZones, out.IpAddressType = c.LoadBalancer.AvailabilityZones, c.LoadBalancer.IpAddressType
		return nil
	})
}

// SetIpAddressType gives a load balancer IPv6 addresses, or takes them away.
func (s *Server) SetIpAddressType(ctx context.Context, in *elbv2.SetIpAddressTypeInput) (*elbv2.SetIpAddressTypeOutput, error) {
	return &elbv2.SetIpAddressTypeOutput{IpAddressType: in.IpAddressType}, s.update(ctx, func(tx *store.Tx, scope fargo.Scope, now time.Time) error {
		lb, err := loadBalancer(tx, scope, *in.LoadBalancerArn)
		if err != nil {
			return err
		}
		c := *lb
		c.LoadBalancer.IpAddressType = in.IpAddressType
		var subnets []string
		for _, i := range lb.Interfaces {
			subnets = append(subnets, i.Subnet)
		}
		return s.relocate(tx, lb, &c, subnets, nil, now)
	})
}

// relocate puts a load balancer into subnets, with the addresses of the IP address type
// that next has. Where it stays, it keeps its interface and its addresses. next is old
// but for that type, and becomes what is stored.
func (s *Server) relocate(tx *store.Tx, old, next *record.ELBLoadBalancer, subnets []string, mappings []elbv2.SubnetMapping, now time.Time) error {
	if err := checkIPAddressType(&next.LoadBalancer); err != nil {
		return err
	}
	places, err := findPlaces(tx, old.Scope, &next.LoadBalancer, subnets, mappings)
	if err != nil {
		return err
	}
	if places[0].VPC != *old.LoadBalancer.VpcId {
		return elbv2.InvalidSubnetException("All subnets must belong to the same VPC: '%s'", *old.LoadBalancer.VpcId)
	}
	next.Interfaces, next.LoadBalancer.AvailabilityZones = nil, nil
	for n, i := range old.Interfaces {
		zone := old.LoadBalancer.AvailabilityZones[n]
		at := slices.IndexFunc(places, func(p place) bool { return p.keeps(&i, zone) })
		if at < 0 {
			store.DeleteInterface(tx, old.Scope.Key(i.ID))
			continue
		}
		if err := s.readdress(tx, old, next, &i, &zone, places[at]); err != nil {
			return err
		}
		next.Interfaces = append(next.Interfaces, i)
		next.LoadBalancer.AvailabilityZones = append(next.LoadBalancer.AvailabilityZones, zone)
		places = slices.Delete(places, at, at+1)
	}
	if err := s.addInterfaces(tx, next, places, now); err != nil {
		return err
	}
	next.Attributes = attributesAfter(old, next)
	showGateway(tx, next)
	store.ELBLoadBalancers.Put(tx, next)
	for l := range store.ELBListeners.By(tx, store.ListenerByLoadBalancer, next.Key()) {
		if err := checkListenerFamily(next, l.Listener.Protocol); err != nil {
			return err
		}
	}
	return checkUse(tx, next)
}

// SetSecurityGroups puts a load balancer's interfaces into other groups. A
// network load balancer made without any stays so.
func (s *Server) SetSecurityGroups(ctx context.Context, in *elbv2.SetSecurityGroupsInput) (*elbv2.SetSecurityGroupsOutput, error) {
	out := &elbv2.SetSecurityGroupsOutput{}
	return out, s.update(ctx, func(tx *store.Tx, scope fargo.Scope, _ time.Time) error {
		lb, err := loadBalancer(tx, scope, *in.LoadBalancerArn)
		if err != nil {
			return err
		}
		if err := checkSecurityGroupChange(&lb.LoadBalancer, in); err != nil {
			return err
		}
		groups, err := securityGroups(tx, scope, *lb.LoadBalancer.VpcId, lb.LoadBalancer.Type, in.SecurityGroups)
		if err != nil {
			return err
		}
		c := *lb
		c.LoadBalancer.SecurityGroups = groups
		if in.EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic != "" {
			c.LoadBalancer.EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic = new(string(in.EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic))
		}
		c.Interfaces = slices.Clone(lb.Interfaces)
		for n := range c.Interfaces {
			c.Interfaces[n].Groups = groups
			if record, ok := store.EC2NetworkInterfaces.Get(tx, scope.Key(c.Interfaces[n].ID)); ok {
				moved := *record
				moved.Interface.Groups = groupIdentifiers(tx, scope, groups)
				store.EC2NetworkInterfaces.Put(tx, &moved)
			}
		}
		store.ELBLoadBalancers.Put(tx, &c)
		out.SecurityGroupIds = aws.List(groups)
		out.EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic = elbv2.EnforceSecurityGroupInboundRulesOnPrivateLinkTrafficEnum(aws.Value(c.LoadBalancer.EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic))
		return nil
	})
}

// checkSecurityGroupChange holds which load balancers may have other groups.
// Source: ELBv2 API, SetSecurityGroups.
func checkSecurityGroupChange(lb *elbv2.LoadBalancer, in *elbv2.SetSecurityGroupsInput) error {
	network, privateLink := lb.Type == elbv2.LoadBalancerTypeEnumNetwork, in.EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic != ""
	switch had, has := len(lb.SecurityGroups) > 0, len(in.SecurityGroups) > 0; {
	case !network && privateLink:
		return unfit("EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic is supported for Network Load Balancers only")
	case !network && !has:
		return unfit("At least one security group must be specified")
	case network && has && !had:
		return unfit("You cannot set security groups on a Network Load Balancer which was created without any security groups.")
	case network && had && !has:
		return unfit("You cannot remove all security groups from a Network Load Balancer")
	case network && !has && privateLink:
		return unfit("One or more security groups must be specified when using EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic")
	}
	return nil
}

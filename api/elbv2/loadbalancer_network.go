package elbv2

import (
	"context"
	"slices"
	"time"

	"fargo"
	"fargo/aws"
	"fargo/aws/elbv2"
	"fargo/store"
)

// SetSubnets puts a load balancer into other subnets. Where it stays, it keeps
// its interface and its addresses.
func (s *Server) SetSubnets(ctx context.Context, in *elbv2.SetSubnetsInput) (*elbv2.SetSubnetsOutput, error) {
	if err := refuse(
		gap{"IPv6: the IP address type must be ipv4", in.IpAddressType != "" && in.IpAddressType != elbv2.IpAddressTypeIpv4},
		gap{"EnablePrefixForIpv6SourceNat", in.EnablePrefixForIpv6SourceNat == elbv2.EnablePrefixForIpv6SourceNatEnumOn},
	); err != nil {
		return nil, err
	}
	out := &elbv2.SetSubnetsOutput{IpAddressType: elbv2.IpAddressTypeIpv4}
	return out, s.update(ctx, func(tx *store.Tx, scope fargo.Scope, now time.Time) error {
		lb, err := loadBalancer(tx, scope, *in.LoadBalancerArn)
		if err != nil {
			return err
		}
		places, err := findPlaces(tx, scope, lb.LoadBalancer.Type, lb.LoadBalancer.Scheme, in.Subnets, in.SubnetMappings)
		if err != nil {
			return err
		}
		if places[0].VPC != *lb.LoadBalancer.VpcId {
			return elbv2.InvalidSubnetException("All subnets must belong to the same VPC: '%s'", *lb.LoadBalancer.VpcId)
		}
		c := *lb
		c.Interfaces, c.LoadBalancer.AvailabilityZones = nil, nil
		for n, i := range lb.Interfaces {
			at := slices.IndexFunc(places, func(p place) bool {
				return p.Subnet == i.Subnet && (!p.wanted.IsValid() || p.wanted == i.Address) &&
					(p.elastic == "" || p.elastic == allocationOf(lb.LoadBalancer.AvailabilityZones[n]))
			})
			if at < 0 {
				store.DeleteInterface(tx, scope.Key(i.ID))
				continue
			}
			c.Interfaces = append(c.Interfaces, i)
			c.LoadBalancer.AvailabilityZones = append(c.LoadBalancer.AvailabilityZones, lb.LoadBalancer.AvailabilityZones[n])
			places = slices.Delete(places, at, at+1)
		}
		if err := s.addInterfaces(tx, &c, places, now); err != nil {
			return err
		}
		store.ELBLoadBalancers.Put(tx, &c)
		out.AvailabilityZones = c.LoadBalancer.AvailabilityZones
		return nil
	})
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

// SetIpAddressType sets the only type there is, ipv4.
func (s *Server) SetIpAddressType(ctx context.Context, in *elbv2.SetIpAddressTypeInput) (*elbv2.SetIpAddressTypeOutput, error) {
	r, scope := s.view(ctx)
	if _, err := loadBalancer(r, scope, *in.LoadBalancerArn); err != nil {
		return nil, err
	}
	if err := refuse(gap{"IPv6: the IP address type must be ipv4", in.IpAddressType != elbv2.IpAddressTypeIpv4}); err != nil {
		return nil, err
	}
	return &elbv2.SetIpAddressTypeOutput{IpAddressType: in.IpAddressType}, nil
}

package elbv2

import (
	"context"
	"crypto/rand"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"

	"fargo"
	"fargo/api"
	"fargo/api/page"
	"fargo/aws"
	"fargo/aws/elbv2"
	"fargo/record"
	"fargo/store"
)

// maxLoadBalancers is how many of one type a region may have.
// Source: ELB user guide, "Quotas for your Application Load Balancers".
const maxLoadBalancers = 50

// CreateLoadBalancer makes a load balancer and its interfaces. Asking again for
// the same gives the one there is.
func (s *Server) CreateLoadBalancer(ctx context.Context, in *elbv2.CreateLoadBalancerInput) (*elbv2.CreateLoadBalancerOutput, error) {
	if err := checkLoadBalancer(in); err != nil {
		return nil, err
	}
	if s.ensureServiceRole != nil {
		if err := s.ensureServiceRole(ctx, "elasticloadbalancing.amazonaws.com"); err != nil {
			return nil, err
		}
	}
	var lb *record.ELBLoadBalancer
	err := s.update(ctx, func(tx *store.Tx, scope fargo.Scope, now time.Time) error {
		wanted, err := newLoadBalancer(tx, scope, in, now)
		if err != nil {
			return err
		}
		if old := loadBalancerByName(tx, scope, *in.Name); old != nil {
			if !sameLoadBalancer(old, wanted) {
				return elbv2.DuplicateLoadBalancerNameException("A load balancer with the same name '%s' exists, but with different settings", *in.Name)
			}
			lb = old
			return nil
		}
		if countLoadBalancers(tx, scope, in.Type) >= maxLoadBalancers {
			return elbv2.TooManyLoadBalancersException("The maximum number of load balancers has been reached")
		}
		lb = wanted.LoadBalancer
		if err := s.addInterfaces(tx, lb, wanted.places, now); err != nil {
			return err
		}
		showGateway(tx, lb)
		store.ELBLoadBalancers.Put(tx, lb)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &elbv2.CreateLoadBalancerOutput{LoadBalancers: []elbv2.LoadBalancer{lb.LoadBalancer}}, nil
}

// checkLoadBalancer checks what can be checked without looking anything up, and
// puts in the defaults of type and scheme.
func checkLoadBalancer(in *elbv2.CreateLoadBalancerInput) error {
	if in.Type == "" {
		in.Type = elbv2.LoadBalancerTypeEnumApplication
	}
	if in.Scheme == "" {
		in.Scheme = elbv2.LoadBalancerSchemeEnumInternetFacing
	}
	if in.IpAddressType == "" {
		in.IpAddressType = elbv2.IpAddressTypeIpv4
	}
	if err := refuse(
		gap{"gateway load balancers", in.Type == elbv2.LoadBalancerTypeEnumGateway},
		gap{"CustomerOwnedIpv4Pool (Outposts)", in.CustomerOwnedIpv4Pool != nil},
		gap{"IpamPools", in.IpamPools != nil && in.IpamPools.Ipv4IpamPoolId != nil},
		gap{"EnablePrefixForIpv6SourceNat", in.EnablePrefixForIpv6SourceNat == elbv2.EnablePrefixForIpv6SourceNatEnumOn},
	); err != nil {
		return err
	}
	if err := checkLoadBalancerName(*in.Name); err != nil {
		return err
	}
	if err := checkIPAddressType(&elbv2.LoadBalancer{Type: in.Type, Scheme: in.Scheme, IpAddressType: in.IpAddressType}); err != nil {
		return err
	}
	return tagRules.Check(in.Tags)
}

// checkLoadBalancerName holds what a load balancer's name may be.
// Source: ELBv2 API, CreateLoadBalancer.
func checkLoadBalancerName(name string) error {
	switch {
	case name == "":
		return invalid("The load balancer name '%s' cannot be empty", name)
	case len(name) > 32:
		return invalid("The load balancer name '%s' cannot be longer than '32' characters", name)
	case strings.HasPrefix(name, "internal-"):
		return invalid("The load balancer name '%s' cannot begin with 'internal-'", name)
	case name[0] == '-':
		return invalid("The load balancer name '%s' cannot begin with a hyphen(-)", name)
	case strings.HasSuffix(name, "-"):
		return invalid("The load balancer name '%s' cannot end with a hyphen(-)", name)
	case !plain(name):
		return invalid("The load balancer name '%s' can only contain characters that are alphanumeric characters and hyphens(-)", name)
	}
	return nil
}

// newBalancer is a load balancer in the making and where it will be.
type newBalancer struct {
	LoadBalancer *record.ELBLoadBalancer
	places       []place
}

func newLoadBalancer(r store.Reader, scope fargo.Scope, in *elbv2.CreateLoadBalancerInput, now time.Time) (*newBalancer, error) {
	kind := elbv2.LoadBalancer{Type: in.Type, Scheme: in.Scheme, IpAddressType: in.IpAddressType}
	places, err := findPlaces(r, scope, &kind, in.Subnets, in.SubnetMappings)
	if err != nil {
		return nil, err
	}
	vpc := places[0].VPC
	groups, err := securityGroups(r, scope, vpc, in.Type, in.SecurityGroups)
	if err != nil {
		return nil, err
	}
	letters := map[elbv2.LoadBalancerTypeEnum]string{elbv2.LoadBalancerTypeEnumApplication: "app", elbv2.LoadBalancerTypeEnumNetwork: "net"}[in.Type]
	id := fargo.NewHex(16)
	lb := &record.ELBLoadBalancer{
		Scope: scope, Tags: aws.List(in.Tags), Attributes: loadBalancerAttributes(&kind).defaults(),
		LoadBalancer: elbv2.LoadBalancer{
			LoadBalancerArn:       new(scope.ARN(service, "loadbalancer/"+letters+"/"+*in.Name+"/"+id)),
			DNSName:               new(dnsName(scope.Region, in, id)),
			CanonicalHostedZoneId: new(hostedZone(scope.Region, in.Type)),
			CreatedTime:           &now, LoadBalancerName: in.Name, Scheme: in.Scheme, VpcId: &vpc,
			State: &elbv2.LoadBalancerState{Code: elbv2.LoadBalancerStateEnumActive},
			Type:  in.Type, IpAddressType: in.IpAddressType, SecurityGroups: groups,
		},
	}
	return &newBalancer{lb, places}, nil
}

// dnsName is a load balancer's public name. Source: ELB user guide, "DNS name".
func dnsName(region string, in *elbv2.CreateLoadBalancerInput, id string) string {
	if in.Type == elbv2.LoadBalancerTypeEnumNetwork {
		return fmt.Sprintf("%s-%s.elb.%s.amazonaws.com", *in.Name, id, region)
	}
	n, err := rand.Int(rand.Reader, big.NewInt(1_900_000_000))
	if err != nil {
		panic(err) // never: see crypto/rand
	}
	prefix := ""
	if in.Scheme == elbv2.LoadBalancerSchemeEnumInternal {
		prefix = "internal-"
	}
	return fmt.Sprintf("%s%s-%d.%s.elb.amazonaws.com", prefix, *in.Name, 100_000_000+n.Int64(), region)
}

// loadBalancerByName is the one of either type with a name; nil when there is none.
func loadBalancerByName(r store.Reader, scope fargo.Scope, name string) *record.ELBLoadBalancer {
	for _, kind := range []string{"app", "net"} {
		for lb := range store.ELBLoadBalancers.Prefix(r, scope.ARN(service, "loadbalancer/"+kind+"/"+name+"/")) {
			return lb
		}
	}
	return nil
}

func loadBalancersIn(r store.Reader, scope fargo.Scope) []*record.ELBLoadBalancer {
	return slices.Collect(store.ELBLoadBalancers.Prefix(r, scope.ARN(service, "loadbalancer/")))
}

func countLoadBalancers(r store.Reader, scope fargo.Scope, kind elbv2.LoadBalancerTypeEnum) (n int) {
	for _, lb := range loadBalancersIn(r, scope) {
		if lb.LoadBalancer.Type == kind {
			n++
		}
	}
	return n
}

// sameLoadBalancer reports whether a load balancer is as one that is asked for.
func sameLoadBalancer(old *record.ELBLoadBalancer, wanted *newBalancer) bool {
	a, b := &old.LoadBalancer, &wanted.LoadBalancer.LoadBalancer
	var had, want []string
	for _, z := range a.AvailabilityZones {
		had = append(had, *z.SubnetId)
		for _, fixed := range z.LoadBalancerAddresses {
			had = append(had, aws.Value(fixed.PrivateIPv4Address)+aws.Value(fixed.AllocationId)+aws.Value(fixed.IPv6Address))
		}
	}
	for _, p := range wanted.places {
		want = append(want, p.Subnet)
		if p.wanted.IsValid() {
			want = append(want, p.wanted.String())
		}
		if p.elastic != "" {
			want = append(want, p.elastic)
		}
		if p.wanted6.IsValid() {
			want = append(want, p.wanted6.String())
		}
	}
	return a.Type == b.Type && a.Scheme == b.Scheme && a.IpAddressType == b.IpAddressType && sameSet(had, want) &&
		sameSet(a.SecurityGroups, b.SecurityGroups) && sameTags(old.Tags, wanted.LoadBalancer.Tags)
}

// DeleteLoadBalancer deletes a load balancer with its interfaces, listeners and
// rules. Its Elastic IP addresses stay allocated. Deleting one that is not there succeeds.
func (s *Server) DeleteLoadBalancer(ctx context.Context, in *elbv2.DeleteLoadBalancerInput) (*elbv2.DeleteLoadBalancerOutput, error) {
	arn := *in.LoadBalancerArn
	if err := loadBalancerARNs.Check(api.CallFrom(ctx).Scope(), arn); err != nil {
		return nil, err
	}
	return &elbv2.DeleteLoadBalancerOutput{}, s.update(ctx, func(tx *store.Tx, scope fargo.Scope, _ time.Time) error {
		lb, ok := store.ELBLoadBalancers.Get(tx, arn)
		if !ok || lb.Scope != scope {
			return nil
		}
		if lb.Attributes["deletion_protection.enabled"] == "true" {
			return elbv2.OperationNotPermittedException("Load balancer '%s' cannot be deleted because deletion protection is enabled", arn)
		}
		for l := range store.ELBListeners.By(tx, store.ListenerByLoadBalancer, arn) {
			deleteListener(tx, l)
		}
		for _, i := range lb.Interfaces {
			store.DeleteInterface(tx, scope.Key(i.ID))
		}
		store.ELBLoadBalancers.Delete(tx, arn)
		return nil
	})
}

// DescribeLoadBalancers shows load balancers: all, or those named by ARN or
// name.
func (s *Server) DescribeLoadBalancers(ctx context.Context, in *elbv2.DescribeLoadBalancersInput) (*elbv2.DescribeLoadBalancersOutput, error) {
	r, scope := s.view(ctx)
	if len(in.LoadBalancerArns) > 0 && len(in.Names) > 0 {
		return nil, invalid("Load balancer names and load balancer ARNs cannot be specified at the same time")
	}
	notFound := elbv2.LoadBalancerNotFoundException("One or more load balancers not found")
	var found []*record.ELBLoadBalancer
	switch {
	case len(in.LoadBalancerArns) > 0:
		for _, arn := range in.LoadBalancerArns {
			if err := loadBalancerARNs.Check(scope, arn); err != nil {
				return nil, err
			}
			lb, ok := store.ELBLoadBalancers.Get(r, arn)
			if !ok || lb.Scope != scope {
				return nil, notFound
			}
			found = append(found, lb)
		}
	case len(in.Names) > 0:
		for _, name := range in.Names {
			lb := loadBalancerByName(r, scope, name)
			if lb == nil {
				return nil, notFound
			}
			found = append(found, lb)
		}
	default:
		found = loadBalancersIn(r, scope)
	}
	found, next, err := page.Of(pages.Ask(in, in.Marker, in.PageSize), slices.Values(found), (*record.ELBLoadBalancer).Key)
	out := &elbv2.DescribeLoadBalancersOutput{LoadBalancers: []elbv2.LoadBalancer{}, NextMarker: next}
	for _, lb := range found {
		out.LoadBalancers = append(out.LoadBalancers, lb.LoadBalancer)
	}
	return out, err
}

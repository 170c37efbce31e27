package elbv2

import (
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"time"

	"fargo"
	"fargo/aws"
	"fargo/aws/ec2"
	"fargo/aws/elbv2"
	"fargo/desired"
	"fargo/plan"
	"fargo/record"
	"fargo/store"
)

// place is a subnet that a load balancer gets an interface in.
type place struct {
	plan.Candidate
	wanted netip.Addr // the zero Addr means any
	// wanted6 is the IPv6 address; the zero Addr means any of Prefix6.
	wanted6 netip.Addr
	// elastic is the allocation of the public address, "" for one that comes and goes
	// with the interface.
	elastic string
}

// keeps reports whether an interface, whose zone this is, can stay in a place.
func (p *place) keeps(i *desired.Interface, zone elbv2.AvailabilityZone) bool {
	return p.Subnet == i.Subnet && (!p.wanted.IsValid() || p.wanted == i.Address) &&
		(p.elastic == "" || p.elastic == allocationOf(zone)) &&
		(!p.wanted6.IsValid() || !i.IPv6.IsValid() || p.wanted6 == i.IPv6)
}

// Bounds of a load balancer's places. Source: ELB user guide, "Subnets for your
// load balancer" and "Security groups".
const (
	minFreeAddresses  = 8
	minZones          = 2 // of an application load balancer
	maxSecurityGroups = 5
)

// findPlaces resolves the subnets that a load balancer of a type, scheme and IP address
// type is to be in.
func findPlaces(r store.Reader, scope fargo.Scope, lb *elbv2.LoadBalancer, subnets []string, mappings []elbv2.SubnetMapping) ([]place, error) {
	switch {
	case len(subnets) == 0 && len(mappings) == 0:
		return nil, invalid("At least one subnet must be specified")
	case len(subnets) > 0 && len(mappings) > 0:
		return nil, invalid("Subnets and subnet mappings cannot be specified at the same time")
	}
	for _, id := range subnets {
		mappings = append(mappings, elbv2.SubnetMapping{SubnetId: &id})
	}
	var places []place
	zones := map[string]bool{}
	for _, m := range mappings {
		p, err := findPlace(r, scope, lb, m)
		if err != nil {
			return nil, err
		}
		if zones[p.Zone] {
			return nil, unfit("A load balancer cannot be attached to multiple subnets in the same Availability Zone")
		}
		zones[p.Zone] = true
		if len(places) > 0 && p.VPC != places[0].VPC {
			return nil, elbv2.InvalidSubnetException("All subnets must belong to the same VPC: '%s'", places[0].VPC)
		}
		places = append(places, p)
	}
	if lb.Type == elbv2.LoadBalancerTypeEnumApplication && len(places) < minZones {
		return nil, invalid("At least two subnets in two different Availability Zones must be specified")
	}
	if vpc := places[0].VPC; lb.Scheme == elbv2.LoadBalancerSchemeEnumInternetFacing && !hasGateway(r, scope, vpc) {
		return nil, elbv2.InvalidSubnetException("VPC %s has no internet gateway", vpc)
	}
	return places, nil
}

var subnetID = regexp.MustCompile(`^subnet-[0-9a-f]{8}([0-9a-f]{9})?$`)

func findPlace(r store.Reader, scope fargo.Scope, lb *elbv2.LoadBalancer, m elbv2.SubnetMapping) (place, error) {
	if m.AllocationId != nil && lb.Type == elbv2.LoadBalancerTypeEnumApplication {
		return place{}, unfit("Elastic IPs are not supported for load balancers with type '%s'", lb.Type)
	}
	if m.AllocationId != nil && lb.Scheme == elbv2.LoadBalancerSchemeEnumInternal {
		return place{}, unfit("Elastic IPs are not supported for load balancers with scheme '%s'", lb.Scheme)
	}
	if err := refuse(gap{"SourceNatIpv6Prefix", m.SourceNatIpv6Prefix != nil}); err != nil {
		return place{}, err
	}
	id := aws.Value(m.SubnetId)
	if !subnetID.MatchString(id) {
		return place{}, elbv2.InvalidSubnetException("The subnet ID '%s' is not valid", id)
	}
	s, ok := store.EC2Subnets.Get(r, scope.Key(id))
	if !ok {
		return place{}, elbv2.SubnetNotFoundException("The subnet ID '%s' does not exist", id)
	}
	vpc := *s.Subnet.VpcId
	p := place{Candidate: plan.Candidate{
		Subnet: id, VPC: vpc, Zone: *s.Subnet.AvailabilityZone, Prefix: s.Prefix(),
		Internet: plan.ReachesInternet(store.Routing(r, scope, vpc), id, lb.Scheme == elbv2.LoadBalancerSchemeEnumInternetFacing),
		Taken:    func(a netip.Addr) bool { return store.AddressTaken(r, vpc, a) },
	}, elastic: aws.Value(m.AllocationId)}
	if err := chooseIPv6(&p, s, lb, m); err != nil || m.PrivateIPv4Address == nil {
		return p, err
	}
	if lb.Type != elbv2.LoadBalancerTypeEnumNetwork || lb.Scheme != elbv2.LoadBalancerSchemeEnumInternal {
		return p, unfit("You can only specify private IPv4 addresses for Network Load Balancers with scheme 'internal'.")
	}
	a, err := netip.ParseAddr(*m.PrivateIPv4Address)
	if err != nil || !plan.Assignable(p.Prefix, a) {
		return p, unavailable(*m.PrivateIPv4Address, id)
	}
	p.wanted = a
	return p, nil
}

func unavailable(address, subnet string) error {
	return elbv2.InvalidSubnetException("The address '%s' is not an available address of the subnet '%s'", address, subnet)
}

func inUse(a netip.Addr, subnet string) error {
	return elbv2.InvalidSubnetException("The address '%s' of subnet '%s' is in use", a, subnet)
}

// hasRoom refuses a subnet that is too full for a new interface.
func hasRoom(r store.Reader, p place) error {
	free := plan.Capacity(p.Prefix)
	for range store.EC2NetworkInterfaces.By(r, store.InterfaceBySubnet, p.Subnet) {
		free--
	}
	if free < minFreeAddresses {
		return elbv2.InvalidSubnetException("Not enough IP space available in %s. ELB requires at least %d free IP addresses in each subnet.", p.Subnet, minFreeAddresses)
	}
	return nil
}

func hasGateway(r store.Reader, scope fargo.Scope, vpc string) bool {
	for g := range store.EC2InternetGateways.Prefix(r, scope.Key()) {
		for _, a := range g.Gateway.Attachments {
			if aws.Value(a.VpcId) == vpc {
				return true
			}
		}
	}
	return false
}

// securityGroups resolves the groups of a load balancer: an application load
// balancer without any gets its VPC's default group.
func securityGroups(r store.Reader, scope fargo.Scope, vpc string, kind elbv2.LoadBalancerTypeEnum, ids []string) ([]string, error) {
	if len(ids) > maxSecurityGroups {
		return nil, unfit("A load balancer cannot have more than %d security groups", maxSecurityGroups)
	}
	for n, id := range ids {
		g, ok := store.EC2SecurityGroups.Get(r, scope.Key(id))
		switch {
		case !ok:
			return nil, elbv2.InvalidSecurityGroupException("Security group %s does not exist", id)
		case *g.Group.VpcId != vpc:
			return nil, unfit("One or more security groups are invalid")
		case slices.Contains(ids[:n], id):
			return nil, unfit("Security group '%s' is specified more than once", id)
		}
	}
	if len(ids) > 0 || kind != elbv2.LoadBalancerTypeEnumApplication {
		return ids, nil
	}
	for g := range store.EC2SecurityGroups.By(r, store.ByVPC, vpc) {
		if *g.Group.GroupName == "default" {
			return []string{*g.Group.GroupId}, nil
		}
	}
	return nil, elbv2.InvalidSecurityGroupException("VPC %s has no default security group", vpc)
}

// addInterfaces gives a load balancer an interface and a zone for each place.
// lb is a value of the transaction's own.
func (s *Server) addInterfaces(tx *store.Tx, lb *record.ELBLoadBalancer, places []place, now time.Time) error {
	if err := checkElastic(tx, lb.Scope, places); err != nil {
		return err
	}
	for _, p := range places {
		if err := hasRoom(tx, p); err != nil {
			return err
		}
		i, ok := plan.InterfaceAt(fargo.NewEC2ID("eni"), p.Candidate, p.wanted, lb.LoadBalancer.SecurityGroups)
		if !ok {
			return inUse(p.wanted, p.Subnet)
		}
		if err := giveIPv6(&i, p); err != nil {
			return err
		}
		zone := elbv2.AvailabilityZone{ZoneName: &p.Zone, SubnetId: &p.Subnet, LoadBalancerAddresses: []elbv2.LoadBalancerAddress{}}
		if p.wanted.IsValid() {
			zone.LoadBalancerAddresses = append(zone.LoadBalancerAddresses, elbv2.LoadBalancerAddress{PrivateIPv4Address: new(i.Address.String())})
		}
		elastic, err := s.givePublicAddress(tx, lb, &i, p)
		if err != nil {
			return err
		}
		shown := networkInterface(tx, lb, &i, p.Zone, now)
		if elastic == nil {
			store.EC2NetworkInterfaces.Put(tx, shown.WithAssociation(i.Address.String(), plan.AutoAssigned(i.Public, plan.OwnerELB)))
		} else {
			store.EC2NetworkInterfaces.Put(tx, shown)
			store.AssociateAddress(tx, elastic, shown, i.Address.String(), fargo.NewEC2ID("eipassoc"))
			zone.LoadBalancerAddresses = append(zone.LoadBalancerAddresses, elbv2.LoadBalancerAddress{IpAddress: elastic.Address.PublicIp, AllocationId: &p.elastic})
		}
		zone.LoadBalancerAddresses = append(zone.LoadBalancerAddresses, chosenIPv6(p)...)
		lb.Interfaces = append(lb.Interfaces, i)
		lb.LoadBalancer.AvailabilityZones = append(lb.LoadBalancer.AvailabilityZones, zone)
	}
	return nil
}

// networkInterface is the record that EC2 shows of a load balancer's interface.
func networkInterface(r store.Reader, lb *record.ELBLoadBalancer, i *desired.Interface, zone string, now time.Time) *record.EC2NetworkInterface {
	kind := ec2.NetworkInterfaceTypeInterface
	if lb.LoadBalancer.Type == elbv2.LoadBalancerTypeEnumNetwork {
		kind = ec2.NetworkInterfaceTypeNetworkLoadBalancer
	}
	address, private := i.Address.String(), fargo.PrivateDNSName(lb.Scope.Region, i.Address)
	_, name, _ := strings.Cut(lb.Key(), "loadbalancer/")
	return &record.EC2NetworkInterface{Scope: lb.Scope, CreatedAt: now, Interface: ec2.NetworkInterface{
		NetworkInterfaceId: &i.ID, SubnetId: &i.Subnet, VpcId: &i.VPC, AvailabilityZone: &zone,
		Description: new("ELB " + name), InterfaceType: kind, MacAddress: &i.MAC, OwnerId: &lb.Scope.Account,
		PrivateDnsName: &private, PrivateIpAddress: &address, Groups: groupIdentifiers(r, lb.Scope, i.Groups),
		PrivateIpAddresses: []ec2.NetworkInterfacePrivateIpAddress{{Primary: new(true), PrivateDnsName: &private, PrivateIpAddress: &address}},
		RequesterId:        new("amazon-elb"), RequesterManaged: new(true), SourceDestCheck: new(lb.LoadBalancer.Type == elbv2.LoadBalancerTypeEnumApplication),
		Status: ec2.NetworkInterfaceStatusInUse, TagSet: []ec2.Tag{}, Ipv6Addresses: shownIPv6(i),
		Attachment: &ec2.NetworkInterfaceAttachment{
			AttachTime: &now, AttachmentId: new(fargo.NewEC2ID("ela-attach")), DeleteOnTermination: new(false),
			DeviceIndex: new(int32(1)), InstanceOwnerId: new("amazon-elb"), Status: ec2.AttachmentStatusAttached,
		},
	}}
}

func groupIdentifiers(r store.Reader, scope fargo.Scope, ids []string) []ec2.GroupIdentifier {
	out := []ec2.GroupIdentifier{}
	for _, id := range ids {
		name := id
		if g, ok := store.EC2SecurityGroups.Get(r, scope.Key(id)); ok {
			name = *g.Group.GroupName
		}
		out = append(out, ec2.GroupIdentifier{GroupId: &id, GroupName: &name})
	}
	return out
}

package ec2

import (
	"context"
	"net/netip"
	"time"

	"fargo"
	"fargo/aws"
	"fargo/aws/ec2"
	"fargo/aws/protocol"
	"fargo/record"
	"fargo/store"
)

// defaultSubnet is the i-th of the /20 blocks of a default VPC, of which each zone
// gets one. Source: VPC user guide, "Default VPCs".
func defaultSubnet(of netip.Prefix, i int) netip.Prefix {
	a := of.Addr().As4()
	a[2] = byte(i * 16)
	return netip.PrefixFrom(netip.AddrFrom4(a), 20)
}

// EnsureDefaults gives a region what a new account finds there, the first time
// it is asked: a default VPC that reaches the Internet, with a subnet in each
// zone. It has AWS's block unless the machine is in that, and is left out, as if
// it had been deleted, where the machine is in every other too.
func EnsureDefaults(ctx context.Context, db *store.DB, networks Networks, scope fargo.Scope) error {
	if _, done := store.EC2Regions.Get(db.View(), scope.Key()); done {
		return nil
	}
	block, free, err := networks.freeBlock()
	if err != nil {
		return err
	}
	return db.Update(ctx, func(tx *store.Tx) error {
		if _, done := store.EC2Regions.Get(tx, scope.Key()); done {
			return nil
		}
		store.EC2Regions.Put(tx, &record.EC2Region{Scope: scope, OpenedAt: time.Now()})
		if free {
			putDefaultVPC(tx, scope, block)
		}
		return nil
	})
}

func putDefaultVPC(tx *store.Tx, scope fargo.Scope, block netip.Prefix) *record.EC2VPC {
	v := newVPC(scope, block, []ec2.Tag{})
	v.VPC.IsDefault, v.DNSHostnames = new(true), true
	main, _ := putVPC(tx, v)
	gateway := newInternetGateway(scope, []ec2.Tag{})
	gateway.Gateway.Attachments = []ec2.InternetGatewayAttachment{{State: "available", VpcId: v.VPC.VpcId}}
	store.EC2InternetGateways.Put(tx, gateway)

	routed := *main
	routed.RouteTable.Routes = append(routed.RouteTable.Routes, ec2.Route{
		DestinationCidrBlock: new("0.0.0.0/0"), GatewayId: gateway.Gateway.InternetGatewayId,
		Origin: ec2.RouteOriginCreateRoute, State: ec2.RouteStateActive,
	})
	store.EC2RouteTables.Put(tx, &routed)

	for i, z := range zones(scope.Region) {
		store.EC2Subnets.Put(tx, newDefaultSubnet(v, defaultSubnet(block, i), z))
	}
	return v
}

func newDefaultSubnet(v *record.EC2VPC, block netip.Prefix, zone ec2.AvailabilityZone) *record.EC2Subnet {
	n := newSubnet(v, block, zone, []ec2.Tag{})
	n.Subnet.DefaultForAz, n.Subnet.MapPublicIpOnLaunch = new(true), new(true)
	return n
}

// CreateDefaultSubnet makes the default subnet of a zone again after it was
// deleted, in the first free block of the default VPC.
func (s *Server) CreateDefaultSubnet(ctx context.Context, in *ec2.CreateDefaultSubnetInput) (*ec2.CreateDefaultSubnetOutput, error) {
	if aws.Value(in.Ipv6Native) {
		return nil, notImplemented("Ipv6Native")
	}
	if in.AvailabilityZone == nil && in.AvailabilityZoneId == nil {
		return nil, missingParameter("availabilityZone")
	}
	var made *record.EC2Subnet
	err := s.update(ctx, func(tx *store.Tx, scope fargo.Scope, _ time.Time) error {
		v := defaultVPC(tx, scope)
		if v == nil {
			return protocol.Errorf("DefaultVpcDoesNotExist", "No default VPC exists for this account in this region.")
		}
		zone, err := chooseZone(scope.Region, in.AvailabilityZone, in.AvailabilityZoneId)
		if err != nil {
			return err
		}
		for o := range store.EC2Subnets.By(tx, store.ByVPC, *v.VPC.VpcId) {
			if aws.Value(o.Subnet.DefaultForAz) && *o.Subnet.AvailabilityZone == *zone.ZoneName {
				return protocol.Errorf("DefaultSubnetAlreadyExistsInAvailabilityZone", "'%s' is already the default subnet in %s.", *o.Subnet.SubnetId, *zone.ZoneName)
			}
		}
		block, err := freeDefaultBlock(tx, v)
		if err != nil {
			return err
		}
		made = newDefaultSubnet(v, block, zone)
		store.EC2Subnets.Put(tx, made)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &ec2.CreateDefaultSubnetOutput{Subnet: new(subnetView(s.db.View(), made))}, nil
}

// freeDefaultBlock is the first /20 of the default VPC that no subnet is in.
func freeDefaultBlock(r store.Reader, v *record.EC2VPC) (netip.Prefix, error) {
	for i := range 16 {
		block := defaultSubnet(v.CIDRs()[0], i)
		if checkSubnetBlock(r, v, block, block.String()) == nil {
			return block, nil
		}
	}
	return netip.Prefix{}, protocol.Errorf("InsufficientFreeAddressesInVpc", "There is no free block for a default subnet in %s.", *v.VPC.VpcId)
}

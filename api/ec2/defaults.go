package ec2

import (
	"context"
	"net/netip"
	"time"

	"fargo"
	"fargo/aws/ec2"
	"fargo/store"
)

// The default VPC of a new account.
// Source: VPC user guide, "Default VPCs".
var (
	defaultBlock = netip.MustParsePrefix("172.31.0.0/16")
	// defaultSubnets are /20 blocks of it, one for each zone.
	defaultSubnets = []string{"172.31.0.0/20", "172.31.16.0/20", "172.31.32.0/20"}
)

// EnsureDefaults gives a region what a new account finds there, the first time
// it is asked: a default VPC that reaches the Internet, with a subnet in each
// zone.
func EnsureDefaults(ctx context.Context, db *store.DB, scope fargo.Scope) error {
	if _, done := store.EC2Regions.Get(db.View(), scope.Key()); done {
		return nil
	}
	return db.Update(ctx, func(tx *store.Tx) error {
		if _, done := store.EC2Regions.Get(tx, scope.Key()); done {
			return nil
		}
		store.EC2Regions.Put(tx, &fargo.EC2Region{Scope: scope, OpenedAt: time.Now()})
		putDefaultVPC(tx, scope)
		return nil
	})
}

func putDefaultVPC(tx *store.Tx, scope fargo.Scope) *fargo.EC2VPC {
	v := newVPC(scope, defaultBlock, []ec2.Tag{})
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
		subnet := newSubnet(v, netip.MustParsePrefix(defaultSubnets[i]), z, []ec2.Tag{})
		subnet.Subnet.DefaultForAz, subnet.Subnet.MapPublicIpOnLaunch = new(true), new(true)
		store.EC2Subnets.Put(tx, subnet)
	}
	return v
}

package plan

import (
	"net/netip"
	"testing"
	"time"

	"fargo/aws/ec2"
	"fargo/record"
)

// A NAT gateway comes to rest in any state that it and its addresses may be in, also in
// those that nobody knows.
func TestNATGatewayComesToRest(t *testing.T) {
	states := []ec2.NatGatewayState{
		ec2.NatGatewayStatePending, ec2.NatGatewayStateFailed, ec2.NatGatewayStateAvailable, ec2.NatGatewayStateDeleting, ec2.NatGatewayStateDeleted,
		"paused",
	}
	statuses := []ec2.NatGatewayAddressStatus{
		ec2.NatGatewayAddressStatusAssigning, ec2.NatGatewayAddressStatusUnassigning, ec2.NatGatewayAddressStatusAssociating,
		ec2.NatGatewayAddressStatusDisassociating, ec2.NatGatewayAddressStatusSucceeded, ec2.NatGatewayAddressStatusFailed, "waiting",
	}
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	subnet := &record.EC2Subnet{Subnet: ec2.Subnet{
		SubnetId: new("subnet-1"), VpcId: new("vpc-1"), CidrBlock: new("10.0.0.0/24"), AvailabilityZone: new("us-east-1a"),
	}}
	view := NATGatewayView{Subnet: subnet, Attached: true, Taken: func(netip.Addr) bool { return false }, NewID: func(prefix string) string { return prefix + "-0a1b2c3d4e5f60718" }}
	for _, state := range states {
		for _, status := range statuses {
			g := &record.EC2NATGateway{Gateway: ec2.NatGateway{
				NatGatewayId: new("nat-1"), SubnetId: new("subnet-1"), VpcId: new("vpc-1"), State: state, DeleteTime: &now,
				NatGatewayAddresses: []ec2.NatGatewayAddress{{Status: status}},
			}}
			first := AdvanceNATGateway(g, view, now)
			second := first
			if first.Gateway != nil {
				second = AdvanceNATGateway(first.Gateway, view, now)
			}
			if second.Gateway != first.Gateway {
				t.Errorf("%q with an address %q becomes %+v and then %+v", state, status, first.Gateway, second.Gateway)
			}
		}
	}
}

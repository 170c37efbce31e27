package ec2

import (
	"context"

	"fargo/aws/ec2"
	"fargo/aws/protocol"
)

// The kinds of resources in this file cannot be created here. Tools that look at a
// whole VPC list them, and get an empty list.

// none answers for a kind of resource of which there is none: the first id
// asked for is not there.
func none(ids []string, missing func(id string) error) error {
	for _, id := range ids {
		return missing(id)
	}
	return nil
}

// DescribeInstances shows nothing: there are no instances.
func (s *Server) DescribeInstances(_ context.Context, in *ec2.DescribeInstancesInput) (*ec2.DescribeInstancesOutput, error) {
	return &ec2.DescribeInstancesOutput{Reservations: []ec2.Reservation{}}, none(in.InstanceIds, func(id string) error {
		return notFound("InstanceID", "instance ID", id)
	})
}

// DescribeNatGateways shows nothing: NAT gateways cannot be made yet.
func (s *Server) DescribeNatGateways(_ context.Context, in *ec2.DescribeNatGatewaysInput) (*ec2.DescribeNatGatewaysOutput, error) {
	return &ec2.DescribeNatGatewaysOutput{NatGateways: []ec2.NatGateway{}}, none(in.NatGatewayIds, func(id string) error {
		return protocol.Errorf("NatGatewayNotFound", "NAT gateway %s was not found", id)
	})
}

// DescribeAddresses shows nothing: Elastic IP addresses cannot be allocated yet.
func (s *Server) DescribeAddresses(_ context.Context, in *ec2.DescribeAddressesInput) (*ec2.DescribeAddressesOutput, error) {
	err := none(in.AllocationIds, func(id string) error {
		return protocol.Errorf("InvalidAllocationID.NotFound", "The allocation ID '%s' does not exist", id)
	})
	if err == nil {
		err = none(in.PublicIps, func(address string) error {
			return protocol.Errorf("InvalidAddress.NotFound", "Address '%s' not found.", address)
		})
	}
	return &ec2.DescribeAddressesOutput{Addresses: []ec2.Address{}}, err
}

// DescribeVpcEndpoints shows nothing: VPC endpoints cannot be made yet.
func (s *Server) DescribeVpcEndpoints(_ context.Context, in *ec2.DescribeVpcEndpointsInput) (*ec2.DescribeVpcEndpointsOutput, error) {
	return &ec2.DescribeVpcEndpointsOutput{VpcEndpoints: []ec2.VpcEndpoint{}}, none(in.VpcEndpointIds, func(id string) error {
		return protocol.Errorf("InvalidVpcEndpointId.NotFound", "The Vpc Endpoint Id '%s' does not exist", id)
	})
}

// DescribeVpcPeeringConnections shows nothing: VPCs cannot be peered yet.
func (s *Server) DescribeVpcPeeringConnections(_ context.Context, in *ec2.DescribeVpcPeeringConnectionsInput) (*ec2.DescribeVpcPeeringConnectionsOutput, error) {
	return &ec2.DescribeVpcPeeringConnectionsOutput{VpcPeeringConnections: []ec2.VpcPeeringConnection{}}, none(in.VpcPeeringConnectionIds, func(id string) error {
		return notFound("VpcPeeringConnectionID", "vpcPeeringConnection ID", id)
	})
}

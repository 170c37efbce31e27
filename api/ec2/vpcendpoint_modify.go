package ec2

import (
	"context"
	"slices"
	"time"

	"fargo"
	"fargo/aws"
	"fargo/aws/ec2"
	"fargo/record"
	"fargo/store"
)

// ModifyVpcEndpoint changes an endpoint's policy, its route tables, or its subnets,
// groups and private DNS.
func (s *Server) ModifyVpcEndpoint(ctx context.Context, in *ec2.ModifyVpcEndpointInput) (*ec2.ModifyVpcEndpointOutput, error) {
	err := s.update(ctx, func(tx *store.Tx, scope fargo.Scope, now time.Time) error {
		e, err := findEndpoint(tx, scope, *in.VpcEndpointId)
		if err != nil {
			return err
		}
		c := *e
		if err := modifyPolicy(&c, in); err != nil {
			return err
		}
		if isGatewayEndpoint(e) {
			err = modifyGatewayEndpoint(tx, &c, in)
		} else {
			err = modifyInterfaceEndpoint(tx, &c, in, now)
		}
		if err != nil {
			return err
		}
		store.EC2VPCEndpoints.Put(tx, &c)
		return nil
	})
	return &ec2.ModifyVpcEndpointOutput{Return: new(err == nil)}, err
}

func modifyPolicy(e *record.EC2VPCEndpoint, in *ec2.ModifyVpcEndpointInput) error {
	switch {
	case aws.Value(in.ResetPolicy):
		e.Endpoint.PolicyDocument = openPolicy(e.Endpoint.VpcEndpointType)
	case in.PolicyDocument != nil:
		if err := checkEndpointPolicy(*in.PolicyDocument); err != nil {
			return err
		}
		e.Endpoint.PolicyDocument = in.PolicyDocument
	}
	return nil
}

func modifyGatewayEndpoint(tx *store.Tx, e *record.EC2VPCEndpoint, in *ec2.ModifyVpcEndpointInput) error {
	if err := checkIPv4(in.IpAddressType, in.DnsOptions); err != nil {
		return err
	}
	switch {
	case len(in.AddSubnetIds) > 0, len(in.RemoveSubnetIds) > 0, len(in.SubnetConfigurations) > 0:
		return badParameter("Subnet IDs are only supported for Interface type VPC Endpoint.")
	case len(in.AddSecurityGroupIds) > 0, len(in.RemoveSecurityGroupIds) > 0:
		return badParameter("Security group IDs are only supported for Interface type VPC Endpoint.")
	case aws.Value(in.PrivateDnsEnabled):
		return badParameter("Private DNS is only supported for Interface type VPC Endpoint.")
	}
	for _, id := range in.RemoveRouteTableIds {
		if !slices.Contains(e.Endpoint.RouteTableIds, id) {
			return badParameter("The route table %s is not associated with the VPC endpoint %s.", id, *in.VpcEndpointId)
		}
		removeEndpointRoutes(tx, e, []string{id})
		e.Endpoint.RouteTableIds = withoutID(e.Endpoint.RouteTableIds, id)
	}
	return addEndpointRoutes(tx, e, in.AddRouteTableIds)
}

func modifyInterfaceEndpoint(tx *store.Tx, e *record.EC2VPCEndpoint, in *ec2.ModifyVpcEndpointInput, now time.Time) error {
	if len(in.AddRouteTableIds) > 0 || len(in.RemoveRouteTableIds) > 0 {
		return badParameter("Route table IDs are only supported for Gateway type VPC Endpoint.")
	}
	if err := setAddressTypes(e, in.IpAddressType, in.DnsOptions); err != nil {
		return err
	}
	if err := modifyPrivateDNS(tx, e, in.PrivateDnsEnabled); err != nil {
		return err
	}
	if err := modifyEndpointGroups(tx, e, in); err != nil {
		return err
	}
	for _, id := range in.RemoveSubnetIds {
		if !slices.Contains(e.Endpoint.SubnetIds, id) {
			return badParameter("The VPC endpoint %s is not in the subnet %s.", *in.VpcEndpointId, id)
		}
	}
	removeEndpointSubnets(tx, e, in.RemoveSubnetIds)
	if err := readdressEndpoint(tx, e); err != nil {
		return err
	}
	if err := addEndpointSubnets(tx, e, in.AddSubnetIds, in.SubnetConfigurations, now); err != nil {
		return err
	}
	nameEndpoint(tx, e)
	return nil
}

func modifyPrivateDNS(tx *store.Tx, e *record.EC2VPCEndpoint, enabled *bool) error {
	switch {
	case enabled == nil:
		return nil
	case !*enabled:
		e.Endpoint.PrivateDnsEnabled = new(false)
		return nil
	}
	v, err := findVPC(tx, e.Scope, *e.Endpoint.VpcId)
	if err != nil {
		return err
	}
	return enablePrivateDNS(tx, v, e, serviceOf(e))
}

func modifyEndpointGroups(tx *store.Tx, e *record.EC2VPCEndpoint, in *ec2.ModifyVpcEndpointInput) error {
	if len(in.AddSecurityGroupIds) == 0 && len(in.RemoveSecurityGroupIds) == 0 {
		return nil
	}
	ids := endpointGroupIDs(e)
	for _, id := range in.RemoveSecurityGroupIds {
		if !slices.Contains(ids, id) {
			return badParameter("The VPC endpoint %s is not in the security group %s.", *in.VpcEndpointId, id)
		}
		ids = withoutID(ids, id)
	}
	for _, id := range in.AddSecurityGroupIds {
		if !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 {
		return badParameter("The VPC endpoint %s must be in at least one security group.", *in.VpcEndpointId)
	}
	groups, err := interfaceGroups(tx, e.Scope, *e.Endpoint.VpcId, ids)
	if err != nil {
		return err
	}
	setEndpointGroups(e, groups)
	for _, id := range e.Endpoint.NetworkInterfaceIds {
		if i, ok := store.EC2NetworkInterfaces.Get(tx, e.Scope.Key(id)); ok {
			c := *i
			c.Interface.Groups = groups
			store.EC2NetworkInterfaces.Put(tx, &c)
		}
	}
	return nil
}

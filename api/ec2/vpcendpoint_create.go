package ec2

import (
	"context"
	"time"

	"fargo"
	"fargo/aws"
	"fargo/aws/ec2"
	"fargo/aws/protocol"
	"fargo/plan"
	"fargo/record"
	"fargo/store"
)

// Quotas of endpoints. Source: VPC user guide, "Amazon VPC quotas".
const (
	maxGatewayEndpoints   = 20 // in a region
	maxInterfaceEndpoints = 50 // in a VPC
)

// CreateVpcEndpoint makes an endpoint. A gateway endpoint is available at once; an
// interface endpoint when its interfaces have been placed on nodes.
func (s *Server) CreateVpcEndpoint(ctx context.Context, in *ec2.CreateVpcEndpointInput) (*ec2.CreateVpcEndpointOutput, error) {
	kind, err := endpointKind(in)
	if err != nil {
		return nil, err
	}
	tags, err := requestTags(in.TagSpecifications, ec2.ResourceTypeVpcEndpoint)
	if err != nil {
		return nil, err
	}
	document := openPolicy(kind)
	if aws.Value(in.PolicyDocument) != "" {
		if document = in.PolicyDocument; checkEndpointPolicy(*document) != nil {
			return nil, checkEndpointPolicy(*document)
		}
	}
	request, err := requestOf(in.ClientToken, in)
	if err != nil {
		return nil, err
	}
	var e *record.EC2VPCEndpoint
	err = s.update(ctx, func(tx *store.Tx, scope fargo.Scope, now time.Time) error {
		e, err = repeatedOne(request, store.EC2VPCEndpoints.Prefix(tx, scope.Key()))
		if e != nil || err != nil {
			return err
		}
		v, err := findVPC(tx, scope, *in.VpcId)
		if err != nil {
			return err
		}
		service, err := endpointServiceFor(scope, aws.Value(in.ServiceName), kind)
		if err != nil {
			return err
		}
		if err := checkEndpointCount(tx, scope, *in.VpcId, kind); err != nil {
			return err
		}
		e = &record.EC2VPCEndpoint{Scope: scope, EC2Request: request, Endpoint: ec2.VpcEndpoint{
			VpcEndpointId: new(fargo.NewEC2ID("vpce")), VpcEndpointType: kind, VpcId: in.VpcId, ServiceName: in.ServiceName,
			ServiceRegion: &scope.Region, State: plan.EndpointPending, PolicyDocument: document, IpAddressType: ec2.IpAddressTypeIpv4,
			RequesterManaged: new(false), PrivateDnsEnabled: new(false), OwnerId: &scope.Account, CreationTimestamp: &now, Tags: tags,
			RouteTableIds: []string{}, SubnetIds: []string{}, NetworkInterfaceIds: []string{},
			Groups: []ec2.SecurityGroupIdentifier{}, DnsEntries: []ec2.DnsEntry{},
		}}
		if kind == ec2.VpcEndpointTypeGateway {
			e.Endpoint.State = plan.EndpointAvailable
			err = addEndpointRoutes(tx, e, in.RouteTableIds)
		} else {
			err = makeInterfaceEndpoint(tx, v, e, service, in, now)
		}
		if err != nil {
			return err
		}
		store.EC2VPCEndpoints.Put(tx, e)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &ec2.CreateVpcEndpointOutput{VpcEndpoint: &e.Endpoint, ClientToken: in.ClientToken}, nil
}

// endpointKind is the kind of endpoint that a call asks for, with parameters of that kind
// only.
func endpointKind(in *ec2.CreateVpcEndpointInput) (ec2.VpcEndpointType, error) {
	kind := in.VpcEndpointType
	if kind == "" {
		kind = ec2.VpcEndpointTypeGateway
	}
	if err := refuseSet(map[string]bool{
		"VpcEndpointType " + string(kind): kind != ec2.VpcEndpointTypeGateway && kind != ec2.VpcEndpointTypeInterface,
		"ResourceConfigurationArn":        in.ResourceConfigurationArn != nil,
		"ServiceNetworkArn":               in.ServiceNetworkArn != nil,
		"ServiceRegion":                   in.ServiceRegion != nil,
	}); err != nil {
		return kind, err
	}
	if kind == ec2.VpcEndpointTypeInterface {
		if len(in.RouteTableIds) > 0 {
			return kind, badParameter("Route table IDs are only supported for Gateway type VPC Endpoint.")
		}
		return kind, nil
	}
	switch {
	case len(in.SubnetIds) > 0, len(in.SubnetConfigurations) > 0:
		return kind, badParameter("Subnet IDs are only supported for Interface type VPC Endpoint.")
	case len(in.SecurityGroupIds) > 0:
		return kind, badParameter("Security group IDs are only supported for Interface type VPC Endpoint.")
	case aws.Value(in.PrivateDnsEnabled):
		return kind, badParameter("Private DNS is only supported for Interface type VPC Endpoint.")
	}
	return kind, checkIPv4(in.IpAddressType, in.DnsOptions)
}

// endpointServiceFor finds a service that has endpoints of a kind.
func endpointServiceFor(scope fargo.Scope, name string, kind ec2.VpcEndpointType) (*plan.EndpointService, error) {
	service := plan.EndpointServiceNamed(name, scope.Region)
	switch {
	case name == "":
		return nil, missingParameter("ServiceName")
	case service == nil:
		return nil, noEndpointService(name)
	case service.Gateway && kind != ec2.VpcEndpointTypeGateway:
		return nil, badParameter("Endpoint type (%s) does not match available service types ([Gateway]).", kind)
	case !service.Gateway && kind != ec2.VpcEndpointTypeInterface:
		return nil, badParameter("Endpoint type (%s) does not match available service types ([Interface]).", kind)
	case service.Gateway && plan.ServicePrefixList(service.Name, scope.Region) == nil:
		return nil, protocol.Errorf("UnsupportedOperation", "Fargo does not know the addresses of %s in the region %s, and cannot make a gateway endpoint for it.", service.Name, scope.Region)
	}
	return service, nil
}

func noEndpointService(name string) error {
	return protocol.Errorf("InvalidServiceName", "The Vpc Endpoint Service '%s' does not exist", name)
}

func checkEndpointCount(r store.Reader, scope fargo.Scope, vpc string, kind ec2.VpcEndpointType) error {
	gateways, interfaces := 0, 0
	for e := range store.EC2VPCEndpoints.Prefix(r, scope.Key()) {
		switch {
		case isGatewayEndpoint(e):
			gateways++
		case *e.Endpoint.VpcId == vpc:
			interfaces++
		}
	}
	if kind == ec2.VpcEndpointTypeGateway && gateways >= maxGatewayEndpoints || kind == ec2.VpcEndpointTypeInterface && interfaces >= maxInterfaceEndpoints {
		return protocol.Errorf("VpcEndpointLimitExceeded", "The maximum number of VPC endpoints has been reached.")
	}
	return nil
}

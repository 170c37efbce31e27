package api

import (
	"net/netip"
	"slices"
	"strings"

	"fargo/aws"
	"fargo/aws/ec2"
	"fargo/desired"
	"fargo/plan"
	"fargo/policy"
	"fargo/record"
	"fargo/store"
)

// throughEndpoint finds the VPC endpoint that a request came through: the interface
// endpoint, or the gateway endpoint of its service that the client's subnet has a route
// to. It is nil for requests that came through none, as those that a service makes for
// its caller.
func throughEndpoint(r store.Reader, c *Call) *record.EC2VPCEndpoint {
	if c.Origin == nil || c.InvokedBy != "" {
		return nil
	}
	for e := range store.EC2VPCEndpoints.By(r, store.EC2VPCEndpointByID, c.Origin.At) {
		return e
	}
	for e := range store.EC2VPCEndpoints.By(r, store.ByVPC, c.Origin.At) {
		if e.Scope.Region == c.Region && isGatewayOf(e, c.Service) && hasRouteTo(r, e, c.Origin) {
			return e
		}
	}
	return nil
}

// isGatewayOf reports whether e is a gateway endpoint of a service, by our name of it.
func isGatewayOf(e *record.EC2VPCEndpoint, service string) bool {
	s := plan.EndpointServiceNamed(*e.Endpoint.ServiceName, e.Scope.Region)
	return e.Endpoint.VpcEndpointType == ec2.VpcEndpointTypeGateway && s != nil && s.Name == service
}

// hasRouteTo reports whether the subnet of a client has a route to a gateway endpoint.
func hasRouteTo(r store.Reader, e *record.EC2VPCEndpoint, from *desired.Origin) bool {
	vpc := *e.Endpoint.VpcId
	for s := range store.EC2Subnets.By(r, store.ByVPC, vpc) {
		block, err := netip.ParsePrefix(aws.Value(s.Subnet.CidrBlock))
		if err != nil || !block.Contains(from.Client) {
			continue
		}
		table := plan.RouteTableOf(slices.Collect(store.EC2RouteTables.By(r, store.ByVPC, vpc)), vpc, *s.Subnet.SubnetId)
		return table != nil && slices.Contains(e.Endpoint.RouteTableIds, *table.RouteTable.RouteTableId)
	}
	return false
}

// who is the caller for an access: with the policy of the endpoint that its request came
// through, if the action is one of the service itself. What else a request needs, such as
// iam:PassRole, did not come through the endpoint.
func (a *Enforcer) who(c *conditions) *policy.Caller {
	if c.endpoint == nil || !strings.HasPrefix(c.access.Action, c.Actions.Prefix+":") {
		return c.caller
	}
	limited := *c.caller
	limited.Endpoint = a.documents.get(*c.endpoint.Endpoint.VpcEndpointId, aws.Value(c.endpoint.Endpoint.PolicyDocument))
	return &limited
}

// endpointValues gives the values of keys about the endpoint that a request came through;
// known tells whether key is one.
// Source: IAM user guide, "AWS global condition context keys".
func (c *conditions) endpointValues(key string) (values []string, known bool) {
	switch {
	case key == "aws:sourcevpc", key == "aws:sourcevpce", key == "aws:vpcsourceip":
	case key == "aws:sourceip" && c.endpoint != nil:
		return nil, true
	default:
		return nil, false
	}
	if c.endpoint == nil {
		return nil, true
	}
	return []string{map[string]string{
		"aws:sourcevpc": *c.endpoint.Endpoint.VpcId, "aws:sourcevpce": *c.endpoint.Endpoint.VpcEndpointId, "aws:vpcsourceip": c.Origin.Client.String(),
	}[key]}, true
}

package ec2

import (
	"context"
	"slices"
	"strings"
	"time"

	"fargo"
	"fargo/api"
	"fargo/aws"
	"fargo/aws/ec2"
	"fargo/aws/protocol"
	"fargo/plan"
	"fargo/policy"
	"fargo/record"
	"fargo/store"
)

// Default policies of endpoints, as EC2 writes them.
// Source: EC2 API, the examples of DescribeVpcEndpoints.
const (
	openGatewayPolicy   = `{"Version":"2008-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]}`
	openInterfacePolicy = "{\n  \"Statement\": [\n    {\n      \"Action\": \"*\", \n      \"Effect\": \"Allow\", \n      \"Principal\": \"*\", \n      \"Resource\": \"*\"\n    }\n  ]\n}"
)

func isGatewayEndpoint(e *record.EC2VPCEndpoint) bool {
	return e.Endpoint.VpcEndpointType == ec2.VpcEndpointTypeGateway
}

// openPolicy is the policy of an endpoint whose maker gave none.
func openPolicy(kind ec2.VpcEndpointType) *string {
	if kind == ec2.VpcEndpointTypeGateway {
		return new(openGatewayPolicy)
	}
	return new(openInterfacePolicy)
}

// checkEndpointPolicy checks that a text is a policy in which each statement names
// principals.
func checkEndpointPolicy(text string) error {
	p, err := policy.Parse(text)
	if err != nil {
		return protocol.Errorf("InvalidPolicyDocument", "The policy document is invalid: %s", err)
	}
	if len(p.Statements) == 0 || slices.ContainsFunc(p.Statements, func(s policy.Statement) bool { return s.Principals == nil && s.NotPrincipals == nil }) {
		return protocol.Errorf("InvalidPolicyDocument", "The policy document is invalid: each statement must name principals")
	}
	return nil
}

// findEndpoint finds an endpoint that is not being deleted.
func findEndpoint(r store.Reader, scope fargo.Scope, id string) (*record.EC2VPCEndpoint, error) {
	e, ok := store.EC2VPCEndpoints.Get(r, scope.Key(id))
	if !ok || e.Endpoint.State == plan.EndpointDeleting {
		return nil, noSuch("vpce")(id)
	}
	return e, nil
}

// serviceOf is the service that an endpoint leads to.
func serviceOf(e *record.EC2VPCEndpoint) *plan.EndpointService {
	return plan.EndpointServiceNamed(*e.Endpoint.ServiceName, e.Scope.Region)
}

// DeleteVpcEndpoints deletes endpoints, and tells of those that it could not.
func (s *Server) DeleteVpcEndpoints(ctx context.Context, in *ec2.DeleteVpcEndpointsInput) (*ec2.DeleteVpcEndpointsOutput, error) {
	out := &ec2.DeleteVpcEndpointsOutput{}
	err := s.update(ctx, func(tx *store.Tx, scope fargo.Scope, _ time.Time) error {
		out.Unsuccessful = []ec2.UnsuccessfulItem{}
		for _, id := range in.VpcEndpointIds {
			e, err := findEndpoint(tx, scope, id)
			if err != nil {
				out.Unsuccessful = append(out.Unsuccessful, unsuccessful(id, err))
				continue
			}
			if isGatewayEndpoint(e) {
				removeEndpointRoutes(tx, e, e.Endpoint.RouteTableIds)
			}
			c := *e
			c.Endpoint.State = plan.EndpointDeleting
			store.EC2VPCEndpoints.Put(tx, &c)
		}
		return nil
	})
	return out, err
}

// holdsVPC reports whether an endpoint or an egress-only gateway keeps a VPC from being
// deleted.
func holdsVPC(r store.Reader, scope fargo.Scope, vpc string) bool {
	for range store.EC2VPCEndpoints.By(r, store.ByVPC, vpc) {
		return true
	}
	for g := range store.EC2EgressOnlyGateways.Prefix(r, scope.Key()) {
		if *g.Gateway.Attachments[0].VpcId == vpc {
			return true
		}
	}
	return false
}

var vpcEndpointFields = fields[ec2.VpcEndpoint]{
	operation: "DescribeVpcEndpoints",
	names: map[string]func(ec2.VpcEndpoint) []string{
		"ip-address-type":    func(e ec2.VpcEndpoint) []string { return []string{string(e.IpAddressType)} },
		"service-name":       one(func(e ec2.VpcEndpoint) *string { return e.ServiceName }),
		"service-region":     one(func(e ec2.VpcEndpoint) *string { return e.ServiceRegion }),
		"vpc-id":             one(func(e ec2.VpcEndpoint) *string { return e.VpcId }),
		"vpc-endpoint-id":    one(func(e ec2.VpcEndpoint) *string { return e.VpcEndpointId }),
		"vpc-endpoint-state": func(e ec2.VpcEndpoint) []string { return endpointStates(e.State) },
		"vpc-endpoint-type":  func(e ec2.VpcEndpoint) []string { return []string{string(e.VpcEndpointType)} },
	},
	tags: func(e ec2.VpcEndpoint) []ec2.Tag { return e.Tags },
}

// endpointStates are a state as filters may write it: as it is shown, and as the model
// has it.
func endpointStates(state ec2.State) []string {
	shown := string(state)
	return []string{shown, strings.ToUpper(shown[:1]) + shown[1:]}
}

// DescribeVpcEndpoints shows endpoints.
func (s *Server) DescribeVpcEndpoints(ctx context.Context, in *ec2.DescribeVpcEndpointsInput) (*ec2.DescribeVpcEndpointsOutput, error) {
	all := func(yield func(ec2.VpcEndpoint) bool) {
		for e := range store.EC2VPCEndpoints.Prefix(s.db.View(), api.CallFrom(ctx).Scope().Key()) {
			if !yield(e.Endpoint) {
				return
			}
		}
	}
	out, next, err := describe(all, query{in.VpcEndpointIds, in.Filters, pages.Ask(in, in.NextToken, in.MaxResults)}, vpcEndpointFields,
		func(e ec2.VpcEndpoint) string { return *e.VpcEndpointId }, noSuch("vpce"))
	return &ec2.DescribeVpcEndpointsOutput{VpcEndpoints: aws.List(out), NextToken: next}, err
}

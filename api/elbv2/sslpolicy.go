package elbv2

import (
	"context"
	"slices"

	"fargo/api/page"
	"fargo/aws/elbv2"
	"fargo/plan"
)

// DescribeSSLPolicies shows the predefined policies, all or those named. Both
// types of load balancer have the same.
func (s *Server) DescribeSSLPolicies(_ context.Context, in *elbv2.DescribeSSLPoliciesInput) (*elbv2.DescribeSSLPoliciesOutput, error) {
	found := plan.SSLPolicies
	if len(in.Names) > 0 {
		found = nil
		for _, name := range in.Names {
			p, ok := plan.SSLPolicyNamed(name)
			if !ok {
				return nil, elbv2.SSLPolicyNotFoundException("SSL policy '%s' not found", name)
			}
			found = append(found, p)
		}
	}
	if in.LoadBalancerType == elbv2.LoadBalancerTypeEnumGateway {
		found = nil
	}
	found, next, err := page.Of(pages.Ask(in, in.Marker, in.PageSize), slices.Values(found), func(p plan.SSLPolicy) string { return p.Name })
	out := &elbv2.DescribeSSLPoliciesOutput{SslPolicies: []elbv2.SslPolicy{}, NextMarker: next}
	for _, p := range found {
		shape := elbv2.SslPolicy{Name: &p.Name, SslProtocols: p.Protocols, SupportedLoadBalancerTypes: []string{"application", "network"}}
		for i, c := range p.Ciphers {
			shape.Ciphers = append(shape.Ciphers, elbv2.Cipher{Name: &c, Priority: new(int32(i + 1))})
		}
		out.SslPolicies = append(out.SslPolicies, shape)
	}
	return out, err
}

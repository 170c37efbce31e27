package elbv2

import (
	"context"
	"slices"
	"strconv"

	"fargo/api/page"
	"fargo/aws/elbv2"
)

// limits are an account's quotas in a region.
// Source: ELB user guides, "Quotas".
var limits = []struct {
	name string
	max  int
}{
	{"application-load-balancers", maxLoadBalancers},
	{"certificates-per-application-load-balancer", maxCertificates},
	{"certificates-per-network-load-balancer", maxCertificates},
	{"condition-values-per-alb-rule", maxConditionValues},
	{"condition-wildcards-per-alb-rule", maxConditionWildcards},
	{"listeners-per-application-load-balancer", maxListeners},
	{"listeners-per-network-load-balancer", maxListeners},
	{"network-load-balancers", maxLoadBalancers},
	{"rules-per-application-load-balancer", maxRules},
	{"target-groups", maxTargetGroups},
	{"target-groups-per-action-on-application-load-balancer", maxForwardGroups},
	{"target-groups-per-application-load-balancer", maxUsedGroups},
	{"targets-per-target-group", maxTargets},
}

// DescribeAccountLimits shows the quotas, which are the same for everybody.
func (s *Server) DescribeAccountLimits(_ context.Context, in *elbv2.DescribeAccountLimitsInput) (*elbv2.DescribeAccountLimitsOutput, error) {
	all := make([]elbv2.Limit, len(limits))
	for i, l := range limits {
		all[i] = elbv2.Limit{Name: new(l.name), Max: new(strconv.Itoa(l.max))}
	}
	shown, next, err := page.Of(pages.Ask(in, in.Marker, in.PageSize), slices.Values(all), func(l elbv2.Limit) string { return *l.Name })
	return &elbv2.DescribeAccountLimitsOutput{Limits: shown, NextMarker: next}, err
}

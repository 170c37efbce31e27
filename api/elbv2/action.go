package elbv2

import (
	"cmp"
	"slices"
	"strings"

	"fargo/aws"
	"fargo/aws/elbv2"
	"fargo/record"
	"fargo/store"
)

// Bounds of actions. Source: ELBv2 API, ForwardActionConfig, and ELB user
// guide, "Quotas for your Application Load Balancers".
const (
	maxForwardGroups = 5
	maxWeight        = 999
	maxStickySeconds = 604800
	maxUsedGroups    = 100
)

// completeActions checks the actions of a rule of listener l, and gives them
// what they were not given.
// Source: ELBv2 API, Action.
func completeActions(r store.Reader, lb *record.ELBLoadBalancer, l *elbv2.Listener, actions []elbv2.Action) ([]elbv2.Action, error) {
	for _, a := range actions {
		if err := refuse(gap{
			"actions of type " + string(a.Type),
			a.Type == elbv2.ActionTypeEnumAuthenticateOidc || a.Type == elbv2.ActionTypeEnumAuthenticateCognito || a.Type == elbv2.ActionTypeEnumJwtValidation,
		}); err != nil {
			return nil, err
		}
		if l.Protocol != "" && !speaksHTTP(l.Protocol) && a.Type != elbv2.ActionTypeEnumForward {
			return nil, elbv2.InvalidLoadBalancerActionException("The action type '%s' is not valid with network load balancer", a.Type)
		}
	}
	// All that are left end a request, and only one can do that.
	switch len(actions) {
	case 0:
		return nil, invalid("An action must be specified")
	case 1:
	default:
		types := make([]string, len(actions))
		for i, a := range actions {
			types[i] = string(a.Type)
		}
		return nil, elbv2.InvalidLoadBalancerActionException("Action types '%s' cannot be specified together", strings.Join(types, ","))
	}
	a := actions[0]
	var err error
	switch a.Type {
	case elbv2.ActionTypeEnumForward:
		err = completeForward(r, lb, l, &a)
	case elbv2.ActionTypeEnumRedirect:
		err = completeRedirect(l, &a)
	case elbv2.ActionTypeEnumFixedResponse:
		err = checkFixedResponse(&a)
	}
	return []elbv2.Action{a}, err
}

// actionConfigs are what an action of a type must have.
var actionConfigs = map[elbv2.ActionTypeEnum]string{
	elbv2.ActionTypeEnumForward:  "TargetGroupArn or ForwardConfig",
	elbv2.ActionTypeEnumRedirect: "RedirectConfig", elbv2.ActionTypeEnumFixedResponse: "FixedResponseConfig",
}

// only refuses an action without its configuration, and configurations of other
// types than the action's.
func only(a *elbv2.Action, forward, redirect, fixed bool) error {
	if forward && a.TargetGroupArn == nil && a.ForwardConfig == nil || redirect && a.RedirectConfig == nil || fixed && a.FixedResponseConfig == nil {
		return elbv2.InvalidLoadBalancerActionException("For actions of type '%s', you must specify the following fields: '%s'", a.Type, actionConfigs[a.Type])
	}
	if forward == (a.TargetGroupArn == nil && a.ForwardConfig == nil) || redirect == (a.RedirectConfig == nil) || fixed == (a.FixedResponseConfig == nil) ||
		a.AuthenticateOidcConfig != nil || a.AuthenticateCognitoConfig != nil || a.JwtValidationConfig != nil {
		return elbv2.InvalidLoadBalancerActionException("An action of type '%s' must have a configuration of that type and of no other", a.Type)
	}
	return nil
}

func completeForward(r store.Reader, lb *record.ELBLoadBalancer, l *elbv2.Listener, a *elbv2.Action) error {
	if err := only(a, true, false, false); err != nil {
		return err
	}
	config := aws.Value(a.ForwardConfig)
	config.TargetGroups = slices.Clone(config.TargetGroups)
	if len(config.TargetGroups) == 0 && a.TargetGroupArn != nil {
		config.TargetGroups = []elbv2.TargetGroupTuple{{TargetGroupArn: a.TargetGroupArn}}
	}
	switch n := len(config.TargetGroups); {
	case n == 0:
		return invalid("A target group must be specified for an action of type 'forward'")
	case n > maxForwardGroups:
		return invalid("You cannot specify more than %d target groups per action", maxForwardGroups)
	case a.TargetGroupArn != nil && (n > 1 || aws.Value(config.TargetGroups[0].TargetGroupArn) != *a.TargetGroupArn):
		return invalid("You can specify both a target group list and a top-level target group ARN only if the ARNs match")
	}
	sticky := false
	for i := range config.TargetGroups {
		t := &config.TargetGroups[i]
		g, err := targetGroup(r, lb.Scope, aws.Value(t.TargetGroupArn))
		if err != nil {
			return err
		}
		sticky = sticky || isSticky(g)
		if err := fits(lb, l, g); err != nil {
			return err
		}
		if slices.ContainsFunc(config.TargetGroups[:i], func(o elbv2.TargetGroupTuple) bool { return *o.TargetGroupArn == *t.TargetGroupArn }) {
			return invalid("Target group '%s' is specified more than once", *t.TargetGroupArn)
		}
		switch alone := len(config.TargetGroups) == 1; {
		case alone && t.Weight == nil:
			t.Weight = new(int32(1))
		case alone && (*t.Weight < 1 || *t.Weight > maxWeight):
			return invalid("The weight for the target group must be between 1 and %d, inclusive", maxWeight)
		case t.Weight == nil || *t.Weight < 0 || *t.Weight > maxWeight:
			return invalid("The weight for each target group must be between 0 and %d, inclusive", maxWeight)
		}
	}
	if err := completeStickiness(lb, &config); err != nil {
		return err
	}
	if sticky && leavesGroup(&config) {
		return elbv2.InvalidLoadBalancerActionException("You must enable group stickiness on a rule if you enabled target stickiness on one of its target groups")
	}
	a.ForwardConfig, a.TargetGroupArn = &config, nil
	if len(config.TargetGroups) == 1 {
		a.TargetGroupArn = config.TargetGroups[0].TargetGroupArn
	}
	return nil
}

func completeStickiness(lb *record.ELBLoadBalancer, config *elbv2.ForwardActionConfig) error {
	s := aws.Value(config.TargetGroupStickinessConfig)
	s.Enabled = cmp.Or(s.Enabled, new(false))
	switch {
	case (*s.Enabled || s.DurationSeconds != nil) && lb.LoadBalancer.Type == elbv2.LoadBalancerTypeEnumNetwork:
		return unfit("Target group stickiness duration cannot be configured on load balancers of type 'network'")
	case *s.Enabled && s.DurationSeconds == nil:
		return invalid("You must provide a duration when enabling target group stickiness")
	case s.DurationSeconds != nil && (*s.DurationSeconds < 1 || *s.DurationSeconds > maxStickySeconds):
		return invalid("Target group stickiness duration must be between 1 and %d seconds", maxStickySeconds)
	}
	config.TargetGroupStickinessConfig = &s
	return nil
}

// isSticky reports whether an application load balancer keeps a client to its
// target in a group.
func isSticky(g *record.ELBTargetGroup) bool {
	return speaksHTTP(g.TargetGroup.Protocol) && g.Attributes["stickiness.enabled"] == "true"
}

// leavesGroup reports whether a client's next request may go to another group,
// which would make nothing of its target's stickiness.
func leavesGroup(c *elbv2.ForwardActionConfig) bool {
	return len(c.TargetGroups) > 1 && !aws.Value(c.TargetGroupStickinessConfig.Enabled)
}

// fits refuses a group whose protocol or VPC does not go with a listener.
func fits(lb *record.ELBLoadBalancer, l *elbv2.Listener, g *record.ELBTargetGroup) error {
	var takes []elbv2.ProtocolEnum
	switch l.Protocol {
	case elbv2.ProtocolEnumHttp, elbv2.ProtocolEnumHttps:
		takes = applicationProtocols
	case elbv2.ProtocolEnumTcp:
		takes = []elbv2.ProtocolEnum{elbv2.ProtocolEnumTcp, elbv2.ProtocolEnumTcpUdp}
	case elbv2.ProtocolEnumTls:
		takes = []elbv2.ProtocolEnum{elbv2.ProtocolEnumTcp, elbv2.ProtocolEnumTls}
	case elbv2.ProtocolEnumUdp:
		takes = []elbv2.ProtocolEnum{elbv2.ProtocolEnumUdp, elbv2.ProtocolEnumTcpUdp}
	case elbv2.ProtocolEnumTcpUdp:
		takes = []elbv2.ProtocolEnum{elbv2.ProtocolEnumTcpUdp}
	}
	version := aws.Value(g.TargetGroup.ProtocolVersion)
	switch {
	case !slices.Contains(takes, g.TargetGroup.Protocol):
		return elbv2.IncompatibleProtocolsException("The listener and the following target groups have incompatible protocols: %s", g.Key())
	case l.Protocol == elbv2.ProtocolEnumHttp && (version == "GRPC" || version == "HTTP2"):
		return elbv2.InvalidLoadBalancerActionException("Listener protocol 'HTTP' is not supported with a target group with the protocol-version '%s'", version)
	case *g.TargetGroup.VpcId != *lb.LoadBalancer.VpcId:
		return unfit("The following target groups are in a different VPC than load balancer '%s': %s", lb.Key(), g.Key())
	}
	return nil
}

// checkUse makes sure of what holds for all the groups that a load balancer
// uses. It is asked after a change, in the same transaction.
func checkUse(r store.Reader, lb *record.ELBLoadBalancer) error {
	used := groupsOf(r, lb.Key())
	if lb.LoadBalancer.Type == elbv2.LoadBalancerTypeEnumApplication && len(used) > maxUsedGroups {
		return elbv2.TooManyUniqueTargetGroupsPerLoadBalancerException("The maximum number of unique target groups per load balancer is '%d'", maxUsedGroups)
	}
	for _, arn := range used {
		if g, ok := store.ELBTargetGroups.Get(r, arn); ok && g.IPv6() && !hasIPv6(lb.LoadBalancer.IpAddressType) {
			return unfit("You cannot associate an IPv6 target group with a load balancer that has an 'ipv4' IP address type")
		}
		if len(store.LoadBalancersOfGroup(r, arn)) > 1 {
			return elbv2.TargetGroupAssociationLimitException("The following target groups cannot be associated with more than one load balancer: %s", arn)
		}
	}
	return nil
}

package elbv2

import (
	"slices"
	"strconv"
	"strings"

	"fargo"
	"fargo/aws/elbv2"
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
func completeActions(r store.Reader, lb *fargo.ELBLoadBalancer, l *elbv2.Listener, actions []elbv2.Action) ([]elbv2.Action, error) {
	for _, a := range actions {
		if err := refuse(gap{
			"actions of type " + string(a.Type),
			a.Type == elbv2.ActionTypeEnumAuthenticateOidc || a.Type == elbv2.ActionTypeEnumAuthenticateCognito || a.Type == elbv2.ActionTypeEnumJwtValidation,
		}); err != nil {
			return nil, err
		}
		if l.Protocol != "" && !speaksHTTP(l.Protocol) && a.Type != elbv2.ActionTypeEnumForward {
			return nil, elbv2.InvalidLoadBalancerActionException("Actions of type '%s' are not supported for listeners with the %s protocol", a.Type, l.Protocol)
		}
	}
	// All that are left end a request, and only one can do that.
	if len(actions) != 1 {
		return nil, elbv2.InvalidLoadBalancerActionException("The actions of a rule must end with exactly one of 'forward', 'redirect' or 'fixed-response'")
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

// only refuses configurations of other types than the action's.
func only(a *elbv2.Action, forward, redirect, fixed bool) error {
	if forward == (a.TargetGroupArn == nil && a.ForwardConfig == nil) || redirect == (a.RedirectConfig == nil) || fixed == (a.FixedResponseConfig == nil) ||
		a.AuthenticateOidcConfig != nil || a.AuthenticateCognitoConfig != nil || a.JwtValidationConfig != nil {
		return elbv2.InvalidLoadBalancerActionException("An action of type '%s' must have a configuration of that type and of no other", a.Type)
	}
	return nil
}

func completeForward(r store.Reader, lb *fargo.ELBLoadBalancer, l *elbv2.Listener, a *elbv2.Action) error {
	if err := only(a, true, false, false); err != nil {
		return err
	}
	config := elbv2.ForwardActionConfig{}
	if a.ForwardConfig != nil {
		config = *a.ForwardConfig
	}
	config.TargetGroups = slices.Clone(config.TargetGroups)
	if len(config.TargetGroups) == 0 && a.TargetGroupArn != nil {
		config.TargetGroups = []elbv2.TargetGroupTuple{{TargetGroupArn: a.TargetGroupArn}}
	}
	switch n := len(config.TargetGroups); {
	case n == 0:
		return invalid("A target group must be specified for an action of type 'forward'")
	case n > maxForwardGroups:
		return invalid("An action of type 'forward' can have at most '%d' target groups", maxForwardGroups)
	case a.TargetGroupArn != nil && (n > 1 || text(config.TargetGroups[0].TargetGroupArn) != *a.TargetGroupArn):
		return invalid("The target group of an action must be the only one of its forward config")
	}
	for i := range config.TargetGroups {
		t := &config.TargetGroups[i]
		g, err := targetGroup(r, lb.Scope, text(t.TargetGroupArn))
		if err != nil {
			return err
		}
		if err := fits(lb, l, g); err != nil {
			return err
		}
		if slices.ContainsFunc(config.TargetGroups[:i], func(o elbv2.TargetGroupTuple) bool { return *o.TargetGroupArn == *t.TargetGroupArn }) {
			return invalid("Target group '%s' is specified more than once", *t.TargetGroupArn)
		}
		t.Weight = or(t.Weight, 1)
		if *t.Weight < 0 || *t.Weight > maxWeight {
			return invalid("Weight '%d' must be between '0' and '%d'", *t.Weight, maxWeight)
		}
	}
	if err := completeStickiness(&config); err != nil {
		return err
	}
	a.ForwardConfig, a.TargetGroupArn = &config, nil
	if len(config.TargetGroups) == 1 {
		a.TargetGroupArn = config.TargetGroups[0].TargetGroupArn
	}
	return nil
}

func completeStickiness(config *elbv2.ForwardActionConfig) error {
	s := elbv2.TargetGroupStickinessConfig{}
	if config.TargetGroupStickinessConfig != nil {
		s = *config.TargetGroupStickinessConfig
	}
	s.Enabled = or(s.Enabled, false)
	switch {
	case *s.Enabled && s.DurationSeconds == nil:
		return invalid("A duration must be specified when target group stickiness is enabled")
	case s.DurationSeconds != nil && (*s.DurationSeconds < 1 || *s.DurationSeconds > maxStickySeconds):
		return invalid("Target group stickiness duration '%d' must be between '1' and '%d' seconds", *s.DurationSeconds, maxStickySeconds)
	}
	config.TargetGroupStickinessConfig = &s
	return nil
}

// fits refuses a group whose protocol or VPC does not go with a listener.
func fits(lb *fargo.ELBLoadBalancer, l *elbv2.Listener, g *fargo.ELBTargetGroup) error {
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
	version := text(g.TargetGroup.ProtocolVersion)
	switch {
	case !slices.Contains(takes, g.TargetGroup.Protocol):
		return elbv2.IncompatibleProtocolsException("The listener protocol '%s' and the protocol '%s' of the target group '%s' are not compatible", l.Protocol, g.TargetGroup.Protocol, g.Key())
	case l.Protocol == elbv2.ProtocolEnumHttp && (version == "GRPC" || version == "HTTP2"):
		return invalid("Listener protocol 'HTTP' is not supported with a target group with the protocol-version '%s'", version)
	case *g.TargetGroup.VpcId != *lb.LoadBalancer.VpcId:
		return elbv2.InvalidConfigurationRequestException("The target group '%s' is not in the same VPC as the load balancer '%s'", g.Key(), lb.Key())
	}
	return nil
}

// checkUse makes sure of what holds for all the groups that a load balancer
// uses. It is asked after a change, in the same transaction.
func checkUse(r store.Reader, lb *fargo.ELBLoadBalancer) error {
	used := groupsOf(r, lb.Key())
	if lb.LoadBalancer.Type == elbv2.LoadBalancerTypeEnumApplication && len(used) > maxUsedGroups {
		return elbv2.TooManyUniqueTargetGroupsPerLoadBalancerException("The maximum number of unique target groups per load balancer is '%d'", maxUsedGroups)
	}
	for _, arn := range used {
		if len(store.LoadBalancersOfGroup(r, arn)) > 1 {
			return elbv2.TargetGroupAssociationLimitException("The following target groups cannot be associated with more than one load balancer: %s", arn)
		}
	}
	return nil
}

// completeRedirect fills in what stays as the client asked for it.
// Source: ELBv2 API, RedirectActionConfig.
func completeRedirect(l *elbv2.Listener, a *elbv2.Action) error {
	if err := only(a, false, true, false); err != nil {
		return err
	}
	c := *a.RedirectConfig
	c.Protocol, c.Host, c.Port = or(c.Protocol, "#{protocol}"), or(c.Host, "#{host}"), or(c.Port, "#{port}")
	c.Path, c.Query = or(c.Path, "/#{path}"), or(c.Query, "#{query}")
	a.RedirectConfig = &c
	port := *c.Port
	if n, ok := integer(port); port != "#{port}" && (!ok || n < 1 || n > 65535) {
		return invalid("The redirect port '%s' must be '#{port}' or a number between '1' and '65535'", port)
	}
	sameProtocol := *c.Protocol == "#{protocol}" || *c.Protocol == string(l.Protocol)
	samePort := port == "#{port}" || port == strconv.Itoa(number(l.Port))
	switch {
	case !strings.HasPrefix(*c.Path, "/"):
		return invalid("The redirect path '%s' must begin with a '/' character", *c.Path)
	case strings.HasPrefix(*c.Query, "?"):
		return invalid("The redirect query '%s' must not begin with a '?' character", *c.Query)
	case l.Protocol == elbv2.ProtocolEnumHttps && *c.Protocol == "HTTP":
		return elbv2.InvalidLoadBalancerActionException("The redirect configuration is not valid because it redirects from HTTPS to HTTP")
	case sameProtocol && samePort && *c.Host == "#{host}" && *c.Path == "/#{path}":
		return elbv2.InvalidLoadBalancerActionException("The redirect configuration is not valid because it creates a loop")
	}
	return nil
}

// contentTypes are those of a fixed response.
// Source: ELBv2 API, FixedResponseActionConfig.
var contentTypes = []string{"text/plain", "text/css", "text/html", "application/javascript", "application/json"}

func checkFixedResponse(a *elbv2.Action) error {
	if err := only(a, false, false, true); err != nil {
		return err
	}
	if t := a.FixedResponseConfig.ContentType; t != nil && !slices.Contains(contentTypes, *t) {
		return invalid("The content type '%s' must be one of '%s'", *t, strings.Join(contentTypes, ", "))
	}
	return nil
}

package elbv2

import (
	"context"
	"slices"
	"strings"
	"time"

	"fargo"
	"fargo/aws/elbv2"
	"fargo/record"
	"fargo/store"
)

// targetGroupAttributes are those of a kind of target group.
// Source: ELBv2 API, TargetGroupAttribute.
func targetGroupAttributes(g *elbv2.TargetGroup) attributes {
	return attributes{
		of: "Target group", twice: targetGroupTwice, list: attributesOf(g),
		foreign: func(key string) error {
			other := elbv2.TargetGroup{Protocol: elbv2.ProtocolEnumHttp}
			if speaksHTTP(g.Protocol) {
				other.Protocol = elbv2.ProtocolEnumTcp
			}
			switch {
			case key == "lambda.multi_value_headers.enabled":
				return unfit("A target group with target type '%s' does not support the attribute %s", g.TargetType, key)
			case strings.HasPrefix(key, "target_failover.on_"), // of Gateway Load Balancers
				slices.ContainsFunc(attributesOf(&other), func(at attribute) bool { return at.key == key }):
				return unfit("A target group with %s protocol does not support the attribute %s", g.Protocol, key)
			}
			return nil
		},
	}
}

func targetGroupTwice(key string) error {
	return invalid("Target group attribute keys must be unique: '[%s]'", key)
}

func attributesOf(g *elbv2.TargetGroup) []attribute {
	all := []attribute{
		{"deregistration_delay.timeout_seconds", "300", between(0, 3600)},
		{"stickiness.enabled", "false", sticky(g.Protocol)},
		{crossZone, "use_load_balancer_configuration", orElse(oneOf("use_load_balancer_configuration", "true", "false"), "'%s' must be one of use_load_balancer_configuration,true,false", crossZone)},
		{healthyForDNS + "count", "1", positive("off")},
		{healthyForDNS + "percentage", "off", percentage},
		{healthyForRouting + "count", "1", positive()},
		{healthyForRouting + "percentage", "off", percentage},
	}
	if speaksHTTP(g.Protocol) {
		return append(all,
			attribute{"stickiness.type", "lb_cookie", stickinessType(g.Protocol, "lb_cookie", "app_cookie")},
			attribute{"stickiness.lb_cookie.duration_seconds", "86400", between(1, 604800)},
			attribute{"stickiness.app_cookie.cookie_name", "", cookieName},
			attribute{"stickiness.app_cookie.duration_seconds", "86400", between(1, 604800)},
			attribute{"load_balancing.algorithm.type", "round_robin", orElse(oneOf("round_robin", "least_outstanding_requests", "weighted_random"),
				"'Load balancer algorithm' must be one of [round_robin, weighted_random, least_outstanding_requests]")},
			attribute{"load_balancing.algorithm.anomaly_mitigation", "off", oneOf("on", "off")},
			attribute{"slow_start.duration_seconds", "0", between(30, 900, "0")})
	}
	preserve := "true"
	if g.TargetType == elbv2.TargetTypeEnumIp && !datagrams(g.Protocol) {
		preserve = "false"
	}
	terminate, unwell := "false", "true"
	if datagrams(g.Protocol) {
		terminate, unwell = "true", "false"
	}
	return append(all,
		attribute{"stickiness.type", "source_ip", stickinessType(g.Protocol, "source_ip")},
		attribute{"deregistration_delay.connection_termination.enabled", terminate, boolean},
		attribute{"preserve_client_ip.enabled", preserve, boolean},
		attribute{"proxy_protocol_v2.enabled", "false", boolean},
		attribute{terminateUnwell, unwell, boolean},
		attribute{drainUnwell, "0", between(0, 360000)})
}

// positive is a check for an integer that is more than 0, or another word.
func positive(also ...string) func(key, value string) error {
	return func(key, value string) error {
		n, ok := integer(value)
		switch {
		case slices.Contains(also, value), ok && n > 0:
			return nil
		case len(also) > 0:
			return invalid("The value of '%s' must be 'off' or a positive integer", key)
		}
		return invalid("The value of '%s' must be a positive integer", key)
	}
}

func percentage(key, value string) error {
	if err := positive("off")(key, value); err != nil {
		return err
	}
	if n, ok := integer(value); ok && n > 100 {
		return invalid("'%s' must be 'off' or an integer from 1 to 100 inclusive", key)
	}
	return nil
}

// cookieName is a check for the name of an application's cookie.
func cookieName(key, value string) error {
	if strings.HasPrefix(value, "AWSALB") {
		return invalid("The value of '%s' cannot begin with 'AWSALB', 'AWSALBAPP' or 'AWSALBTG'", key)
	}
	if value != "" && !token.MatchString(value) {
		return invalid("The value of '%s' must be the name of a cookie, but was '%s'", key, value)
	}
	return atMost(256)(key, value)
}

// sticky is a check of whether there is stickiness, which a TLS group has not.
func sticky(p elbv2.ProtocolEnum) func(key, value string) error {
	return func(key, value string) error {
		if p == elbv2.ProtocolEnumTls && value == "true" {
			return unfit("You cannot enable stickiness on target groups with the TLS protocol")
		}
		return boolean(key, value)
	}
}

// stickinessTypes are those of groups that are not a Gateway Load Balancer's.
var stickinessTypes = []string{"app_cookie", "lb_cookie", "source_ip"}

func stickinessType(p elbv2.ProtocolEnum, types ...string) func(key, value string) error {
	return func(_, value string) error {
		switch {
		case !slices.Contains(stickinessTypes, value):
			return invalid("'Stickiness type' must be one of [%s]", strings.Join(stickinessTypes, ", "))
		case !slices.Contains(types, value):
			return unfit("Stickiness type '%s' is not supported for target groups with the %s protocol", value, p)
		}
		return nil
	}
}

// Keys that more than one place asks for.
const (
	crossZone         = "load_balancing.cross_zone.enabled"
	terminateUnwell   = "target_health_state.unhealthy.connection_termination.enabled"
	drainUnwell       = "target_health_state.unhealthy.draining_interval_seconds"
	healthyForDNS     = "target_group_health.dns_failover.minimum_healthy_targets."
	healthyForRouting = "target_group_health.unhealthy_state_routing.minimum_healthy_targets."
)

// checkTogether refuses attributes that do not go with each other.
func checkTogether(g *elbv2.TargetGroup, m map[string]string) error {
	algorithm := m["load_balancing.algorithm.type"]
	switch {
	case m["load_balancing.algorithm.anomaly_mitigation"] == "on" && algorithm != "weighted_random":
		return unfit("You cannot enable both anomaly mitigation and %s algorithm on a target group", strings.ReplaceAll(algorithm, "_", " "))
	case speaksHTTP(g.Protocol) && m["slow_start.duration_seconds"] != "0" && algorithm != "round_robin":
		return unfit("You cannot enable both slow start and %s algorithm on a target group", strings.ReplaceAll(algorithm, "_", " "))
	case m["stickiness.enabled"] == "true" && m["stickiness.type"] == "app_cookie" && m["stickiness.app_cookie.cookie_name"] == "":
		return unfit("You must set an application cookie name to enable stickiness of type 'app_cookie'")
	case m["stickiness.enabled"] == "true" && algorithm == "weighted_random":
		return unfit("You cannot have both stickiness and weighted random algorithm enabled on the same target group.")
	case speaksHTTP(g.Protocol) && m["stickiness.enabled"] == "true" && m[crossZone] == "false":
		return unfit("You cannot enable stickiness on a target group with cross-zone load balancing turned off")
	case m[terminateUnwell] == "true" && m[drainUnwell] != "0":
		return unfit("You cannot have both '%s' and '%s' enabled on a target group", terminateUnwell, drainUnwell)
	case datagrams(g.Protocol) && m["preserve_client_ip.enabled"] == "false":
		return unfit("preserve_client_ip.enabled cannot be false if the target group protocol is UDP or TCP_UDP.")
	case datagrams(g.Protocol) && m[terminateUnwell] == "true":
		return unfit("%s cannot be true if the target group protocol is UDP or TCP_UDP.", terminateUnwell)
	case less(m, "count"), less(m, "percentage"):
		return unfit("DNS failover threshold must be greater than or equal to unhealthy state routing threshold")
	}
	return nil
}

// less reports whether DNS failover would come after routing failover: of two
// thresholds that are on, the first is lower.
func less(m map[string]string, of string) bool {
	dns, on := integer(m[healthyForDNS+of])
	routing, also := integer(m[healthyForRouting+of])
	return on && also && dns < routing
}

func datagrams(p elbv2.ProtocolEnum) bool {
	return p == elbv2.ProtocolEnumUdp || p == elbv2.ProtocolEnumTcpUdp
}

// checkZones refuses to keep an application load balancer's nodes to their zones
// while a target is in none.
// Source: ALB user guide, "Cross-zone load balancing for target groups".
func checkZones(r store.Reader, g *record.ELBTargetGroup) error {
	if !speaksHTTP(g.TargetGroup.Protocol) || g.Attributes[crossZone] != "false" {
		return nil
	}
	for t := range store.ELBTargets.By(r, store.TargetByGroup, g.Key()) {
		if t.Zone == everyZone {
			return unfit("The Availability Zone of the target '%s' cannot be 'all' while cross-zone load balancing is turned off", t.ID)
		}
	}
	return nil
}

// checkSticky refuses stickiness in a group that a rule chooses anew for each
// request.
func checkSticky(r store.Reader, g *record.ELBTargetGroup) error {
	if !isSticky(g) {
		return nil
	}
	for _, lb := range store.LoadBalancersOfGroup(r, g.Key()) {
		for l := range store.ELBListeners.By(r, store.ListenerByLoadBalancer, lb) {
			for _, rule := range rulesOf(r, l) {
				if slices.ContainsFunc(rule.Actions, func(a elbv2.Action) bool { return mayLeave(a, g.Key()) }) {
					return unfit("This target group appears behind a rule with group stickiness disabled (%s). You must enable group stickiness before enabling target stickiness", *rule.RuleArn)
				}
			}
		}
	}
	return nil
}

// mayLeave reports whether an action forwards to a group, and the next time
// perhaps to another.
func mayLeave(a elbv2.Action, group string) bool {
	return a.ForwardConfig != nil && leavesGroup(a.ForwardConfig) &&
		slices.ContainsFunc(a.ForwardConfig.TargetGroups, func(t elbv2.TargetGroupTuple) bool { return *t.TargetGroupArn == group })
}

// ModifyTargetGroupAttributes changes some attributes and shows all.
func (s *Server) ModifyTargetGroupAttributes(ctx context.Context, in *elbv2.ModifyTargetGroupAttributesInput) (*elbv2.ModifyTargetGroupAttributesOutput, error) {
	out := &elbv2.ModifyTargetGroupAttributesOutput{}
	return out, s.update(ctx, func(tx *store.Tx, scope fargo.Scope, _ time.Time) error {
		g, err := targetGroup(tx, scope, *in.TargetGroupArn)
		if err != nil {
			return err
		}
		c := *g
		if c.Attributes, err = targetGroupAttributes(&g.TargetGroup).change(g.Attributes, targetGroupSettings(in.Attributes)); err != nil {
			return err
		}
		if err := checkTogether(&c.TargetGroup, c.Attributes); err != nil {
			return err
		}
		if err := checkZones(tx, &c); err != nil {
			return err
		}
		if err := checkSticky(tx, &c); err != nil {
			return err
		}
		store.ELBTargetGroups.Put(tx, &c)
		out.Attributes = showTargetGroup(&c)
		return nil
	})
}

// DescribeTargetGroupAttributes shows all attributes.
func (s *Server) DescribeTargetGroupAttributes(ctx context.Context, in *elbv2.DescribeTargetGroupAttributesInput) (*elbv2.DescribeTargetGroupAttributesOutput, error) {
	r, scope := s.view(ctx)
	g, err := targetGroup(r, scope, *in.TargetGroupArn)
	if err != nil {
		return nil, err
	}
	return &elbv2.DescribeTargetGroupAttributesOutput{Attributes: showTargetGroup(g)}, nil
}

func showTargetGroup(g *record.ELBTargetGroup) []elbv2.TargetGroupAttribute {
	return show(targetGroupAttributes(&g.TargetGroup), g.Attributes, func(k, v *string) elbv2.TargetGroupAttribute {
		return elbv2.TargetGroupAttribute{Key: k, Value: v}
	})
}

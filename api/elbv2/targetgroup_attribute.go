package elbv2

import (
	"context"
	"time"

	"fargo"
	"fargo/aws/elbv2"
	"fargo/store"
)

// targetGroupAttributes are those of a kind of target group.
// Source: ELBv2 API, TargetGroupAttribute.
func targetGroupAttributes(g *elbv2.TargetGroup) attributes {
	all := []attribute{
		{"deregistration_delay.timeout_seconds", "300", between(0, 3600)},
		{"stickiness.enabled", "false", boolean},
		{"load_balancing.cross_zone.enabled", "use_load_balancer_configuration", oneOf("true", "false", "use_load_balancer_configuration")},
		{"target_group_health.dns_failover.minimum_healthy_targets.count", "1", between(1, 1000, "off")},
		{"target_group_health.dns_failover.minimum_healthy_targets.percentage", "off", between(1, 100, "off")},
		{"target_group_health.unhealthy_state_routing.minimum_healthy_targets.count", "1", between(1, 1000)},
		{"target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage", "off", between(1, 100, "off")},
	}
	if speaksHTTP(g.Protocol) {
		return attributes{"Target group", append(all,
			attribute{"stickiness.type", "lb_cookie", stickinessType(g.Protocol, "lb_cookie", "app_cookie")},
			attribute{"stickiness.lb_cookie.duration_seconds", "86400", between(1, 604800)},
			attribute{"stickiness.app_cookie.cookie_name", "", atMost(256)},
			attribute{"stickiness.app_cookie.duration_seconds", "86400", between(1, 604800)},
			attribute{"load_balancing.algorithm.type", "round_robin", oneOf("round_robin", "least_outstanding_requests", "weighted_random")},
			attribute{"load_balancing.algorithm.anomaly_mitigation", "off", oneOf("on", "off")},
			attribute{"slow_start.duration_seconds", "0", between(30, 900, "0")})}
	}
	datagrams := g.Protocol == elbv2.ProtocolEnumUdp || g.Protocol == elbv2.ProtocolEnumTcpUdp
	preserve := "true"
	if g.TargetType == elbv2.TargetTypeEnumIp && !datagrams {
		preserve = "false"
	}
	terminate := "false"
	if datagrams {
		terminate = "true"
	}
	return attributes{"Target group", append(all,
		attribute{"stickiness.type", "source_ip", stickinessType(g.Protocol, "source_ip")},
		attribute{"deregistration_delay.connection_termination.enabled", terminate, boolean},
		attribute{"preserve_client_ip.enabled", preserve, boolean},
		attribute{"proxy_protocol_v2.enabled", "false", boolean},
		attribute{"target_health_state.unhealthy.connection_termination.enabled", "true", boolean},
		attribute{"target_health_state.unhealthy.draining_interval_seconds", "0", between(0, 360000)})}
}

func stickinessType(p elbv2.ProtocolEnum, types ...string) func(key, value string) error {
	allowed := oneOf(types...)
	return func(key, value string) error {
		if allowed(key, value) != nil {
			return invalid("Stickiness type '%s' is not supported for target groups with the %s protocol", value, p)
		}
		return nil
	}
}

// checkTogether refuses attributes that do not go with each other.
func checkTogether(g *elbv2.TargetGroup, m map[string]string) error {
	weighted := m["load_balancing.algorithm.type"] == "weighted_random"
	switch {
	case m["load_balancing.algorithm.anomaly_mitigation"] == "on" && !weighted:
		return elbv2.InvalidConfigurationRequestException("Anomaly mitigation can be turned on with the load balancing algorithm 'weighted_random' only")
	case speaksHTTP(g.Protocol) && m["slow_start.duration_seconds"] != "0" && m["load_balancing.algorithm.type"] != "round_robin":
		return elbv2.InvalidConfigurationRequestException("Slow start cannot be enabled with the load balancing algorithm '%s'", m["load_balancing.algorithm.type"])
	case m["stickiness.enabled"] == "true" && m["stickiness.type"] == "app_cookie" && m["stickiness.app_cookie.cookie_name"] == "":
		return elbv2.InvalidConfigurationRequestException("The key 'stickiness.app_cookie.cookie_name' must be set in order to enable stickiness of type 'app_cookie'")
	case m["target_health_state.unhealthy.connection_termination.enabled"] == "true" && m["target_health_state.unhealthy.draining_interval_seconds"] != "0":
		return elbv2.InvalidConfigurationRequestException("The key 'target_health_state.unhealthy.draining_interval_seconds' cannot be set while 'target_health_state.unhealthy.connection_termination.enabled' is 'true'")
	case (g.Protocol == elbv2.ProtocolEnumUdp || g.Protocol == elbv2.ProtocolEnumTcpUdp) && m["preserve_client_ip.enabled"] == "false":
		return elbv2.InvalidConfigurationRequestException("Client IP preservation cannot be disabled for target groups with the %s protocol", g.Protocol)
	}
	return nil
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

func showTargetGroup(g *fargo.ELBTargetGroup) []elbv2.TargetGroupAttribute {
	return show(targetGroupAttributes(&g.TargetGroup), g.Attributes, func(k, v *string) elbv2.TargetGroupAttribute {
		return elbv2.TargetGroupAttribute{Key: k, Value: v}
	})
}

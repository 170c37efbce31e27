package elbv2

import (
	"errors"
	"slices"
	"testing"

	"fargo/aws/elbv2"
	"fargo/aws/protocol"
)

// protocols are the columns of TestTargetGroupAttributes.
var protocols = slices.Concat(applicationProtocols, networkProtocols)

// TestTargetGroupAttributes is the table of what becomes of every attribute of a target
// group, by the group's protocol: HTTP, HTTPS, TCP, TLS, UDP, TCP_UDP. A dot says that
// it is set, V that it is a ValidationError, I an InvalidConfigurationRequest.
// Source: ELBv2 API, TargetGroupAttribute, for what is supported; public reports and
// other implementations' tests for the codes. The target type, ip or instance, makes no
// difference.
func TestTargetGroupAttributes(t *testing.T) {
	tests := []struct {
		key, value string
		want       string
		with       []setting // beside it
	}{
		{"deregistration_delay.timeout_seconds", "10", "......", nil},
		{"deregistration_delay.timeout_seconds", "3601", "VVVVVV", nil},
		{"deregistration_delay.timeout_seconds", "x", "VVVVVV", nil},
		{"stickiness.enabled", "true", "...I..", nil},
		{"stickiness.enabled", "false", "......", nil},
		{"stickiness.enabled", "yes", "VVVVVV", nil},
		{"stickiness.type", "lb_cookie", "..IIII", nil},
		{"stickiness.type", "app_cookie", "..IIII", nil},
		{"stickiness.type", "source_ip", "II....", nil},
		{"stickiness.type", "source_ip_dest_ip", "VVVVVV", nil},
		{"stickiness.type", "x", "VVVVVV", nil},
		{"stickiness.type", "app_cookie", "IIIIII", []setting{{"stickiness.enabled", "true"}}}, // no cookie
		{"stickiness.lb_cookie.duration_seconds", "60", "..IIII", nil},
		{"stickiness.lb_cookie.duration_seconds", "0", "VVIIII", nil},
		{"stickiness.app_cookie.cookie_name", "mine", "..IIII", nil},
		{"stickiness.app_cookie.cookie_name", "AWSALB", "VVIIII", nil},
		{"stickiness.app_cookie.duration_seconds", "60", "..IIII", nil},
		{"stickiness.app_cookie.duration_seconds", "604801", "VVIIII", nil},
		{"load_balancing.algorithm.type", "least_outstanding_requests", "..IIII", nil},
		{"load_balancing.algorithm.type", "x", "VVIIII", nil},
		{"load_balancing.algorithm.type", "weighted_random", "IIIIII", []setting{{"stickiness.enabled", "true"}}},
		{"load_balancing.algorithm.anomaly_mitigation", "on", "IIIIII", nil}, // needs weighted_random
		{"load_balancing.algorithm.anomaly_mitigation", "x", "VVIIII", nil},
		{"slow_start.duration_seconds", "30", "..IIII", nil},
		{"slow_start.duration_seconds", "29", "VVIIII", nil},
		{crossZone, "false", "......", nil},
		{crossZone, "x", "VVVVVV", nil},
		{crossZone, "false", "II.I..", []setting{{"stickiness.enabled", "true"}}},
		{healthyForDNS + "count", "off", "......", nil},
		{healthyForDNS + "count", "0", "VVVVVV", nil},
		{healthyForDNS + "percentage", "50", "......", nil},
		{healthyForDNS + "percentage", "101", "VVVVVV", nil},
		{healthyForRouting + "count", "1", "......", nil},
		{healthyForRouting + "count", "off", "VVVVVV", nil},
		{healthyForRouting + "count", "2", "IIIIII", nil}, // more than that of DNS
		{healthyForRouting + "percentage", "50", "......", nil},
		{healthyForRouting + "percentage", "0", "VVVVVV", nil},
		{"deregistration_delay.connection_termination.enabled", "true", "II....", nil},
		{"deregistration_delay.connection_termination.enabled", "x", "IIVVVV", nil},
		{"preserve_client_ip.enabled", "true", "II....", nil},
		{"preserve_client_ip.enabled", "false", "II..II", nil},
		{"preserve_client_ip.enabled", "x", "IIVVVV", nil},
		{"proxy_protocol_v2.enabled", "true", "II....", nil},
		{"proxy_protocol_v2.enabled", "x", "IIVVVV", nil},
		{terminateUnwell, "true", "II..II", nil},
		{terminateUnwell, "false", "II....", nil},
		{terminateUnwell, "x", "IIVVVV", nil},
		{drainUnwell, "10", "IIII..", nil},
		{drainUnwell, "10", "II....", []setting{{terminateUnwell, "false"}}},
		{drainUnwell, "360001", "IIVVVV", nil},
		{"lambda.multi_value_headers.enabled", "true", "IIIIII", nil},
		{"target_failover.on_deregistration", "rebalance", "IIIIII", nil},
		{"target_failover.on_unhealthy", "rebalance", "IIIIII", nil},
		{"no.such.key", "true", "VVVVVV", nil},
	}
	tested := map[string]bool{}
	for _, c := range tests {
		tested[c.key] = true
		for _, kind := range []elbv2.TargetTypeEnum{elbv2.TargetTypeEnumIp, elbv2.TargetTypeEnumInstance} {
			got := ""
			for _, p := range protocols {
				g := elbv2.TargetGroup{Protocol: p, TargetType: kind}
				got += becomes(t, &g, append(c.with, setting{c.key, c.value}))
			}
			if got != c.want {
				t.Errorf("%s = %s with %v of targets of type %s: %s, want %s", c.key, c.value, c.with, kind, got, c.want)
			}
		}
	}
	for _, p := range protocols {
		for _, at := range attributesOf(&elbv2.TargetGroup{Protocol: p}) {
			if !tested[at.key] {
				t.Errorf("%s is not in the table", at.key)
			}
		}
	}
}

// becomes sets attributes of a new group.
func becomes(t *testing.T, g *elbv2.TargetGroup, settings []setting) string {
	a := targetGroupAttributes(g)
	m, err := a.change(a.defaults(), settings)
	if err == nil {
		err = checkTogether(g, m)
	}
	var e *protocol.Error
	switch {
	case err == nil:
		return "."
	case errors.As(err, &e) && e.Code == "ValidationError":
		return "V"
	case errors.As(err, &e) && e.Code == "InvalidConfigurationRequest":
		return "I"
	}
	t.Fatal(err)
	return ""
}

package settings

import (
	"time"

	"fargo"
	"fargo/aws"
	"fargo/aws/elbv2"
	"fargo/desired"
)

// Protocol versions of target groups.
const (
	VersionHTTP1 = "HTTP1"
	VersionHTTP2 = "HTTP2"
	VersionGRPC  = "GRPC"
)

// Group is a group's configuration, read.
type Group struct {
	Name      string
	protocol  string
	Version   string
	TLS       bool // connections to its targets are encrypted
	Zonal     bool // nodes use the targets of their own zones
	Algorithm string
	SlowStart time.Duration
	Sticky    Stickiness
	// Checked says that targets' health is checked.
	Checked bool
	// Routing are what it takes not to fail open: while fewer targets are healthy, requests
	// go to all.
	Routing Thresholds
	// DNS are what it takes for a zone's address to be in the load balancer's name.
	DNS Thresholds

	Attributes Attributes
}

// ReadGroup reads the attributes of a target group. pace divides the time of slow
// start.
func ReadGroup(g *desired.BalancerGroup, pace fargo.Pace) Group {
	a := Attributes(g.Attributes)
	s := Group{
		Name:       g.Name,
		protocol:   string(g.Group.Protocol),
		Version:    VersionHTTP1,
		TLS:        g.Group.Protocol == elbv2.ProtocolEnumHttps || g.Group.Protocol == elbv2.ProtocolEnumTls,
		Zonal:      g.Zonal,
		Algorithm:  a.text("load_balancing.algorithm.type", "round_robin"),
		SlowStart:  pace.Of(a.Seconds("slow_start.duration_seconds", 0)),
		Sticky:     readStickiness(a),
		Checked:    aws.ValueOr(g.Group.HealthCheckEnabled, true),
		Routing:    readThresholds(a, "target_group_health.unhealthy_state_routing.minimum_healthy_targets."),
		DNS:        readThresholds(a, "target_group_health.dns_failover.minimum_healthy_targets."),
		Attributes: a,
	}
	if v := aws.Value(g.Group.ProtocolVersion); v != "" {
		s.Version = v
	}
	if s.Algorithm != "round_robin" {
		s.SlowStart = 0
	}
	return s
}

// ProxyProtocol reports whether connections to a group's targets begin with a
// header of the PROXY protocol, and datagrams too.
func (s *Group) ProxyProtocol() bool {
	return s.Attributes.Bool("proxy_protocol_v2.enabled", false)
}

// layer4 reports whether the group belongs to a network load balancer.
func (s *Group) layer4() bool { return s.protocol != "HTTP" && s.protocol != "HTTPS" }

// TerminatesDeregistered reports whether connections to a target end when its
// deregistration delay is over. Source: ALB and NLB user guides, "Deregistration delay".
func (s *Group) TerminatesDeregistered() bool {
	return !s.layer4() || s.Attributes.Bool("deregistration_delay.connection_termination.enabled", false)
}

// TerminatesUnhealthy reports whether connections to a target end when it becomes
// unhealthy. Source: NLB user guide, "Connection termination for unhealthy
// targets".
func (s *Group) TerminatesUnhealthy() bool {
	return s.layer4() && s.Attributes.Bool("target_health_state.unhealthy.connection_termination.enabled", true)
}

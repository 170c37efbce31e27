package balancer

import (
	"time"

	"fargo"
	"fargo/aws/elbv2"
	"fargo/desired"
)

// Protocol versions of target groups.
const (
	versionHTTP1 = "HTTP1"
	versionHTTP2 = "HTTP2"
	versionGRPC  = "GRPC"
)

// groupSettings is a group's configuration, read.
type groupSettings struct {
	name      string
	protocol  string
	version   string
	tls       bool // connections to its targets are encrypted
	zonal     bool // nodes use the targets of their own zones
	algorithm string
	slowStart time.Duration
	sticky    stickiness
	// fail-open: requests go to all targets while fewer than these are healthy.
	minimumCount, minimumPercent int

	attributes attributes
}

func readGroup(g *desired.BalancerGroup, pace fargo.Pace) groupSettings {
	a := attributes(g.Attributes)
	s := groupSettings{
		name:           g.Name,
		protocol:       string(g.Group.Protocol),
		version:        versionHTTP1,
		tls:            g.Group.Protocol == elbv2.ProtocolEnumHttps || g.Group.Protocol == elbv2.ProtocolEnumTls,
		zonal:          g.Zonal,
		algorithm:      a.text("load_balancing.algorithm.type", "round_robin"),
		slowStart:      pace.Of(a.seconds("slow_start.duration_seconds", 0)),
		sticky:         readStickiness(a),
		minimumCount:   a.number("target_group_health.unhealthy_state_routing.minimum_healthy_targets.count", 1),
		minimumPercent: a.number("target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage", 0),
		attributes:     a,
	}
	if v := value(g.Group.ProtocolVersion); v != "" {
		s.version = v
	}
	if s.algorithm != "round_robin" {
		s.slowStart = 0
	}
	return s
}

// proxyProtocol reports whether connections to a group's targets begin with a
// header of the PROXY protocol, and datagrams too.
func (s *groupSettings) proxyProtocol() bool {
	return s.attributes.on("proxy_protocol_v2.enabled", false)
}

// forNetwork reports whether the group belongs to a network load balancer.
func (s *groupSettings) forNetwork() bool { return s.protocol != "HTTP" && s.protocol != "HTTPS" }

// cutsGone reports whether connections to a target end when its time to drain
// is over. Source: ALB and NLB user guides, "Deregistration delay".
func (s *groupSettings) cutsGone() bool {
	return !s.forNetwork() || s.attributes.on("deregistration_delay.connection_termination.enabled", false)
}

// cutsUnhealthy reports whether connections to a target end when it becomes
// unhealthy. Source: NLB user guide, "Connection termination for unhealthy
// targets".
func (s *groupSettings) cutsUnhealthy() bool {
	return s.forNetwork() && s.attributes.on("target_health_state.unhealthy.connection_termination.enabled", true)
}

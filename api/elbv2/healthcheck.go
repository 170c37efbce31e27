package elbv2

import (
	"cmp"
	"net/url"
	"reflect"
	"slices"
	"strings"

	"fargo/aws"
	"fargo/aws/elbv2"
	"fargo/record"
)

// The protocols of target groups behind the two kinds of load balancers.
var (
	applicationProtocols = []elbv2.ProtocolEnum{elbv2.ProtocolEnumHttp, elbv2.ProtocolEnumHttps}
	networkProtocols     = []elbv2.ProtocolEnum{elbv2.ProtocolEnumTcp, elbv2.ProtocolEnumTls, elbv2.ProtocolEnumUdp, elbv2.ProtocolEnumTcpUdp}
)

// speaksHTTP reports whether a protocol is an application load balancer's.
func speaksHTTP(p elbv2.ProtocolEnum) bool { return slices.Contains(applicationProtocols, p) }

// checkTargetGroup checks what a new group is, leaving its health check alone,
// and puts in the default of its target type.
// Source: ELBv2 API, CreateTargetGroup.
func checkTargetGroup(in *elbv2.CreateTargetGroupInput) error {
	if in.TargetType == "" {
		in.TargetType = elbv2.TargetTypeEnumInstance
	}
	if err := refuse(
		gap{"target groups of type lambda", in.TargetType == elbv2.TargetTypeEnumLambda},
		gap{"target groups of type alb", in.TargetType == elbv2.TargetTypeEnumAlb},
		gap{"target groups with the " + string(in.Protocol) + " protocol", in.Protocol != "" && !speaksHTTP(in.Protocol) && !slices.Contains(networkProtocols, in.Protocol)},
		gap{"TargetControlPort", in.TargetControlPort != nil},
	); err != nil {
		return err
	}
	if err := checkTargetGroupName(*in.Name); err != nil {
		return err
	}
	switch version := aws.Value(in.ProtocolVersion); {
	case in.Protocol == "" || in.Port == nil:
		return invalid("A target group of type '%s' must have a protocol and a port", in.TargetType)
	case in.VpcId == nil:
		return invalid("A VPC ID must be specified")
	case version == "":
	case !speaksHTTP(in.Protocol):
		return invalid("You cannot specify the protocol version for a target group with the '%s' protocol", in.Protocol)
	case version != "HTTP1" && version != "HTTP2" && version != "GRPC":
		return invalid("Target group protocol version '%s' must be one of '[HTTP2, HTTP1, GRPC]'", version)
	}
	return tagRules.Check(in.Tags)
}

// newTargetGroup is a new group with every default, its ARN not yet given.
// Source: ELBv2 API, CreateTargetGroup.
func newTargetGroup(in *elbv2.CreateTargetGroupInput) elbv2.TargetGroup {
	g := elbv2.TargetGroup{
		TargetGroupName: in.Name, Protocol: in.Protocol, Port: in.Port, VpcId: in.VpcId, TargetType: in.TargetType,
		IpAddressType: cmp.Or(in.IpAddressType, elbv2.TargetGroupIpAddressTypeEnumIpv4),
	}
	checked := elbv2.ProtocolEnumTcp
	if speaksHTTP(in.Protocol) {
		g.ProtocolVersion = cmp.Or(in.ProtocolVersion, new("HTTP1"))
		checked = elbv2.ProtocolEnumHttp
	}
	if in.HealthCheckProtocol == "" {
		in.HealthCheckProtocol = checked
	}
	g.HealthCheckEnabled = cmp.Or(in.HealthCheckEnabled, new(true))
	g.HealthCheckProtocol = in.HealthCheckProtocol
	g.HealthCheckPort = cmp.Or(in.HealthCheckPort, new("traffic-port"))
	g.HealthCheckIntervalSeconds = cmp.Or(in.HealthCheckIntervalSeconds, new(int32(30)))
	g.HealthCheckTimeoutSeconds = cmp.Or(in.HealthCheckTimeoutSeconds, new(defaultTimeout(&g)))
	g.HealthyThresholdCount = cmp.Or(in.HealthyThresholdCount, new(int32(5)))
	g.UnhealthyThresholdCount = cmp.Or(in.UnhealthyThresholdCount, new(int32(2)))
	g.HealthCheckPath, g.Matcher = in.HealthCheckPath, in.Matcher
	fillHTTPCheck(&g)
	return g
}

// defaultTimeout is in seconds.
func defaultTimeout(g *elbv2.TargetGroup) int32 {
	switch {
	case speaksHTTP(g.Protocol):
		return 5
	case g.HealthCheckProtocol == elbv2.ProtocolEnumHttp:
		return 6
	}
	return 10
}

// fillHTTPCheck gives a health check over HTTP its path and matcher.
func fillHTTPCheck(g *elbv2.TargetGroup) {
	if !speaksHTTP(g.HealthCheckProtocol) {
		return
	}
	path, matcher := "/", &elbv2.Matcher{HttpCode: new("200-399")}
	switch {
	case aws.Value(g.ProtocolVersion) == "GRPC":
		path, matcher = "/AWS.ALB/healthcheck", &elbv2.Matcher{GrpcCode: new("12")}
	case speaksHTTP(g.Protocol):
		matcher = &elbv2.Matcher{HttpCode: new("200")}
	}
	g.HealthCheckPath = cmp.Or(g.HealthCheckPath, new(path))
	if g.Matcher == nil {
		g.Matcher = matcher
	}
}

// modifyHealthCheck lays a change over a group's health check.
func modifyHealthCheck(g *elbv2.TargetGroup, in *elbv2.ModifyTargetGroupInput) {
	if in.HealthCheckProtocol != "" && in.HealthCheckProtocol != g.HealthCheckProtocol {
		g.HealthCheckProtocol = in.HealthCheckProtocol
		if !speaksHTTP(in.HealthCheckProtocol) {
			g.HealthCheckPath, g.Matcher = nil, nil
		}
	}
	set(&g.HealthCheckPort, in.HealthCheckPort)
	set(&g.HealthCheckPath, in.HealthCheckPath)
	set(&g.HealthCheckEnabled, in.HealthCheckEnabled)
	set(&g.HealthCheckIntervalSeconds, in.HealthCheckIntervalSeconds)
	set(&g.HealthCheckTimeoutSeconds, in.HealthCheckTimeoutSeconds)
	set(&g.HealthyThresholdCount, in.HealthyThresholdCount)
	set(&g.UnhealthyThresholdCount, in.UnhealthyThresholdCount)
	set(&g.Matcher, in.Matcher)
	fillHTTPCheck(g)
}

func set[T any](to **T, value *T) {
	if value != nil {
		*to = value
	}
}

// checkHealthCheck holds the rules of a whole health check.
// Source: ELBv2 API, CreateTargetGroup and Matcher.
func checkHealthCheck(g *elbv2.TargetGroup) error {
	switch tcp := g.HealthCheckProtocol == elbv2.ProtocolEnumTcp; {
	case speaksHTTP(g.HealthCheckProtocol), tcp && !speaksHTTP(g.Protocol):
	case tcp:
		return invalid("Health check protocol '%s' must be one of 'HTTP, HTTPS'", g.HealthCheckProtocol)
	default:
		return invalid("Health check protocol '%s' must be one of 'HTTP, HTTPS, TCP'", g.HealthCheckProtocol)
	}
	if port := *g.HealthCheckPort; port != "traffic-port" {
		if n, ok := integer(port); !ok || n < 1 || n > 65535 {
			return invalid("Health check port '%s' must be within '1-65535' or 'traffic-port'", port)
		}
	}
	switch timeout, interval := *g.HealthCheckTimeoutSeconds, *g.HealthCheckIntervalSeconds; {
	case !*g.HealthCheckEnabled:
		return invalid("Health check enabled must be true for target groups with target type '%s'", g.TargetType)
	case speaksHTTP(g.Protocol) && timeout >= interval:
		return invalid("Health check timeout '%d' must be smaller than the interval '%d'", timeout, interval)
	case timeout > interval:
		return invalid("Health check timeout '%d' must be smaller than or equal to the interval '%d'", timeout, interval)
	case speaksHTTP(g.HealthCheckProtocol):
		if err := checkHealthPath(*g.HealthCheckPath); err != nil {
			return err
		}
		return checkMatcher(g)
	case g.HealthCheckPath != nil:
		return invalid("Health check paths are not supported for TCP health checks")
	case g.Matcher != nil:
		return invalid("Health check matcher cannot be specified for health checks with the %s protocol", g.HealthCheckProtocol)
	}
	return nil
}

// checkHealthPath refuses a path that no request can be made of.
func checkHealthPath(path string) error {
	if !strings.HasPrefix(path, "/") {
		return invalid("Health check path '%s' must begin with a '/' character", path)
	}
	if _, err := url.ParseRequestURI(path); err != nil {
		return invalid("Health check path '%s' is not a valid path", path)
	}
	return nil
}

func checkMatcher(g *elbv2.TargetGroup) error {
	m := g.Matcher
	switch grpc := aws.Value(g.ProtocolVersion) == "GRPC"; {
	case m.HttpCode != nil && m.GrpcCode != nil || m.HttpCode == nil && m.GrpcCode == nil:
		return invalid("You must provide exactly one of the following: ['HttpCode' 'GrpcCode'] for the matcher")
	case grpc && m.GrpcCode == nil:
		return invalid("Health check matcher GRPC code cannot be empty")
	case !grpc && m.HttpCode == nil:
		return invalid("Health check matcher HTTP code cannot be empty")
	case grpc:
		return checkCodes("GRPC", *m.GrpcCode, 0, 99)
	case speaksHTTP(g.Protocol):
		return checkCodes("HTTP", *m.HttpCode, 200, 499)
	default:
		return checkCodes("HTTP", *m.HttpCode, 200, 599)
	}
}

// checkCodes reads "200", "200,202" and "200-299", and mixtures of them.
func checkCodes(what, codes string, low, high int) error {
	bad := invalid("Health check matcher %s code '%s' must be within '%d-%d' inclusive", what, codes, low, high)
	for _, part := range strings.Split(codes, ",") {
		from, to, isRange := strings.Cut(part, "-")
		if !isRange {
			to = from
		}
		a, okA := integer(from)
		b, okB := integer(to)
		if !okA || !okB || a < low || b > high || a > b {
			return bad
		}
	}
	return nil
}

// sameTargetGroup reports whether a group is as one that is asked for.
func sameTargetGroup(old *record.ELBTargetGroup, wanted *elbv2.TargetGroup, tags []elbv2.Tag) bool {
	a, b := old.TargetGroup, *wanted
	a.TargetGroupArn, b.TargetGroupArn = nil, nil
	return reflect.DeepEqual(a, b) && sameTags(old.Tags, tags)
}

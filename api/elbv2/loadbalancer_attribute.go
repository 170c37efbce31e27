package elbv2

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"time"

	"fargo"
	"fargo/aws/elbv2"
	"fargo/plan"
	"fargo/record"
	"fargo/store"
)

// loadBalancerAttributes are those of load balancers of a type, scheme and IP address
// type.
func loadBalancerAttributes(lb *elbv2.LoadBalancer) attributes {
	other := *lb
	other.Type = elbv2.LoadBalancerTypeEnumNetwork
	if lb.Type == other.Type {
		other.Type = elbv2.LoadBalancerTypeEnumApplication
	}
	return attributes{
		of: "Load balancer", twice: loadBalancerTwice, list: balancerAttributesOf(lb),
		foreign: func(key string) error {
			if slices.ContainsFunc(balancerAttributesOf(&other), func(at attribute) bool { return at.key == key }) {
				return unfit("Load balancer attribute key '%s' is not supported on load balancers with type '%s'", key, lb.Type)
			}
			return nil
		},
	}
}

// balancerAttributesOf are in the order in which they are shown.
// Source: ELBv2 API, LoadBalancerAttribute.
func balancerAttributesOf(lb *elbv2.LoadBalancer) []attribute {
	all := logAttributes("access_logs")
	all = append(all,
		attribute{"deletion_protection.enabled", "false", boolean},
		denyGateway(lb),
		attribute{"zonal_shift.config.enabled", "false", boolean})
	if lb.Type == elbv2.LoadBalancerTypeEnumNetwork {
		return append(all,
			attribute{"load_balancing.cross_zone.enabled", "false", boolean},
			attribute{"dns_record.client_routing_policy", "any_availability_zone", oneOf("availability_zone_affinity", "partial_availability_zone_affinity", "any_availability_zone")},
			attribute{"secondary_ips.auto_assigned.per_subnet", "0", between(0, 7)})
	}
	all = append(all, logAttributes("connection_logs")...)
	all = append(all, logAttributes("health_check_logs")...)
	return append(all,
		attribute{"load_balancing.cross_zone.enabled", "true", orElse(oneOf("true"), "The value for 'load_balancing.cross_zone.enabled' must always be 'true' for an Application Load Balancer")},
		attribute{"idle_timeout.timeout_seconds", "60", idleTimeout},
		attribute{"client_keep_alive.seconds", "3600", orElse(between(60, 604800), "The value of 'client_keep_alive.seconds' must be an integer between 60 and 604800")},
		attribute{"routing.http2.enabled", "true", boolean},
		attribute{"routing.http.drop_invalid_header_fields.enabled", "false", boolean},
		attribute{"routing.http.desync_mitigation_mode", "defensive", oneOf("defensive", "monitor", "strictest")},
		attribute{"routing.http.preserve_host_header.enabled", "false", boolean},
		attribute{"routing.http.x_amzn_tls_version_and_cipher_suite.enabled", "false", boolean},
		attribute{"routing.http.xff_client_port.enabled", "false", boolean},
		attribute{"routing.http.xff_header_processing.mode", "append", oneOf("append", "preserve", "remove")},
		attribute{"waf.fail_open.enabled", "false", boolean})
}

// denyGateway is the attribute that closes a load balancer's IPv6 addresses to the
// Internet gateway, as internal ones are by default.
// Source: ALB user guide, "Load balancer attributes".
func denyGateway(lb *elbv2.LoadBalancer) attribute {
	switch {
	case !hasIPv6(lb.IpAddressType):
		return attribute{plan.DenyGateway, "false", onlyIPv6}
	case lb.Scheme == elbv2.LoadBalancerSchemeEnumInternal:
		return attribute{plan.DenyGateway, "true", boolean}
	}
	return attribute{plan.DenyGateway, "false", boolean}
}

// onlyIPv6 is a check of what only a load balancer with IPv6 addresses can turn on.
func onlyIPv6(key, value string) error {
	if value == "true" {
		return unfit("Load balancer attribute key '%s' is not supported on load balancers with IP address type 'ipv4'", key)
	}
	return boolean(key, value)
}

// logAttributes say where a kind of log goes.
func logAttributes(kind string) []attribute {
	return []attribute{
		{kind + ".s3.enabled", "false", boolean},
		{kind + ".s3.bucket", "", atMost(1024)},
		{kind + ".s3.prefix", "", atMost(1024)},
	}
}

// bucketName is what a bucket of S3 may be called. Source: S3 user guide,
// "Bucket naming rules".
var bucketName = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)

// checkLog holds what a kind of log needs.
// Source: ALB user guide, "Access log files".
func checkLog(m map[string]string, prefix, called string) error {
	switch bucket, folder := m[prefix+"bucket"], m[prefix+"prefix"]; {
	case m[prefix+"enabled"] == "true" && bucket == "":
		return unfit("The key '%sbucket' must set in order to enable %s", prefix, called)
	case bucket == "" && folder != "":
		return unfit("The key '%sbucket' must set in order to set the key '%sprefix'", prefix, prefix)
	case bucket != "" && !bucketName.MatchString(bucket):
		return noBucket(bucket)
	case strings.Contains(folder, "AWSLogs"):
		return unfit("The value of '%sprefix' cannot contain 'AWSLogs'", prefix)
	}
	return nil
}

func loadBalancerTwice(key string) error {
	return invalid("Attribute key '%s' has been specified more than once", key)
}

// idleTimeout has the text of AWS, which speaks of characters.
func idleTimeout(key, value string) error {
	n, ok := integer(value)
	switch {
	case !ok || n < 1:
		return invalid("The value of '%s' cannot be less than 1 characters", key)
	case n > 4000:
		return invalid("The value of '%s' cannot be greater than 4000 characters", key)
	}
	return nil
}

// ModifyLoadBalancerAttributes changes some attributes and shows all. Before logs begin, a
// file in their bucket tests that they can be written.
func (s *Server) ModifyLoadBalancerAttributes(ctx context.Context, in *elbv2.ModifyLoadBalancerAttributesInput) (*elbv2.ModifyLoadBalancerAttributesOutput, error) {
	r, scope := s.view(ctx)
	_, starts, err := s.changeAttributes(r, scope, in, time.Now().UTC())
	if err != nil {
		return nil, err
	}
	if err := s.deliverTests(ctx, starts); err != nil {
		return nil, err
	}
	out := &elbv2.ModifyLoadBalancerAttributesOutput{}
	return out, s.update(ctx, func(tx *store.Tx, scope fargo.Scope, now time.Time) error {
		c, _, err := s.changeAttributes(tx, scope, in, now)
		if err != nil {
			return err
		}
		showGateway(tx, c)
		store.ELBLoadBalancers.Put(tx, c)
		out.Attributes = showLoadBalancer(c)
		return nil
	})
}

// changeAttributes gives a load balancer as it is to be, and the logs that begin with that.
func (s *Server) changeAttributes(r store.Reader, scope fargo.Scope, in *elbv2.ModifyLoadBalancerAttributesInput, now time.Time) (*record.ELBLoadBalancer, []logStart, error) {
	lb, err := loadBalancer(r, scope, *in.LoadBalancerArn)
	if err != nil {
		return nil, nil, err
	}
	known := loadBalancerAttributes(&lb.LoadBalancer)
	c := *lb
	if c.Attributes, err = known.change(lb.Attributes, loadBalancerSettings(in.Attributes)); err != nil {
		return nil, nil, err
	}
	starts, err := s.logStarts(r, lb, &c, now)
	return &c, starts, err
}

// DescribeLoadBalancerAttributes shows all attributes.
func (s *Server) DescribeLoadBalancerAttributes(ctx context.Context, in *elbv2.DescribeLoadBalancerAttributesInput) (*elbv2.DescribeLoadBalancerAttributesOutput, error) {
	r, scope := s.view(ctx)
	lb, err := loadBalancer(r, scope, *in.LoadBalancerArn)
	if err != nil {
		return nil, err
	}
	return &elbv2.DescribeLoadBalancerAttributesOutput{Attributes: showLoadBalancer(lb)}, nil
}

func showLoadBalancer(lb *record.ELBLoadBalancer) []elbv2.LoadBalancerAttribute {
	return show(loadBalancerAttributes(&lb.LoadBalancer), lb.Attributes, func(k, v *string) elbv2.LoadBalancerAttribute {
		return elbv2.LoadBalancerAttribute{Key: k, Value: v}
	})
}

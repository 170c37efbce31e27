package elbv2

import "fargo/api"

// NotActedOn lists the fields that are kept and shown but change nothing yet.
var NotActedOn = []api.Gap{
	{Operation: "ModifyLoadBalancerAttributes", Field: "routing.http.desync_mitigation_mode", Why: "stricter than AWS in every mode: a request without a single framing is refused and its connection closed (lengths that differ or are no numbers, codings that are unknown or follow chunked, Transfer-Encoding before HTTP/1.1, Content-Length before HTTP/1.0, CR or LF other than at the end of a line, folded lines, lines without a colon), as is one whose method, target or version is none"},
	{Operation: "ModifyLoadBalancerAttributes", Field: "routing.http.desync_mitigation_mode", Why: "stricter than AWS in every mode: after a request of which another server may have seen another end (a field that looks like Content-Length or Transfer-Encoding, both of them, anything severe) both connections are closed"},
	{Operation: "ModifyLoadBalancerAttributes", Field: "routing.http.desync_mitigation_mode", Why: "what is passed on is written anew: with one framing, without fields that look like another, percent-encoded where control characters and spaces are in a target, with spaces for control characters in values"},
	{Operation: "ModifyLoadBalancerAttributes", Field: "routing.http.drop_invalid_header_fields.enabled", Why: "also when false, fields are dropped whose names have control characters, spaces or anything but ASCII; a request has at most 1000 fields, in addition to AWS's limits in bytes"},
	{Operation: "ModifyLoadBalancerAttributes", Field: "zonal_shift.config.enabled", Why: "there is no zonal shift"},
	{Operation: "ModifyLoadBalancerAttributes", Field: "waf.fail_open.enabled", Why: "there is no WAF"},
	{Operation: "ModifyLoadBalancerAttributes", Field: "dns_record.client_routing_policy", Why: "names resolve to the addresses in all zones that can serve, whatever zone asks"},
	{Operation: "ModifyLoadBalancerAttributes", Field: "secondary_ips.auto_assigned.per_subnet", Why: "an interface has one address"},
	{Operation: "ModifyTargetGroupAttributes", Field: "load_balancing.algorithm.anomaly_mitigation", Why: "no anomalies are looked for"},
	{Operation: "ModifyTargetGroupAttributes", Field: "preserve_client_ip.enabled", Why: "network load balancers connect from their own address, also for UDP; proxy_protocol_v2 tells the client's"},
	{Operation: "ModifyListenerAttributes", Field: "routing.http.request.x_amzn_mtls_clientcert*", Why: "there is no mutual authentication"},
	{Operation: "SetSecurityGroups", Field: "EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic", Why: "there is no PrivateLink; rules are always enforced"},
}

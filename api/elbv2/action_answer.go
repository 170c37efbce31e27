package elbv2

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"fargo/aws"
	"fargo/aws/elbv2"
)

// completeRedirect fills in what stays as the client asked for it.
// Source: ELBv2 API, RedirectActionConfig.
func completeRedirect(l *elbv2.Listener, a *elbv2.Action) error {
	if err := only(a, false, true, false); err != nil {
		return err
	}
	c := *a.RedirectConfig
	c.Protocol, c.Host, c.Port = cmp.Or(c.Protocol, new("#{protocol}")), cmp.Or(c.Host, new("#{host}")), cmp.Or(c.Port, new("#{port}"))
	c.Path, c.Query = cmp.Or(c.Path, new("/#{path}")), cmp.Or(c.Query, new("#{query}"))
	a.RedirectConfig = &c
	port := *c.Port
	if n, ok := integer(port); port != "#{port}" && (!ok || n < 1 || n > 65535) {
		return elbv2.InvalidLoadBalancerActionException("The Port parameter must be either an integer between 1 and 65535 or '#{port}'.")
	}
	sameProtocol := *c.Protocol == "#{protocol}" || *c.Protocol == string(l.Protocol)
	samePort := port == "#{port}" || port == strconv.Itoa(int(aws.Value(l.Port)))
	switch {
	case !isTemplate(*c.Host, "host"):
		return elbv2.InvalidLoadBalancerActionException("The Host parameter must be a valid host name, and may contain up to one of this placeholder: '#{host}'.")
	case !strings.HasPrefix(*c.Path, "/") || !isTemplate(*c.Path, "path", "host", "port"):
		return elbv2.InvalidLoadBalancerActionException("The Path parameter must be a valid path, should start with a '/', and may contain up to one of each of these placeholders: '#{path}', '#{host}', '#{port}'.")
	case strings.HasPrefix(*c.Query, "?"):
		return elbv2.InvalidLoadBalancerActionException("The redirect query '%s' must not begin with a '?' character", *c.Query)
	case !isTemplate(*c.Query, "path", "host", "port", "protocol", "query"):
		return elbv2.InvalidLoadBalancerActionException("The Query parameter may contain up to one of each of these placeholders: '#{query}', '#{path}', '#{host}', '#{port}', '#{protocol}'.")
	case l.Protocol == elbv2.ProtocolEnumHttps && *c.Protocol == "HTTP":
		return elbv2.InvalidLoadBalancerActionException("You cannot redirect HTTPS to HTTP.")
	case sameProtocol && samePort && *c.Host == "#{host}" && *c.Path == "/#{path}":
		return elbv2.InvalidLoadBalancerActionException("The redirect configuration is not valid because it creates a loop.")
	}
	return nil
}

// isTemplate reports whether a part of a redirect's URL has only characters that
// a URL may have, and each placeholder once at most.
func isTemplate(s string, placeholders ...string) bool {
	for _, p := range placeholders {
		s = strings.Replace(s, "#{"+p+"}", "", 1)
	}
	return !strings.ContainsFunc(s, func(c rune) bool { return c <= ' ' || c > '~' || strings.ContainsRune("\"<>\\^`{|}#", c) })
}

// contentTypes are those of a fixed response.
// Source: ELBv2 API, FixedResponseActionConfig.
var contentTypes = []string{"text/html", "application/json", "application/javascript", "text/css", "text/plain"}

func checkFixedResponse(a *elbv2.Action) error {
	if err := only(a, false, false, true); err != nil {
		return err
	}
	if t := a.FixedResponseConfig.ContentType; t != nil && !slices.Contains(contentTypes, *t) {
		return invalid("The ContentType must be one of:'%s'.", strings.Join(contentTypes, "', '"))
	}
	return nil
}

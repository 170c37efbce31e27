package routing

import (
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"fargo/aws"
	"fargo/aws/elbv2"
)

// condition reports whether a request meets one condition of a rule.
type condition func(*Request) bool

// compileCondition reads a condition: its values are alternatives.
// Source: ALB user guide, "Rule condition types".
func compileCondition(c *elbv2.RuleCondition) (condition, error) {
	switch field := aws.Value(c.Field); field {
	case "host-header":
		values, patterns := c.Values, c.RegexValues
		if h := c.HostHeaderConfig; h != nil {
			values, patterns = h.Values, h.RegexValues
		}
		return compileText(values, patterns, textOptions{fold: true}, func(r *Request) string { return r.Host })
	case "path-pattern":
		values, patterns := c.Values, c.RegexValues
		if p := c.PathPatternConfig; p != nil {
			values, patterns = p.Values, p.RegexValues
		}
		return compileText(values, patterns, textOptions{}, func(r *Request) string { return r.Path })
	case "http-header":
		return compileHeader(c.HttpHeaderConfig)
	case "http-request-method":
		values := c.Values
		if m := c.HttpRequestMethodConfig; m != nil {
			values = m.Values
		}
		return func(r *Request) bool { return slices.Contains(values, r.Method) }, nil
	case "query-string":
		return compileQuery(c.QueryStringConfig)
	case "source-ip":
		values := c.Values
		if s := c.SourceIpConfig; s != nil {
			values = s.Values
		}
		return compileSource(values)
	default:
		return nil, fmt.Errorf("condition %q is not known", field)
	}
}

func compileText(values, patterns []string, o textOptions, of func(*Request) string) (condition, error) {
	m, err := compileMatcher(values, patterns, o)
	if err != nil {
		return nil, err
	}
	return func(r *Request) bool { return m.match(of(r)) }, nil
}

// compileHeader tests each of several fields with the name by itself.
func compileHeader(c *elbv2.HttpHeaderConditionConfig) (condition, error) {
	if c == nil {
		return nil, fmt.Errorf("condition http-header has no HttpHeaderConfig")
	}
	m, err := compileMatcher(c.Values, c.RegexValues, textOptions{fold: true})
	if err != nil {
		return nil, err
	}
	name := aws.Value(c.HttpHeaderName)
	return func(r *Request) bool {
		for i := range r.Fields {
			if f := &r.Fields[i]; len(f.Name) == len(name) && strings.EqualFold(f.Name, name) && m.match(f.Value) {
				return true
			}
		}
		return false
	}, nil
}

// compileQuery compares each parameter as it was sent and as it is meant.
func compileQuery(c *elbv2.QueryStringConditionConfig) (condition, error) {
	if c == nil {
		return nil, fmt.Errorf("condition query-string has no QueryStringConfig")
	}
	type pair struct{ key, value glob }
	var pairs []pair
	for _, v := range c.Values {
		p := pair{value: compileGlob(strings.ToLower(aws.Value(v.Value)), true)}
		if v.Key != nil {
			p.key = compileGlob(strings.ToLower(*v.Key), true)
		}
		pairs = append(pairs, p)
	}
	return func(r *Request) bool {
		for parameter := range strings.SplitSeq(r.Query, "&") {
			k, v, _ := strings.Cut(strings.ToLower(parameter), "=")
			for _, p := range pairs {
				if (p.key == nil || matchEncoded(p.key, k)) && matchEncoded(p.value, v) {
					return true
				}
			}
		}
		return false
	}, nil
}

func matchEncoded(g glob, s string) bool {
	if g.match(s) {
		return true
	}
	if !strings.ContainsAny(s, "%+") {
		return false
	}
	decoded, err := url.QueryUnescape(s)
	return err == nil && g.match(strings.ToLower(decoded))
}

func compileSource(values []string) (condition, error) {
	var prefixes []netip.Prefix
	for _, v := range values {
		p, err := netip.ParsePrefix(v)
		if err != nil {
			return nil, err
		}
		prefixes = append(prefixes, p)
	}
	return func(r *Request) bool {
		peer := r.Client.Addr().Unmap()
		return slices.ContainsFunc(prefixes, func(p netip.Prefix) bool { return p.Contains(peer) })
	}, nil
}

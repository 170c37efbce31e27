package elbv2

import (
	"strings"
	"testing"

	"fargo/aws/elbv2"
)

// TestConditionValues holds which values conditions of each field may have.
// Source: ELBv2 API, RuleCondition, and the ALB user guide, "Condition types for
// listener rules". That names of hosts may have "_" is known from reports only.
func TestConditionValues(t *testing.T) {
	tests := map[string]struct{ good, bad []string }{
		fieldHost: {
			[]string{"example.com", "EXAMPLE.com", "my_app.example.com", "_dmarc.example.com", "a-1.example.com", "*.example.com", "?.example.com", "*.co?", "*.*", strings.Repeat("a", 124) + ".com"},
			[]string{"", "localhost", "*", "foo-bar", "example.com:8443", "a b.com", "a/b.com", "example.c1", "example.c_m", "10.0.0.1", "exämple.com", strings.Repeat("a", 125) + ".com"},
		},
		fieldPath: {
			[]string{"/", "/img/*", "/IMG/??.png", "*", `/_-.$/~"'@:+&`, strings.Repeat("a", 128)},
			[]string{"", "/a b", "/a%20b", "/a?b#c", "/(a)", "/ä", strings.Repeat("a", 129)},
		},
		fieldHeader: {
			[]string{"yes", "*Chrome*", "a b; c=(d)", strings.Repeat("a", 128)},
			[]string{"", strings.Repeat("a", 129)},
		},
		fieldQuery: {
			[]string{"v2", "*", `\*`, "%20", strings.Repeat("a", 128)},
			[]string{"", strings.Repeat("a", 129)},
		},
		fieldMethod: {
			[]string{"GET", "M-SEARCH", "MY_OWN", strings.Repeat("A", 40)},
			[]string{"", "get", "GE*", "G1", strings.Repeat("A", 41)},
		},
		fieldSource: {
			[]string{"10.0.0.0/8", "192.0.2.7/32", "2001:db8::/32"},
			[]string{"", "10.0.0.1", "10.0.0.0/33", "*"},
		},
	}
	for _, field := range conditionFields {
		for _, v := range tests[field].good {
			if _, err := completeConditions([]elbv2.RuleCondition{conditionOf(field, v)}); err != nil {
				t.Errorf("%s %q: %v", field, v, err)
			}
		}
		for _, v := range tests[field].bad {
			if _, err := completeConditions([]elbv2.RuleCondition{conditionOf(field, v)}); err == nil {
				t.Errorf("%s %q is taken", field, v)
			}
		}
	}
}

func conditionOf(field, value string) elbv2.RuleCondition {
	c, values := elbv2.RuleCondition{Field: &field}, []string{value}
	switch field {
	case fieldHeader:
		c.HttpHeaderConfig = &elbv2.HttpHeaderConditionConfig{HttpHeaderName: new("X-A"), Values: values}
	case fieldQuery:
		c.QueryStringConfig = &elbv2.QueryStringConditionConfig{Values: []elbv2.QueryStringKeyValuePair{{Value: &value}}}
	case fieldMethod:
		c.HttpRequestMethodConfig = &elbv2.HttpRequestMethodConditionConfig{Values: values}
	case fieldSource:
		c.SourceIpConfig = &elbv2.SourceIpConditionConfig{Values: values}
	default:
		c.Values = values
	}
	return c
}

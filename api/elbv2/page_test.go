package elbv2_test

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	wire "fargo/aws/elbv2"
)

// TestDeletePages holds that who deletes what each page shows of a listener's
// rules and certificates deletes all, and sees each once.
func TestDeletePages(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := newFixture(t)
		defer h.db.Close()
		size := rapid.Int32Range(1, 4).Draw(t, "size")
		l := h.listener(t, 0, 443)
		for n := range 5 {
			h.certify(t, l, fmt.Sprint(n))
			if _, err := h.s.CreateRule(h.ctx, &wire.CreateRuleInput{
				ListenerArn: &l, Priority: new(int32(8 + n)), Actions: []wire.Action{{Type: wire.ActionTypeEnumForward, TargetGroupArn: &h.groups[0]}},
				Conditions: []wire.RuleCondition{{Field: new("path-pattern"), Values: []string{"/"}}},
			}); err != nil {
				t.Fatal(err)
			}
		}
		certificates, rules := 0, 0
		for in := (&wire.DescribeListenerCertificatesInput{ListenerArn: &l, PageSize: &size}); ; {
			out, err := h.s.DescribeListenerCertificates(h.ctx, in)
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range out.Certificates {
				if *c.IsDefault {
					continue
				}
				certificates++
				if _, err := h.s.RemoveListenerCertificates(h.ctx, &wire.RemoveListenerCertificatesInput{ListenerArn: &l, Certificates: []wire.Certificate{{CertificateArn: c.CertificateArn}}}); err != nil {
					t.Fatal(err)
				}
			}
			if in.Marker = out.NextMarker; in.Marker == nil {
				break
			}
		}
		for in := (&wire.DescribeRulesInput{ListenerArn: &l, PageSize: &size}); ; {
			out, err := h.s.DescribeRules(h.ctx, in)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range out.Rules {
				if *r.IsDefault {
					continue
				}
				rules++
				if _, err := h.s.DeleteRule(h.ctx, &wire.DeleteRuleInput{RuleArn: r.RuleArn}); err != nil {
					t.Fatal(err)
				}
			}
			if in.Marker = out.NextMarker; in.Marker == nil {
				break
			}
		}
		if certificates != 5 || rules != 5 {
			t.Fatalf("%d certificates and %d rules are deleted of 5", certificates, rules)
		}
	})
}

// TestListPages walks a list that is not in the order of its keys.
func TestListPages(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := newFixture(t)
		defer h.db.Close()
		all, err := h.s.DescribeSSLPolicies(h.ctx, &wire.DescribeSSLPoliciesInput{})
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		size := rapid.Int32Range(1, 9).Draw(t, "size")
		for in := (&wire.DescribeSSLPoliciesInput{PageSize: &size}); ; {
			out, err := h.s.DescribeSSLPolicies(h.ctx, in)
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range out.SslPolicies {
				names = append(names, *p.Name)
			}
			if in.Marker = out.NextMarker; in.Marker == nil {
				break
			}
		}
		for i, p := range all.SslPolicies {
			if len(names) != len(all.SslPolicies) || names[i] != *p.Name {
				t.Fatalf("the pages of %d gave %v", size, names)
			}
		}
	})
}

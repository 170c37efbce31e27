package elbv2

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"fargo"
	"fargo/api/page"
	"fargo/aws"
	"fargo/aws/elbv2"
	"fargo/plan"
	"fargo/record"
	"fargo/store"
)

// maxRules is how many a load balancer may have, default ones not counted.
// Source: ELB user guide, "Quotas for your Application Load Balancers".
const maxRules = 100

// rule finds a rule that is not a default one.
func rule(r store.Reader, scope fargo.Scope, arn string) (*record.ELBRule, error) {
	if err := ruleARNs.Check(scope, arn); err != nil {
		return nil, err
	}
	if rule, ok := store.ELBRules.Get(r, arn); ok && rule.Scope == scope {
		return rule, nil
	}
	return nil, elbv2.RuleNotFoundException("One or more rules not found")
}

// changeable finds a rule that is to be changed in a way that default rules
// cannot be.
func changeable(r store.Reader, scope fargo.Scope, arn, change string) (*record.ELBRule, error) {
	if _, ok := defaultRule(r, scope, arn); ok {
		return nil, elbv2.OperationNotPermittedException("Default rule '%s' cannot be %s", arn, change)
	}
	return rule(r, scope, arn)
}

// owner is the load balancer and the listener that a rule is of.
func owner(r store.Reader, listener string) (*record.ELBLoadBalancer, *record.ELBListener, error) {
	l, ok := store.ELBListeners.Get(r, listener)
	if !ok {
		return nil, nil, elbv2.ListenerNotFoundException("One or more listeners not found")
	}
	lb, ok := store.ELBLoadBalancers.Get(r, *l.Listener.LoadBalancerArn)
	if !ok {
		return nil, nil, elbv2.LoadBalancerNotFoundException("One or more load balancers not found")
	}
	return lb, l, nil
}

// CreateRule makes a rule of an application load balancer's listener.
func (s *Server) CreateRule(ctx context.Context, in *elbv2.CreateRuleInput) (*elbv2.CreateRuleOutput, error) {
	if err := tagRules.Check(in.Tags); err != nil {
		return nil, err
	}
	if err := checkTransforms(in.Transforms); err != nil {
		return nil, err
	}
	conditions, err := completeConditions(in.Conditions)
	if err != nil {
		return nil, err
	}
	out := &elbv2.CreateRuleOutput{}
	return out, s.update(ctx, func(tx *store.Tx, scope fargo.Scope, _ time.Time) error {
		l, err := listener(tx, scope, *in.ListenerArn)
		if err != nil {
			return err
		}
		lb, _, err := owner(tx, l.Key())
		if err != nil {
			return err
		}
		if lb.LoadBalancer.Type != elbv2.LoadBalancerTypeEnumApplication {
			return unfit("Rules cannot be created for listeners of Network Load Balancers")
		}
		actions, err := completeActions(tx, lb, &l.Listener, in.Actions)
		if err != nil {
			return err
		}
		c := &record.ELBRule{
			Scope: scope, Listener: l.Key(), Priority: int(aws.Value(in.Priority)), Tags: aws.List(in.Tags),
			Rule: elbv2.Rule{
				RuleArn: new(plan.RuleARN(l.Key(), fargo.NewHex(16))), Conditions: conditions, Actions: actions, Transforms: aws.List(in.Transforms), IsDefault: new(false),
			},
		}
		if err := addRule(tx, lb, c); err != nil {
			return err
		}
		out.Rules = []elbv2.Rule{c.Rule}
		return checkUse(tx, lb)
	})
}

// addRule stores a new rule, if there is room for it and its priority is free.
func addRule(tx *store.Tx, lb *record.ELBLoadBalancer, rule *record.ELBRule) error {
	rules := 0
	for l := range store.ELBListeners.By(tx, store.ListenerByLoadBalancer, lb.Key()) {
		for range store.ELBRules.By(tx, store.RuleByListener, l.Key()) {
			rules++
		}
	}
	if rules >= maxRules {
		return elbv2.TooManyRulesException("The maximum number of rules on load balancer %s has been reached", lb.Key())
	}
	prioritize(rule, rule.Priority)
	store.ELBRules.Put(tx, rule)
	return checkPriorities(tx, rule.Listener)
}

// prioritize gives a rule, which is the caller's own, a priority.
func prioritize(r *record.ELBRule, priority int) {
	r.Priority, r.Rule.Priority = priority, new(strconv.Itoa(priority))
}

// checkPriorities makes sure that no two rules of a listener have the same. It
// is asked after a change, in the same transaction.
func checkPriorities(r store.Reader, listener string) error {
	seen := map[int]bool{}
	for rule := range store.ELBRules.By(r, store.RuleByListener, listener) {
		if seen[rule.Priority] {
			return elbv2.PriorityInUseException("Priority '%d' is currently in use", rule.Priority)
		}
		seen[rule.Priority] = true
	}
	return nil
}

// ModifyRule changes a rule's conditions, actions or transforms, each as a whole.
func (s *Server) ModifyRule(ctx context.Context, in *elbv2.ModifyRuleInput) (*elbv2.ModifyRuleOutput, error) {
	if aws.Value(in.ResetTransforms) && len(in.Transforms) > 0 {
		return nil, invalid("You cannot specify both 'Transforms' and 'ResetTransforms'")
	}
	if err := checkTransforms(in.Transforms); err != nil {
		return nil, err
	}
	out := &elbv2.ModifyRuleOutput{}
	return out, s.update(ctx, func(tx *store.Tx, scope fargo.Scope, _ time.Time) error {
		old, err := changeable(tx, scope, *in.RuleArn, "modified")
		if err != nil {
			return err
		}
		lb, l, err := owner(tx, old.Listener)
		if err != nil {
			return err
		}
		c := *old
		if len(in.Conditions) > 0 {
			if c.Rule.Conditions, err = completeConditions(in.Conditions); err != nil {
				return err
			}
		}
		if len(in.Actions) > 0 {
			if c.Rule.Actions, err = completeActions(tx, lb, &l.Listener, in.Actions); err != nil {
				return err
			}
		}
		if len(in.Transforms) > 0 || aws.Value(in.ResetTransforms) {
			c.Rule.Transforms = aws.List(in.Transforms)
		}
		store.ELBRules.Put(tx, &c)
		out.Rules = []elbv2.Rule{c.Rule}
		return checkUse(tx, lb)
	})
}

// SetRulePriorities gives rules other priorities, all at once.
func (s *Server) SetRulePriorities(ctx context.Context, in *elbv2.SetRulePrioritiesInput) (*elbv2.SetRulePrioritiesOutput, error) {
	out := &elbv2.SetRulePrioritiesOutput{}
	return out, s.update(ctx, func(tx *store.Tx, scope fargo.Scope, _ time.Time) error {
		var listeners []string
		for _, p := range in.RulePriorities {
			if p.RuleArn == nil || p.Priority == nil {
				return invalid("A rule ARN and a priority must be specified")
			}
			old, err := changeable(tx, scope, *p.RuleArn, "given a priority")
			if err != nil {
				return err
			}
			c := *old
			prioritize(&c, int(*p.Priority))
			store.ELBRules.Put(tx, &c)
			out.Rules = append(out.Rules, c.Rule)
			listeners = append(listeners, c.Listener)
		}
		for _, l := range slices.Compact(listeners) {
			if err := checkPriorities(tx, l); err != nil {
				return err
			}
		}
		return nil
	})
}

// DeleteRule deletes a rule that is not a default one.
func (s *Server) DeleteRule(ctx context.Context, in *elbv2.DeleteRuleInput) (*elbv2.DeleteRuleOutput, error) {
	return &elbv2.DeleteRuleOutput{}, s.update(ctx, func(tx *store.Tx, scope fargo.Scope, _ time.Time) error {
		r, err := changeable(tx, scope, *in.RuleArn, "deleted")
		if err != nil {
			return err
		}
		store.ELBRules.Delete(tx, r.Key())
		return nil
	})
}

// DescribeRules shows the rules of a listener in the order they are tried, or
// those named.
func (s *Server) DescribeRules(ctx context.Context, in *elbv2.DescribeRulesInput) (*elbv2.DescribeRulesOutput, error) {
	if (in.ListenerArn == nil) == (len(in.RuleArns) == 0) {
		return nil, invalid("You must specify either listener rule ARNs or a listener ARN")
	}
	r, scope := s.view(ctx)
	var found []elbv2.Rule
	if in.ListenerArn != nil {
		l, err := listener(r, scope, *in.ListenerArn)
		if err != nil {
			return nil, err
		}
		found = rulesOf(r, l)
	}
	for _, arn := range in.RuleArns {
		if l, ok := defaultRule(r, scope, arn); ok {
			all := rulesOf(r, l)
			found = append(found, all[len(all)-1])
			continue
		}
		rule, err := rule(r, scope, arn)
		if err != nil {
			return nil, err
		}
		found = append(found, rule.Rule)
	}
	found, next, err := page.Of(pages.Ask(in, in.Marker, in.PageSize), slices.Values(found), ruleOrder)
	return &elbv2.DescribeRulesOutput{Rules: found, NextMarker: next}, err
}

// ruleOrder is a key of rules that sorts a listener's as they are tried.
func ruleOrder(r elbv2.Rule) string { return fmt.Sprintf("%7s %s", *r.Priority, *r.RuleArn) }

func rulesOf(r store.Reader, l *record.ELBListener) []elbv2.Rule {
	return plan.Rules(l, slices.Collect(store.ELBRules.By(r, store.RuleByListener, l.Key())))
}

package events

import (
	"context"
	"errors"
	"strings"

	"fargo"
	"fargo/aws"
	"fargo/aws/events"
	"fargo/eventpattern"
	"fargo/record"
	"fargo/schedule"
	"fargo/store"
)

// maxPattern is how long the pattern of a rule may be.
// Source: EventBridge user guide, "Quotas".
const maxPattern = 2048

// PutRule makes a rule, or gives one other parameters: what the call leaves out it has no
// longer, but for its tags and targets.
func (s *Server) PutRule(ctx context.Context, in *events.PutRuleInput) (*events.PutRuleOutput, error) {
	if err := tagRules.Check(in.Tags); err != nil {
		return nil, err
	}
	out := &events.PutRuleOutput{}
	return out, s.update(ctx, func(tx *store.Tx, scope fargo.Scope) error {
		on, err := findBus(tx, scope, in.EventBusName)
		if err != nil {
			return err
		}
		if err := checkRule(in, on); err != nil {
			return err
		}
		rule := newRule(scope, on, in)
		if old, ok := store.EventRules.Get(tx, rule.Key()); ok {
			rule.Tags, rule.Targets = old.Tags, old.Targets
			if old.Enabled() && aws.Value(old.Rule.ScheduleExpression) == aws.Value(in.ScheduleExpression) {
				rule.Since = old.Since
			}
		}
		store.EventRules.Put(tx, rule)
		out.RuleArn = rule.Rule.Arn
		return nil
	})
}

func newRule(scope fargo.Scope, on string, in *events.PutRuleInput) *record.EventRule {
	resource := "rule/" + *in.Name
	if on != record.DefaultEventBus {
		resource = "rule/" + on + "/" + *in.Name
	}
	state := in.State
	if state == "" {
		state = events.RuleStateEnabled
	}
	return &record.EventRule{Scope: scope, Tags: in.Tags, Since: now(), Rule: events.DescribeRuleOutput{
		Name: in.Name, Arn: new(scope.ARN("events", resource)), EventBusName: &on, EventPattern: in.EventPattern, ScheduleExpression: in.ScheduleExpression,
		State: state, Description: in.Description, RoleArn: in.RoleArn, CreatedBy: &scope.Account,
	}}
}

// checkRule checks a rule of the bus with that name.
func checkRule(in *events.PutRuleInput, on string) error {
	switch {
	case aws.Value(in.EventPattern) == "" && aws.Value(in.ScheduleExpression) == "":
		return invalid("Parameter(s) EventPattern or ScheduleExpression must be specified.")
	case in.State == events.RuleStateEnabledWithAllCloudtrailManagementEvents:
		return notImplemented("the state ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS")
	}
	if x := aws.Value(in.ScheduleExpression); x != "" {
		if on != record.DefaultEventBus {
			return invalid("ScheduleExpression is supported only on the default event bus.")
		}
		if _, err := parseSchedule(x); err != nil {
			return invalid("Parameter ScheduleExpression is not valid.")
		}
	}
	if p := aws.Value(in.EventPattern); p != "" {
		if len(p) > maxPattern {
			return invalid("Parameter EventPattern for rule %s exceeds limit of %d.", *in.Name, maxPattern)
		}
		_, err := parsePattern(p)
		return err
	}
	return nil
}

// parseSchedule reads a schedule as rules have it: one of rates and cron expressions, and
// "rate(1 minute)" but "rate(2 minutes)".
func parseSchedule(text string) (*schedule.Expression, error) {
	x, err := schedule.Parse(text)
	if err != nil {
		return nil, err
	}
	one := x.IsRate() && strings.HasPrefix(text, "rate(1 ")
	if x.IsAt() || x.IsRate() && x.Plural == one {
		return nil, schedule.ErrInvalid
	}
	return x, nil
}

func parsePattern(text string) (*eventpattern.Pattern, error) {
	p, err := eventpattern.Parse(text)
	if syntax := new(eventpattern.SyntaxError); errors.As(err, &syntax) {
		return nil, events.InvalidEventPatternException("Event pattern is not valid. Reason: %s", syntax.Reason)
	}
	return p, err
}

// TestEventPattern says whether a pattern matches an event.
func (s *Server) TestEventPattern(_ context.Context, in *events.TestEventPatternInput) (*events.TestEventPatternOutput, error) {
	p, err := parsePattern(*in.EventPattern)
	if err != nil {
		return nil, err
	}
	e, err := eventpattern.ParseEvent(*in.Event)
	if err != nil {
		return nil, invalid("Parameter Event is not valid.")
	}
	return &events.TestEventPatternOutput{Result: new(p.Matches(e))}, nil
}

// DescribeRule shows a rule.
func (s *Server) DescribeRule(ctx context.Context, in *events.DescribeRuleInput) (*events.DescribeRuleOutput, error) {
	view, scope := s.read(ctx)
	rule, err := findRule(view, scope, in.Name, in.EventBusName)
	if err != nil {
		return nil, err
	}
	return new(rule.Rule), nil
}

// EnableRule enables a rule.
func (s *Server) EnableRule(ctx context.Context, in *events.EnableRuleInput) (*events.EnableRuleOutput, error) {
	return &events.EnableRuleOutput{}, s.setState(ctx, in.Name, in.EventBusName, events.RuleStateEnabled)
}

// DisableRule disables a rule: it matches nothing, and its schedule is never due.
func (s *Server) DisableRule(ctx context.Context, in *events.DisableRuleInput) (*events.DisableRuleOutput, error) {
	return &events.DisableRuleOutput{}, s.setState(ctx, in.Name, in.EventBusName, events.RuleStateDisabled)
}

func (s *Server) setState(ctx context.Context, name, bus *string, state events.RuleState) error {
	return s.changeRule(ctx, name, bus, func(r *record.EventRule) error {
		if r.Rule.State != state {
			r.Rule.State, r.Since = state, now()
		}
		return nil
	})
}

// changeRule changes a rule.
func (s *Server) changeRule(ctx context.Context, name, bus *string, change func(*record.EventRule) error) error {
	return s.update(ctx, func(tx *store.Tx, scope fargo.Scope) error {
		rule, err := findRule(tx, scope, name, bus)
		if err != nil {
			return err
		}
		changed := *rule
		if err := change(&changed); err != nil {
			return err
		}
		store.EventRules.Put(tx, &changed)
		return nil
	})
}

// DeleteRule deletes a rule without targets. One that is not there is no error.
func (s *Server) DeleteRule(ctx context.Context, in *events.DeleteRuleInput) (*events.DeleteRuleOutput, error) {
	return &events.DeleteRuleOutput{}, s.update(ctx, func(tx *store.Tx, scope fargo.Scope) error {
		on, err := findBus(tx, scope, in.EventBusName)
		if err != nil {
			return err
		}
		rule, ok := store.EventRules.Get(tx, scope.Key(on, *in.Name))
		switch {
		case !ok:
			return nil
		case len(rule.Targets) > 0:
			return invalid("Rule can't be deleted since it has targets.")
		}
		store.EventRules.Delete(tx, rule.Key())
		store.ScheduleRuns.Delete(tx, *rule.Rule.Arn)
		return nil
	})
}

// ListRules lists the rules of a bus by their names.
func (s *Server) ListRules(ctx context.Context, in *events.ListRulesInput) (*events.ListRulesOutput, error) {
	view, scope := s.read(ctx)
	on, err := findBus(view, scope, in.EventBusName)
	if err != nil {
		return nil, err
	}
	rules := store.EventRules.Prefix(view, scope.Key(on, aws.Value(in.NamePrefix)))
	found, next, err := listed(in, in.NextToken, in.Limit, rules, (*record.EventRule).Key, func(r *record.EventRule) events.Rule {
		return events.Rule{
			Name: r.Rule.Name, Arn: r.Rule.Arn, EventPattern: r.Rule.EventPattern, State: r.Rule.State, Description: r.Rule.Description,
			ScheduleExpression: r.Rule.ScheduleExpression, RoleArn: r.Rule.RoleArn, EventBusName: r.Rule.EventBusName,
		}
	})
	return &events.ListRulesOutput{Rules: found, NextToken: next}, err
}

// ListRuleNamesByTarget lists the rules of a bus that have a target.
func (s *Server) ListRuleNamesByTarget(ctx context.Context, in *events.ListRuleNamesByTargetInput) (*events.ListRuleNamesByTargetOutput, error) {
	view, scope := s.read(ctx)
	on, err := findBus(view, scope, in.EventBusName)
	if err != nil {
		return nil, err
	}
	rules := only(store.EventRules.By(view, store.EventRuleByTarget, scope.Key(*in.TargetArn)), func(r *record.EventRule) bool {
		return *r.Rule.EventBusName == on
	})
	names, next, err := listed(in, in.NextToken, in.Limit, rules, (*record.EventRule).Key, func(r *record.EventRule) string { return *r.Rule.Name })
	return &events.ListRuleNamesByTargetOutput{RuleNames: names, NextToken: next}, err
}

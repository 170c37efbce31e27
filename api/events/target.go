package events

import (
	"context"
	"slices"
	"strings"

	"fargo/api/page"
	"fargo/aws/events"
	"fargo/record"
)

// maxTargets is how many targets a rule may have.
// Source: EventBridge user guide, "Quotas".
const maxTargets = 5

// PutTargets gives a rule targets, each in place of the one with its id.
func (s *Server) PutTargets(ctx context.Context, in *events.PutTargetsInput) (*events.PutTargetsOutput, error) {
	err := s.changeRule(ctx, in.Rule, in.EventBusName, func(r *record.EventRule) error {
		targets := slices.Clone(r.Targets)
		for _, t := range in.Targets {
			if err := s.checkTarget(r.Scope, &t); err != nil {
				return err
			}
			if i := slices.IndexFunc(targets, func(o events.Target) bool { return *o.Id == *t.Id }); i >= 0 {
				targets[i] = t
			} else {
				targets = append(targets, t)
			}
		}
		if len(targets) > maxTargets {
			return events.LimitExceededException("The requested resource exceeds the maximum number allowed.")
		}
		r.Targets = targets
		return nil
	})
	return &events.PutTargetsOutput{FailedEntryCount: new(int32(0)), FailedEntries: []events.PutTargetsResultEntry{}}, err
}

// RemoveTargets takes targets from a rule. An id that is not there does no harm.
func (s *Server) RemoveTargets(ctx context.Context, in *events.RemoveTargetsInput) (*events.RemoveTargetsOutput, error) {
	out := &events.RemoveTargetsOutput{FailedEntryCount: new(int32(0)), FailedEntries: []events.RemoveTargetsResultEntry{}}
	return out, s.changeRule(ctx, in.Rule, in.EventBusName, func(r *record.EventRule) error {
		r.Targets = slices.DeleteFunc(slices.Clone(r.Targets), func(t events.Target) bool { return slices.Contains(in.Ids, *t.Id) })
		return nil
	})
}

// ListTargetsByRule lists the targets of a rule by their ids.
func (s *Server) ListTargetsByRule(ctx context.Context, in *events.ListTargetsByRuleInput) (*events.ListTargetsByRuleOutput, error) {
	view, scope := s.read(ctx)
	rule, err := findRule(view, scope, in.Rule, in.EventBusName)
	if err != nil {
		return nil, err
	}
	targets := slices.SortedFunc(slices.Values(rule.Targets), func(a, b events.Target) int { return strings.Compare(*a.Id, *b.Id) })
	found, next, err := page.Of(pages.Ask(in, in.NextToken, in.Limit), slices.Values(targets), func(t events.Target) string { return *t.Id })
	return &events.ListTargetsByRuleOutput{Targets: found, NextToken: next}, err
}

package control

import (
	"encoding/json"
	"iter"
	"slices"
	"time"

	"github.com/google/uuid"

	"fargo"
	"fargo/aws"
	"fargo/aws/scheduler"
	"fargo/eventbus"
	"fargo/plan"
	"fargo/record"
	"fargo/store"
)

// RuleSchedules is the controller that fires the schedules of rules. That one was due and
// what it has for its targets is written in one transaction, so that it fires once.
func RuleSchedules() Controller {
	return Controller{
		Name: "ruleschedule",
		All: func(r store.Reader) iter.Seq[string] {
			return keys(func(yield func(*record.EventRule) bool) {
				for rule := range store.EventRules.All(r) {
					if rule.Rule.ScheduleExpression != nil && !yield(rule) {
						return
					}
				}
			})
		},
		Scope:     changed(store.EventRules.Name()),
		Reconcile: fireRule,
	}
}

// changed gives the keys of the changed records of a table.
func changed(table string) func(store.Reader, store.Change) iter.Seq[string] {
	return func(_ store.Reader, c store.Change) iter.Seq[string] {
		if c.Table != table {
			return slices.Values([]string(nil))
		}
		return slices.Values([]string{c.Key})
	}
}

func fireRule(tx *store.Tx, key string, now time.Time) (time.Time, error) {
	rule, ok := store.EventRules.Get(tx, key)
	if !ok {
		return time.Time{}, nil
	}
	run, _ := store.ScheduleRuns.Get(tx, *rule.Rule.Arn)
	step := plan.StepRuleSchedule(rule, run, now)
	if step.Due.IsZero() {
		return step.Next, nil
	}
	store.ScheduleRuns.Put(tx, &record.ScheduleRun{ARN: *rule.Rule.Arn, Since: rule.Since, Due: step.Due})
	e := &eventbus.Event{
		ID: uuid.NewString(), Source: "aws.events", DetailType: "Scheduled Event", Scope: rule.Scope, Time: step.Due,
		Resources: []string{*rule.Rule.Arn}, Detail: json.RawMessage("{}"),
	}
	text, err := e.JSON()
	if err != nil {
		return time.Time{}, err
	}
	for _, d := range eventbus.Deliveries(rule, e, text, now) {
		d.ID, d.Scheduled = plan.ScheduledID(d.Owner, *d.Target.Id, step.Due), step.Due
		store.EventDeliveries.Put(tx, d)
	}
	return step.Next, nil
}

// Schedules is the controller that fires the schedules of EventBridge Scheduler, as
// [RuleSchedules] does.
func Schedules() Controller {
	return Controller{
		Name:      "schedule",
		All:       func(r store.Reader) iter.Seq[string] { return keys(store.Schedules.All(r)) },
		Scope:     changed(store.Schedules.Name()),
		Reconcile: fireSchedule,
	}
}

func fireSchedule(tx *store.Tx, key string, now time.Time) (time.Time, error) {
	s, ok := store.Schedules.Get(tx, key)
	if !ok {
		return time.Time{}, nil
	}
	d := &s.Schedule
	run, _ := store.ScheduleRuns.Get(tx, *d.Arn)
	step, done := plan.StepSchedule(s, run, now)
	if !step.Due.IsZero() {
		body, err := scheduledBody(s.Scope, d, step.Due)
		if err != nil {
			return time.Time{}, err
		}
		store.EventDeliveries.Put(tx, &record.EventDelivery{
			Scope: s.Scope, ID: plan.ScheduledID(*d.Arn, "", step.Due), Owner: *d.Arn, Target: plan.ScheduledTarget(d.Target),
			Body: body, Made: now, Scheduled: step.Due,
		})
	}
	if done && d.ActionAfterCompletion == scheduler.ActionAfterCompletionDelete {
		store.Schedules.Delete(tx, key)
		store.ScheduleRuns.Delete(tx, *d.Arn)
		return time.Time{}, nil
	}
	if !step.Due.IsZero() {
		store.ScheduleRuns.Put(tx, &record.ScheduleRun{ARN: *d.Arn, Since: s.Since, Due: step.Due})
	}
	return step.Next, nil
}

// scheduledBody is what a schedule has for its target: its input, and for an event bus the
// event with that detail.
func scheduledBody(scope fargo.Scope, d *scheduler.GetScheduleOutput, due time.Time) (string, error) {
	p := d.Target.EventBridgeParameters
	if p == nil {
		return aws.Value(d.Target.Input), nil
	}
	e := &eventbus.Event{
		ID: uuid.NewString(), Source: *p.Source, DetailType: *p.DetailType, Scope: scope, Time: due,
		Detail: json.RawMessage(aws.ValueOr(d.Target.Input, "{}")),
	}
	return e.JSON()
}

package cloudwatch

import (
	"context"
	"slices"
	"strings"

	"fargo/aws"
	"fargo/aws/cloudwatch"
	"fargo/plan"
	"fargo/record"
	"fargo/store"
)

// The bounds of rules. Source: CloudWatch API, PutCompositeAlarm.
const (
	maxRuleElements = 500
	maxRuleAlarms   = 100
)

// PutCompositeAlarm makes a composite alarm, or another one of it.
func (s *Server) PutCompositeAlarm(ctx context.Context, in *cloudwatch.PutCompositeAlarmInput) (*cloudwatch.PutCompositeAlarmOutput, error) {
	rule, err := plan.ParseAlarmRule(*in.AlarmRule)
	if err != nil {
		return nil, invalid("Error in AlarmRule: %s.", err.Error())
	}
	wait, extension := in.ActionsSuppressorWaitPeriod, in.ActionsSuppressorExtensionPeriod
	switch {
	case rule.Elements > maxRuleElements || len(rule.Alarms) > maxRuleAlarms:
		return nil, invalid("AlarmRule may have at most %d elements and %d alarms.", maxRuleElements, maxRuleAlarms)
	case in.ActionsSuppressor != nil && (wait == nil || extension == nil):
		return nil, invalid("ActionsSuppressorWaitPeriod and ActionsSuppressorExtensionPeriod are required with ActionsSuppressor.")
	case in.ActionsSuppressor == nil && (wait != nil || extension != nil):
		return nil, invalid("ActionsSuppressorWaitPeriod and ActionsSuppressorExtensionPeriod require ActionsSuppressor.")
	case aws.Value(wait) < 0 || aws.Value(extension) < 0:
		return nil, invalid("ActionsSuppressorWaitPeriod and ActionsSuppressorExtensionPeriod must be at least 0.")
	}
	scope := scopeOf(ctx)
	if err := checkAlarmActions(scope, in.OKActions, in.AlarmActions, in.InsufficientDataActions); err != nil {
		return nil, err
	}
	at := now()
	made := &record.Alarm{Scope: scope, Tags: in.Tags, Composite: &cloudwatch.CompositeAlarm{
		AlarmName: in.AlarmName, AlarmArn: new(scope.ARN(service, "alarm:"+*in.AlarmName)), AlarmDescription: in.AlarmDescription,
		AlarmConfigurationUpdatedTimestamp: &at, ActionsEnabled: new(aws.ValueOr(in.ActionsEnabled, true)), AlarmRule: in.AlarmRule,
		OKActions: aws.List(in.OKActions), AlarmActions: aws.List(in.AlarmActions), InsufficientDataActions: aws.List(in.InsufficientDataActions),
		ActionsSuppressor: in.ActionsSuppressor, ActionsSuppressorWaitPeriod: wait, ActionsSuppressorExtensionPeriod: extension,
	}}
	for _, called := range rule.Alarms {
		made.Children = append(made.Children, store.AlarmName(called))
	}
	if in.ActionsSuppressor != nil {
		made.Children = append(made.Children, store.AlarmName(*in.ActionsSuppressor))
	}
	slices.Sort(made.Children)
	made.Children = slices.Compact(made.Children)
	return &cloudwatch.PutCompositeAlarmOutput{}, s.putAlarm(ctx, made, at)
}

// checkChildren refuses a composite alarm on alarms that are not there, or on itself.
func checkChildren(r store.Reader, made *record.Alarm) error {
	var missing []string
	for _, name := range made.Children {
		if _, ok := store.Alarms.Get(r, made.Scope.Key(name)); !ok && name != made.Name() {
			missing = append(missing, name)
		}
	}
	if len(missing) > 0 {
		return invalid("Could not save the composite alarm as alarms [%s] in the alarm rule do not exist", strings.Join(missing, ", "))
	}
	seen := map[string]bool{}
	var reaches func(names []string) bool
	reaches = func(names []string) bool {
		for _, name := range names {
			if name == made.Name() {
				return true
			}
			if seen[name] {
				continue
			}
			seen[name] = true
			if child, ok := store.Alarms.Get(r, made.Scope.Key(name)); ok && reaches(child.Children) {
				return true
			}
		}
		return false
	}
	if reaches(made.Children) {
		return invalid("The composite alarm %s would depend on itself.", made.Name())
	}
	return nil
}

package plan

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"fargo"
	"fargo/aws"
	"fargo/aws/ecs"
	"fargo/aws/events"
	"fargo/aws/scheduler"
	"fargo/record"
)

// What a target's retry policy leaves out. Source: EventBridge user guide, "Retry policies".
const (
	maxEventAge      = 24 * time.Hour
	maxEventAttempts = 185
)

// The first pause before an event is sent again, and the longest: 185 attempts are a day.
const (
	firstPause = time.Second
	mostPause  = 9 * time.Minute
)

// functionRetries is how often a function that has failed is called again, a minute and two
// minutes later. Here the failure is the function's own, or that it cannot be called.
// Source: Lambda developer guide, "How Lambda handles errors and retries with asynchronous
// invocation".
const (
	functionRetries = 2
	functionPause   = time.Minute
)

// NextEventAttempt is when a delivery that has failed is tried again; false when it is
// given up. jitter is between 0 and 1. Attempts counts the failure.
func NextEventAttempt(d *record.EventDelivery, now time.Time, jitter float64, pace fargo.Pace) (time.Time, bool) {
	age, attempts := maxEventAge, int32(maxEventAttempts)
	if p := d.Target.RetryPolicy; p != nil {
		age = time.Duration(aws.ValueOr(p.MaximumEventAgeInSeconds, int32(maxEventAge/time.Second))) * time.Second
		attempts = aws.ValueOr(p.MaximumRetryAttempts, maxEventAttempts)
	}
	if ToFunction(d) {
		attempts = min(attempts, functionRetries)
	}
	if d.Attempts > int(attempts) {
		return time.Time{}, false
	}
	next := now.Add(pace.Of(eventPause(d, jitter)))
	return next, !next.After(d.Made.Add(age))
}

// eventPause is how long to wait after the last attempt.
func eventPause(d *record.EventDelivery, jitter float64) time.Duration {
	n := d.Attempts - 1
	if ToFunction(d) {
		return functionPause << min(n, functionRetries)
	}
	pause := mostPause
	if n < 10 {
		pause = min(firstPause<<n, mostPause)
	}
	return pause/2 + time.Duration(jitter*float64(pause/2))
}

// ToFunction reports whether a delivery is to a function of Lambda.
func ToFunction(d *record.EventDelivery) bool {
	a, _ := fargo.ParseARN(*d.Target.Arn)
	return a.Service == "lambda"
}

// DeadLetter is what goes to the dead-letter queue of a delivery that is given up, under an
// id; nil when it has none. code and message tell the last error, whether it is permanent
// that no other attempt was made.
// Source: EventBridge user guide, "Using dead-letter queues to process undelivered events";
// EventBridge Scheduler user guide, "Configuring a dead-letter queue".
func DeadLetter(d *record.EventDelivery, id, code, message string, permanent bool, now time.Time) *record.EventDelivery {
	if d.Target.DeadLetterConfig == nil || aws.Value(d.Target.DeadLetterConfig.Arn) == "" {
		return nil
	}
	attributes := map[string]string{
		"RULE_ARN": d.Owner, "TARGET_ARN": *d.Target.Arn, "ERROR_CODE": code, "ERROR_MESSAGE": message, "RETRY_ATTEMPTS": strconv.Itoa(d.Attempts - 1),
	}
	if FromScheduler(d) {
		delete(attributes, "RULE_ARN")
		attributes["SCHEDULE_ARN"], attributes["SCHEDULED_TIME"], attributes["EXECUTION_ID"] = d.Owner, EventTime(d.Scheduled), d.ID
	}
	if !permanent {
		attributes["EXHAUSTED_RETRY_CONDITION"] = "MaximumEventAgeInSeconds"
		if p := d.Target.RetryPolicy; d.Attempts > maxEventAttempts || ToFunction(d) && d.Attempts > functionRetries || p != nil && d.Attempts > int(aws.ValueOr(p.MaximumRetryAttempts, maxEventAttempts)) {
			attributes["EXHAUSTED_RETRY_CONDITION"] = "MaximumRetryAttempts"
		}
	}
	return &record.EventDelivery{
		Scope: d.Scope, ID: id, Owner: d.Owner, Target: events.Target{Id: d.Target.Id, Arn: d.Target.DeadLetterConfig.Arn},
		Body: DeliveryBody(d), Made: now, Scheduled: d.Scheduled, Attributes: attributes,
	}
}

// FromScheduler reports whether a delivery is of EventBridge Scheduler.
func FromScheduler(d *record.EventDelivery) bool {
	a, _ := fargo.ParseARN(d.Owner)
	return a.Service == "scheduler"
}

// DeliverySource is the ARN of what a role is assumed for (aws:SourceArn): the rule, or the
// group of the schedule.
// Source: EventBridge user guide, "Confused deputy prevention"; EventBridge Scheduler user
// guide, "Confused deputy prevention".
func DeliverySource(d *record.EventDelivery) string {
	a, _ := fargo.ParseARN(d.Owner)
	if a.Service != "scheduler" {
		return d.Owner
	}
	group, _, _ := strings.Cut(strings.TrimPrefix(a.Resource, "schedule/"), "/")
	return a.Scope().ARN("scheduler", "schedule-group/"+group)
}

// ScheduledTarget is the target of a schedule, as rules have them. ECS's tags are maps
// there.
func ScheduledTarget(t *scheduler.Target) events.Target {
	out := events.Target{Id: new("schedule"), Arn: t.Arn, RoleArn: t.RoleArn}
	if p := t.RetryPolicy; p != nil {
		out.RetryPolicy = &events.RetryPolicy{MaximumEventAgeInSeconds: p.MaximumEventAgeInSeconds, MaximumRetryAttempts: p.MaximumRetryAttempts}
	}
	if c := t.DeadLetterConfig; c != nil {
		out.DeadLetterConfig = &events.DeadLetterConfig{Arn: c.Arn}
	}
	if p := t.SqsParameters; p != nil {
		out.SqsParameters = &events.SqsParameters{MessageGroupId: p.MessageGroupId}
	}
	if p := t.EcsParameters; p != nil {
		out.EcsParameters = scheduledTask(p)
	}
	return out
}

func scheduledTask(p *scheduler.EcsParameters) *events.EcsParameters {
	out := &events.EcsParameters{
		TaskDefinitionArn: p.TaskDefinitionArn, TaskCount: p.TaskCount, LaunchType: events.LaunchType(p.LaunchType), PlatformVersion: p.PlatformVersion,
		Group: p.Group, EnableECSManagedTags: p.EnableECSManagedTags, EnableExecuteCommand: p.EnableExecuteCommand,
		PropagateTags: events.PropagateTags(p.PropagateTags), ReferenceId: p.ReferenceId,
	}
	if n := p.NetworkConfiguration; n != nil && n.AwsvpcConfiguration != nil {
		out.NetworkConfiguration = &events.NetworkConfiguration{AwsvpcConfiguration: &events.AwsVpcConfiguration{
			Subnets: n.AwsvpcConfiguration.Subnets, SecurityGroups: n.AwsvpcConfiguration.SecurityGroups,
			AssignPublicIp: events.AssignPublicIp(n.AwsvpcConfiguration.AssignPublicIp),
		}}
	}
	for _, c := range p.CapacityProviderStrategy {
		out.CapacityProviderStrategy = append(out.CapacityProviderStrategy, events.CapacityProviderStrategyItem{CapacityProvider: c.CapacityProvider, Weight: c.Weight, Base: c.Base})
	}
	for _, c := range p.PlacementConstraints {
		out.PlacementConstraints = append(out.PlacementConstraints, events.PlacementConstraint{Type: events.PlacementConstraintType(c.Type), Expression: c.Expression})
	}
	for _, c := range p.PlacementStrategy {
		out.PlacementStrategy = append(out.PlacementStrategy, events.PlacementStrategy{Type: events.PlacementStrategyType(c.Type), Field: c.Field})
	}
	for _, tags := range p.Tags {
		if key := tags["Key"]; key != "" {
			out.Tags = append(out.Tags, events.Tag{Key: &key, Value: new(tags["Value"])})
		}
	}
	return out
}

// DeliveryBody is what a delivery gives its target, with what Scheduler writes in place of
// its context attributes.
// Source: EventBridge Scheduler user guide, "Adding context attributes".
func DeliveryBody(d *record.EventDelivery) string {
	if !FromScheduler(d) {
		return d.Body
	}
	return strings.NewReplacer(
		"<aws.scheduler.schedule-arn>", d.Owner, "<aws.scheduler.scheduled-time>", EventTime(d.Scheduled),
		"<aws.scheduler.execution-id>", d.ID, "<aws.scheduler.attempt-number>", strconv.Itoa(d.Attempts+1),
	).Replace(d.Body)
}

// DeliveryTask is what a delivery to an ECS cluster asks for. Its client token is the
// delivery's id, so that it runs tasks once however often it is asked.
func DeliveryTask(d *record.EventDelivery) (*ecs.RunTaskInput, error) {
	p := d.Target.EcsParameters
	owner, _ := fargo.ParseARN(d.Owner)
	startedBy := "events-rule/" + owner.Name()
	if FromScheduler(d) {
		startedBy = "chronos-schedule/" + owner.Name()
	}
	in := &ecs.RunTaskInput{
		Cluster: d.Target.Arn, TaskDefinition: p.TaskDefinitionArn, Count: new(aws.ValueOr(p.TaskCount, 1)), ClientToken: &d.ID, StartedBy: &startedBy,
		LaunchType: ecs.LaunchType(p.LaunchType), PlatformVersion: p.PlatformVersion, Group: p.Group, ReferenceId: p.ReferenceId,
		EnableECSManagedTags: p.EnableECSManagedTags, EnableExecuteCommand: p.EnableExecuteCommand, PropagateTags: ecs.PropagateTags(p.PropagateTags),
	}
	if n := p.NetworkConfiguration; n != nil && n.AwsvpcConfiguration != nil {
		in.NetworkConfiguration = &ecs.NetworkConfiguration{AwsvpcConfiguration: &ecs.AwsVpcConfiguration{
			Subnets: n.AwsvpcConfiguration.Subnets, SecurityGroups: n.AwsvpcConfiguration.SecurityGroups,
			AssignPublicIp: ecs.AssignPublicIp(n.AwsvpcConfiguration.AssignPublicIp),
		}}
	}
	for _, c := range p.CapacityProviderStrategy {
		in.CapacityProviderStrategy = append(in.CapacityProviderStrategy, ecs.CapacityProviderStrategyItem{
			CapacityProvider: c.CapacityProvider, Weight: c.Weight, Base: c.Base,
		})
	}
	for _, c := range p.PlacementConstraints {
		in.PlacementConstraints = append(in.PlacementConstraints, ecs.PlacementConstraint{Type: ecs.PlacementConstraintType(c.Type), Expression: c.Expression})
	}
	for _, c := range p.PlacementStrategy {
		in.PlacementStrategy = append(in.PlacementStrategy, ecs.PlacementStrategy{Type: ecs.PlacementStrategyType(c.Type), Field: c.Field})
	}
	for _, t := range p.Tags {
		in.Tags = append(in.Tags, ecs.Tag{Key: t.Key, Value: t.Value})
	}
	overridden := d.Target.Input != nil || d.Target.InputPath != nil || d.Target.InputTransformer != nil || FromScheduler(d)
	if body := DeliveryBody(d); overridden && body != "" { // an event by itself overrides nothing
		in.Overrides = &ecs.TaskOverride{}
		if err := json.Unmarshal([]byte(body), in.Overrides); err != nil {
			return nil, fmt.Errorf("read the overrides of a task: %w", err)
		}
	}
	return in, nil
}

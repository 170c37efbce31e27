package events

import (
	"encoding/json"
	"strings"

	"fargo"
	"fargo/api"
	"fargo/aws"
	"fargo/aws/events"
	"fargo/record"
	"fargo/store"
)

// Actions are what the operations ask IAM for.
// Source: Service Authorization Reference, "Amazon EventBridge"; the rows of what is not
// about rules and events are made like those of other services.
var Actions = &api.Actions{
	Prefix:      "events",
	TagOnCreate: "events:TagResource",
	Tags: func(r store.Reader, arn string) map[string]string {
		a, _ := fargo.ParseARN(arn)
		resource, err := tagged(r, a.Scope(), arn)
		if err != nil {
			return nil
		}
		return tagMap(resource.Tags)
	},
	Policy: func(r store.Reader, arn string) (api.ResourcePolicy, bool) {
		a, _ := fargo.ParseARN(arn)
		name, isBus := strings.CutPrefix(a.Resource, busARNs.Prefix)
		b, ok := store.EventBuses.Get(r, a.Scope().Key(name))
		if !isBus || !ok || b.Bus.Policy == nil {
			return api.ResourcePolicy{}, false
		}
		return api.ResourcePolicy{Document: *b.Bus.Policy}, true
	},
	Rows: map[string]api.Row{
		"CreateEventBus": onBus(func(in *events.CreateEventBusInput) *string { return in.Name }).
			Tags(func(in *events.CreateEventBusInput) map[string]string { return tagMap(in.Tags) }).Creates().Inferred(),
		"UpdateEventBus":   onBus(func(in *events.UpdateEventBusInput) *string { return in.Name }).Inferred(),
		"DeleteEventBus":   onBus(func(in *events.DeleteEventBusInput) *string { return in.Name }).Inferred(),
		"DescribeEventBus": onBus(func(in *events.DescribeEventBusInput) *string { return in.Name }).Inferred(),
		"PutPermission":    onBus(func(in *events.PutPermissionInput) *string { return in.EventBusName }).Inferred(),
		"RemovePermission": onBus(func(in *events.RemovePermissionInput) *string { return in.EventBusName }).Inferred(),
		"PutEvents": api.On(func(q *api.Query, in *events.PutEventsInput) (arns []string) {
			for _, e := range in.Entries {
				arns = append(arns, busARN(q, e.EventBusName))
			}
			return arns
		}).
			Key("events:source", func(_ *api.Query, in *events.PutEventsInput) (values []string) {
				for _, e := range in.Entries {
					values = append(values, api.Given(e.Source)...)
				}
				return values
			}).
			Key("events:detail-type", func(_ *api.Query, in *events.PutEventsInput) (values []string) {
				for _, e := range in.Entries {
					values = append(values, api.Given(e.DetailType)...)
				}
				return values
			}),
		"PutRule": onRule(func(in *events.PutRuleInput) (name, bus *string) { return in.Name, in.EventBusName }).
			Tags(func(in *events.PutRuleInput) map[string]string { return tagMap(in.Tags) }).Creates().
			Also(func(_ *api.Query, in *events.PutRuleInput) []api.Access { return api.PassRole(ownService, in.RoleArn) }).
			Key("events:source", patternValues("source")).Key("events:detail-type", patternValues("detail-type")),
		"DeleteRule":        onRule(func(in *events.DeleteRuleInput) (name, bus *string) { return in.Name, in.EventBusName }),
		"DescribeRule":      onRule(func(in *events.DescribeRuleInput) (name, bus *string) { return in.Name, in.EventBusName }),
		"EnableRule":        onRule(func(in *events.EnableRuleInput) (name, bus *string) { return in.Name, in.EventBusName }),
		"DisableRule":       onRule(func(in *events.DisableRuleInput) (name, bus *string) { return in.Name, in.EventBusName }),
		"ListTargetsByRule": onRule(func(in *events.ListTargetsByRuleInput) (name, bus *string) { return in.Rule, in.EventBusName }),
		"RemoveTargets":     onRule(func(in *events.RemoveTargetsInput) (name, bus *string) { return in.Rule, in.EventBusName }),
		"PutTargets": onRule(func(in *events.PutTargetsInput) (name, bus *string) { return in.Rule, in.EventBusName }).
			Key("events:TargetArn", func(_ *api.Query, in *events.PutTargetsInput) (arns []string) {
				for _, t := range in.Targets {
					arns = append(arns, api.Given(t.Arn)...)
				}
				return arns
			}).
			Also(func(_ *api.Query, in *events.PutTargetsInput) (all []api.Access) {
				for _, t := range in.Targets {
					all = append(all, api.PassRole(ownService, t.RoleArn)...)
				}
				return all
			}),
		"ListRules":             api.AnyResource[any](),
		"ListRuleNamesByTarget": api.AnyResource[any](),
		"ListEventBuses":        api.AnyResource[any](),
		"ListConnections":       api.AnyResource[any]().Inferred(),
		"ListApiDestinations":   api.AnyResource[any]().Inferred(),
		"TestEventPattern":      api.AnyResource[any]().Inferred(),

		"CreateConnection":       on("connection/", func(in *events.CreateConnectionInput) *string { return in.Name }).Inferred(),
		"UpdateConnection":       on("connection/", func(in *events.UpdateConnectionInput) *string { return in.Name }).Inferred(),
		"DescribeConnection":     on("connection/", func(in *events.DescribeConnectionInput) *string { return in.Name }).Inferred(),
		"DeleteConnection":       on("connection/", func(in *events.DeleteConnectionInput) *string { return in.Name }).Inferred(),
		"DeauthorizeConnection":  on("connection/", func(in *events.DeauthorizeConnectionInput) *string { return in.Name }).Inferred(),
		"CreateApiDestination":   on("api-destination/", func(in *events.CreateApiDestinationInput) *string { return in.Name }).Inferred(),
		"UpdateApiDestination":   on("api-destination/", func(in *events.UpdateApiDestinationInput) *string { return in.Name }).Inferred(),
		"DescribeApiDestination": on("api-destination/", func(in *events.DescribeApiDestinationInput) *string { return in.Name }).Inferred(),
		"DeleteApiDestination":   on("api-destination/", func(in *events.DeleteApiDestinationInput) *string { return in.Name }).Inferred(),

		"TagResource": named(func(in *events.TagResourceInput) *string { return in.ResourceARN }).
			Tags(func(in *events.TagResourceInput) map[string]string { return tagMap(in.Tags) }).Inferred(),
		"UntagResource": named(func(in *events.UntagResourceInput) *string { return in.ResourceARN }).
			Key("aws:TagKeys", func(_ *api.Query, in *events.UntagResourceInput) []string { return in.TagKeys }).Inferred(),
		"ListTagsForResource": named(func(in *events.ListTagsForResourceInput) *string { return in.ResourceARN }).Inferred(),
	},
}

func tagMap(tags []events.Tag) map[string]string {
	return api.TagMap(tags, func(t events.Tag) (key, value *string) { return t.Key, t.Value })
}

// busARN is the ARN of a bus that a name or an ARN means.
func busARN(q *api.Query, given *string) string {
	name := aws.ValueOr(given, record.DefaultEventBus)
	if _, ok := fargo.ParseARN(name); ok {
		return name
	}
	return q.ARN("events", "event-bus/"+name)
}

func onBus[In any](bus func(*In) *string) api.Rule[In] {
	return api.On(func(q *api.Query, in *In) []string { return []string{busARN(q, bus(in))} })
}

func onRule[In any](of func(*In) (name, bus *string)) api.Rule[In] {
	return api.On(func(q *api.Query, in *In) []string {
		name, bus := of(in)
		a, _ := fargo.ParseARN(busARN(q, bus))
		on := a.Name() + "/"
		if on == record.DefaultEventBus+"/" {
			on = ""
		}
		return []string{q.ARN("events", ruleARNs.Prefix+on+aws.Value(name))}
	})
}

// on is the row of an operation on a connection or an API destination. Their ARNs end
// with an id, which policies do not know.
func on[In any](prefix string, name func(*In) *string) api.Rule[In] {
	return api.On(func(q *api.Query, in *In) []string { return []string{q.ARN("events", prefix+aws.Value(name(in)))} })
}

func named[In any](arn func(*In) *string) api.Rule[In] {
	return api.On(func(_ *api.Query, in *In) []string { return api.Given(arn(in)) })
}

// ownService is whom roles are passed to.
const ownService = "events.amazonaws.com"

// patternValues are the strings that a pattern has for a field of events.
func patternValues(field string) func(*api.Query, *events.PutRuleInput) []string {
	return func(_ *api.Query, in *events.PutRuleInput) (values []string) {
		var pattern map[string]json.RawMessage
		var of []any
		if json.Unmarshal([]byte(aws.Value(in.EventPattern)), &pattern) != nil || json.Unmarshal(pattern[field], &of) != nil {
			return nil
		}
		for _, v := range of {
			if text, ok := v.(string); ok {
				values = append(values, text)
			}
		}
		return values
	}
}

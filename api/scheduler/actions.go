package scheduler

import (
	"fargo"
	"fargo/api"
	"fargo/aws"
	"fargo/aws/scheduler"
	"fargo/record"
	"fargo/store"
)

// Actions are what the operations ask IAM for.
// Source: Service Authorization Reference, "Amazon EventBridge Scheduler"; the rows of tags
// are made like those of other services.
var Actions = &api.Actions{
	Prefix:      "scheduler",
	TagOnCreate: "scheduler:TagResource",
	Tags: func(r store.Reader, arn string) map[string]string {
		a, _ := fargo.ParseARN(arn)
		g, ok := store.ScheduleGroups.Get(r, a.Scope().Key(a.Name()))
		if !ok {
			return nil
		}
		return tagMap(g.Tags)
	},
	Rows: map[string]api.Row{
		"CreateSchedule": on(func(in *scheduler.CreateScheduleInput) (name, group *string) { return in.Name, in.GroupName }).
			Also(func(_ *api.Query, in *scheduler.CreateScheduleInput) []api.Access { return passRole(in.Target) }),
		"UpdateSchedule": on(func(in *scheduler.UpdateScheduleInput) (name, group *string) { return in.Name, in.GroupName }).
			Also(func(_ *api.Query, in *scheduler.UpdateScheduleInput) []api.Access { return passRole(in.Target) }),
		"GetSchedule":    on(func(in *scheduler.GetScheduleInput) (name, group *string) { return in.Name, in.GroupName }),
		"DeleteSchedule": on(func(in *scheduler.DeleteScheduleInput) (name, group *string) { return in.Name, in.GroupName }),
		"CreateScheduleGroup": onGroup(func(in *scheduler.CreateScheduleGroupInput) *string { return in.Name }).
			Tags(func(in *scheduler.CreateScheduleGroupInput) map[string]string { return tagMap(in.Tags) }).Creates(),
		"GetScheduleGroup":    onGroup(func(in *scheduler.GetScheduleGroupInput) *string { return in.Name }),
		"DeleteScheduleGroup": onGroup(func(in *scheduler.DeleteScheduleGroupInput) *string { return in.Name }),
		"ListSchedules":       api.AnyResource[any](),
		"ListScheduleGroups":  api.AnyResource[any](),

		"TagResource": named(func(in *scheduler.TagResourceInput) *string { return in.ResourceArn }).
			Tags(func(in *scheduler.TagResourceInput) map[string]string { return tagMap(in.Tags) }).Inferred(),
		"UntagResource": named(func(in *scheduler.UntagResourceInput) *string { return in.ResourceArn }).
			Key("aws:TagKeys", func(_ *api.Query, in *scheduler.UntagResourceInput) []string { return in.TagKeys }).Inferred(),
		"ListTagsForResource": named(func(in *scheduler.ListTagsForResourceInput) *string { return in.ResourceArn }).Inferred(),
	},
}

func tagMap(tags []scheduler.Tag) map[string]string {
	return api.TagMap(tags, func(t scheduler.Tag) (key, value *string) { return t.Key, t.Value })
}

func on[In any](of func(*In) (name, group *string)) api.Rule[In] {
	return api.On(func(q *api.Query, in *In) []string {
		name, group := of(in)
		return []string{q.ARN("scheduler", "schedule/"+aws.ValueOr(group, record.DefaultScheduleGroup)+"/"+aws.Value(name))}
	})
}

func onGroup[In any](name func(*In) *string) api.Rule[In] {
	return api.On(func(q *api.Query, in *In) []string {
		return []string{q.ARN("scheduler", groupPrefix+aws.Value(name(in)))}
	})
}

func named[In any](arn func(*In) *string) api.Rule[In] {
	return api.On(func(_ *api.Query, in *In) []string { return api.Given(arn(in)) })
}

func passRole(t *scheduler.Target) []api.Access {
	if t == nil {
		return nil
	}
	return api.PassRole(ownService, t.RoleArn)
}

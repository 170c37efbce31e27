package cloudwatch

import (
	"slices"
	"strings"

	"fargo"
	"fargo/api"
	"fargo/aws"
	"fargo/aws/cloudwatch"
	"fargo/store"
)

// Actions are what the operations ask IAM for.
// Source: Service Authorization Reference, "Amazon CloudWatch".
var Actions = &api.Actions{
	Prefix:      service,
	TagOnCreate: "cloudwatch:TagResource",
	Tags: func(r store.Reader, arn string) map[string]string {
		a, _ := fargo.ParseARN(arn)
		kind, name, _ := strings.Cut(a.Resource, ":")
		find := tagged[kind]
		if find == nil {
			return nil
		}
		t, ok := find(r, a.Scope(), name)
		if !ok {
			return nil
		}
		return tagMap(t.Tags)
	},
	Rows: map[string]api.Row{
		"PutMetricData": api.AnyResource[cloudwatch.PutMetricDataInput]().
			Key("cloudwatch:namespace", func(_ *api.Query, in *cloudwatch.PutMetricDataInput) []string { return api.Given(in.Namespace) }),
		"ListMetrics":          api.AnyResource[any](),
		"GetMetricData":        api.AnyResource[any](),
		"GetMetricStatistics":  api.AnyResource[any](),
		"GetMetricWidgetImage": api.AnyResource[any](),

		"TagResource": named(func(in *cloudwatch.TagResourceInput) *string { return in.ResourceARN }).
			Tags(func(in *cloudwatch.TagResourceInput) map[string]string { return tagMap(in.Tags) }),
		"UntagResource": named(func(in *cloudwatch.UntagResourceInput) *string { return in.ResourceARN }).
			Key("aws:TagKeys", func(_ *api.Query, in *cloudwatch.UntagResourceInput) []string { return in.TagKeys }),
		"PutMetricAlarm": onAlarm(func(in *cloudwatch.PutMetricAlarmInput) []string { return api.Given(in.AlarmName) }).
			Tags(func(in *cloudwatch.PutMetricAlarmInput) map[string]string { return tagMap(in.Tags) }).
			Key("cloudwatch:AlarmActions", func(_ *api.Query, in *cloudwatch.PutMetricAlarmInput) []string {
				return slices.Concat(in.AlarmActions, in.OKActions, in.InsufficientDataActions)
			}).Creates(),
		"PutCompositeAlarm": onAlarm(func(in *cloudwatch.PutCompositeAlarmInput) []string { return api.Given(in.AlarmName) }).
			Tags(func(in *cloudwatch.PutCompositeAlarmInput) map[string]string { return tagMap(in.Tags) }).
			Key("cloudwatch:AlarmActions", func(_ *api.Query, in *cloudwatch.PutCompositeAlarmInput) []string {
				return slices.Concat(in.AlarmActions, in.OKActions, in.InsufficientDataActions)
			}).Creates(),
		"DeleteAlarms":   onAlarm(func(in *cloudwatch.DeleteAlarmsInput) []string { return in.AlarmNames }),
		"DescribeAlarms": onAlarm(func(*cloudwatch.DescribeAlarmsInput) []string { return []string{"*"} }),
		"DescribeAlarmHistory": onAlarm(func(in *cloudwatch.DescribeAlarmHistoryInput) []string {
			return []string{aws.ValueOr(in.AlarmName, "*")}
		}),
		"DescribeAlarmsForMetric": api.AnyResource[any](),
		"SetAlarmState":           onAlarm(func(in *cloudwatch.SetAlarmStateInput) []string { return api.Given(in.AlarmName) }),
		"EnableAlarmActions":      onAlarm(func(in *cloudwatch.EnableAlarmActionsInput) []string { return in.AlarmNames }),
		"DisableAlarmActions":     onAlarm(func(in *cloudwatch.DisableAlarmActionsInput) []string { return in.AlarmNames }),

		"ListTagsForResource": named(func(in *cloudwatch.ListTagsForResourceInput) *string { return in.ResourceARN }),
	},
}

func tagMap(tags []cloudwatch.Tag) map[string]string {
	return api.TagMap(tags, func(t cloudwatch.Tag) (key, value *string) { return t.Key, t.Value })
}

func named[In any](arn func(*In) *string) api.Rule[In] {
	return api.On(func(_ *api.Query, in *In) []string { return api.Given(arn(in)) })
}

func onAlarm[In any](names func(*In) []string) api.Rule[In] {
	return api.On(func(q *api.Query, in *In) (arns []string) {
		for _, name := range names(in) {
			arns = append(arns, q.ARN(service, "alarm:"+name))
		}
		return arns
	})
}

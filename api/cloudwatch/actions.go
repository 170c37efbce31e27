package cloudwatch

import (
	"strings"

	"fargo"
	"fargo/api"
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
		"ListMetrics":         api.AnyResource[any](),
		"GetMetricStatistics": api.AnyResource[any](),

		"TagResource": named(func(in *cloudwatch.TagResourceInput) *string { return in.ResourceARN }).
			Tags(func(in *cloudwatch.TagResourceInput) map[string]string { return tagMap(in.Tags) }),
		"UntagResource": named(func(in *cloudwatch.UntagResourceInput) *string { return in.ResourceARN }).
			Key("aws:TagKeys", func(_ *api.Query, in *cloudwatch.UntagResourceInput) []string { return in.TagKeys }),
		"ListTagsForResource": named(func(in *cloudwatch.ListTagsForResourceInput) *string { return in.ResourceARN }),
	},
}

func tagMap(tags []cloudwatch.Tag) map[string]string {
	return api.TagMap(tags, func(t cloudwatch.Tag) (key, value *string) { return t.Key, t.Value })
}

func named[In any](arn func(*In) *string) api.Rule[In] {
	return api.On(func(_ *api.Query, in *In) []string { return api.Given(arn(in)) })
}

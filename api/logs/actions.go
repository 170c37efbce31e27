package logs

import (
	"strings"

	"fargo"
	"fargo/api"
	"fargo/aws"
	"fargo/aws/logs"
	engine "fargo/logs"
	"fargo/store"
)

// Actions are what the operations ask IAM for; events and groups are in s.
// Source: Service Authorization Reference, "Amazon CloudWatch Logs". A group's ARN
// ends in ":*" for all that is done to it and its streams, but for tags.
func Actions(s *engine.Store) *api.Actions {
	return &api.Actions{
		Prefix:      "logs",
		TagOnCreate: "logs:TagResource",
		Tags: func(_ store.Reader, arn string) map[string]string {
			a, _ := fargo.ParseARN(arn)
			name, _, _ := strings.Cut(strings.TrimPrefix(a.Resource, groupPrefix), ":")
			g, err := s.Group(a.Scope(), name)
			if err != nil {
				return nil
			}
			return g.Tags
		},
		Rows: rows,
	}
}

var rows = map[string]api.Row{
	"CreateLogGroup": onGroup(func(in *logs.CreateLogGroupInput) (name, identifier *string) { return in.LogGroupName, nil }).
		Tags(func(in *logs.CreateLogGroupInput) map[string]string { return in.Tags }).
		Also(func(q *api.Query, in *logs.CreateLogGroupInput) []api.Access {
			if len(in.Tags) == 0 {
				return nil
			}
			return []api.Access{q.TagOnCreate(bareGroup(q, aws.Value(in.LogGroupName)))}
		}),
	"AssociateKmsKey": onGroup(func(in *logs.AssociateKmsKeyInput) (name, identifier *string) {
		return in.LogGroupName, in.ResourceIdentifier
	}),
	"DisassociateKmsKey": onGroup(func(in *logs.DisassociateKmsKeyInput) (name, identifier *string) {
		return in.LogGroupName, in.ResourceIdentifier
	}),
	"DeleteLogGroup":        onGroup(func(in *logs.DeleteLogGroupInput) (name, identifier *string) { return in.LogGroupName, nil }),
	"DeleteRetentionPolicy": onGroup(func(in *logs.DeleteRetentionPolicyInput) (name, identifier *string) { return in.LogGroupName, nil }),
	"PutRetentionPolicy":    onGroup(func(in *logs.PutRetentionPolicyInput) (name, identifier *string) { return in.LogGroupName, nil }),
	"PutLogGroupDeletionProtection": onGroup(func(in *logs.PutLogGroupDeletionProtectionInput) (name, identifier *string) {
		return nil, in.LogGroupIdentifier
	}),
	"PutMetricFilter":    onGroup(func(in *logs.PutMetricFilterInput) (name, identifier *string) { return in.LogGroupName, nil }),
	"DeleteMetricFilter": onGroup(func(in *logs.DeleteMetricFilterInput) (name, identifier *string) { return in.LogGroupName, nil }),
	"DescribeMetricFilters": onGroup(func(in *logs.DescribeMetricFiltersInput) (name, identifier *string) {
		return in.LogGroupName, nil
	}),
	"DescribeLogStreams": onGroup(func(in *logs.DescribeLogStreamsInput) (name, identifier *string) {
		return in.LogGroupName, in.LogGroupIdentifier
	}),
	"FilterLogEvents": onGroup(func(in *logs.FilterLogEventsInput) (name, identifier *string) {
		return in.LogGroupName, in.LogGroupIdentifier
	}),
	"StartLiveTail": api.On(func(q *api.Query, in *logs.StartLiveTailInput) []string {
		var arns []string
		for _, id := range in.LogGroupIdentifiers {
			arns = append(arns, identifiedGroup(q, nil, &id))
		}
		return arns
	}),

	"CreateLogStream": onStream(func(in *logs.CreateLogStreamInput) (name, identifier, stream *string) {
		return in.LogGroupName, nil, in.LogStreamName
	}),
	"DeleteLogStream": onStream(func(in *logs.DeleteLogStreamInput) (name, identifier, stream *string) {
		return in.LogGroupName, nil, in.LogStreamName
	}),
	"PutLogEvents": onStream(func(in *logs.PutLogEventsInput) (name, identifier, stream *string) {
		return in.LogGroupName, nil, in.LogStreamName
	}),
	"GetLogEvents": onStream(func(in *logs.GetLogEventsInput) (name, identifier, stream *string) {
		return in.LogGroupName, in.LogGroupIdentifier, in.LogStreamName
	}),

	// So that only "*" and patterns of all groups allow it, as texts of denials show.
	"DescribeLogGroups": api.On(func(q *api.Query, _ *logs.DescribeLogGroupsInput) []string {
		return []string{q.ARN("logs", groupPrefix+":log-stream:")}
	}),
	"TestMetricFilter": api.AnyResource[any](),

	"TagLogGroup": onBareGroup(func(in *logs.TagLogGroupInput) *string { return in.LogGroupName }).
		Tags(func(in *logs.TagLogGroupInput) map[string]string { return in.Tags }).Inferred(),
	"UntagLogGroup": onBareGroup(func(in *logs.UntagLogGroupInput) *string { return in.LogGroupName }).
		Key("aws:TagKeys", func(_ *api.Query, in *logs.UntagLogGroupInput) []string { return in.Tags }).Inferred(),
	"ListTagsLogGroup": onBareGroup(func(in *logs.ListTagsLogGroupInput) *string { return in.LogGroupName }).Inferred(),
	"TagResource": onBareGroup(func(in *logs.TagResourceInput) *string { return in.ResourceArn }).
		Tags(func(in *logs.TagResourceInput) map[string]string { return in.Tags }),
	"UntagResource": onBareGroup(func(in *logs.UntagResourceInput) *string { return in.ResourceArn }).
		Key("aws:TagKeys", func(_ *api.Query, in *logs.UntagResourceInput) []string { return in.TagKeys }),
	"ListTagsForResource": onBareGroup(func(in *logs.ListTagsForResourceInput) *string { return in.ResourceArn }),
}

// onGroup is the row of an operation on a log group.
func onGroup[In any](of func(*In) (name, identifier *string)) api.Rule[In] {
	return api.On(func(q *api.Query, in *In) []string {
		name, identifier := of(in)
		return []string{identifiedGroup(q, name, identifier)}
	})
}

// onStream is the row of an operation on a log stream.
func onStream[In any](of func(*In) (name, identifier, stream *string)) api.Rule[In] {
	return api.On(func(q *api.Query, in *In) []string {
		name, identifier, stream := of(in)
		return []string{identifiedGroup(q, name, identifier) + aws.Value(stream)}
	})
}

// onBareGroup is the row of an operation on the tags of a log group, which a name
// or an ARN means.
func onBareGroup[In any](id func(*In) *string) api.Rule[In] {
	return api.On(func(q *api.Query, in *In) []string { return []string{bareGroup(q, aws.Value(id(in)))} })
}

// identifiedGroup is the ARN that operations on a group are decided about: with it
// match policies for the group and all of its streams (…:log-group:G:*).
func identifiedGroup(q *api.Query, name, identifier *string) string {
	id := aws.Value(identifier)
	if name != nil {
		id = *name
	}
	return bareGroup(q, id) + ":log-stream:"
}

func bareGroup(q *api.Query, id string) string {
	if strings.HasPrefix(id, "arn:") {
		return strings.TrimSuffix(id, ":*")
	}
	return groupARN(q.Scope(), id)
}

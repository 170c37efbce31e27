package cloudwatch

import (
	"context"
	"strings"

	"fargo"
	"fargo/api/tags"
	"fargo/aws"
	"fargo/aws/cloudwatch"
	"fargo/store"
)

// service is that of the ARNs.
const service = "cloudwatch"

// tagRules are CloudWatch's; keys and values have their bounds in the model.
// Source: CloudWatch API, TagResource.
var tagRules = tags.Rules[cloudwatch.Tag]{
	Most: 50,
	TooMany: func(most int) error {
		return cloudwatch.InvalidParameterValueException("A resource can have at most %d tags.", most)
	},
	Reserved: func(key string) error {
		return cloudwatch.InvalidParameterValueException("The tag key %s is reserved: keys cannot begin with aws:.", key)
	},
	Duplicate: func(key string) error {
		return cloudwatch.InvalidParameterValueException("The tag key %s is given twice.", key)
	},
}

// tagged finds the resources that have tags, by what their ARNs' resources begin with:
// "alarm" of "alarm:cpu-high".
var tagged = map[string]func(r store.Reader, scope fargo.Scope, name string) (*tags.Resource[cloudwatch.Tag], bool){
	"alarm": taggedAlarm,
}

// findTagged finds the resource that an ARN names.
func findTagged(r store.Reader, scope fargo.Scope, arn string) (*tags.Resource[cloudwatch.Tag], bool, error) {
	a, ok := fargo.ParseARN(arn)
	if !ok || a.Service != service {
		return nil, false, cloudwatch.InvalidParameterValueException("%s is not a valid ARN of CloudWatch.", arn)
	}
	kind, name, _ := strings.Cut(a.Resource, ":")
	find := tagged[kind]
	if find == nil || a.Scope() != scope {
		return nil, false, nil
	}
	found, ok := find(r, scope, name)
	return found, ok, nil
}

func (s *Server) changeTags(ctx context.Context, arn string, change func([]cloudwatch.Tag) ([]cloudwatch.Tag, error)) error {
	return s.update(ctx, func(tx *store.Tx, scope fargo.Scope) error {
		t, ok, err := findTagged(tx, scope, arn)
		if err != nil {
			return err
		}
		if !ok {
			return cloudwatch.ResourceNotFoundException("%s does not exist.", arn).WithField("ResourceId", arn)
		}
		return t.Change(tx, change)
	})
}

// TagResource adds tags to a resource, or gives them other values.
func (s *Server) TagResource(ctx context.Context, in *cloudwatch.TagResourceInput) (*cloudwatch.TagResourceOutput, error) {
	return &cloudwatch.TagResourceOutput{}, s.changeTags(ctx, *in.ResourceARN, func(has []cloudwatch.Tag) ([]cloudwatch.Tag, error) {
		return tagRules.Merge(has, in.Tags)
	})
}

// UntagResource takes tags away. Keys that are not there do no harm.
func (s *Server) UntagResource(ctx context.Context, in *cloudwatch.UntagResourceInput) (*cloudwatch.UntagResourceOutput, error) {
	return &cloudwatch.UntagResourceOutput{}, s.changeTags(ctx, *in.ResourceARN, func(has []cloudwatch.Tag) ([]cloudwatch.Tag, error) {
		return tagRules.Remove(has, in.TagKeys)
	})
}

// ListTagsForResource shows the tags of a resource. What does not exist has none, as
// recorded.
func (s *Server) ListTagsForResource(ctx context.Context, in *cloudwatch.ListTagsForResourceInput) (*cloudwatch.ListTagsForResourceOutput, error) {
	t, ok, err := findTagged(s.db.View(), scopeOf(ctx), *in.ResourceARN)
	if err != nil {
		return nil, err
	}
	out := &cloudwatch.ListTagsForResourceOutput{Tags: []cloudwatch.Tag{}}
	if ok {
		out.Tags = aws.List(t.Tags)
	}
	return out, nil
}

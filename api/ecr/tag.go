package ecr

import (
	"context"
	"slices"
	"strings"

	"fargo"
	"fargo/api"
	"fargo/aws/ecr"
	"fargo/record"
)

// Bounds of a resource's tags.
// Source: ECR user guide, "Tagging a private repository".
const (
	maxTags     = 50
	maxTagKey   = 128
	maxTagValue = 256
)

func checkTags(tags []ecr.Tag) error {
	if len(tags) > maxTags {
		return ecr.TooManyTagsException("The list of tags on the repository is over the limit. The maximum number of tags that can be applied to a repository is %d.", maxTags)
	}
	for i, t := range tags {
		key := *t.Key
		switch {
		case key == "" || len(key) > maxTagKey || len(*t.Value) > maxTagValue:
			return ecr.InvalidTagParameterException("Tag keys have 1 to %d characters and tag values at most %d.", maxTagKey, maxTagValue)
		case strings.HasPrefix(strings.ToLower(key), "aws:"):
			return ecr.InvalidTagParameterException("Tag keys that begin with aws: are reserved.")
		case slices.ContainsFunc(tags[:i], func(o ecr.Tag) bool { return *o.Key == key }):
			return ecr.InvalidTagParameterException("Duplicate tag keys are not allowed: %s", key)
		}
	}
	return nil
}

// taggedName is the name of the repository that an ARN is of.
func taggedName(ctx context.Context, arn string) (*string, error) {
	a, ok := fargo.ParseARN(arn)
	name, isRepository := strings.CutPrefix(a.Resource, "repository/")
	if !ok || a.Service != "ecr" || !isRepository || a.Scope() != api.CallFrom(ctx).Scope() {
		return nil, ecr.InvalidParameterException("Invalid parameter at 'resourceArn' failed to satisfy constraint: 'Invalid ARN'")
	}
	return &name, nil
}

// TagResource lays tags over those a repository has.
func (s *Server) TagResource(ctx context.Context, in *ecr.TagResourceInput) (*ecr.TagResourceOutput, error) {
	if err := checkTags(in.Tags); err != nil {
		return nil, err
	}
	return new(ecr.TagResourceOutput), s.changeTags(ctx, *in.ResourceArn, func(tags []ecr.Tag) []ecr.Tag {
		keys := make([]string, len(in.Tags))
		for i, t := range in.Tags {
			keys[i] = *t.Key
		}
		return append(without(tags, keys), in.Tags...)
	})
}

// UntagResource takes tags from a repository.
func (s *Server) UntagResource(ctx context.Context, in *ecr.UntagResourceInput) (*ecr.UntagResourceOutput, error) {
	return new(ecr.UntagResourceOutput), s.changeTags(ctx, *in.ResourceArn, func(tags []ecr.Tag) []ecr.Tag {
		return without(tags, in.TagKeys)
	})
}

// without copies tags but for those with the keys.
func without(tags []ecr.Tag, keys []string) []ecr.Tag {
	return slices.DeleteFunc(slices.Clone(tags), func(t ecr.Tag) bool { return slices.Contains(keys, *t.Key) })
}

func (s *Server) changeTags(ctx context.Context, arn string, f func([]ecr.Tag) []ecr.Tag) error {
	name, err := taggedName(ctx, arn)
	if err != nil {
		return err
	}
	_, err = s.change(ctx, nil, name, func(r *record.Repository) error {
		r.Tags = f(r.Tags)
		return checkTags(r.Tags)
	})
	return err
}

// ListTagsForResource shows a repository's tags.
func (s *Server) ListTagsForResource(ctx context.Context, in *ecr.ListTagsForResourceInput) (*ecr.ListTagsForResourceOutput, error) {
	name, err := taggedName(ctx, *in.ResourceArn)
	if err != nil {
		return nil, err
	}
	r, err := find(s.db.View(), api.CallFrom(ctx).Scope(), *name)
	if err != nil {
		return nil, err
	}
	return &ecr.ListTagsForResourceOutput{Tags: append([]ecr.Tag{}, r.Tags...)}, nil
}

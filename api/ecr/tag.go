package ecr

import (
	"context"

	"fargo"
	"fargo/api"
	"fargo/api/arn"
	"fargo/api/tags"
	"fargo/aws"
	"fargo/aws/ecr"
	"fargo/record"
)

// tagRules are ECR's; the texts are ours.
// Source: ECR user guide, "Tagging a private repository".
var tagRules = tags.Rules[ecr.Tag]{
	Most: 50, MostKey: maxTagKey, MostValue: maxTagValue,
	TooMany: func(most int) error {
		return ecr.TooManyTagsException("The list of tags on the repository is over the limit. The maximum number of tags that can be applied to a repository is %d.", most)
	},
	BadKey:   badTag,
	BadValue: badTag,
	Reserved: func(string) error {
		return ecr.InvalidTagParameterException("Tag keys that begin with aws: are reserved.")
	},
	Duplicate: func(key string) error {
		return ecr.InvalidTagParameterException("Duplicate tag keys are not allowed: %s", key)
	},
}

// How many characters a tag may have.
const (
	maxTagKey   = 128
	maxTagValue = 256
)

func badTag(int) error {
	return ecr.InvalidTagParameterException("Tag keys have 1 to %d characters and tag values at most %d.", maxTagKey, maxTagValue)
}

// repositoryARNs are what tags are given to.
var repositoryARNs = arn.Kind{
	Service: "ecr", Prefix: "repository/",
	NotOne:    func(string) error { return errResourceARN },
	Elsewhere: func(fargo.ARN, fargo.Scope) error { return errResourceARN },
}

var errResourceARN = ecr.InvalidParameterException("Invalid parameter at 'resourceArn' failed to satisfy constraint: 'Invalid ARN'")

// taggedName is the name of the repository that an ARN is of.
func taggedName(ctx context.Context, given string) (string, error) {
	_, name, err := repositoryARNs.Parse(api.CallFrom(ctx).Scope(), given)
	return name, err
}

// TagResource gives a repository tags, or gives tags that it has other values.
func (s *Server) TagResource(ctx context.Context, in *ecr.TagResourceInput) (*ecr.TagResourceOutput, error) {
	return new(ecr.TagResourceOutput), s.changeTags(ctx, *in.ResourceArn, func(tags []ecr.Tag) ([]ecr.Tag, error) {
		return tagRules.Merge(tags, in.Tags)
	})
}

// UntagResource takes tags from a repository.
func (s *Server) UntagResource(ctx context.Context, in *ecr.UntagResourceInput) (*ecr.UntagResourceOutput, error) {
	return new(ecr.UntagResourceOutput), s.changeTags(ctx, *in.ResourceArn, func(tags []ecr.Tag) ([]ecr.Tag, error) {
		return tagRules.Remove(tags, in.TagKeys)
	})
}

func (s *Server) changeTags(ctx context.Context, arn string, change func([]ecr.Tag) ([]ecr.Tag, error)) error {
	name, err := taggedName(ctx, arn)
	if err != nil {
		return err
	}
	_, err = s.change(ctx, nil, &name, func(r *record.Repository) (err error) {
		r.Tags, err = change(r.Tags)
		return err
	})
	return err
}

// ListTagsForResource shows a repository's tags.
func (s *Server) ListTagsForResource(ctx context.Context, in *ecr.ListTagsForResourceInput) (*ecr.ListTagsForResourceOutput, error) {
	name, err := taggedName(ctx, *in.ResourceArn)
	if err != nil {
		return nil, err
	}
	r, err := find(s.db.View(), api.CallFrom(ctx).Scope(), name)
	if err != nil {
		return nil, err
	}
	return &ecr.ListTagsForResourceOutput{Tags: aws.List(r.Tags)}, nil
}

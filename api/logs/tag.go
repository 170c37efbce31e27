package logs

import (
	"context"
	"maps"
	"strings"

	"fargo/aws/logs"
	engine "fargo/logs"
)

// The bounds of tags. Source: TagResource.
const (
	maxTags     = 50
	maxTagKey   = 128
	maxTagValue = 256
)

func checkTags(tags map[string]string) error {
	for k, v := range tags {
		switch {
		case k == "" || len(k) > maxTagKey:
			return logs.InvalidParameterException("Tag key must be between 1 and %d characters long.", maxTagKey)
		case len(v) > maxTagValue:
			return logs.InvalidParameterException("Tag value must be at most %d characters long.", maxTagValue)
		case strings.HasPrefix(strings.ToLower(k), "aws:"):
			return logs.InvalidParameterException("Tag keys that begin with aws: are reserved.")
		}
	}
	return nil
}

// TagLogGroup adds tags to a group, by its name.
func (s *Server) TagLogGroup(ctx context.Context, in *logs.TagLogGroupInput) (*logs.TagLogGroupOutput, error) {
	return &logs.TagLogGroupOutput{}, s.tag(ctx, *in.LogGroupName, in.Tags)
}

// UntagLogGroup removes tags from a group, by its name.
func (s *Server) UntagLogGroup(ctx context.Context, in *logs.UntagLogGroupInput) (*logs.UntagLogGroupOutput, error) {
	return &logs.UntagLogGroupOutput{}, s.untag(ctx, *in.LogGroupName, in.Tags)
}

// ListTagsLogGroup lists the tags of a group, by its name.
func (s *Server) ListTagsLogGroup(ctx context.Context, in *logs.ListTagsLogGroupInput) (*logs.ListTagsLogGroupOutput, error) {
	tags, err := s.tags(ctx, *in.LogGroupName)
	return &logs.ListTagsLogGroupOutput{Tags: tags}, err
}

// TagResource adds tags to a group, by its ARN.
func (s *Server) TagResource(ctx context.Context, in *logs.TagResourceInput) (*logs.TagResourceOutput, error) {
	name, err := groupOfARN(scopeOf(ctx), *in.ResourceArn)
	if err != nil {
		return nil, err
	}
	return &logs.TagResourceOutput{}, s.tag(ctx, name, in.Tags)
}

// UntagResource removes tags from a group, by its ARN.
func (s *Server) UntagResource(ctx context.Context, in *logs.UntagResourceInput) (*logs.UntagResourceOutput, error) {
	name, err := groupOfARN(scopeOf(ctx), *in.ResourceArn)
	if err != nil {
		return nil, err
	}
	return &logs.UntagResourceOutput{}, s.untag(ctx, name, in.TagKeys)
}

// ListTagsForResource lists the tags of a group, by its ARN.
func (s *Server) ListTagsForResource(ctx context.Context, in *logs.ListTagsForResourceInput) (*logs.ListTagsForResourceOutput, error) {
	name, err := groupOfARN(scopeOf(ctx), *in.ResourceArn)
	if err != nil {
		return nil, err
	}
	tags, err := s.tags(ctx, name)
	return &logs.ListTagsForResourceOutput{Tags: tags}, err
}

func (s *Server) tag(ctx context.Context, group string, tags map[string]string) error {
	if err := checkTags(tags); err != nil {
		return err
	}
	return s.updateGroup(ctx, group, func(g *engine.Group) error {
		if g.Tags == nil {
			g.Tags = make(map[string]string)
		}
		maps.Copy(g.Tags, tags)
		if len(g.Tags) > maxTags {
			return logs.TooManyTagsException("A resource can have no more than %d tags.", maxTags).
				WithField("resourceName", groupARN(scopeOf(ctx), group))
		}
		return nil
	})
}

func (s *Server) untag(ctx context.Context, group string, keys []string) error {
	return s.updateGroup(ctx, group, func(g *engine.Group) error {
		for _, k := range keys {
			delete(g.Tags, k)
		}
		return nil
	})
}

// tags gives a group's tags; an empty map rather than none.
func (s *Server) tags(ctx context.Context, group string) (map[string]string, error) {
	g, err := s.store.Group(scopeOf(ctx), group)
	if err != nil {
		return nil, refused(err)
	}
	if g.Tags == nil {
		return map[string]string{}, nil
	}
	return g.Tags, nil
}

package logs

import (
	"context"

	"fargo/api/tags"
	"fargo/aws/logs"
	engine "fargo/logs"
)

// tagRules are those of CloudWatch Logs, for the resource with an ARN; the texts are
// ours. Source: CloudWatch Logs API, TagResource.
func tagRules(resource string) *tags.Rules[tags.Pair] {
	return &tags.Rules[tags.Pair]{
		Most: 50, MostKey: 128, MostValue: 256,
		TooMany: func(most int) error {
			return logs.TooManyTagsException("A resource can have no more than %d tags.", most).WithField("resourceName", resource)
		},
		BadKey: func(most int) error {
			return logs.InvalidParameterException("Tag key must be between 1 and %d characters long.", most)
		},
		BadValue: func(most int) error {
			return logs.InvalidParameterException("Tag value must be at most %d characters long.", most)
		},
		Reserved: func(string) error {
			return logs.InvalidParameterException("Tag keys that begin with aws: are reserved.")
		},
		// The API has tags as a map, in which no key is twice.
	}
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

func (s *Server) tag(ctx context.Context, group string, given map[string]string) error {
	return s.changeTags(ctx, group, func(r *tags.Rules[tags.Pair], has []tags.Pair) ([]tags.Pair, error) {
		return r.Merge(has, tags.Pairs(given))
	})
}

func (s *Server) untag(ctx context.Context, group string, keys []string) error {
	return s.changeTags(ctx, group, func(r *tags.Rules[tags.Pair], has []tags.Pair) ([]tags.Pair, error) {
		return r.Remove(has, keys)
	})
}

func (s *Server) changeTags(ctx context.Context, group string, change func(*tags.Rules[tags.Pair], []tags.Pair) ([]tags.Pair, error)) error {
	return s.updateGroup(ctx, group, func(g *engine.Group) error {
		changed, err := change(tagRules(groupARN(scopeOf(ctx), group)), tags.Pairs(g.Tags))
		g.Tags = tags.Map(changed)
		return err
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

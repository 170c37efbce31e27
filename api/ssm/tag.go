package ssm

import (
	"context"

	"fargo/api"
	"fargo/api/tags"
	"fargo/aws"
	"fargo/aws/ssm"
	"fargo/record"
	"fargo/store"
)

// tagRules are those of parameters; keys and values have their bounds in the model.
// Source: Systems Manager API, AddTagsToResource.
var tagRules = tags.Rules[ssm.Tag]{
	Most:      50,
	TooMany:   func(int) error { return ssm.TooManyTagsError("") },
	Reserved:  func(key string) error { return invalid("Tag keys that begin with aws: are reserved: %s", key) },
	Duplicate: func(key string) error { return invalid("The tag key %s is there twice.", key) },
}

// checkType refuses resources that are no parameters.
func checkType(t ssm.ResourceTypeForTagging) error {
	if t != ssm.ResourceTypeForTaggingParameter {
		return notImplemented("tags of resources of the type " + string(t))
	}
	return nil
}

// AddTagsToResource gives a parameter tags.
func (s *Server) AddTagsToResource(ctx context.Context, in *ssm.AddTagsToResourceInput) (*ssm.AddTagsToResourceOutput, error) {
	if err := checkType(in.ResourceType); err != nil {
		return nil, err
	}
	return &ssm.AddTagsToResourceOutput{}, s.change(ctx, *in.ResourceId, ssm.InvalidResourceId(""), func(p *record.Parameter) (err error) {
		p.Tags, err = tagRules.Merge(p.Tags, in.Tags)
		return err
	})
}

// RemoveTagsFromResource takes tags from a parameter.
func (s *Server) RemoveTagsFromResource(ctx context.Context, in *ssm.RemoveTagsFromResourceInput) (*ssm.RemoveTagsFromResourceOutput, error) {
	if err := checkType(in.ResourceType); err != nil {
		return nil, err
	}
	return &ssm.RemoveTagsFromResourceOutput{}, s.change(ctx, *in.ResourceId, ssm.InvalidResourceId(""), func(p *record.Parameter) (err error) {
		p.Tags, err = tagRules.Remove(p.Tags, in.TagKeys)
		return err
	})
}

// ListTagsForResource lists the tags of a parameter.
func (s *Server) ListTagsForResource(ctx context.Context, in *ssm.ListTagsForResourceInput) (*ssm.ListTagsForResourceOutput, error) {
	if err := checkType(in.ResourceType); err != nil {
		return nil, err
	}
	p, ok := store.FindParameter(s.db.View(), api.CallFrom(ctx).Scope(), *in.ResourceId)
	if !ok {
		return nil, ssm.InvalidResourceId("")
	}
	return &ssm.ListTagsForResourceOutput{TagList: aws.List(p.Tags)}, nil
}

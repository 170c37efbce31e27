package efs

import (
	"context"
	"slices"
	"strings"

	"fargo"
	"fargo/api"
	"fargo/api/page"
	"fargo/api/tags"
	"fargo/aws/efs"
	"fargo/record"
	"fargo/store"
)

// tagRules are EFS's; keys and values have their bounds in the model.
// Source: EFS user guide, "Tag restrictions".
var tagRules = tags.Rules[efs.Tag]{
	Most:      50,
	TooMany:   func(most int) error { return invalid("A resource can have at most %d tags.", most) },
	Reserved:  func(key string) error { return invalid("The tag key '%s' is reserved for AWS.", key) },
	Duplicate: func(key string) error { return invalid("Duplicate tag key '%s'.", key) },
}

// tagged finds what a call about tags names: a file system or an access point.
func tagged(r store.Reader, scope fargo.Scope, name string) (*tags.Resource[efs.Tag], error) {
	if strings.HasPrefix(idOf(scope, name), "fsap-") {
		a, err := findAccessPoint(r, scope, name)
		if err != nil {
			return nil, err
		}
		return tags.Of(store.EFSAccessPoints, a, func(a *record.EFSAccessPoint) *[]efs.Tag { return &a.AccessPoint.Tags }), nil
	}
	f, err := findFileSystem(r, scope, name)
	if err != nil {
		return nil, err
	}
	return tags.Of(store.EFSFileSystems, f, func(f *record.EFSFileSystem) *[]efs.Tag { return &f.FileSystem.Tags }), nil
}

func (s *Server) changeTags(ctx context.Context, name string, change func([]efs.Tag) ([]efs.Tag, error)) error {
	return s.update(ctx, func(tx *store.Tx, scope fargo.Scope) error {
		r, err := tagged(tx, scope, name)
		if err != nil {
			return err
		}
		return r.Change(tx, change)
	})
}

// TagResource adds tags, or gives them other values.
func (s *Server) TagResource(ctx context.Context, in *efs.TagResourceInput) (*efs.TagResourceOutput, error) {
	return &efs.TagResourceOutput{}, s.changeTags(ctx, *in.ResourceId, func(has []efs.Tag) ([]efs.Tag, error) { return tagRules.Merge(has, in.Tags) })
}

// UntagResource takes tags away.
func (s *Server) UntagResource(ctx context.Context, in *efs.UntagResourceInput) (*efs.UntagResourceOutput, error) {
	return &efs.UntagResourceOutput{}, s.changeTags(ctx, *in.ResourceId, func(has []efs.Tag) ([]efs.Tag, error) { return tagRules.Remove(has, in.TagKeys) })
}

// ListTagsForResource shows the tags of a file system or an access point.
func (s *Server) ListTagsForResource(ctx context.Context, in *efs.ListTagsForResourceInput) (*efs.ListTagsForResourceOutput, error) {
	r, err := tagged(s.db.View(), api.CallFrom(ctx).Scope(), *in.ResourceId)
	if err != nil {
		return nil, err
	}
	some, next, err := page.Of(ask(in, in.NextToken, in.MaxResults), slices.Values(r.Tags), func(t efs.Tag) string { return *t.Key })
	return &efs.ListTagsForResourceOutput{Tags: some, NextToken: next}, err
}

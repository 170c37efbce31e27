package kms

import (
	"context"
	"slices"

	"fargo/api"
	"fargo/api/page"
	"fargo/api/tags"
	"fargo/aws"
	"fargo/aws/kms"
	"fargo/record"
	"fargo/store"
)

// tagRules are KMS's; keys and values have their bounds in the model.
var tagRules = tags.Rules[kms.Tag]{
	Most:      50,
	TooMany:   func(int) error { return kms.TagException("Too many tags") },
	Reserved:  func(string) error { return kms.TagException("Tags beginning with aws: are reserved") },
	Duplicate: func(string) error { return kms.TagException("Duplicate tag keys") },
}

// TagResource gives a key tags.
func (s *Server) TagResource(ctx context.Context, in *kms.TagResourceInput) (*kms.TagResourceOutput, error) {
	_, err := s.change(ctx, *in.KeyId, func(_ *store.Tx, k *record.KMSKey) (err error) {
		k.Tags, err = tagRules.Merge(k.Tags, in.Tags)
		return err
	})
	return &kms.TagResourceOutput{}, err
}

// UntagResource takes tags from a key.
func (s *Server) UntagResource(ctx context.Context, in *kms.UntagResourceInput) (*kms.UntagResourceOutput, error) {
	_, err := s.change(ctx, *in.KeyId, func(_ *store.Tx, k *record.KMSKey) (err error) {
		k.Tags, err = tagRules.Remove(k.Tags, in.TagKeys)
		return err
	})
	return &kms.UntagResourceOutput{}, err
}

// ListResourceTags lists the tags of a key.
func (s *Server) ListResourceTags(ctx context.Context, in *kms.ListResourceTagsInput) (*kms.ListResourceTagsOutput, error) {
	k, err := named(s.db.View(), api.CallFrom(ctx).Scope(), *in.KeyId)
	if err != nil {
		return nil, err
	}
	list, next, err := page.Of(pages.WithDefault(50).Ask(in, in.Marker, in.Limit), slices.Values(k.Tags), func(t kms.Tag) string { return aws.Value(t.TagKey) })
	return &kms.ListResourceTagsOutput{Tags: list, NextMarker: next, Truncated: new(next != nil)}, err
}

package acm

import (
	"context"

	"fargo"
	"fargo/api"
	"fargo/api/tags"
	"fargo/aws"
	"fargo/aws/acm"
	"fargo/store"
)

// tagRules are ACM's; keys and values have their bounds in the model.
// Source: ACM user guide, "Tag restrictions".
var tagRules = tags.Rules[acm.Tag]{
	Most:    50,
	TooMany: func(most int) error { return acm.TooManyTagsException("A certificate can have at most %d tags.", most) },
	Reserved: func(string) error {
		return acm.InvalidTagException("aws: prefixed tag key names are not allowed for external use.")
	},
	Duplicate: func(key string) error { return acm.InvalidTagException("Duplicate tag key '%s'.", key) },
}

func (s *Server) changeTags(ctx context.Context, arn string, change func([]acm.Tag) ([]acm.Tag, error)) error {
	return s.update(ctx, func(tx *store.Tx, scope fargo.Scope) error {
		c, err := find(tx, scope, arn)
		if err != nil {
			return err
		}
		changed := *c
		if changed.Tags, err = change(c.Tags); err != nil {
			return err
		}
		store.Certificates.Put(tx, &changed)
		return nil
	})
}

// AddTagsToCertificate adds tags, or gives them other values.
func (s *Server) AddTagsToCertificate(ctx context.Context, in *acm.AddTagsToCertificateInput) (*acm.AddTagsToCertificateOutput, error) {
	return &acm.AddTagsToCertificateOutput{}, s.changeTags(ctx, *in.CertificateArn, func(tags []acm.Tag) ([]acm.Tag, error) {
		return tagRules.Merge(tags, in.Tags)
	})
}

// RemoveTagsFromCertificate takes tags away: with a value, only if the tag has
// it.
func (s *Server) RemoveTagsFromCertificate(ctx context.Context, in *acm.RemoveTagsFromCertificateInput) (*acm.RemoveTagsFromCertificateOutput, error) {
	return &acm.RemoveTagsFromCertificateOutput{}, s.changeTags(ctx, *in.CertificateArn, func(tags []acm.Tag) ([]acm.Tag, error) {
		return tagRules.RemoveMatching(tags, in.Tags)
	})
}

// ListTagsForCertificate shows a certificate's tags.
func (s *Server) ListTagsForCertificate(ctx context.Context, in *acm.ListTagsForCertificateInput) (*acm.ListTagsForCertificateOutput, error) {
	c, err := find(s.db.View(), api.CallFrom(ctx).Scope(), *in.CertificateArn)
	if err != nil {
		return nil, err
	}
	return &acm.ListTagsForCertificateOutput{Tags: aws.List(c.Tags)}, nil
}

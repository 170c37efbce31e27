package acm

import (
	"context"
	"slices"
	"strings"

	"fargo"
	"fargo/api"
	"fargo/aws/acm"
	"fargo/store"
)

// maxTags is how many tags a certificate may have.
// Source: ACM user guide, "Tag restrictions".
const maxTags = 50

func checkTags(tags []acm.Tag) error {
	seen := map[string]bool{}
	for _, t := range tags {
		switch {
		case strings.HasPrefix(strings.ToLower(*t.Key), "aws:"):
			return acm.InvalidTagException("aws: prefixed tag key names are not allowed for external use.")
		case seen[*t.Key]:
			return acm.InvalidTagException("Duplicate tag key '%s'.", *t.Key)
		}
		seen[*t.Key] = true
	}
	if len(tags) > maxTags {
		return acm.TooManyTagsException("A certificate can have at most %d tags.", maxTags)
	}
	return nil
}

func (s *Server) changeTags(ctx context.Context, arn string, change func([]acm.Tag) []acm.Tag) error {
	return s.update(ctx, func(tx *store.Tx, scope fargo.Scope) error {
		c, err := find(tx, scope, arn)
		if err != nil {
			return err
		}
		changed := *c
		changed.Tags = change(slices.Clone(c.Tags))
		if err := checkTags(changed.Tags); err != nil {
			return err
		}
		store.Certificates.Put(tx, &changed)
		return nil
	})
}

// AddTagsToCertificate adds tags, or gives them other values.
func (s *Server) AddTagsToCertificate(ctx context.Context, in *acm.AddTagsToCertificateInput) (*acm.AddTagsToCertificateOutput, error) {
	if err := checkTags(in.Tags); err != nil {
		return nil, err
	}
	return &acm.AddTagsToCertificateOutput{}, s.changeTags(ctx, *in.CertificateArn, func(tags []acm.Tag) []acm.Tag {
		for _, t := range in.Tags {
			if i := slices.IndexFunc(tags, func(o acm.Tag) bool { return *o.Key == *t.Key }); i >= 0 {
				tags[i] = t
			} else {
				tags = append(tags, t)
			}
		}
		return tags
	})
}

// RemoveTagsFromCertificate takes tags away: with a value, only if the tag has
// it.
func (s *Server) RemoveTagsFromCertificate(ctx context.Context, in *acm.RemoveTagsFromCertificateInput) (*acm.RemoveTagsFromCertificateOutput, error) {
	return &acm.RemoveTagsFromCertificateOutput{}, s.changeTags(ctx, *in.CertificateArn, func(tags []acm.Tag) []acm.Tag {
		return slices.DeleteFunc(tags, func(t acm.Tag) bool {
			return slices.ContainsFunc(in.Tags, func(r acm.Tag) bool {
				return *r.Key == *t.Key && (r.Value == nil || *r.Value == text(t.Value))
			})
		})
	})
}

// ListTagsForCertificate shows a certificate's tags.
func (s *Server) ListTagsForCertificate(ctx context.Context, in *acm.ListTagsForCertificateInput) (*acm.ListTagsForCertificateOutput, error) {
	c, err := find(s.db.View(), api.CallFrom(ctx).Scope(), *in.CertificateArn)
	if err != nil {
		return nil, err
	}
	return &acm.ListTagsForCertificateOutput{Tags: append([]acm.Tag{}, c.Tags...)}, nil
}

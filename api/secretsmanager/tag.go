package secretsmanager

import (
	"context"

	"fargo/api/tags"
	"fargo/aws/secretsmanager"
	"fargo/record"
	"fargo/store"
)

// tagRules are Secrets Manager's; keys and values have their bounds in the model.
// Source: Secrets Manager API, TagResource.
var tagRules = tags.Rules[secretsmanager.Tag]{
	Most:    50,
	TooMany: func(most int) error { return invalid("A secret can have at most %d tags.", most) },
	Reserved: func(key string) error {
		return invalid("The tag key %s is reserved: it begins with aws:.", key)
	},
	Duplicate: func(key string) error { return invalid("The tag key %s is given more than once.", key) },
}

// TagResource adds tags, or gives them other values.
func (s *Server) TagResource(ctx context.Context, in *secretsmanager.TagResourceInput) (*secretsmanager.TagResourceOutput, error) {
	_, err := s.change(ctx, in.SecretId, func(_ *store.Tx, changed *record.Secret) (err error) {
		changed.Tags, err = tagRules.Merge(changed.Tags, in.Tags)
		return err
	})
	return &secretsmanager.TagResourceOutput{}, err
}

// UntagResource takes tags away.
func (s *Server) UntagResource(ctx context.Context, in *secretsmanager.UntagResourceInput) (*secretsmanager.UntagResourceOutput, error) {
	_, err := s.change(ctx, in.SecretId, func(_ *store.Tx, changed *record.Secret) (err error) {
		left, err := tagRules.Remove(changed.Tags, in.TagKeys)
		if changed.Tags != nil {
			changed.Tags = left
		}
		return err
	})
	return &secretsmanager.UntagResourceOutput{}, err
}

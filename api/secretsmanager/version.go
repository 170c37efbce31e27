package secretsmanager

import (
	"context"
	"fmt"
	"slices"

	"fargo/api"
	"fargo/api/page"
	"fargo/aws"
	"fargo/aws/secretsmanager"
	"fargo/plan"
	"fargo/record"
	"fargo/store"
)

// pages are those of lists; the bounds of a page are in the model.
// Source: Secrets Manager API, ListSecrets and ListSecretVersionIds.
var pages = page.Rules{
	Default: 100,
	BadToken: func(string) error {
		return secretsmanager.InvalidNextTokenException("The NextToken value is invalid.")
	},
}

// ListSecretVersionIds lists the versions of a secret in the order in which they were
// made: those with staging labels, or all that are kept.
func (s *Server) ListSecretVersionIds(ctx context.Context, in *secretsmanager.ListSecretVersionIdsInput) (*secretsmanager.ListSecretVersionIdsOutput, error) {
	found, err := find(s.db.View(), api.CallFrom(ctx).Scope(), in.SecretId)
	if err != nil {
		return nil, err
	}
	var all []secretsmanager.SecretVersionsListEntry
	for i := range found.Versions {
		if v := &found.Versions[i]; len(v.Stages) > 0 || aws.Value(in.IncludeDeprecated) {
			all = append(all, secretsmanager.SecretVersionsListEntry{
				VersionId: &v.ID, VersionStages: v.Stages, CreatedDate: &v.CreatedAt, LastAccessedDate: aws.NonZero(v.AccessedAt), KmsKeyIds: keyIDs(v),
			})
		}
	}
	place := map[string]string{} // versions are in order, and their ids are not
	for i, v := range found.Versions {
		place[v.ID] = fmt.Sprintf("%s %09d", v.CreatedAt.Format("2006-01-02T15:04:05.000"), i)
	}
	list, next, err := page.Of(pages.Ask(in, in.NextToken, in.MaxResults), slices.Values(all), func(e secretsmanager.SecretVersionsListEntry) string { return place[*e.VersionId] })
	return &secretsmanager.ListSecretVersionIdsOutput{ARN: &found.ARN, Name: &found.Name, Versions: list, NextToken: next}, err
}

// UpdateSecretVersionStage moves a staging label, or removes it.
func (s *Server) UpdateSecretVersionStage(ctx context.Context, in *secretsmanager.UpdateSecretVersionStageInput) (*secretsmanager.UpdateSecretVersionStageOutput, error) {
	changed, err := s.change(ctx, in.SecretId, func(_ *store.Tx, changed *record.Secret) (err error) {
		changed.ChangedAt = now()
		changed.Versions, err = plan.MoveSecretStage(changed, *in.VersionStage, aws.Value(in.RemoveFromVersionId), aws.Value(in.MoveToVersionId))
		return err
	})
	if err != nil {
		return nil, err
	}
	return &secretsmanager.UpdateSecretVersionStageOutput{ARN: &changed.ARN, Name: &changed.Name}, nil
}

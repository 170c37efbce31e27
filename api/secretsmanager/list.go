package secretsmanager

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"fargo"
	"fargo/api"
	"fargo/api/page"
	"fargo/aws"
	"fargo/aws/secretsmanager"
	"fargo/record"
	"fargo/store"
)

// ListSecrets lists the secrets that pass all filters.
func (s *Server) ListSecrets(ctx context.Context, in *secretsmanager.ListSecretsInput) (*secretsmanager.ListSecretsOutput, error) {
	all, err := filtered(s.db.View(), api.CallFrom(ctx).Scope(), in.Filters, aws.Value(in.IncludePlannedDeletion))
	if err != nil {
		return nil, err
	}
	key := func(s *record.Secret) string { return sortKey(in.SortBy, s) }
	descending := in.SortOrder == secretsmanager.SortOrderTypeDesc
	slices.SortFunc(all, func(a, b *record.Secret) int {
		if descending {
			return cmp.Compare(key(b), key(a))
		}
		return cmp.Compare(key(a), key(b))
	})
	list, next, err := page.Of(pages.Ask(in, in.NextToken, in.MaxResults).Descending(descending), slices.Values(all), key)
	if err != nil {
		return nil, err
	}
	out := &secretsmanager.ListSecretsOutput{SecretList: []secretsmanager.SecretListEntry{}, NextToken: next}
	for _, found := range list {
		out.SecretList = append(out.SecretList, entry(found))
	}
	return out, nil
}

// sortKey is a key that sorts secrets as is asked for, or else by their age, and by name
// among those that are the same in that.
func sortKey(by secretsmanager.SortByType, s *record.Secret) string {
	at := func(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000") + " " + s.Name }
	switch by {
	case secretsmanager.SortByTypeName:
		return s.Name
	case secretsmanager.SortByTypeLastChangedDate:
		return at(s.ChangedAt)
	case secretsmanager.SortByTypeLastAccessedDate:
		return at(s.AccessedAt)
	}
	return at(s.CreatedAt)
}

// filtered are the secrets in a scope that pass all filters, in no particular order.
func filtered(r store.Reader, scope fargo.Scope, filters []secretsmanager.Filter, alsoDeleted bool) ([]*record.Secret, error) {
	for _, f := range filters {
		switch {
		case f.Key == "":
			return nil, invalid("Invalid filter key")
		case len(f.Values) == 0:
			return nil, invalid("Invalid filter values for key: %s", f.Key)
		}
	}
	var all []*record.Secret
	for s := range store.Secrets.Prefix(r, scope.Key()) {
		if (s.DeletedAt.IsZero() || alsoDeleted) && passes(s, filters) {
			all = append(all, s)
		}
	}
	return all, nil
}

// passes reports whether a secret passes all filters. It passes one when it has one of
// the values, or lacks one that begins with "!".
func passes(s *record.Secret, filters []secretsmanager.Filter) bool {
	for _, f := range filters {
		if !slices.ContainsFunc(f.Values, func(value string) bool {
			wanted, not := strings.CutPrefix(value, "!")
			return has(s, f.Key, wanted) != not
		}) {
			return false
		}
	}
	return true
}

// has reports whether a secret has a value in one of the ways that filters look for it.
func has(s *record.Secret, key secretsmanager.FilterNameStringType, value string) bool {
	switch key {
	case secretsmanager.FilterNameStringTypeName:
		return strings.HasPrefix(s.Name, value)
	case secretsmanager.FilterNameStringTypeDescription:
		return hasWords(aws.Value(s.Description), value)
	case secretsmanager.FilterNameStringTypeTagKey:
		return slices.ContainsFunc(s.Tags, func(t secretsmanager.Tag) bool { return strings.HasPrefix(aws.Value(t.Key), value) })
	case secretsmanager.FilterNameStringTypeTagValue:
		return slices.ContainsFunc(s.Tags, func(t secretsmanager.Tag) bool { return strings.HasPrefix(aws.Value(t.Value), value) })
	case secretsmanager.FilterNameStringTypeAll:
		return hasWords(s.Name, value) || hasWords(aws.Value(s.Description), value) || slices.ContainsFunc(s.Tags, func(t secretsmanager.Tag) bool {
			return hasWords(aws.Value(t.Key), value) || hasWords(aws.Value(t.Value), value)
		})
	case secretsmanager.FilterNameStringTypeOwningService:
		return s.OwningService != "" && strings.HasPrefix(s.OwningService, value)
	}
	return false // no secret is a replica
}

// BatchGetSecretValue gives the current values of secrets: those that are named, or those
// that pass filters. Which cannot be had is said of each.
func (s *Server) BatchGetSecretValue(ctx context.Context, in *secretsmanager.BatchGetSecretValueInput) (*secretsmanager.BatchGetSecretValueOutput, error) {
	switch {
	case (in.SecretIdList == nil) == (in.Filters == nil):
		return nil, invalid("Either 'SecretIdList' or 'Filters' must be provided, but not both.")
	case in.Filters == nil && in.MaxResults != nil:
		return nil, invalid("'Filters' not specified. 'Filters' must also be specified when 'MaxResults' is provided.")
	}
	view, scope := s.db.View(), api.CallFrom(ctx).Scope()
	ids, out := in.SecretIdList, &secretsmanager.BatchGetSecretValueOutput{SecretValues: []secretsmanager.SecretValueEntry{}, Errors: []secretsmanager.APIErrorType{}}
	if in.Filters != nil {
		all, err := filtered(view, scope, in.Filters, false)
		if err != nil {
			return nil, err
		}
		key := func(s *record.Secret) string { return sortKey("", s) }
		slices.SortFunc(all, func(a, b *record.Secret) int { return cmp.Compare(key(a), key(b)) })
		list, next, err := page.Of(pages.WithDefault(mostBatch).Ask(in, in.NextToken, in.MaxResults), slices.Values(all), key)
		if err != nil {
			return nil, err
		}
		out.NextToken = next
		for _, found := range list {
			ids = append(ids, found.ARN)
		}
	}
	return out, s.readAll(ctx, view, scope, ids, out)
}

// mostBatch is how many secrets BatchGetSecretValue reads.
// Source: Secrets Manager API, BatchGetSecretValue, MaxResults.
const mostBatch = 20

package ssm

import (
	"context"
	"strings"

	"fargo"
	"fargo/api"
	"fargo/api/page"
	"fargo/aws"
	"fargo/aws/ssm"
	"fargo/plan"
	"fargo/record"
	"fargo/store"
)

// DescribeParameters lists parameters without their values.
func (s *Server) DescribeParameters(ctx context.Context, in *ssm.DescribeParametersInput) (*ssm.DescribeParametersOutput, error) {
	filters, err := filtersOf(in)
	if err != nil {
		return nil, err
	}
	view, scope := s.db.View(), api.CallFrom(ctx).Scope()
	versions := func(yield func(*record.ParameterVersion) bool) {
		for p := range store.Parameters.Prefix(view, scope.Key()) {
			v, ok := filtered(view, p, filters)
			if ok && !aws.Value(in.Shared) && !yield(v) { // nobody shares parameters
				return
			}
		}
	}
	list, next, err := page.Of(pages.Ask(in, in.NextToken, in.MaxResults), versions, byName)
	if err != nil {
		return nil, err
	}
	out := &ssm.DescribeParametersOutput{Parameters: []ssm.ParameterMetadata{}, NextToken: next}
	for _, v := range list {
		out.Parameters = append(out.Parameters, ssm.ParameterMetadata{
			Name: &v.Name, ARN: new(record.ParameterARN(v.Scope, v.Name)), Type: v.Type, KeyId: aws.NonZero(v.KeyID),
			LastModifiedDate: &v.Modified, LastModifiedUser: &v.ModifiedBy, Description: v.Description, AllowedPattern: v.AllowedPattern,
			Version: &v.Version, Tier: v.Tier, Policies: aws.List(v.Policies), DataType: &v.DataType,
		})
	}
	return out, nil
}

// byName is the key of versions of different parameters, in the order of the table.
func byName(v *record.ParameterVersion) string { return record.ParameterKey(v.Scope, v.Name) }

// filtersOf are the filters of a call, whichever of the two kinds it has.
func filtersOf(in *ssm.DescribeParametersInput) ([]ssm.ParameterStringFilter, error) {
	if len(in.Filters) > 0 && len(in.ParameterFilters) > 0 {
		return nil, invalid("You can use either Filters or ParameterFilters in a single request.")
	}
	filters := in.ParameterFilters
	for _, f := range in.Filters {
		filter := ssm.ParameterStringFilter{Key: new(string(f.Key)), Values: f.Values}
		if f.Key == ssm.ParametersFilterKeyName {
			filter.Option = new(beginsWith)
		}
		filters = append(filters, filter)
	}
	return filters, checkFilters(filters)
}

// GetParameterHistory gives the versions of a parameter, the oldest first.
func (s *Server) GetParameterHistory(ctx context.Context, in *ssm.GetParameterHistoryInput) (*ssm.GetParameterHistoryOutput, error) {
	view, scope := s.db.View(), api.CallFrom(ctx).Scope()
	p, ok := store.FindParameter(view, scope, strings.TrimSpace(*in.Name))
	if !ok {
		return nil, notFound()
	}
	list, next, err := page.Of(pages.Ask(in, in.NextToken, in.MaxResults), store.VersionsOfParameter(view, p), (*record.ParameterVersion).Key)
	if err != nil {
		return nil, err
	}
	out := &ssm.GetParameterHistoryOutput{Parameters: []ssm.ParameterHistory{}, NextToken: next}
	for _, v := range list {
		value, err := shown(view, v, aws.Value(in.WithDecryption))
		if err != nil {
			return nil, err
		}
		out.Parameters = append(out.Parameters, ssm.ParameterHistory{
			Name: &v.Name, Type: v.Type, KeyId: aws.NonZero(v.KeyID), LastModifiedDate: &v.Modified, LastModifiedUser: &v.ModifiedBy,
			Description: v.Description, Value: value.Value, AllowedPattern: v.AllowedPattern, Version: &v.Version,
			Labels: aws.List(plan.ParameterLabels(p, v.Version)), Tier: v.Tier, Policies: aws.List(v.Policies), DataType: &v.DataType,
		})
	}
	return out, nil
}

// change gives a parameter what fn makes of a copy of it.
func (s *Server) change(ctx context.Context, name string, gone error, fn func(p *record.Parameter) error) error {
	return s.update(ctx, func(tx *store.Tx, scope fargo.Scope) error {
		found, ok := store.FindParameter(tx, scope, strings.TrimSpace(name))
		if !ok {
			return gone
		}
		p := *found
		if err := fn(&p); err != nil {
			return err
		}
		store.Parameters.Put(tx, &p)
		return nil
	})
}

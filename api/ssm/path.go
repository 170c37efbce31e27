package ssm

import (
	"context"
	"iter"
	"maps"
	"slices"
	"strings"

	"fargo"
	"fargo/api"
	"fargo/api/page"
	"fargo/aws"
	"fargo/aws/ssm"
	"fargo/record"
	"fargo/store"
)

// mostByPath is how many parameters a page of GetParametersByPath has.
// Source: Systems Manager API, GetParametersByPath.
const mostByPath = 10

// GetParametersByPath gives the values of the parameters below a path.
func (s *Server) GetParametersByPath(ctx context.Context, in *ssm.GetParametersByPathInput) (*ssm.GetParametersByPathOutput, error) {
	path := *in.Path
	if err := checkPath(path); err != nil {
		return nil, err
	}
	if err := checkPathFilters(in.ParameterFilters); err != nil {
		return nil, err
	}
	view, scope := s.db.View(), api.CallFrom(ctx).Scope()
	ask := pages.WithDefault(mostByPath).Ask(in, in.NextToken, in.MaxResults)
	if strings.HasPrefix(path, "/aws/") {
		list, next, err := page.Of(ask, publicBelow(scope, path, aws.Value(in.Recursive)), func(p ssm.Parameter) string { return *p.Name })
		return &ssm.GetParametersByPathOutput{Parameters: list, NextToken: next}, err
	}
	versions := func(yield func(*record.ParameterVersion) bool) {
		for p := range parametersBelow(view, scope, path, aws.Value(in.Recursive)) {
			if v, ok := filtered(view, p, in.ParameterFilters); ok && !yield(v) {
				return
			}
		}
	}
	list, next, err := page.Of(ask, versions, byName)
	if err != nil {
		return nil, err
	}
	out := &ssm.GetParametersByPathOutput{Parameters: []ssm.Parameter{}, NextToken: next}
	for _, v := range list {
		p, err := shown(view, v, aws.Value(in.WithDecryption))
		if err != nil {
			return nil, err
		}
		out.Parameters = append(out.Parameters, *p)
	}
	return out, nil
}

// parametersBelow are the parameters below a path, in the order of their names.
func parametersBelow(r store.Reader, scope fargo.Scope, path string, recursive bool) iter.Seq[*record.Parameter] {
	return func(yield func(*record.Parameter) bool) {
		for p := range store.Parameters.Prefix(r, record.ParameterKey(scope, path)) {
			if below(path, p.Name, recursive) && !yield(p) {
				return
			}
		}
	}
}

func publicBelow(scope fargo.Scope, path string, recursive bool) iter.Seq[ssm.Parameter] {
	return func(yield func(ssm.Parameter) bool) {
		for _, name := range slices.Sorted(maps.Keys(publicParameters)) {
			if below(path, name, recursive) && !yield(*publicParameter(scope, name)) {
				return
			}
		}
	}
}

// checkPathFilters refuses filters that GetParametersByPath does not have.
func checkPathFilters(filters []ssm.ParameterStringFilter) error {
	for _, f := range filters {
		if key := *f.Key; key != "Type" && key != "KeyId" && key != "Label" {
			return ssm.InvalidFilterKey("The following filter key is not valid: %s. Valid filter keys include: [Type, KeyId].", key)
		}
	}
	return checkFilters(filters)
}

// filtered is the version of a parameter that filters let through: the one with a label
// that is asked for, or else the current one.
func filtered(r store.Reader, p *record.Parameter, filters []ssm.ParameterStringFilter) (*record.ParameterVersion, bool) {
	version := p.Version
	for _, f := range filters {
		if *f.Key == "Label" {
			version = labelled(p, f)
		}
	}
	v, ok := store.ParameterVersion(r, p, version)
	return v, ok && passes(p, v, filters)
}

// labelled is the newest version with a label that a filter asks for; 0 for none.
func labelled(p *record.Parameter, f ssm.ParameterStringFilter) (version int64) {
	for label, of := range p.Labels {
		if matches(f, label) {
			version = max(version, of)
		}
	}
	return version
}

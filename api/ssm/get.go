package ssm

import (
	"context"
	"errors"
	"slices"
	"strings"

	"fargo"
	"fargo/api"
	"fargo/aws"
	"fargo/aws/protocol"
	"fargo/aws/ssm"
	"fargo/kms"
	"fargo/plan"
	"fargo/record"
	"fargo/store"
)

// GetParameter gives the value of a parameter: of its newest version, or of that which
// the name selects.
func (s *Server) GetParameter(ctx context.Context, in *ssm.GetParameterInput) (*ssm.GetParameterOutput, error) {
	p, err := s.get(api.CallFrom(ctx).Scope(), *in.Name, aws.Value(in.WithDecryption))
	if err != nil {
		return nil, err
	}
	return &ssm.GetParameterOutput{Parameter: p}, nil
}

// GetParameters gives the values of several parameters, in the order of their names, and
// lists those that there are not.
func (s *Server) GetParameters(ctx context.Context, in *ssm.GetParametersInput) (*ssm.GetParametersOutput, error) {
	out := &ssm.GetParametersOutput{Parameters: []ssm.Parameter{}, InvalidParameters: []string{}}
	for _, name := range slices.Compact(slices.Sorted(slices.Values(in.Names))) {
		p, err := s.get(api.CallFrom(ctx).Scope(), name, aws.Value(in.WithDecryption))
		switch {
		case missing(err):
			out.InvalidParameters = append(out.InvalidParameters, name)
		case err != nil:
			return nil, err
		default:
			out.Parameters = append(out.Parameters, *p)
		}
	}
	slices.SortFunc(out.Parameters, func(a, b ssm.Parameter) int { return strings.Compare(*a.Name, *b.Name) })
	return out, nil
}

// missing reports whether an error says that there is no such parameter or version.
func missing(err error) bool {
	e := new(protocol.Error)
	return errors.As(err, &e) && (e.Code == "ParameterNotFound" || e.Code == "ParameterVersionNotFound")
}

// get gives a parameter by its name or ARN, with or without a selector.
func (s *Server) get(scope fargo.Scope, name string, decrypt bool) (*ssm.Parameter, error) {
	view := s.db.View()
	name = strings.TrimSpace(name)
	bare, selector := plan.ParameterSelector(name)
	if id, ok := strings.CutPrefix(bare, secretPrefix); ok {
		return referencedSecret(view, scope, id, selector, decrypt)
	}
	if p := publicParameter(scope, bare); p != nil {
		return p, nil
	}
	found, ok := store.FindParameter(view, scope, bare)
	if !ok {
		return nil, notFound()
	}
	version, err := plan.ParameterVersion(found, selector)
	if err != nil {
		return nil, err
	}
	v, ok := store.ParameterVersion(view, found, version)
	if !ok {
		return nil, notFound()
	}
	p, err := shown(view, v, decrypt)
	if err == nil && selector != "" {
		p.Selector = new(":" + selector)
	}
	return p, err
}

// shown is a version as it is given to its readers.
func shown(r store.Reader, v *record.ParameterVersion, decrypt bool) (*ssm.Parameter, error) {
	value := v.Value
	if decrypt {
		var err error
		if value, err = kms.Parameter(r, v); err != nil {
			return nil, ofKMS(err)
		}
	}
	return &ssm.Parameter{
		Name: &v.Name, Type: v.Type, Value: &value, Version: &v.Version, LastModifiedDate: &v.Modified,
		ARN: new(record.ParameterARN(v.Scope, v.Name)), DataType: &v.DataType,
	}, nil
}

// DeleteParameter deletes a parameter with all its versions.
func (s *Server) DeleteParameter(ctx context.Context, in *ssm.DeleteParameterInput) (*ssm.DeleteParameterOutput, error) {
	return &ssm.DeleteParameterOutput{}, s.update(ctx, func(tx *store.Tx, scope fargo.Scope) error {
		p, ok := store.FindParameter(tx, scope, strings.TrimSpace(*in.Name))
		if !ok {
			return notFound()
		}
		store.DeleteParameter(tx, p)
		return nil
	})
}

// DeleteParameters deletes several parameters, and lists those that there are not.
func (s *Server) DeleteParameters(ctx context.Context, in *ssm.DeleteParametersInput) (*ssm.DeleteParametersOutput, error) {
	out := &ssm.DeleteParametersOutput{DeletedParameters: []string{}, InvalidParameters: []string{}}
	return out, s.update(ctx, func(tx *store.Tx, scope fargo.Scope) error {
		for _, name := range in.Names {
			p, ok := store.FindParameter(tx, scope, strings.TrimSpace(name))
			if !ok {
				out.InvalidParameters = append(out.InvalidParameters, name)
				continue
			}
			store.DeleteParameter(tx, p)
			out.DeletedParameters = append(out.DeletedParameters, name)
		}
		return nil
	})
}

package logs

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"fargo/api/page"
	"fargo/aws"
	"fargo/aws/logs"
	engine "fargo/logs"
	"fargo/logs/filter"
)

// The bounds of metric filters. Source: CloudWatch Logs API, PutMetricFilter and
// MetricTransformation.
const (
	maxMetricFilters    = 100
	maxFilterDimensions = 3
)

// PutMetricFilter makes a metric filter, or another one in its place.
func (s *Server) PutMetricFilter(ctx context.Context, in *logs.PutMetricFilterInput) (*logs.PutMetricFilterOutput, error) {
	if len(in.EmitSystemFieldDimensions) > 0 || aws.Value(in.FieldSelectionCriteria) != "" {
		return nil, logs.InvalidParameterException("Fargo does not implement fieldSelectionCriteria and emitSystemFieldDimensions.")
	}
	f, err := metricFilter(in)
	if err != nil {
		return nil, err
	}
	err = s.updateGroup(ctx, *in.LogGroupName, func(g *engine.Group) error {
		i, found := findFilter(g.MetricFilters, f.Name)
		filters := slices.Clone(g.MetricFilters)
		switch {
		case found:
			filters[i] = f
		case len(filters) >= maxMetricFilters:
			return logs.LimitExceededException("Resource limit exceeded.")
		default:
			filters = slices.Insert(filters, i, f)
		}
		g.MetricFilters = filters
		return nil
	})
	return &logs.PutMetricFilterOutput{}, err
}

func findFilter(filters []engine.MetricFilter, name string) (i int, found bool) {
	return slices.BinarySearchFunc(filters, name, func(f engine.MetricFilter, name string) int { return strings.Compare(f.Name, name) })
}

// metricFilter checks what PutMetricFilter is given.
func metricFilter(in *logs.PutMetricFilterInput) (f engine.MetricFilter, err error) {
	t := in.MetricTransformations[0]
	f = engine.MetricFilter{
		Name: *in.FilterName, Pattern: *in.FilterPattern, Created: time.Now().UnixMilli(), Transformed: aws.Value(in.ApplyOnTransformedLogs),
		Namespace: *t.MetricNamespace, Metric: *t.MetricName, Value: *t.MetricValue, Unit: string(t.Unit), Default: t.DefaultValue, Dimensions: t.Dimensions,
	}
	switch {
	case len(f.Dimensions) > maxFilterDimensions:
		return f, logs.InvalidParameterException("A metric transformation can have no more than %d dimensions.", maxFilterDimensions)
	case len(f.Dimensions) > 0 && f.Default != nil:
		return f, logs.InvalidParameterException("A metric transformation with dimensions cannot have a default value.")
	}
	_, err = filter.NewSampler(f.Pattern, f.Value, f.Dimensions)
	if errors.Is(err, filter.ErrPattern) {
		err = logs.InvalidParameterException("%s", err.Error())
	}
	return f, err
}

// DeleteMetricFilter removes a metric filter. What it has made of events stays.
func (s *Server) DeleteMetricFilter(ctx context.Context, in *logs.DeleteMetricFilterInput) (*logs.DeleteMetricFilterOutput, error) {
	err := s.updateGroup(ctx, *in.LogGroupName, func(g *engine.Group) error {
		i, found := findFilter(g.MetricFilters, *in.FilterName)
		if !found {
			return logs.ResourceNotFoundException("The specified metric filter does not exist.")
		}
		g.MetricFilters = slices.Delete(slices.Clone(g.MetricFilters), i, i+1)
		return nil
	})
	return &logs.DeleteMetricFilterOutput{}, err
}

// DescribeMetricFilters lists metric filters by their names, of a group or of all.
func (s *Server) DescribeMetricFilters(ctx context.Context, in *logs.DescribeMetricFiltersInput) (*logs.DescribeMetricFiltersOutput, error) {
	if (in.MetricName == nil) != (in.MetricNamespace == nil) {
		return nil, logs.InvalidParameterException("metricName and metricNamespace must be specified together.")
	}
	groups := s.store.Groups(scopeOf(ctx))
	if in.LogGroupName != nil {
		g, err := s.store.Group(scopeOf(ctx), *in.LogGroupName)
		if err != nil {
			return nil, refused(err)
		}
		groups = []engine.Group{g}
	}
	var all []logs.MetricFilter
	for _, g := range groups {
		for _, f := range g.MetricFilters {
			if strings.HasPrefix(f.Name, aws.Value(in.FilterNamePrefix)) &&
				(in.MetricName == nil || f.Metric == *in.MetricName && f.Namespace == *in.MetricNamespace) {
				all = append(all, showFilter(g.Name, f))
			}
		}
	}
	key := func(f logs.MetricFilter) string { return *f.FilterName + "\x00" + *f.LogGroupName }
	slices.SortFunc(all, func(a, b logs.MetricFilter) int { return strings.Compare(key(a), key(b)) })
	shown, next, err := page.Of(pages.Ask(in, in.NextToken, in.Limit), slices.Values(all), key)
	return &logs.DescribeMetricFiltersOutput{MetricFilters: shown, NextToken: next}, err
}

func showFilter(group string, f engine.MetricFilter) logs.MetricFilter {
	return logs.MetricFilter{
		FilterName: &f.Name, FilterPattern: &f.Pattern, LogGroupName: &group, CreationTime: &f.Created, ApplyOnTransformedLogs: &f.Transformed,
		MetricTransformations: []logs.MetricTransformation{{
			MetricName: &f.Metric, MetricNamespace: &f.Namespace, MetricValue: &f.Value, DefaultValue: f.Default,
			Dimensions: f.Dimensions, Unit: logs.StandardUnit(f.Unit),
		}},
	}
}

package cloudwatch

import (
	"context"
	"slices"
	"strings"
	"time"

	"fargo/api/page"
	"fargo/aws"
	"fargo/aws/cloudwatch"
	"fargo/metrics"
)

// For how long metrics without new data are listed. Source: CloudWatch API, ListMetrics.
const (
	listed         = 14 * 24 * time.Hour
	recentlyActive = 3 * time.Hour
)

// pages are those of ListMetrics. Source: CloudWatch API, ListMetrics.
var pages = page.Rules{
	Default:  500,
	BadToken: func(string) error { return cloudwatch.InvalidParameterValueException("Invalid nextToken") },
}

// ListMetrics lists the metrics that have had data lately.
func (s *Server) ListMetrics(ctx context.Context, in *cloudwatch.ListMetricsInput) (*cloudwatch.ListMetricsOutput, error) {
	scope := scopeOf(ctx)
	f := metrics.Filter{Namespace: aws.Value(in.Namespace), Name: aws.Value(in.MetricName), Since: s.now().Add(-listed)}
	if in.RecentlyActive != "" {
		f.Since = s.now().Add(-recentlyActive)
	}
	for _, d := range in.Dimensions {
		f.Dimensions = append(f.Dimensions, metrics.Dimension{Name: *d.Name, Value: aws.Value(d.Value)})
	}
	var found []metrics.Metric
	if aws.ValueOr(in.OwningAccount, scope.Account) == scope.Account {
		found = s.metrics.Metrics(scope, f)
	}
	shown, next, err := page.Of(pages.Ask(in, in.NextToken, nil), slices.Values(found), keyOf)
	if err != nil {
		return nil, err
	}
	out := &cloudwatch.ListMetricsOutput{Metrics: []cloudwatch.Metric{}, NextToken: next}
	for _, m := range shown {
		out.Metrics = append(out.Metrics, showMetric(m))
		if aws.Value(in.IncludeLinkedAccounts) {
			out.OwningAccounts = append(out.OwningAccounts, scope.Account)
		}
	}
	return out, nil
}

// keyOf tells metrics apart, and is ordered as they are. No part of a metric has
// characters before a space.
func keyOf(m metrics.Metric) string {
	parts := []string{m.Namespace, m.Name}
	for _, d := range m.Dimensions {
		parts = append(parts, d.Name+"\x02"+d.Value)
	}
	return strings.Join(parts, "\x01")
}

func showMetric(m metrics.Metric) cloudwatch.Metric {
	shown := cloudwatch.Metric{Namespace: &m.Namespace, MetricName: &m.Name, Dimensions: []cloudwatch.Dimension{}}
	for _, d := range m.Dimensions {
		shown.Dimensions = append(shown.Dimensions, cloudwatch.Dimension{Name: &d.Name, Value: &d.Value})
	}
	return shown
}

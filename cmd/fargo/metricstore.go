package main

import (
	"context"

	"fargo/metrics"
	"fargo/plan"
)

// metricStore is the store of metrics, as controllers use it.
type metricStore struct{ store *metrics.Store }

// PutMetrics implements [control.Metrics].
func (m metricStore) PutMetrics(ctx context.Context, source string, number uint64, data []plan.Datum) error {
	_, err := m.store.PutFrom(ctx, source, number, metricData(data))
	return err
}

func metricData(data []plan.Datum) []metrics.Datum {
	all := make([]metrics.Datum, len(data))
	for i := range data {
		d := &data[i]
		all[i] = metrics.Datum{
			Metric: metrics.Metric{Scope: d.Scope, Namespace: d.Namespace, Name: d.Name, Dimensions: metricDimensions(d.Dimensions)},
			Unit:   d.Unit, Time: d.Time, HighResolution: d.HighResolution, StatisticSet: samplesOf(d),
		}
	}
	return all
}

func metricDimensions(all []plan.MetricDimension) []metrics.Dimension {
	dimensions := make([]metrics.Dimension, len(all))
	for i, d := range all {
		dimensions[i] = metrics.Dimension(d)
	}
	return dimensions
}

func samplesOf(d *plan.Datum) (s metrics.StatisticSet) {
	for i, v := range d.Values {
		count := 1.0
		if len(d.Counts) > 0 {
			count = d.Counts[i]
		}
		s = s.Merge(metrics.Values(v, count))
	}
	return s
}

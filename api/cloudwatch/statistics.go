package cloudwatch

import (
	"context"
	"time"

	"fargo/aws/cloudwatch"
	"fargo/metrics"
)

// maxDatapoints is how many points GetMetricStatistics gives.
// Source: CloudWatch API, GetMetricStatistics.
const maxDatapoints = 1440

// GetMetricStatistics gives the statistics of a metric, period by period.
func (s *Server) GetMetricStatistics(ctx context.Context, in *cloudwatch.GetMetricStatisticsInput) (*cloudwatch.GetMetricStatisticsOutput, error) {
	extended, err := checkStatistics(in)
	if err != nil {
		return nil, err
	}
	period := time.Duration(*in.Period) * time.Second
	if err := checkPeriod(*in.Period, "Period"); err != nil {
		return nil, err
	}
	start, end := metrics.RoundedStart(*in.StartTime, period, s.now()), metrics.WholeEnd(*in.EndTime)
	if err := checkRange(*in.StartTime, *in.EndTime); err != nil {
		return nil, err
	}
	if n := (end.Sub(start) + period - 1) / period; n > maxDatapoints {
		return nil, cloudwatch.InvalidParameterCombinationException("You have requested up to %d datapoints, which exceeds the limit of %d. You may reduce the datapoints requested by increasing Period, or decreasing the time range.", n, maxDatapoints)
	}
	found, err := s.metrics.Statistics(ctx, metrics.Query{
		Metric: metricOf(scopeOf(ctx), *in.Namespace, *in.MetricName, in.Dimensions), Unit: string(in.Unit),
		Start: start, End: end, Period: period,
	})
	if err != nil {
		return nil, err
	}
	out := &cloudwatch.GetMetricStatisticsOutput{Label: in.MetricName, Datapoints: []cloudwatch.Datapoint{}}
	for _, series := range found {
		for _, p := range series.Points {
			if shown, any := datapoint(p, in.Statistics, extended); any {
				shown.Unit = cloudwatch.StandardUnit(series.Unit)
				out.Datapoints = append(out.Datapoints, shown)
			}
		}
	}
	return out, nil
}

func checkStatistics(in *cloudwatch.GetMetricStatisticsInput) (extended []metrics.Statistic, err error) {
	switch {
	case len(in.Statistics) > 0 && len(in.ExtendedStatistics) > 0:
		return nil, cloudwatch.InvalidParameterCombinationException("The parameters Statistics and ExtendedStatistics are mutually exclusive and you have specified both.")
	case len(in.Statistics)+len(in.ExtendedStatistics) == 0:
		return nil, cloudwatch.MissingRequiredParameterException("At least one of the parameters Statistics and ExtendedStatistics must be specified.")
	}
	for _, text := range in.ExtendedStatistics {
		statistic, err := metrics.ParseStatistic(text)
		if err != nil || statistic.Simple() {
			return nil, cloudwatch.InvalidParameterValueException("The value %s for parameter ExtendedStatistics is not supported.", text)
		}
		extended = append(extended, statistic)
	}
	return extended, nil
}

// checkPeriod checks a period in seconds. Source: CloudWatch API, GetMetricStatistics.
func checkPeriod(period int32, name string) error {
	switch period {
	case 1, 5, 10, 20, 30:
		return nil
	}
	if period <= 0 || period%60 != 0 {
		return cloudwatch.InvalidParameterValueException("The parameter %s must be 1, 5, 10, 20, 30 or a multiple of 60.", name)
	}
	return nil
}

func checkRange(start, end time.Time) error {
	if !start.Before(end) {
		return cloudwatch.InvalidParameterValueException("The parameter StartTime must be less than the parameter EndTime.")
	}
	return nil
}

// datapoint shows the statistics of a point that are asked for, as far as it has them.
func datapoint(p metrics.Point, simple []cloudwatch.Statistic, extended []metrics.Statistic) (shown cloudwatch.Datapoint, any bool) {
	shown.Timestamp = &p.Start
	for _, statistic := range simple {
		switch statistic {
		case cloudwatch.StatisticSampleCount:
			shown.SampleCount = &p.Count
		case cloudwatch.StatisticAverage:
			shown.Average = new(p.Sum / p.Count)
		case cloudwatch.StatisticSum:
			shown.Sum = &p.Sum
		case cloudwatch.StatisticMinimum:
			shown.Minimum = &p.Minimum
		case cloudwatch.StatisticMaximum:
			shown.Maximum = &p.Maximum
		}
	}
	for _, statistic := range extended {
		if v, ok := statistic.Of(p.StatisticSet); ok {
			if shown.ExtendedStatistics == nil {
				shown.ExtendedStatistics = map[string]float64{}
			}
			shown.ExtendedStatistics[statistic.String()] = v
		}
	}
	return shown, len(simple) > 0 || shown.ExtendedStatistics != nil
}

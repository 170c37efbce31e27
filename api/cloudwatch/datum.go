package cloudwatch

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode"

	"fargo"
	"fargo/api"
	"fargo/aws"
	"fargo/aws/cloudwatch"
	"fargo/aws/protocol"
	"fargo/metrics"
)

// The bounds of PutMetricData. Source: CloudWatch API, PutMetricData and MetricDatum.
const (
	maxData     = 1000
	maxEntities = 2
	maxValues   = 150
	maxAge      = 14 * 24 * time.Hour
	maxAhead    = 2 * time.Hour

	maxPutRequest = 1 << 20 // bytes
)

// largest is the largest absolute value. Source: CloudWatch API, MetricDatum.
var largest = math.Ldexp(1, 360)

// PutMetricData adds samples.
func (s *Server) PutMetricData(ctx context.Context, in *cloudwatch.PutMetricDataInput) (*cloudwatch.PutMetricDataOutput, error) {
	if err := checkSize(ctx, maxPutRequest); err != nil {
		return nil, err
	}
	if strings.HasPrefix(*in.Namespace, "AWS/") {
		return nil, cloudwatch.InvalidParameterValueException("The value %s for parameter Namespace is invalid.", *in.Namespace)
	}
	if e := checkName("Namespace", *in.Namespace); e != nil {
		return nil, e
	}
	b := batch{metric: metrics.Metric{Scope: scopeOf(ctx), Namespace: *in.Namespace}, now: s.now(), fine: s.pace > 1}
	if err := b.addAll(in); err != nil {
		return nil, err
	}
	if err := s.metrics.Put(ctx, b.data); err != nil {
		return nil, err
	}
	return &cloudwatch.PutMetricDataOutput{}, nil
}

// batch is the data of a request.
type batch struct {
	metric metrics.Metric // what all have in common
	now    time.Time
	// fine has all data kept by the second, when periods are shorter than they are said to be.
	fine  bool
	data  []metrics.Datum
	wrong []*protocol.Error
}

func (b *batch) addAll(in *cloudwatch.PutMetricDataInput) error {
	count := len(in.MetricData)
	for _, e := range in.EntityMetricData {
		count += len(e.MetricData)
	}
	switch {
	case count == 0:
		return cloudwatch.MissingRequiredParameterException("The parameter MetricData is required.")
	case count > maxData:
		return cloudwatch.InvalidParameterValueException("The collection MetricData must not have a size greater than %d.", maxData)
	case len(in.EntityMetricData) > maxEntities:
		return cloudwatch.InvalidParameterValueException("The collection EntityMetricData must not have a size greater than %d.", maxEntities)
	}
	for i := range in.MetricData {
		b.add(fmt.Sprintf("MetricData.member.%d.", i+1), &in.MetricData[i])
	}
	for i, e := range in.EntityMetricData {
		for j := range e.MetricData {
			b.add(fmt.Sprintf("EntityMetricData.member.%d.MetricData.member.%d.", i+1, j+1), &e.MetricData[j])
		}
	}
	return b.refused()
}

// refused is the error of all that is wrong, each in a line of its own.
func (b *batch) refused() error {
	if len(b.wrong) == 0 {
		return nil
	}
	all := *b.wrong[0]
	for _, e := range b.wrong[1:] {
		all.Message += "\n" + e.Message
	}
	return &all
}

// add adds the datum at a path.
func (b *batch) add(path string, in *cloudwatch.MetricDatum) {
	set, e := setOf(path, in)
	if e == nil {
		e = b.check(path, in)
	}
	if e != nil {
		b.wrong = append(b.wrong, e)
		return
	}
	d := metrics.Datum{
		Metric: b.metric, Unit: string(in.Unit), Time: aws.ValueOr(in.Timestamp, b.now),
		HighResolution: b.fine || aws.Value(in.StorageResolution) == 1, StatisticSet: set,
	}
	d.Name, d.Dimensions = *in.MetricName, dimensions(in.Dimensions)
	b.data = append(b.data, d)
}

// check checks all but the values.
func (b *batch) check(path string, in *cloudwatch.MetricDatum) *protocol.Error {
	if t := in.Timestamp; t != nil && t.Before(b.now.Add(-maxAge)) {
		return cloudwatch.InvalidParameterValueException("The parameter %sTimestamp must specify a time within the past two weeks.", path)
	} else if t != nil && t.After(b.now.Add(maxAhead)) {
		return cloudwatch.InvalidParameterValueException("The parameter %sTimestamp must specify a time no more than two hours in the future.", path)
	}
	if r := aws.ValueOr(in.StorageResolution, 60); r != 1 && r != 60 {
		return cloudwatch.InvalidParameterValueException("The parameter %sStorageResolution must be 1 or 60.", path)
	}
	if e := checkName(path+"MetricName", *in.MetricName); e != nil {
		return e
	}
	return checkDimensions(path, in.Dimensions)
}

// checkSize refuses requests that are larger than an operation takes. CloudWatch's limit is
// of what comes by HTTP, so that compressed ones may have more in them.
func checkSize(ctx context.Context, limit int) error {
	if n := api.CallFrom(ctx).Size; n > limit {
		return protocol.Errorf("RequestEntityTooLarge", "Request size %d exceeded %d bytes", n, limit).WithStatus(http.StatusRequestEntityTooLarge)
	}
	return nil
}

// checkName checks the letters of a name, or of a dimension's value.
// Source: CloudWatch API, Dimension and PutMetricData.
func checkName(path, name string) *protocol.Error {
	for _, r := range name {
		switch {
		case r > unicode.MaxASCII:
			return cloudwatch.InvalidParameterValueException("The value for parameter %s contains non-ASCII characters.", path)
		case unicode.IsControl(r):
			return cloudwatch.InvalidParameterValueException("The value for parameter %s contains control characters.", path)
		}
	}
	if strings.TrimSpace(name) == "" {
		return cloudwatch.InvalidParameterValueException("The value for parameter %s contains nothing but white space.", path)
	}
	return nil
}

func checkDimensions(path string, given []cloudwatch.Dimension) *protocol.Error {
	seen := map[string]bool{}
	for i, d := range given {
		at := fmt.Sprintf("%sDimensions.member.%d.", path, i+1)
		if e := checkName(at+"Name", *d.Name); e != nil {
			return e
		}
		if e := checkName(at+"Value", *d.Value); e != nil {
			return e
		}
		if strings.HasPrefix(*d.Name, ":") {
			return cloudwatch.InvalidParameterValueException("The value %s for parameter %s is invalid.", *d.Name, at+"Name")
		}
		if seen[*d.Name] {
			return cloudwatch.InvalidParameterValueException("The parameter %sDimensions has more than one value for the dimension %s.", path, *d.Name)
		}
		seen[*d.Name] = true
	}
	return nil
}

func dimensions(given []cloudwatch.Dimension) []metrics.Dimension {
	var all []metrics.Dimension
	for _, d := range given {
		all = append(all, metrics.Dimension{Name: *d.Name, Value: *d.Value})
	}
	return all
}

// setOf checks the values of a datum and makes a set of them.
func setOf(path string, in *cloudwatch.MetricDatum) (set metrics.StatisticSet, e *protocol.Error) {
	exclusive := func(a, b string) *protocol.Error {
		return cloudwatch.InvalidParameterCombinationException("The parameters %s%s and %s%s are mutually exclusive and you have specified both.", path, a, path, b)
	}
	switch {
	case in.Value != nil && in.Values != nil:
		return set, exclusive("Value", "Values")
	case in.Value != nil && in.StatisticValues != nil:
		return set, exclusive("Value", "StatisticValues")
	case in.Values != nil && in.StatisticValues != nil:
		return set, exclusive("Values", "StatisticValues")
	case len(in.Counts) > 0 && len(in.Counts) != len(in.Values):
		return set, cloudwatch.InvalidParameterValueException("The parameters %sValues and %sCounts must be of the same size.", path, path)
	case in.Value != nil:
		return metrics.Value(*in.Value), checkValue(path+"Value", *in.Value)
	case in.StatisticValues != nil:
		return statisticSet(path+"StatisticValues.", in.StatisticValues)
	case len(in.Values) > 0:
		return valueSet(path, in.Values, in.Counts)
	}
	return set, cloudwatch.MissingRequiredParameterException("At least one of the parameters %sValue, %sValues and %sStatisticValues must be specified.", path, path, path)
}

func valueSet(path string, values, counts []float64) (set metrics.StatisticSet, e *protocol.Error) {
	if len(values) > maxValues {
		return set, cloudwatch.InvalidParameterValueException("The collection %sValues must not have a size greater than %d.", path, maxValues)
	}
	for i, v := range values {
		count := 1.0
		if len(counts) > 0 {
			count = counts[i]
		}
		if e := checkValue(fmt.Sprintf("%sValues.member.%d", path, i+1), v); e != nil {
			return set, e
		}
		if e := checkCount(fmt.Sprintf("%sCounts.member.%d", path, i+1), count); e != nil {
			return set, e
		}
		set = set.Merge(metrics.Values(v, count))
	}
	return set, nil
}

func statisticSet(path string, in *cloudwatch.StatisticSet) (set metrics.StatisticSet, e *protocol.Error) {
	for _, part := range []struct {
		name  string
		value float64
	}{{"Sum", *in.Sum}, {"Minimum", *in.Minimum}, {"Maximum", *in.Maximum}} {
		if e := checkValue(path+part.name, part.value); e != nil {
			return set, e
		}
	}
	if *in.Minimum > *in.Maximum {
		return set, cloudwatch.InvalidParameterValueException("The parameter %sMinimum must not be greater than the parameter %sMaximum.", path, path)
	}
	return metrics.Statistics(*in.SampleCount, *in.Sum, *in.Minimum, *in.Maximum), checkCount(path+"SampleCount", *in.SampleCount)
}

func checkValue(path string, v float64) *protocol.Error {
	if math.IsNaN(v) || math.Abs(v) > largest {
		return invalidNumber(path, v)
	}
	return nil
}

func checkCount(path string, count float64) *protocol.Error {
	if math.IsNaN(count) || count < 0 || count > largest {
		return invalidNumber(path, count)
	}
	return nil
}

func invalidNumber(path string, v float64) *protocol.Error {
	return cloudwatch.InvalidParameterValueException("The value %s for parameter %s is invalid.", number(v), path)
}

// number writes a number as CloudWatch's errors have it.
func number(v float64) string {
	switch {
	case math.IsInf(v, 1):
		return "∞"
	case math.IsInf(v, -1):
		return "-∞"
	}
	return strconv.FormatFloat(v, 'g', -1, 64)
}

// metricOf is a metric of the caller's account and region.
func metricOf(scope fargo.Scope, namespace, name string, given []cloudwatch.Dimension) metrics.Metric {
	return metrics.Metric{Scope: scope, Namespace: namespace, Name: name, Dimensions: dimensions(given)}
}

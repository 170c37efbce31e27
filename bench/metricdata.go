package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"time"
)

const (
	metricNamespace = "Bench"
	metricCount     = 100
	metricRequest   = 1000 // data in a PutMetricData, at most
	metricReads     = 30
)

const cloudwatchTarget = "GraniteServiceVersion20100801."

// measureMetricData reads a day of 100 metrics, minute by minute: from the first request to
// the whole last answer, for one has 100,800 datapoints at the most.
func measureMetricData(ctx context.Context, f *fixture, r *report) error {
	start := time.Now().Add(-25 * time.Hour).Truncate(time.Hour)
	if err := f.putMetrics(ctx, start); err != nil {
		return err
	}
	in := map[string]any{
		"StartTime": start.Unix(), "EndTime": start.Add(24 * time.Hour).Unix(), "MetricDataQueries": metricQueries(),
	}
	pid, err := f.in.lockHolder("up.lock")
	if err != nil {
		return err
	}
	before, err := cpuClock(pid)
	if err != nil {
		return err
	}
	times := series{name: fmt.Sprintf("GetMetricData of a day of %d metrics", metricCount)}
	err = repeat(ctx, 5, metricReads, func(int) error {
		begun := time.Now()
		answers, err := f.metricData(ctx, in)
		times.add(time.Since(begun))
		return errors.Join(err, checkMetricData(answers))
	})
	if err != nil {
		return err
	}
	after, err := cpuClock(pid)
	if err != nil {
		return err
	}
	r.latencies = append(r.latencies, times)
	p50, spent := times.percentile(50), (after-before)/time.Duration(len(times.samples))
	r.budget(times.name+", p50", fmt.Sprintf("%s (processor time of the control plane %s)", millis(p50), millis(spent)), check{metricDataTime, inMillis(p50)})
	return nil
}

func metricDimensions(n int) []map[string]any {
	return []map[string]any{{"Name": "Number", "Value": fmt.Sprint(n)}}
}

// putMetrics puts a datum for each metric and minute of the day that begins at start.
func (f *fixture) putMetrics(ctx context.Context, start time.Time) error {
	var data []map[string]any
	for minute := range 24 * 60 {
		for n := range metricCount {
			data = append(data, map[string]any{
				"MetricName": "Value", "Dimensions": metricDimensions(n), "Value": minute * n, "Timestamp": start.Add(time.Duration(minute) * time.Minute).Unix(),
			})
		}
		if len(data) == metricRequest {
			if err := f.json(ctx, "monitoring", cloudwatchTarget+"PutMetricData", map[string]any{"Namespace": metricNamespace, "MetricData": data}, nil); err != nil {
				return err
			}
			data = data[:0]
		}
	}
	return nil
}

func metricQueries() (queries []map[string]any) {
	for n := range metricCount {
		queries = append(queries, map[string]any{
			"Id": fmt.Sprintf("m%d", n),
			"MetricStat": map[string]any{
				"Metric": map[string]any{"Namespace": metricNamespace, "MetricName": "Value", "Dimensions": metricDimensions(n)},
				"Period": 60, "Stat": "Average",
			},
		})
	}
	return queries
}

// metricData gives all answers to a request, with the tokens that lead from one to the next.
// They are not decoded: the time is to be Fargo's.
func (f *fixture) metricData(ctx context.Context, in map[string]any) (answers [][]byte, err error) {
	in = maps.Clone(in)
	for {
		r, body, err := f.jsonRequest(ctx, "monitoring", cloudwatchTarget+"GetMetricData", in)
		if err != nil {
			return nil, err
		}
		out, err := f.do(r, body, "monitoring")
		if err != nil {
			return nil, err
		}
		answers = append(answers, out)
		token := nextToken.FindSubmatch(out)
		if token == nil {
			return answers, nil
		}
		in["NextToken"] = string(token[1])
	}
}

var nextToken = regexp.MustCompile(`"NextToken":"([^"]+)"`)

// checkMetricData refuses answers that have not all that was put.
func checkMetricData(answers [][]byte) error {
	var n int
	for _, answer := range answers {
		var out struct {
			MetricDataResults []struct{ Values []float64 }
		}
		if err := json.Unmarshal(answer, &out); err != nil {
			return err
		}
		for _, m := range out.MetricDataResults {
			n += len(m.Values)
		}
	}
	if n != metricCount*24*60 {
		return fmt.Errorf("%d datapoints of %d", n, metricCount*24*60)
	}
	return nil
}

package cloudwatch_test

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"fargo"
	"fargo/api"
	"fargo/api/cloudwatch"
	wire "fargo/aws/cloudwatch"
	"fargo/metrics"
)

// BenchmarkGetMetricData is a day of 100 metrics, minute by minute, from the request to
// the bytes of the answer.
func BenchmarkGetMetricData(b *testing.B) {
	series, err := metrics.Open(b.TempDir(), slog.New(slog.DiscardHandler), now)
	if err != nil {
		b.Fatal(err)
	}
	defer series.Close()
	scope := fargo.Scope{Account: fargo.DefaultAccount, Region: fargo.DefaultRegion}
	start := now().Add(-24 * time.Hour).Truncate(time.Hour)
	for minute := range 24 * 60 {
		var data []metrics.Datum
		for i := range 100 {
			m := metrics.Metric{Scope: scope, Namespace: "n", Name: "m", Dimensions: []metrics.Dimension{{Name: "d", Value: fmt.Sprint(i)}}}
			data = append(data, metrics.Datum{Metric: m, Time: start.Add(time.Duration(minute) * time.Minute), StatisticSet: metrics.Value(float64(i * minute))})
		}
		if err := series.Put(b.Context(), data); err != nil {
			b.Fatal(err)
		}
	}
	handler := api.New(api.Config{
		Services: []api.Mounted{{Service: &wire.API, Server: cloudwatch.New(cloudwatch.Config{Metrics: series, Now: now})}},
		Keys:     keys{}, Authorizer: api.AllowAuthenticated{}, Logger: slog.New(slog.DiscardHandler),
		AcceptAnyCredentials: true, Account: fargo.DefaultAccount, Region: fargo.DefaultRegion,
	})
	var body strings.Builder
	fmt.Fprintf(&body, `{"StartTime":%d,"EndTime":%d,"MaxDatapoints":100800,"MetricDataQueries":[`, start.Unix(), start.Add(24*time.Hour).Unix())
	for i := range 100 {
		if i > 0 {
			body.WriteString(",")
		}
		fmt.Fprintf(&body, `{"Id":"m%d","MetricStat":{"Metric":{"Namespace":"n","MetricName":"m","Dimensions":[{"Name":"d","Value":"%d"}]},"Period":60,"Stat":"Average"}}`, i, i)
	}
	body.WriteString("]}")
	for b.Loop() {
		w := post(handler, "/", jsonHeader+"GetMetricData", body.String())
		if w.Code != 200 || w.Body.Len() < 1_000_000 {
			b.Fatal(w.Code, w.Body.Len())
		}
	}
}

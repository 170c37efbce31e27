package plan

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"fargo"
	"fargo/desired"
)

// TestBalancerData makes data of measurements that are told a line each:
//
//	app/web/1 [targetgroup/api/2] ZONE NAME=COUNT GAUGE~VALUE TIME:SECONDS*COUNT
//
// A datum is its name and dimensions, and its samples.
func TestBalancerData(t *testing.T) {
	start := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	scenarios(t, "testdata/balancermetric", func() func(*testing.T, string) string {
		return func(t *testing.T, command string) string {
			var measured []desired.BalancerMeasurement
			for line := range strings.Lines(command) {
				measured = append(measured, measurementIn(t, strings.Fields(line)))
			}
			var told []string
			for _, d := range BalancerData(measured, start, time.Minute) {
				if d.Scope != (fargo.Scope{Account: "123456789012", Region: "us-east-1"}) || !d.Time.Equal(start) || d.HighResolution {
					t.Errorf("%+v", d)
				}
				told = append(told, tellDatum(&d))
			}
			return strings.Join(told, "\n")
		}
	})
}

const balancerARN = "arn:aws:elasticloadbalancing:us-east-1:123456789012:"

func measurementIn(t *testing.T, fields []string) desired.BalancerMeasurement {
	m := desired.BalancerMeasurement{Balancer: balancerARN + "loadbalancer/" + fields[0], Counts: map[string]float64{}, Gauges: map[string]float64{}, Times: map[string][]desired.MeasuredTime{}}
	fields = fields[1:]
	if strings.HasPrefix(fields[0], "targetgroup/") {
		m.Group, fields = balancerARN+fields[0], fields[1:]
	}
	m.Zone = fields[0]
	number := func(s string) float64 {
		n, err := strconv.ParseFloat(s, 64)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	for _, f := range fields[1:] {
		if name, n, ok := strings.Cut(f, "="); ok {
			m.Counts[name] = number(n)
		} else if name, n, ok := strings.Cut(f, "~"); ok {
			m.Gauges[name] = number(n)
		} else if name, times, ok := strings.Cut(f, ":"); ok {
			seconds, n, _ := strings.Cut(times, "*")
			m.Times[name] = append(m.Times[name], desired.MeasuredTime{Seconds: number(seconds), Count: number(n)})
		} else {
			t.Fatalf("%s is nothing", f)
		}
	}
	return m
}

func tellDatum(d *Datum) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s", strings.TrimPrefix(d.Namespace, "AWS/"), d.Name)
	for _, dimension := range d.Dimensions {
		short := map[string]string{"LoadBalancer": "lb", "TargetGroup": "tg", "AvailabilityZone": "az"}[dimension.Name]
		fmt.Fprintf(&b, " %s=%s", short, dimension.Value)
	}
	b.WriteString(":")
	for i, v := range d.Values {
		fmt.Fprintf(&b, " %.6g", v)
		if d.Counts != nil {
			fmt.Fprintf(&b, "×%g", d.Counts[i])
		}
	}
	return b.String() + " " + d.Unit
}

// Every metric is listed once, with what it is of.
func TestBalancerMetricsAreListedOnce(t *testing.T) {
	for _, list := range [][]balancerMetric{applicationMetrics, networkMetrics} {
		sorted := slices.SortedFunc(slices.Values(list), func(a, b balancerMetric) int { return cmp.Compare(a.name, b.name) })
		if n := len(slices.CompactFunc(sorted, func(a, b balancerMetric) bool { return a.name == b.name })); n != len(list) {
			t.Errorf("%d metrics, and %d names", len(list), n)
		}
		for _, m := range list {
			if m.of&^inZones == 0 || m.unit == "" || m.samples == nil {
				t.Errorf("%+v", m)
			}
		}
	}
}

// Data of a shorter period are kept by the second, and rates are of its length.
func TestBalancerDataOfSeconds(t *testing.T) {
	m := desired.BalancerMeasurement{Balancer: balancerARN + "loadbalancer/app/web/1", Zone: "a", Counts: map[string]float64{"NewConnectionCount": 100}}
	for _, d := range BalancerData([]desired.BalancerMeasurement{m}, time.Unix(0, 0), 2*time.Second) {
		if !d.HighResolution || d.Name == "ConsumedLCUs" && d.Values[0] != 2 {
			t.Errorf("%+v", d)
		}
	}
	m.Balancer = "arn:aws:ecs:us-east-1:123456789012:service/a/b"
	if data := BalancerData([]desired.BalancerMeasurement{m}, time.Unix(0, 0), time.Minute); data != nil {
		t.Errorf("of something else: %+v", data)
	}
}

package expression

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"fargo"
	"fargo/metrics"
)

var (
	scopeA = fargo.Scope{Account: "123456789012", Region: "us-east-1"}
	// noon is a Monday.
	noon = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
)

// memory is metrics that have one sample in each minute from noon on: "1 2 - 4" has none
// in the third.
type memory map[string]string

func (m memory) Statistics(_ context.Context, q metrics.Query) ([]metrics.Series, error) {
	text, ok := m[q.Metric.Name]
	if !ok {
		return nil, nil
	}
	s := metrics.Series{Unit: "None"}
	for i, word := range strings.Fields(text) {
		var v float64
		if _, err := fmt.Sscan(word, &v); err != nil {
			continue
		}
		at := noon.Add(time.Duration(i) * time.Minute)
		if n := len(s.Points); at.Before(q.End) {
			start := q.Start.Add(at.Sub(q.Start).Truncate(q.Period))
			if n > 0 && s.Points[n-1].Start.Equal(start) {
				s.Points[n-1].StatisticSet = s.Points[n-1].Merge(metrics.Value(v))
			} else {
				s.Points = append(s.Points, metrics.Point{Start: start, StatisticSet: metrics.Value(v)})
			}
		}
	}
	return []metrics.Series{s}, nil
}

func (m memory) Metrics(scope fargo.Scope, _ metrics.Filter) (all []metrics.Metric) {
	for name := range m {
		all = append(all, metrics.Metric{Scope: scope, Namespace: "test", Name: name})
	}
	slices.SortFunc(all, metrics.Metric.Compare)
	return all
}

func statistic(t *testing.T, name string) metrics.Statistic {
	t.Helper()
	s, err := metrics.ParseStatistic(name)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

var data = memory{"m1": "1 2 - 4 5", "m2": "10 0 30 40 -", "m3": "7", "m4": "-"}

// request asks for all of data by their names, hidden, and for an expression.
func request(t *testing.T, text string) Request {
	r := Request{Scope: scopeA, Start: noon, End: noon.Add(5 * time.Minute), Now: noon.Add(5 * time.Minute)}
	for _, id := range []string{"m1", "m2", "m3", "m4"} {
		r.Queries = append(r.Queries, Query{
			ID: id, Metric: metrics.Metric{Scope: scopeA, Namespace: "test", Name: id}, Statistic: statistic(t, "Average"), Period: time.Minute, Hidden: true,
		})
	}
	r.Queries = append(r.Queries, Query{ID: "e1", Expression: text})
	return r
}

// show writes series as memory has them, with labels when there are several.
func show(results []Result) string {
	var all []string
	for _, r := range results {
		values := slices.Repeat([]string{"-"}, 5)
		for i, t := range r.Times {
			values[(t-noon.Unix())/60] = fmt.Sprintf("%.4g", r.Values[i])
		}
		text := strings.Join(values, " ")
		if len(results) > 1 {
			text = r.Label + ": " + text
		}
		all = append(all, text)
	}
	return strings.Join(all, "; ")
}

// Functions and operators do what CloudWatch's do. Source: CloudWatch user guide, "Using
// math expressions with CloudWatch metrics".
func TestMath(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"m1", "1 2 - 4 5"},
		{"m1 + m2", "11 2 - 44 -"},
		{"m1 / m2", "0.1 - - 0.1 -"}, // there is no quotient of 0
		{"m1 * 2 - 1", "1 3 - 7 9"},
		{"2 + 3 * m1 ^ 2", "5 14 - 50 77"},
		{"(2 + 3) * m1", "5 10 - 20 25"},
		{"2 ^ 3 ^ 2 * m3", "3584 - - - -"}, // from the right
		{"-m1 ^ 2", "-1 -4 - -16 -25"},
		{"1e2 + .5 + m3", "107.5 - - - -"},
		{"m1 - AVG(m1)", "-2 -1 - 1 2"},
		{"m1 > 2", "0 0 - 1 1"},
		{"m1 >= 2 AND m1 < 5", "0 1 - 1 0"},
		{"m1 == 1 || m1 != 2 && m2 > 0", "1 0 - 1 -"},
		{"IF(m1 > 2, m2, 0)", "0 0 - 40 -"},
		{"IF(m1 > 2, 1, m2)", "10 0 - 1 1"},
		{"IF(m1 > 2, m1)", "- - - 4 5"},
		{"IF(1 < 2, m1, m2)", "1 2 - 4 5"},
		{"FILL(m1, 0)", "1 2 0 4 5"},
		{"FILL(m1, REPEAT)", "1 2 2 4 5"},
		{"FILL(m2, REPEAT)", "10 0 30 40 40"},
		{"FILL(m1, LINEAR)", "1 2 3 4 5"},
		{"FILL(m2, LINEAR)", "10 0 30 40 -"},
		{"FILL(m1, m2)", "1 2 30 4 5"},
		{"FILL(m4, 3)", "3 3 3 3 3"},
		{"ABS(m1 - 3)", "2 1 - 1 2"},
		{"CEIL(m1 / 2) + FLOOR(m1 / 2)", "1 2 - 4 5"},
		{"LOG10(m2)", "1 - 1.477 1.602 -"},
		{"LOG(m1)", "0 0.6931 - 1.386 1.609"},
		{"SUM(METRICS())", "18 2 30 44 5"},
		{"SUM([m1, m2])", "11 2 30 44 5"},
		{"AVG([m1, m2])", "5.5 1 30 22 5"},
		{"MIN([m1, m2])", "1 0 30 4 5"},
		{"MAX(METRICS(\"m\"))", "10 2 30 40 5"},
		{"STDDEV([m1, m2])", "4.5 1 0 18 0"},
		{"DATAPOINT_COUNT([m1, m2, m3])", "3 2 1 2 1"},
		{"m3 * DATAPOINT_COUNT(m1)", "28 - - - -"},
		{"m3 * METRIC_COUNT(METRICS())", "28 - - - -"},
		{"m3 * PERIOD(m1)", "420 - - - -"},
		{"m3 * (SUM(m1) + MIN(m1) + MAX(m1))", "126 - - - -"},
		{"m3 + AVG(m4)", "- - - - -"},
		{"DIFF(m1)", "- 1 - 2 1"},
		{"DIFF_TIME(m1)", "- 60 - 120 60"},
		{"RATE(m1) * 60", "- 1 - 1 1"},
		{"RUNNING_SUM(m1)", "1 3 - 7 12"},
		{"TIME_SERIES(3)", "3 3 3 3 3"},
		{"MINUTE(m4) + HOUR(m4)", "12 13 14 15 16"},
		{"DAY(m1)", "1 1 1 1 1"}, // Monday
		{"DATE(m1) + MONTH(m1) * 100", "601 601 601 601 601"},
		{"YEAR(m1) - 2000", "26 26 26 26 26"},
		{"EPOCH(m1) / 60 - EPOCH(m3) / 60 + MINUTE(m3)", "0 1 2 3 4"},
		{"FIRST(METRICS())", "1 2 - 4 5"},
		{"LAST(REMOVE_EMPTY(METRICS()))", "7 - - - -"},
		{"REMOVE_EMPTY([m1, m4]) * 2", "2 4 - 8 10"},
		{"SLICE(METRICS(), 1, 3) + 1", "m2: 11 1 31 41 -; m3: 8 - - - -"},
		{"SLICE(SORT(METRICS(), MAX, DESC), 2)", "m1: 1 2 - 4 5; m4: - - - - -"},
		{"SORT(METRICS(), AVG, ASC, 2)", "m1: 1 2 - 4 5; m3: 7 - - - -"},
		{"[m1, m3] > 4", "m1: 0 0 - 0 1; m3: 1 - - - -"},
		{"m3 - [m1, m2]", "m1: 6 - - - -; m2: -3 - - - -"},
		{"SEARCH('{test} m3', 'Average', 60)", "7 - - - -"},
		{"SUM(SEARCH('MetricName=(\"m1\" OR \"m2\")', 'Sum', 60))", "11 2 30 44 5"},
	} {
		got, err := Evaluate(t.Context(), data, request(t, c.text))
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
		} else if text := show(got); text != c.want {
			t.Errorf("%s\ngives %s,\nwant  %s", c.text, text, c.want)
		}
	}
}

func TestRefused(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"m1 +", "the expression ends too early"},
		{"m1 m2", "'m2' is not expected here"},
		{"(m1", "the expression ends too early"},
		{"m1 $ 2", "'$' is not expected here"},
		{"'m1", "a text begins with ' and does not end"},
		{"1.2.3 * m1", "'1.2.3' is not a number"},
		{"m9 * 2", "no query has the id m9"},
		{"e1 * 2", "the queries e1, e1 refer to each other"},
		{"FOO(m1)", "there is no function FOO"},
		{"FOO", "'FOO' is not known"},
		{"AVG(m1, m2)", "the function AVG does not have 2 arguments"},
		{"AVG(1)", "the function AVG does not take [Scalar]"},
		{"RATE(1)", "the function RATE does not take [Scalar]"},
		{"SORT(METRICS(), FOO, ASC)", "'FOO' is not known"},
		{"SORT(METRICS(), RATE, ASC)", "the function SORT does not take [TimeSeries[], String, String]"},
		{"AVG(m1)", "The expression gives a Scalar, and not a time series"},
		{"METRICS() + METRICS()", "Unsupported operand type(s) for +: '[TimeSeries[], TimeSeries[]]'"},
		{"'a' + m1", "Unsupported operand type(s) for +: '[String, TimeSeries]'"},
		{"ANOMALY_DETECTION_BAND(m1)", "Fargo does not implement the function ANOMALY_DETECTION_BAND"},
		{"SELECT AVG(CPUUtilization) FROM \"AWS/EC2\"", "Fargo does not implement Metrics Insights (SELECT)"},
		{"SEARCH('{test', 'Average', 60)", "the schema of a search does not end"},
		{"SEARCH('(a', 'Average', 60)", "a parenthesis of a search is not closed"},
		{"SEARCH('a OR', 'Average', 60)", "a term of a search is missing"},
		{"SEARCH('a', 'Mean', 60)", "\"Mean\" is not a statistic"},
		{strings.Repeat("(", 100) + "m1" + strings.Repeat(")", 100), "the expression is nested too deeply"},
		{strings.Repeat("-", 100) + "m1", "the expression is nested too deeply"},
	} {
		_, err := Evaluate(t.Context(), data, request(t, c.text))
		var e *Error
		if !errors.As(err, &e) || e.Text != c.want || e.ID != "e1" {
			t.Errorf("%s: %v, want %s", c.text, err, c.want)
		}
	}
}

// A time range with more periods than can be filled is refused.
func TestTooManyPeriods(t *testing.T) {
	r := request(t, "FILL(m1, 0) + TIME_SERIES(1)")
	r.Start = time.Unix(0, 0)
	if _, err := Evaluate(t.Context(), data, r); !errors.As(err, new(*Error)) {
		t.Error(err)
	}
}

// The labels that CloudWatch makes are recorded; those with dynamic parts are as the user
// guide has them, "Using dynamic labels".
func TestLabels(t *testing.T) {
	query := func(id, stat string, period time.Duration, label string) Query {
		return Query{ID: id, Metric: metrics.Metric{Scope: scopeA, Namespace: "test", Name: "m1", Dimensions: []metrics.Dimension{{Name: "D", Value: "v"}}}, Statistic: statistic(t, stat), Period: period, Label: label}
	}
	for _, c := range []struct {
		queries []Query
		want    []string
	}{
		{[]Query{query("a", "Sum", time.Minute, ""), query("b", "Sum", time.Minute, "")}, []string{"m1", "m1"}},
		{[]Query{query("a", "Sum", time.Minute, ""), query("b", "Minimum", time.Minute, "")}, []string{"m1 Sum", "m1 Minimum"}},
		{[]Query{query("a", "Sum", time.Minute, ""), query("b", "Sum", 5*time.Minute, "")}, []string{"m1 60", "m1 300"}},
		{[]Query{query("a", "Sum", time.Minute, ""), query("b", "Minimum", 5*time.Minute, "x")}, []string{"m1", "x"}},
		{[]Query{query("a", "Sum", time.Minute, "${LABEL} ${PROP('Dim.D')} ${PROP('Stat')} ${MAX} at ${MAX_TIME}, ${LAST} of ${DATAPOINT_COUNT}, ${FOO}")}, []string{"m1 v Sum 5 at 2026-06-01 12:04:00, 5 of 4, ${FOO}"}},
		{[]Query{{ID: "e", Expression: "TIME_SERIES(1)"}}, []string{"e"}},
		{[]Query{{ID: "e", Expression: "TIME_SERIES(1)", Label: "one"}}, []string{"one"}},
		{[]Query{{ID: "e", Expression: "SEARCH('{test} m1 OR m2', 'Sum', 60)", Label: "found"}}, []string{"found m1", "found m2"}},
		{[]Query{{ID: "e", Expression: "SEARCH('{test} m1 OR m2', 'Sum', 60)", Label: "${PROP('MetricName')} ${SUM}"}}, []string{"m1 12", "m2 80"}},
	} {
		results, err := Evaluate(t.Context(), data, Request{Scope: scopeA, Queries: c.queries, Start: noon, End: noon.Add(5 * time.Minute), Now: noon})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, r := range results {
			got = append(got, r.Label)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}

// Searches find metrics by parts of their names and dimensions. Source: CloudWatch user
// guide, "CloudWatch search expression syntax".
func TestSearch(t *testing.T) {
	m := metrics.Metric{Scope: scopeA, Namespace: "AWS/ECS", Name: "CPUUtilization", Dimensions: []metrics.Dimension{{Name: "ClusterName", Value: "prod-1"}, {Name: "ServiceName", Value: "web"}}}
	for text, want := range map[string]bool{
		"":        true,
		"CPUUtil": false, "cpu": true, "Utilization cpu": true, `"CPUUtilization"`: true, `"cpuutilization"`: false, `"CPU"`: false,
		"{AWS/ECS,ClusterName,ServiceName}":           true,
		"{AWS/ECS, ServiceName, ClusterName} cpu":     true,
		"{AWS/ECS,ClusterName}":                       false,
		"{AWS/ECS}":                                   false,
		"{AWS/EC2,ClusterName,ServiceName}":           false,
		"MetricName=cpu":                              true,
		`MetricName="CPUUtilization" ServiceName=web`: true,
		"MetricName=web":                              false,
		"ServiceName=(api OR web)":                    true,
		"ClusterName=(prod NOT 1)":                    false,
		"Other=web":                                   false,
		"cpu AND NOT web":                             false,
		"api OR web":                                  true,
		"memory OR (web AND NOT (api OR memory))":     true,
		"prod":   true,
		"prod-1": true,
		"prod-2": false,
		`Namespace="AWS/ECS" :aws.AccountId=123456789012`: true,
	} {
		f, err := parseSearch(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
		} else if f.matches(&m) != want {
			t.Errorf("%s: %v", text, !want)
		}
	}
}

// FuzzParse: no text makes the parser or an evaluation panic.
func FuzzParse(f *testing.F) {
	f.Add("SLICE(SORT(METRICS(), MAX, DESC), 2) + IF(m1 > 2, FILL(m1, REPEAT))")
	f.Add("SEARCH('{test,a} MetricName=(x OR \"y\") NOT z', 'p99', 60)")
	f.Add("-[m1,1e9]^.5&&'")
	f.Fuzz(func(t *testing.T, text string) {
		if text == "" {
			return
		}
		results, err := Evaluate(t.Context(), data, request(t, text))
		if err != nil && !errors.As(err, new(*Error)) {
			t.Error(err)
		}
		for _, r := range results {
			if len(r.Times) != len(r.Values) {
				t.Errorf("%d times, %d values", len(r.Times), len(r.Values))
			}
		}
	})
}

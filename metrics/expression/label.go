package expression

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"fargo/metrics"
)

// origin is what a series is of.
type origin struct {
	metric    metrics.Metric
	statistic string
}

// ownLabels are the labels of queries for metrics that have none: the metric's name, with
// the statistic and the period as far as the queries differ in them. As recorded.
func ownLabels(queries []Query) []string {
	statistics, periods := map[string]bool{}, map[time.Duration]bool{}
	for _, q := range queries {
		if q.Expression == "" && q.Label == "" {
			statistics[q.Statistic.String()] = true
			periods[q.Period] = true
		}
	}
	labels := make([]string, len(queries))
	for i, q := range queries {
		labels[i] = q.Metric.Name
		if len(statistics) > 1 {
			labels[i] += " " + q.Statistic.String()
		}
		if len(periods) > 1 {
			labels[i] += " " + strconv.FormatInt(int64(q.Period/time.Second), 10)
		}
	}
	return labels
}

// distinctions are labels of metrics that a search has found: the values of the dimensions
// and the names that they differ in.
func distinctions(found []metrics.Metric) []string {
	labels := make([]string, len(found))
	names := false
	differ := map[string]bool{}
	for i := range found {
		names = names || found[i].Name != found[0].Name
		for _, d := range found[i].Dimensions {
			if !slices.Contains(found[0].Dimensions, d) {
				differ[d.Name] = true
			}
		}
	}
	for i, m := range found {
		var parts []string
		for _, d := range m.Dimensions {
			if differ[d.Name] {
				parts = append(parts, d.Value)
			}
		}
		if names || len(parts) == 0 {
			parts = append(parts, m.Name)
		}
		labels[i] = strings.Join(parts, " ")
	}
	return labels
}

// labelled is a series with the label that a query's result shows.
func (e *evaluation) labelled(q *Query, k kind, s *TimeSeries) *TimeSeries {
	shown := *s
	switch {
	case q.Label == "" && q.Expression == "" || q.Label == "" && k == many:
	case q.Label == "":
		shown.Label = q.ID
	case dynamic.MatchString(q.Label):
		shown.Label = dynamic.ReplaceAllStringFunc(q.Label, func(part string) string { return e.dynamic(s, part) })
	case k == many:
		shown.Label = q.Label + " " + s.Label
	default:
		shown.Label = q.Label
	}
	return &shown
}

// dynamic finds the dynamic parts of labels.
// Source: CloudWatch user guide, "Using dynamic labels".
var dynamic = regexp.MustCompile(`\$\{[^}]*\}`)

var property = regexp.MustCompile(`^PROP\('([^']*)'\)$`)

// dynamic is what stands for a dynamic part; the part itself if it is not known.
func (e *evaluation) dynamic(s *TimeSeries, part string) string {
	name := strings.TrimSpace(part[2 : len(part)-1])
	if m := property.FindStringSubmatch(name); m != nil {
		return s.property(m[1])
	}
	if name == "LABEL" {
		return s.Label
	}
	if name == "DATAPOINT_COUNT" {
		return strconv.Itoa(len(s.Values))
	}
	what, at, ok := s.extreme(strings.TrimSuffix(strings.TrimSuffix(name, "_TIME"), "_TIME_RELATIVE"))
	switch {
	case !ok && len(s.Values) == 0 && slices.Contains(extremes, strings.TrimSuffix(name, "_TIME")):
		return "--"
	case !ok:
		return part
	case strings.HasSuffix(name, "_TIME"):
		return time.Unix(at, 0).In(e.zone()).Format("2006-01-02 15:04:05")
	case strings.HasSuffix(name, "_TIME_RELATIVE"):
		return part
	}
	return strconv.FormatFloat(what, 'f', -1, 64)
}

func (e *evaluation) zone() *time.Location {
	if e.Zone == nil {
		return time.UTC
	}
	return e.Zone
}

var extremes = []string{"FIRST", "LAST", "MIN", "MAX", "AVG", "SUM"}

// extreme is a number that labels can show, and when it was.
func (s *TimeSeries) extreme(name string) (v float64, at int64, ok bool) {
	if len(s.Values) == 0 {
		return 0, 0, false
	}
	i := 0
	switch name {
	case "FIRST":
	case "LAST":
		i = len(s.Values) - 1
	case "MIN":
		i = slices.Index(s.Values, slices.Min(s.Values))
	case "MAX":
		i = slices.Index(s.Values, slices.Max(s.Values))
	case "AVG":
		return average(s.Values), s.Times[0], true
	case "SUM":
		return total(s.Values), s.Times[0], true
	default:
		return 0, 0, false
	}
	return s.Values[i], s.Times[i], true
}

// property is one of the metric that a series is of; empty if it is of none.
func (s *TimeSeries) property(name string) string {
	if s.origin == nil {
		return ""
	}
	m := s.origin.metric
	switch name {
	case "AccountId":
		return m.Scope.Account
	case "Region":
		return m.Scope.Region
	case "Namespace":
		return m.Namespace
	case "MetricName":
		return m.Name
	case "Period":
		return strconv.FormatInt(s.Period, 10)
	case "Stat":
		return s.origin.statistic
	}
	for _, d := range m.Dimensions {
		if "Dim."+d.Name == name {
			return d.Value
		}
	}
	return ""
}

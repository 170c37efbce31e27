package metrics

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
)

// Statistic is one of CloudWatch's statistics.
// Source: CloudWatch user guide, "CloudWatch statistics definitions".
type Statistic struct {
	name  string
	of    func(Statistic, StatisticSet) (float64, bool)
	lower bound
	upper bound
}

// bound is an end of what a statistic looks at.
type bound struct {
	at      float64
	percent bool // of the samples, in their order; else it is a value
	given   bool
}

// The statistics that need no more than the four numbers of a set.
var simple = map[string]func(StatisticSet) float64{
	"SampleCount": func(s StatisticSet) float64 { return s.Count },
	"Sum":         func(s StatisticSet) float64 { return s.Sum },
	"Average":     func(s StatisticSet) float64 { return s.Sum / s.Count },
	"Minimum":     func(s StatisticSet) float64 { return s.Minimum },
	"Maximum":     func(s StatisticSet) float64 { return s.Maximum },
}

// ranged are those of the samples between two bounds.
var ranged = map[string]func(Statistic, StatisticSet) (float64, bool){
	"tm": Statistic.trimmedMean,
	"tc": Statistic.trimmedCount,
	"ts": Statistic.trimmedSum,
	"wm": Statistic.winsorizedMean,
	"pr": Statistic.percentileRank,
}

const (
	percentage = `(?:\d{1,2}(?:\.\d{0,10})?|100(?:\.0{0,10})?)`
	number     = `[-+]?\d+(?:\.\d*)?(?:[eE][-+]?\d+)?`
)

var (
	short    = regexp.MustCompile(`^(?i:(p|tm|tc|ts|wm))(` + percentage + `)$`)
	percents = regexp.MustCompile(`^(?i:(tm|tc|ts|wm))\((?:(` + percentage + `)%)?:(?:(` + percentage + `)%)?\)$`)
	values   = regexp.MustCompile(`^(?i:(tm|tc|ts|wm|pr))\((` + number + `)?:(` + number + `)?\)$`)
)

// ParseStatistic reads a statistic as GetMetricData has it: "Average", "p99.9", "tm90",
// "TC(2%:98%)", "PR(:300)", "IQM".
func ParseStatistic(text string) (Statistic, error) {
	if f := simple[text]; f != nil {
		return Statistic{name: text, of: func(_ Statistic, s StatisticSet) (float64, bool) { return f(s), s.Count != 0 }}, nil
	}
	if strings.EqualFold(text, "IQM") {
		return Statistic{name: text, of: Statistic.trimmedMean, lower: bound{25, true, true}, upper: bound{75, true, true}}, nil
	}
	s := Statistic{name: text}
	if m := short.FindStringSubmatch(text); m != nil {
		s.upper = parseBound(m[2], true)
		if s.of = ranged[strings.ToLower(m[1])]; s.of == nil {
			s.of = Statistic.percentile
		}
		return s, nil
	}
	m, percent := percents.FindStringSubmatch(text), true
	if m == nil || m[2] == "" && m[3] == "" {
		m, percent = values.FindStringSubmatch(text), false
	}
	if m == nil || m[2] == "" && m[3] == "" {
		return Statistic{}, fmt.Errorf("%q is not a statistic", text)
	}
	s.of, s.lower, s.upper = ranged[strings.ToLower(m[1])], parseBound(m[2], percent), parseBound(m[3], percent)
	if s.lower.given && s.upper.given && s.lower.at >= s.upper.at {
		return Statistic{}, fmt.Errorf("%q is not a statistic: its lower bound is not below the other", text)
	}
	return s, nil
}

func parseBound(text string, percent bool) bound {
	at, err := strconv.ParseFloat(text, 64)
	return bound{at, percent, err == nil}
}

// String is the statistic as it was given.
func (t Statistic) String() string { return t.name }

// Simple reports whether the statistic is one of the five that every set has.
func (t Statistic) Simple() bool { return simple[t.name] != nil }

// Of computes the statistic; ok is false when the set does not have it, because it is
// not known what its samples were or none are between the bounds.
func (t Statistic) Of(s StatisticSet) (v float64, ok bool) { return t.of(t, s) }

// percentile is the least value that no less than so many percent of the samples do not
// exceed. Sets with negative values have none. Source: CloudWatch API,
// GetMetricStatistics.
func (t Statistic) percentile(s StatisticSet) (float64, bool) {
	all, ok := s.samples()
	if !ok || s.Minimum < 0 {
		return 0, false
	}
	return percentile(all, s.Count, t.upper.at), true
}

func percentile(all []weighted, count, percent float64) float64 {
	rank, below := percent/100*count, 0.0
	for _, w := range all {
		if below += w.count; below >= rank-1e-9*count {
			return w.value
		}
	}
	return all[len(all)-1].value
}

// trimmed is the part of the samples that is between the bounds: a value at a bound of
// percents counts with that part of its samples that is inside; values count when they
// are above the lower bound and not above the upper.
func (t Statistic) trimmed(s StatisticSet) (inside []weighted, ok bool) {
	all, ok := s.samples()
	if !ok {
		return nil, false
	}
	lower, upper := 0.0, s.Count
	if t.lower.given && t.lower.percent {
		lower = t.lower.at / 100 * s.Count
	}
	if t.upper.given && t.upper.percent {
		upper = t.upper.at / 100 * s.Count
	}
	below := 0.0
	for _, w := range all {
		part := min(below+w.count, upper) - max(below, lower)
		below += w.count
		if part > 0 && t.holds(w.value) {
			inside = append(inside, weighted{w.value, part})
		}
	}
	return inside, true
}

// holds reports whether a value is between bounds that are values.
func (t Statistic) holds(v float64) bool {
	return (!t.lower.given || t.lower.percent || v > t.lower.at) && (!t.upper.given || t.upper.percent || v <= t.upper.at)
}

func total(all []weighted) (count, sum float64) {
	for _, w := range all {
		count += w.count
		sum += w.value * w.count
	}
	return count, sum
}

func (t Statistic) trimmedMean(s StatisticSet) (float64, bool) {
	inside, ok := t.trimmed(s)
	count, sum := total(inside)
	return sum / count, ok && count > 0
}

func (t Statistic) trimmedCount(s StatisticSet) (float64, bool) {
	inside, ok := t.trimmed(s)
	count, _ := total(inside)
	return count, ok
}

func (t Statistic) trimmedSum(s StatisticSet) (float64, bool) {
	inside, ok := t.trimmed(s)
	_, sum := total(inside)
	return sum, ok
}

// percentileRank is how many percent of the samples are between the bounds.
func (t Statistic) percentileRank(s StatisticSet) (float64, bool) {
	count, ok := t.trimmedCount(s)
	return 100 * count / s.Count, ok
}

// winsorizedMean is the mean when what is outside of the bounds is as the bounds are.
func (t Statistic) winsorizedMean(s StatisticSet) (float64, bool) {
	all, ok := s.samples()
	if !ok {
		return 0, false
	}
	edge := func(b bound, none float64) float64 {
		switch {
		case !b.given:
			return none
		case b.percent:
			return percentile(all, s.Count, b.at)
		}
		return b.at
	}
	least, most := edge(t.lower, math.Inf(-1)), edge(t.upper, math.Inf(1))
	sum := 0.0
	for _, w := range all {
		sum += min(max(w.value, least), most) * w.count
	}
	return sum / s.Count, true
}

package expression

import (
	"errors"
	"math"
	"slices"
	"strings"
)

// function is one of metric math, with the bounds of its number of arguments.
type function struct {
	least, most int
	call        func(s *scope, arguments []Value) (Value, error)
}

// errKind is the error of arguments that are of other kinds than a function takes.
var errKind = errors.New("arguments of the wrong kind")

// keywords are words that functions take.
var keywords = map[string]bool{"REPEAT": true, "LINEAR": true, "ASC": true, "DESC": true}

// missing are functions of CloudWatch that are refused by name.
var missing = map[string]bool{
	"ANOMALY_DETECTION_BAND": true, "DB_PERF_INSIGHTS": true, "INSIGHT_RULE_METRIC": true, "LAMBDA": true, "SERVICE_QUOTA": true, "SELECT": true,
}

var functions map[string]function

func init() { // the functions' names are needed to parse what they are given
	functions = map[string]function{
		"ABS":   elementwise(math.Abs),
		"CEIL":  elementwise(math.Ceil),
		"FLOOR": elementwise(math.Floor),
		"LOG":   elementwise(math.Log),
		"LOG10": elementwise(math.Log10),

		"AVG":             aggregate(average),
		"SUM":             aggregate(total),
		"MIN":             aggregate(slices.Min[[]float64]),
		"MAX":             aggregate(slices.Max[[]float64]),
		"STDDEV":          aggregate(deviation),
		"DATAPOINT_COUNT": {1, 1, datapointCount},
		"METRIC_COUNT":    {1, 1, metricCount},

		"DIFF":        consecutive(func(v, _ float64) float64 { return v }),
		"DIFF_TIME":   consecutive(func(_, seconds float64) float64 { return seconds }),
		"RATE":        consecutive(func(v, seconds float64) float64 { return v / seconds }),
		"RUNNING_SUM": {1, 1, runningSum},

		"MINUTE": calendar(minute),
		"HOUR":   calendar(hour),
		"DAY":    calendar(weekday),
		"DATE":   calendar(dayOfMonth),
		"MONTH":  calendar(month),
		"YEAR":   calendar(year),
		"EPOCH":  calendar(func(t int64) float64 { return float64(t) }),

		"FILL":         {2, 2, fill},
		"IF":           {2, 3, choose},
		"PERIOD":       {1, 1, period},
		"TIME_SERIES":  {1, 1, timeSeries},
		"METRICS":      {0, 1, metricsFunction},
		"SEARCH":       {2, 3, search},
		"FIRST":        {1, 1, first},
		"LAST":         {1, 1, last},
		"REMOVE_EMPTY": {1, 1, removeEmpty},
		"SLICE":        {2, 3, slice},
		"SORT":         {3, 4, sortSeries},
	}
}

// elementwise is a function of each value.
func elementwise(f func(float64) float64) function {
	return function{1, 1, func(_ *scope, arguments []Value) (Value, error) {
		switch v := arguments[0]; v.kind {
		case scalar:
			return number(f(v.number)), nil
		case one, many:
			return v.each(func(s *TimeSeries) *TimeSeries { return s.apply(f) }), nil
		}
		return Value{}, errKind
	}}
}

// aggregate is a function of many values: of all of a time series, or of those of several
// at one time.
func aggregate(f func([]float64) float64) function {
	return function{1, 1, func(_ *scope, arguments []Value) (Value, error) {
		switch v := arguments[0]; v.kind {
		case one:
			return number(ofAll(f, v.series[0].Values)), nil
		case many:
			return single(across(v.series, f)), nil
		}
		return Value{}, errKind
	}}
}

// ofAll is f of values; no number when there are none.
func ofAll(f func([]float64) float64, values []float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	return f(values)
}

// across makes a series of f of the values that several have at each time.
func across(all []*TimeSeries, f func([]float64) float64) *TimeSeries {
	if len(all) == 0 {
		return &TimeSeries{}
	}
	at := map[int64][]float64{}
	var times []int64
	for _, s := range all {
		for i, t := range s.Times {
			if at[t] == nil {
				times = append(times, t)
			}
			at[t] = append(at[t], s.Values[i])
		}
	}
	slices.Sort(times)
	made := all[0].empty()
	made.origin = nil
	for _, t := range times {
		made.add(t, f(at[t]))
	}
	return made
}

func total(values []float64) (sum float64) {
	for _, v := range values {
		sum += v
	}
	return sum
}

func average(values []float64) float64 { return total(values) / float64(len(values)) }

// deviation is the standard deviation of all values.
func deviation(values []float64) float64 {
	mean, squares := average(values), 0.0
	for _, v := range values {
		squares += (v - mean) * (v - mean)
	}
	return math.Sqrt(squares / float64(len(values)))
}

func count(values []float64) float64 { return float64(len(values)) }

func datapointCount(_ *scope, arguments []Value) (Value, error) {
	switch v := arguments[0]; v.kind {
	case one:
		return number(count(v.series[0].Values)), nil
	case many:
		return single(across(v.series, count)), nil
	}
	return Value{}, errKind
}

func metricCount(_ *scope, arguments []Value) (Value, error) {
	if !arguments[0].is(many) {
		return Value{}, errKind
	}
	return number(float64(len(arguments[0].series))), nil
}

// consecutive is a function of the difference of each value from the one before, and of
// the seconds between them.
func consecutive(f func(difference, seconds float64) float64) function {
	return function{1, 1, func(_ *scope, arguments []Value) (Value, error) {
		if !arguments[0].is(one, many) {
			return Value{}, errKind
		}
		return arguments[0].each(func(s *TimeSeries) *TimeSeries {
			made := s.empty()
			for i := 1; i < len(s.Times); i++ {
				made.add(s.Times[i], f(s.Values[i]-s.Values[i-1], float64(s.Times[i]-s.Times[i-1])))
			}
			return made
		}), nil
	}}
}

func runningSum(_ *scope, arguments []Value) (Value, error) {
	if !arguments[0].is(one, many) {
		return Value{}, errKind
	}
	return arguments[0].each(func(s *TimeSeries) *TimeSeries {
		sum := 0.0
		return s.apply(func(v float64) float64 { sum += v; return sum })
	}), nil
}

func period(_ *scope, arguments []Value) (Value, error) {
	if !arguments[0].is(one) {
		return Value{}, errKind
	}
	return number(float64(arguments[0].series[0].Period)), nil
}

func metricsFunction(s *scope, arguments []Value) (Value, error) {
	in := ""
	if len(arguments) == 1 {
		if !arguments[0].is(words) {
			return Value{}, errKind
		}
		in = arguments[0].text
	}
	all, err := s.metrics(in)
	return several(all), err
}

func search(s *scope, arguments []Value) (Value, error) {
	seconds := s.period
	if len(arguments) == 3 {
		if !arguments[2].is(scalar) || arguments[2].number < 1 {
			return Value{}, errKind
		}
		seconds = int64(arguments[2].number)
	}
	if !arguments[0].is(words) || !arguments[1].is(words) {
		return Value{}, errKind
	}
	all, err := s.search(arguments[0].text, arguments[1].text, seconds)
	return several(all), err
}

func first(_ *scope, arguments []Value) (Value, error) {
	if !arguments[0].is(many) {
		return Value{}, errKind
	}
	return pick(arguments[0].series, 0), nil
}

func last(_ *scope, arguments []Value) (Value, error) {
	if !arguments[0].is(many) {
		return Value{}, errKind
	}
	return pick(arguments[0].series, len(arguments[0].series)-1), nil
}

// pick is one of several series; an empty one when there is none.
func pick(all []*TimeSeries, i int) Value {
	if i < 0 || i >= len(all) {
		return single(&TimeSeries{})
	}
	return single(all[i])
}

func removeEmpty(_ *scope, arguments []Value) (Value, error) {
	if !arguments[0].is(many) {
		return Value{}, errKind
	}
	return several(slices.DeleteFunc(slices.Clone(arguments[0].series), func(s *TimeSeries) bool { return len(s.Times) == 0 })), nil
}

func slice(_ *scope, arguments []Value) (Value, error) {
	all := arguments[0].series
	from, to := arguments[1].number, float64(len(all))
	if !arguments[0].is(many) || !arguments[1].is(scalar) || from < 0 {
		return Value{}, errKind
	}
	if len(arguments) == 3 {
		if !arguments[2].is(scalar) {
			return Value{}, errKind
		}
		to = min(to, arguments[2].number)
	}
	if from >= to {
		return several(nil), nil
	}
	return several(all[int(from):int(to)]), nil
}

// sortedBy are the functions that series are sorted by.
var sortedBy = map[string]func([]float64) float64{
	"AVG": average, "SUM": total, "MIN": slices.Min[[]float64], "MAX": slices.Max[[]float64], "STDDEV": deviation,
}

func sortSeries(_ *scope, arguments []Value) (Value, error) {
	by, order := sortedBy[arguments[1].text], arguments[2].text
	if !arguments[0].is(many) || by == nil || order != "ASC" && order != "DESC" || len(arguments) == 4 && !arguments[3].is(scalar) {
		return Value{}, errKind
	}
	all := slices.Clone(arguments[0].series)
	slices.SortStableFunc(all, func(a, b *TimeSeries) int {
		// Series without values come last.
		if len(a.Values) == 0 || len(b.Values) == 0 {
			return len(b.Values) - len(a.Values)
		}
		x, y := by(a.Values), by(b.Values)
		if order == "DESC" {
			x, y = y, x
		}
		switch {
		case x < y:
			return -1
		case x > y:
			return 1
		}
		return strings.Compare(a.Label, b.Label)
	})
	if len(arguments) == 4 {
		all = all[:max(0, min(len(all), int(arguments[3].number)))]
	}
	return several(all), nil
}

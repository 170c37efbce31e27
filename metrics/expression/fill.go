package expression

import (
	"errors"
	"time"
)

// maxGrid is how many periods all series together may be filled in, of one request.
const maxGrid = 5_000_000

var errGrid = errors.New("the time range has too many periods: make it shorter, or the period longer")

// grid are the begins of all periods of a series. When there are too many it is none, and
// the evaluation fails.
func (s *scope) grid(of *TimeSeries) (times []int64) {
	if of.Period <= 0 || of.Start >= s.end {
		return nil
	}
	n := (s.end-of.Start-1)/of.Period + 1
	if *s.filled += n; *s.filled > maxGrid {
		return nil
	}
	times = make([]int64, n)
	for i := range times {
		times[i] = of.Start + int64(i)*of.Period
	}
	return times
}

// fill gives values to the periods that have none: a number, the value before (REPEAT),
// what is between the values before and after (LINEAR), or that of another series.
func fill(s *scope, arguments []Value) (Value, error) {
	if !arguments[0].is(one, many) {
		return Value{}, errKind
	}
	var filler func(series *TimeSeries, t int64, next int) (v float64, ok bool)
	switch by := arguments[1]; {
	case by.kind == scalar:
		filler = func(*TimeSeries, int64, int) (float64, bool) { return by.number, true }
	case by.kind == words && by.text == "REPEAT":
		filler = repeat
	case by.kind == words && by.text == "LINEAR":
		filler = linear
	case by.kind == one:
		at := by.series[0].byTime()
		filler = func(_ *TimeSeries, t int64, _ int) (float64, bool) { v, ok := at[t]; return v, ok }
	default:
		return Value{}, errKind
	}
	return arguments[0].each(func(series *TimeSeries) *TimeSeries {
		made := series.empty()
		next := 0 // the first value that is not before t
		for _, t := range s.grid(series) {
			for next < len(series.Times) && series.Times[next] < t {
				next++
			}
			if next < len(series.Times) && series.Times[next] == t {
				made.add(t, series.Values[next])
			} else if v, ok := filler(series, t, next); ok {
				made.add(t, v)
			}
		}
		return made
	}), nil
}

func repeat(s *TimeSeries, _ int64, next int) (float64, bool) {
	if next == 0 {
		return 0, false
	}
	return s.Values[next-1], true
}

func linear(s *TimeSeries, t int64, next int) (float64, bool) {
	if next == 0 || next == len(s.Times) {
		return 0, false
	}
	before, after := s.Times[next-1], s.Times[next]
	part := float64(t-before) / float64(after-before)
	return s.Values[next-1] + part*(s.Values[next]-s.Values[next-1]), true
}

func (s *TimeSeries) byTime() map[int64]float64 {
	at := make(map[int64]float64, len(s.Times))
	for i, t := range s.Times {
		at[t] = s.Values[i]
	}
	return at
}

// timeSeries has one value in every period.
func timeSeries(s *scope, arguments []Value) (Value, error) {
	if !arguments[0].is(scalar) {
		return Value{}, errKind
	}
	made := &TimeSeries{Start: s.start, Period: s.period}
	for _, t := range s.grid(made) {
		made.add(t, arguments[0].number)
	}
	return single(made), nil
}

// choose is IF: where the condition has no value, or what it chooses has none, there is
// none.
func choose(_ *scope, arguments []Value) (Value, error) {
	condition, yes := arguments[0], arguments[1]
	no := Value{kind: one, series: []*TimeSeries{{}}}
	if len(arguments) == 3 {
		no = arguments[2]
	}
	if !condition.is(scalar, one) || !yes.is(scalar, one) || !no.is(scalar, one) {
		return Value{}, errKind
	}
	if condition.kind == scalar {
		if condition.number != 0 {
			return yes, nil
		}
		return no, nil
	}
	ifSo, ifNot := yes.lookup(), no.lookup()
	made := condition.series[0].empty()
	for i, t := range condition.series[0].Times {
		from := ifNot
		if condition.series[0].Values[i] != 0 {
			from = ifSo
		}
		if v, ok := from(t); ok {
			made.add(t, v)
		}
	}
	return single(made), nil
}

// lookup gives the value at a time of a number or of a time series.
func (v Value) lookup() func(t int64) (float64, bool) {
	if v.kind == scalar {
		return func(int64) (float64, bool) { return v.number, true }
	}
	at := v.series[0].byTime()
	return func(t int64) (float64, bool) { v, ok := at[t]; return v, ok }
}

// calendar is a function of every period of a series, in UTC.
func calendar(f func(t int64) float64) function {
	return function{1, 1, func(s *scope, arguments []Value) (Value, error) {
		if !arguments[0].is(one) {
			return Value{}, errKind
		}
		made := arguments[0].series[0].empty()
		for _, t := range s.grid(made) {
			made.add(t, f(t))
		}
		return single(made), nil
	}}
}

func utc(t int64) time.Time { return time.Unix(t, 0).UTC() }

func minute(t int64) float64     { return float64(utc(t).Minute()) }
func hour(t int64) float64       { return float64(utc(t).Hour()) }
func dayOfMonth(t int64) float64 { return float64(utc(t).Day()) }
func month(t int64) float64      { return float64(utc(t).Month()) }
func year(t int64) float64       { return float64(utc(t).Year()) }

// weekday counts from Monday, which is 1.
func weekday(t int64) float64 { return float64((utc(t).Weekday()+6)%7) + 1 }

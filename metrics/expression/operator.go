package expression

import (
	"fmt"
	"math"
)

// operators on two numbers; comparisons and logical operators give 1 or 0.
var operators = map[string]func(a, b float64) float64{
	"+":   func(a, b float64) float64 { return a + b },
	"-":   func(a, b float64) float64 { return a - b },
	"*":   func(a, b float64) float64 { return a * b },
	"/":   func(a, b float64) float64 { return a / b },
	"^":   math.Pow,
	"==":  func(a, b float64) float64 { return truth(a == b) },
	"!=":  func(a, b float64) float64 { return truth(a != b) },
	"<":   func(a, b float64) float64 { return truth(a < b) },
	"<=":  func(a, b float64) float64 { return truth(a <= b) },
	">":   func(a, b float64) float64 { return truth(a > b) },
	">=":  func(a, b float64) float64 { return truth(a >= b) },
	"&&":  func(a, b float64) float64 { return truth(a != 0 && b != 0) },
	"AND": func(a, b float64) float64 { return truth(a != 0 && b != 0) },
	"||":  func(a, b float64) float64 { return truth(a != 0 || b != 0) },
	"OR":  func(a, b float64) float64 { return truth(a != 0 || b != 0) },
}

func truth(is bool) float64 {
	if is {
		return 1
	}
	return 0
}

// operate applies an operator to two values. Two time series have a result where both
// have a value; several series have one each.
func operate(operator string, a, b Value) (Value, error) {
	f := operators[operator]
	switch {
	case a.kind == words || b.kind == words || a.kind == many && b.kind == many:
		return Value{}, fmt.Errorf("Unsupported operand type(s) for %s: '%s'", operator, kindsOf([]Value{a, b}))
	case a.kind == scalar && b.kind == scalar:
		return number(f(a.number, b.number)), nil
	case a.kind == scalar:
		return b.each(func(s *TimeSeries) *TimeSeries {
			return s.apply(func(v float64) float64 { return f(a.number, v) })
		}), nil
	case b.kind == scalar:
		return a.each(func(s *TimeSeries) *TimeSeries {
			return s.apply(func(v float64) float64 { return f(v, b.number) })
		}), nil
	case b.kind == many:
		return b.each(func(s *TimeSeries) *TimeSeries {
			return s.with(a.series[0], func(v, o float64) float64 { return f(o, v) })
		}), nil
	}
	return a.each(func(s *TimeSeries) *TimeSeries { return s.with(b.series[0], f) }), nil
}

// each makes a value of the same kind of one or several time series.
func (v Value) each(f func(*TimeSeries) *TimeSeries) Value {
	made := Value{kind: v.kind, series: make([]*TimeSeries, len(v.series))}
	for i, s := range v.series {
		made.series[i] = f(s)
	}
	return made
}

// empty is a series like another, without values.
func (s *TimeSeries) empty() *TimeSeries {
	return &TimeSeries{Label: s.Label, Start: s.Start, Period: s.Period, origin: s.origin}
}

// add adds a value, unless it is none.
func (s *TimeSeries) add(t int64, v float64) {
	if !math.IsNaN(v) && !math.IsInf(v, 0) {
		s.Times, s.Values = append(s.Times, t), append(s.Values, v)
	}
}

// apply makes a series of f of each value.
func (s *TimeSeries) apply(f func(float64) float64) *TimeSeries {
	made := s.empty()
	for i, t := range s.Times {
		made.add(t, f(s.Values[i]))
	}
	return made
}

// with makes a series of f of the values of two at the times that both have.
func (s *TimeSeries) with(o *TimeSeries, f func(v, o float64) float64) *TimeSeries {
	made := s.empty()
	j := 0
	for i, t := range s.Times {
		for j < len(o.Times) && o.Times[j] < t {
			j++
		}
		if j < len(o.Times) && o.Times[j] == t {
			made.add(t, f(s.Values[i], o.Values[j]))
		}
	}
	return made
}

package expression

import (
	"errors"
	"fmt"
)

// node is a part of an expression.
type node interface {
	value(*scope) (Value, error)
	visit(func(node))
}

// scope is what an expression is evaluated in.
type scope struct {
	start  int64 // of the periods of new series, in seconds since the epoch
	end    int64
	period int64
	filled *int64 // how many periods series were filled in up to now
	// query gives the value of another query by its id.
	query func(id string) (Value, error)
	// metrics are the series of the queries for metrics whose ids have a text in them.
	metrics func(in string) ([]*TimeSeries, error)
	// search are the series of the metrics that a search finds.
	search func(search, statistic string, period int64) ([]*TimeSeries, error)
}

type constant Value

func (c constant) value(*scope) (Value, error) { return Value(c), nil }
func (c constant) visit(f func(node))          { f(c) }

// variable is the id of a query.
type variable string

func (v variable) value(s *scope) (Value, error) { return s.query(string(v)) }
func (v variable) visit(f func(node))            { f(v) }

type negative struct{ operand node }

func (n negative) value(s *scope) (Value, error) {
	v, err := n.operand.value(s)
	if err != nil {
		return Value{}, err
	}
	return operate("*", number(-1), v)
}

func (n negative) visit(f func(node)) { n.operand.visit(f) }

type binary struct {
	operator    string
	left, right node
}

func (b binary) value(s *scope) (Value, error) {
	left, err := b.left.value(s)
	if err != nil {
		return Value{}, err
	}
	right, err := b.right.value(s)
	if err != nil {
		return Value{}, err
	}
	return operate(b.operator, left, right)
}

func (b binary) visit(f func(node)) {
	b.left.visit(f)
	b.right.visit(f)
}

// array is a list of time series.
type array []node

func (a array) value(s *scope) (Value, error) {
	var all []*TimeSeries
	for _, item := range a {
		v, err := item.value(s)
		if err != nil {
			return Value{}, err
		}
		if !v.is(one, many) {
			return Value{}, fmt.Errorf("a list of time series has a %s", v.kind)
		}
		all = append(all, v.series...)
	}
	return several(all), nil
}

func (a array) visit(f func(node)) {
	for _, item := range a {
		item.visit(f)
	}
}

type call struct {
	name      string
	function  function
	arguments []node
}

func (c call) value(s *scope) (Value, error) {
	values := make([]Value, len(c.arguments))
	for i, a := range c.arguments {
		var err error
		if values[i], err = a.value(s); err != nil {
			return Value{}, err
		}
	}
	v, err := c.function.call(s, values)
	if errors.Is(err, errKind) {
		return Value{}, fmt.Errorf("the function %s does not take %s", c.name, kindsOf(values))
	}
	return v, err
}

func (c call) visit(f func(node)) {
	f(c)
	for _, a := range c.arguments {
		a.visit(f)
	}
}

// kindsOf writes what a function was given.
func kindsOf(values []Value) string {
	text := "["
	for i, v := range values {
		if i > 0 {
			text += ", "
		}
		text += v.kind.String()
	}
	return text + "]"
}

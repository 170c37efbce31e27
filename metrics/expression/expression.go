// Package expression evaluates what GetMetricData asks for: metrics, and CloudWatch's
// metric math on them. It knows the grammar of expressions and of searches, what every
// function does with points that are missing, and labels. It refuses to know where
// metrics are kept and who may ask for them.
//
// What CloudWatch has and is refused by name: anomaly detection, Contributor Insights,
// Metrics Insights (SELECT), Lambda functions, Performance Insights and service quotas.
// Source: CloudWatch user guide, "Using math expressions with CloudWatch metrics".
package expression

import "fmt"

// An Error is what is wrong with a query, in words for who has written it.
type Error struct {
	ID   string // of the query
	Text string
}

// Error implements [error].
func (e *Error) Error() string { return fmt.Sprintf("Error in expression '%s': %s", e.ID, e.Text) }

// An Expression is metric math, parsed.
type Expression struct{ root node }

// Parse reads an expression.
func Parse(text string) (*Expression, error) {
	p := parser{text: text}
	p.next()
	root, err := p.or()
	if err == nil && p.token.kind != end {
		err = p.unexpected()
	}
	if err != nil {
		return nil, err
	}
	return &Expression{root}, nil
}

// References lists the ids of queries that an expression names, in the order of the text;
// one may be there twice. METRICS() names none.
func (e *Expression) References() []string {
	var all []string
	e.root.visit(func(n node) {
		if v, ok := n.(variable); ok {
			all = append(all, string(v))
		}
	})
	return all
}

// TimeSeries is values over time.
type TimeSeries struct {
	Label  string
	Start  int64 // of the first period, in seconds since the epoch
	Period int64 // in seconds
	// Times are the begins of those periods that have a value, in ascending order, in
	// seconds since the epoch.
	Times  []int64
	Values []float64

	origin *origin
}

// Value is what an expression or a part of it is: one number, a time series, several of
// them, or a text.
type Value struct {
	kind   kind
	number float64
	series []*TimeSeries // one, if kind is one
	text   string
}

type kind int

const (
	scalar kind = iota
	one
	many
	words
)

// String names the kind of a value in errors.
func (k kind) String() string {
	return [...]string{"Scalar", "TimeSeries", "TimeSeries[]", "String"}[k]
}

func number(v float64) Value          { return Value{kind: scalar, number: v} }
func single(s *TimeSeries) Value      { return Value{kind: one, series: []*TimeSeries{s}} }
func several(s []*TimeSeries) Value   { return Value{kind: many, series: s} }
func (v Value) is(kinds ...kind) bool { return contains(kinds, v.kind) }
func contains(kinds []kind, has kind) bool {
	for _, k := range kinds {
		if k == has {
			return true
		}
	}
	return false
}

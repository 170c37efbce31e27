package expression

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"fargo"
	"fargo/metrics"
)

// Query is one of those that are evaluated together: for a metric, or an expression.
type Query struct {
	ID string // by which expressions name it
	// Expression is metric math. Empty for a metric.
	Expression string
	Metric     metrics.Metric
	Statistic  metrics.Statistic // of the metric
	Unit       string            // of the metric's data; "" is any
	// Period is that of a metric, or of the new series of an expression: 0 is then the
	// shortest of all metrics, or a minute.
	Period time.Duration
	// Label is the one to show. It may have dynamic parts. Empty for CloudWatch's own.
	Label string
	// Hidden queries give no result of their own.
	Hidden bool
}

// Request is queries for a time range.
type Request struct {
	Scope      fargo.Scope // in which searches search
	Queries    []Query
	Start, End time.Time
	Now        time.Time
	// Zone is the time zone of times in labels.
	Zone *time.Location
	// First is the number of the first query that gives results. Enough is how many points
	// are: no query after those that give them is evaluated; 0 is all.
	First, Enough int
}

// Result is what a query gives: of an expression that is several time series there are
// several.
type Result struct {
	ID    string
	Query int // its number in the request
	*TimeSeries
	Messages []Message
}

// Message is a remark of CloudWatch on a result.
type Message struct{ Code, Text string }

// Source is where metrics come from.
type Source interface {
	Statistics(ctx context.Context, q metrics.Query) ([]metrics.Series, error)
	Metrics(scope fargo.Scope, f metrics.Filter) []metrics.Metric
}

// maxPoints is how many points all results together may have.
const maxPoints = 5_000_000

// Evaluate evaluates queries. What is wrong with one is an [*Error]; another error is the
// source's.
func Evaluate(ctx context.Context, source Source, r Request) ([]Result, error) {
	e := &evaluation{
		ctx: ctx, source: source, Request: r, numbers: map[string]int{}, labels: ownLabels(r.Queries),
		values: map[string]Value{}, messages: map[string][]Message{},
	}
	for i := range r.Queries {
		e.numbers[r.Queries[i].ID] = i
	}
	var results []Result
	points := 0
	for i := r.First; i < len(r.Queries) && (r.Enough == 0 || points < r.Enough); i++ {
		q := &r.Queries[i]
		v, err := e.value(q.ID)
		if err != nil {
			return nil, err
		}
		if !v.is(one, many) {
			return nil, &Error{q.ID, fmt.Sprintf("The expression gives a %s, and not a time series", v.kind)}
		}
		if q.Hidden {
			continue
		}
		for _, s := range v.series {
			if points += len(s.Times); points > maxPoints {
				return nil, &Error{q.ID, errGrid.Error()}
			}
			results = append(results, Result{q.ID, i, e.labelled(q, v.kind, s), e.messages[q.ID]})
		}
	}
	return results, nil
}

// evaluation is a request that is being evaluated.
type evaluation struct {
	Request
	ctx      context.Context
	source   Source
	numbers  map[string]int // of queries, by their ids
	labels   []string       // CloudWatch's own, by query
	values   map[string]Value
	messages map[string][]Message
	under    []string // the queries that are being evaluated, each for the one before
	filled   int64
}

// value evaluates a query, once.
func (e *evaluation) value(id string) (Value, error) {
	if v, ok := e.values[id]; ok {
		return v, nil
	}
	n, ok := e.numbers[id]
	if !ok {
		return Value{}, fmt.Errorf("no query has the id %s", id)
	}
	q := &e.Queries[n]
	if q.Expression == "" {
		err := e.readMetrics(n)
		return e.values[id], err
	}
	if slices.Contains(e.under, id) {
		return Value{}, fmt.Errorf("the queries %s refer to each other", strings.Join(append(e.under, id), ", "))
	}
	e.under = append(e.under, id)
	v, err := e.math(q)
	e.under = e.under[:len(e.under)-1]
	if err != nil {
		return Value{}, e.blame(q, err)
	}
	e.values[id] = v
	return v, nil
}

// readAhead is how many queries' metrics are read at once.
const readAhead = 32

// readMetrics reads the metric of a query and of those that follow it, several at a time.
func (e *evaluation) readMetrics(from int) error {
	var g errgroup.Group
	g.SetLimit(runtime.GOMAXPROCS(0))
	var mu sync.Mutex
	for i := from; i < min(from+readAhead, len(e.Queries)); i++ {
		q := &e.Queries[i]
		if q.Expression != "" {
			continue
		}
		g.Go(func() error {
			s, messages, err := e.metric(q, e.labels[i])
			mu.Lock()
			defer mu.Unlock()
			e.values[q.ID], e.messages[q.ID] = single(s), messages
			return err
		})
	}
	return g.Wait()
}

// blame says in which query an error is that somebody can mend.
func (e *evaluation) blame(q *Query, err error) error {
	if err == nil || errors.As(err, new(*Error)) || errors.As(err, new(*sourceError)) {
		return err
	}
	return &Error{q.ID, err.Error()}
}

// sourceError is that of the source.
type sourceError struct{ error }

// Unwrap gives the source's own error.
func (e *sourceError) Unwrap() error { return e.error }

func (e *evaluation) math(q *Query) (Value, error) {
	if strings.HasPrefix(strings.ToUpper(strings.TrimSpace(q.Expression)), "SELECT ") {
		return Value{}, fmt.Errorf("Fargo does not implement Metrics Insights (SELECT)")
	}
	parsed, err := Parse(q.Expression)
	if err != nil {
		return Value{}, err
	}
	period := e.period(q)
	s := &scope{
		start: metrics.RoundedStart(e.Start, period, e.Now).Unix(), end: metrics.WholeEnd(e.End).Unix(), period: int64(period / time.Second),
		query: e.value, metrics: e.metrics, search: e.search, filled: &e.filled,
	}
	v, err := parsed.root.value(s)
	if err == nil && e.filled > maxGrid {
		err = errGrid
	}
	return v, err
}

// period is that of the new series of an expression.
func (e *evaluation) period(q *Query) time.Duration {
	if q.Period != 0 {
		return q.Period
	}
	shortest := time.Duration(0)
	for i := range e.Queries {
		if p := e.Queries[i].Period; p != 0 && (shortest == 0 || p < shortest) {
			shortest = p
		}
	}
	return cmp.Or(shortest, time.Minute)
}

// metrics are the series of METRICS().
func (e *evaluation) metrics(in string) (all []*TimeSeries, err error) {
	for i := range e.Queries {
		if q := &e.Queries[i]; q.Expression == "" && strings.Contains(q.ID, in) {
			v, err := e.value(q.ID)
			if err != nil {
				return nil, err
			}
			all = append(all, v.series...)
		}
	}
	return all, nil
}

// metric reads the series of a query for a metric, with CloudWatch's own label unless it
// has one. Of data in several units there are those of the first, and a message: as
// recorded.
func (e *evaluation) metric(q *Query, own string) (s *TimeSeries, messages []Message, err error) {
	s, units, err := e.read(q.Metric, q.Statistic, q.Unit, q.Period)
	if err != nil {
		return nil, nil, err
	}
	if len(units) > 1 {
		messages = []Message{{"MultipleUnits", fmt.Sprintf("Multiple units returned: '[%s]'", strings.Join(units, ", "))}}
	}
	if s.Label = q.Label; s.Label == "" || dynamic.MatchString(q.Label) {
		s.Label = own
	}
	return s, messages, nil
}

// read reads a statistic of a metric.
func (e *evaluation) read(m metrics.Metric, statistic metrics.Statistic, unit string, period time.Duration) (s *TimeSeries, units []string, err error) {
	start := metrics.RoundedStart(e.Start, period, e.Now)
	found, err := e.source.Statistics(e.ctx, metrics.Query{Metric: m, Unit: unit, Start: start, End: metrics.WholeEnd(e.End), Period: period})
	if err != nil {
		return nil, nil, &sourceError{err}
	}
	s = &TimeSeries{Start: start.Unix(), Period: int64(period / time.Second), origin: &origin{m, statistic.String()}}
	for _, series := range found {
		units = append(units, series.Unit)
	}
	if len(found) == 0 {
		return s, nil, nil
	}
	s.Times, s.Values = make([]int64, 0, len(found[0].Points)), make([]float64, 0, len(found[0].Points))
	for _, p := range found[0].Points {
		if v, ok := statistic.Of(p.StatisticSet); ok {
			s.add(p.Start.Unix(), v)
		}
	}
	return s, units, nil
}

// maxFound is how many metrics a search gives.
// Source: CloudWatch user guide, "Using search expressions in graphs".
const maxFound = 500

// search reads the metrics that a search finds, of those with data in the last two weeks.
func (e *evaluation) search(text, statistic string, seconds int64) ([]*TimeSeries, error) {
	q, err := parseSearch(text)
	if err != nil {
		return nil, err
	}
	stat, err := metrics.ParseStatistic(statistic)
	if err != nil {
		return nil, err
	}
	var found []metrics.Metric
	for _, m := range e.source.Metrics(e.Scope, metrics.Filter{Namespace: q.namespace, Since: e.Now.AddDate(0, 0, -14)}) {
		if q.matches(&m) && len(found) < maxFound {
			found = append(found, m)
		}
	}
	labels := distinctions(found)
	all := make([]*TimeSeries, 0, len(found))
	for i, m := range found {
		s, _, err := e.read(m, stat, "", time.Duration(seconds)*time.Second)
		if err != nil {
			return nil, err
		}
		s.Label = labels[i]
		all = append(all, s)
	}
	return all, nil
}

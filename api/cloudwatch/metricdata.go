package cloudwatch

import (
	"context"
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"time"

	"fargo"
	"fargo/api/page"
	"fargo/aws"
	"fargo/aws/cloudwatch"
	"fargo/metrics"
	"fargo/metrics/expression"
)

// The bounds of GetMetricData. Source: CloudWatch API, GetMetricData.
const (
	maxQueries        = 500
	defaultDatapoints = 100_800
	maxDataRequest    = 600 << 10 // bytes; source: github.com/influxdata/telegraf/issues/10842
)

// dataPages are those of GetMetricData. A token has the number of the query that the next
// page begins with, and how many points of it were given before.
var dataPages = page.Rules{
	BadToken: func(string) error { return cloudwatch.InvalidNextToken("Invalid nextToken") },
}

// GetMetricData gives metrics and metric math over them.
func (s *Server) GetMetricData(ctx context.Context, in *cloudwatch.GetMetricDataInput) (*cloudwatch.GetMetricDataOutput, error) {
	if err := checkSize(ctx, maxDataRequest); err != nil {
		return nil, err
	}
	r, err := s.dataRequest(scopeOf(ctx), in)
	if err != nil {
		return nil, err
	}
	asked := dataPages.Ask(in, in.NextToken, nil)
	token, err := asked.Open()
	if err != nil {
		return nil, err
	}
	at := dataPosition{}
	if token != "" {
		if at, err = parseDataPosition(token); err != nil {
			return nil, dataPages.BadToken(token)
		}
	}
	limit := int(aws.ValueOr(in.MaxDatapoints, defaultDatapoints))
	if slices.ContainsFunc(r.Queries, func(q expression.Query) bool { return q.Expression != "" }) {
		limit = math.MaxInt32 // results of expressions have no pages
	}
	r.First, r.Enough = at.query, at.points+limit+1 // with one point of the next page, if there is one
	results, err := expression.Evaluate(ctx, s.metrics, r)
	if err != nil {
		return nil, refusedQuery(err)
	}
	out := &cloudwatch.GetMetricDataOutput{Messages: []cloudwatch.MessageData{}, MetricDataResults: []cloudwatch.MetricDataResult{}}
	next := cut(results, at.points, limit, func(r expression.Result, from, to int) {
		out.MetricDataResults = append(out.MetricDataResults, showResult(r, from, to, in.ScanBy))
	})
	if next != nil {
		out.NextToken = asked.Seal(next.String())
	}
	return out, nil
}

// dataPosition is where a page of GetMetricData begins.
type dataPosition struct {
	query  int // its number
	points int // those of it that were given before
}

func (p dataPosition) String() string { return fmt.Sprintf("%d.%d", p.query, p.points) }

func parseDataPosition(text string) (p dataPosition, err error) {
	if _, err = fmt.Sscanf(text, "%d.%d", &p.query, &p.points); err == nil && (p.query < 0 || p.points < 0) {
		err = errors.New("a negative number")
	}
	return p, err
}

// cut gives the part of each result that is on a page: at most limit points, after those of
// the first result that are skipped. next is where the next page begins, nil for none.
func cut(results []expression.Result, skip, limit int, give func(r expression.Result, from, to int)) (next *dataPosition) {
	for _, r := range results {
		n := len(r.Times)
		from := min(skip, n)
		to := min(n, from+limit)
		skip, limit = 0, limit-(to-from)
		if from < to || n == 0 {
			give(r, from, to)
		}
		if to < n {
			return &dataPosition{r.Query, to}
		}
	}
	return nil
}

// showResult shows the points of a result from one to before another, in the order that is
// asked for: the newest first, unless it says otherwise.
func showResult(r expression.Result, from, to int, by cloudwatch.ScanBy) cloudwatch.MetricDataResult {
	shown := cloudwatch.MetricDataResult{
		Id: &r.ID, Label: &r.Label, StatusCode: cloudwatch.StatusCodeComplete,
		Timestamps: make([]time.Time, 0, to-from), Values: make([]float64, 0, to-from),
	}
	n := len(r.Times)
	if to < n {
		shown.StatusCode = cloudwatch.StatusCodePartialData
	}
	for i := from; i < to; i++ {
		at := i
		if by != cloudwatch.ScanByTimestampAscending {
			at = n - 1 - i
		}
		shown.Timestamps = append(shown.Timestamps, time.Unix(r.Times[at], 0).UTC())
		shown.Values = append(shown.Values, r.Values[at])
	}
	for _, m := range r.Messages {
		shown.Messages = append(shown.Messages, cloudwatch.MessageData{Code: &m.Code, Value: &m.Text})
	}
	return shown
}

// refusedQuery translates the error of an evaluation.
func refusedQuery(err error) error {
	if e := new(expression.Error); errors.As(err, &e) {
		return invalid("Error in expression '%s': %s", e.ID, e.Text)
	}
	return err
}

// dataRequest checks the input of GetMetricData.
func (s *Server) dataRequest(scope fargo.Scope, in *cloudwatch.GetMetricDataInput) (r expression.Request, err error) {
	if err := checkRange(*in.StartTime, *in.EndTime); err != nil {
		return r, err
	}
	if n := aws.ValueOr(in.MaxDatapoints, 1); n < 1 || n > defaultDatapoints {
		return r, cloudwatch.InvalidParameterValueException("The parameter MaxDatapoints must be between 1 and %d.", defaultDatapoints)
	}
	r = expression.Request{Scope: scope, Start: *in.StartTime, End: *in.EndTime, Now: s.now()}
	if in.LabelOptions != nil {
		if r.Zone, err = zone(aws.ValueOr(in.LabelOptions.Timezone, "+0000")); err != nil {
			return r, err
		}
	}
	r.Queries, err = queries(scope, in.MetricDataQueries)
	return r, err
}

var offset = regexp.MustCompile(`^[+-]([01][0-9]|2[0-3])[0-5][0-9]$`)

// zone is the time zone of labels: "+0130".
func zone(text string) (*time.Location, error) {
	if !offset.MatchString(text) {
		return nil, cloudwatch.InvalidParameterValueException("The value %s for parameter LabelOptions.Timezone is invalid.", text)
	}
	hours, _ := strconv.Atoi(text[1:3])
	minutes, _ := strconv.Atoi(text[3:])
	seconds := hours*3600 + minutes*60
	if text[0] == '-' {
		seconds = -seconds
	}
	return time.FixedZone(text, seconds), nil
}

// queryID is what ids of queries look like. Source: CloudWatch API, MetricDataQuery.
var queryID = regexp.MustCompile(`^[a-z][a-zA-Z0-9_]*$`)

// queries checks queries, as GetMetricData has them.
func queries(scope fargo.Scope, in []cloudwatch.MetricDataQuery) ([]expression.Query, error) {
	if len(in) > maxQueries {
		return nil, invalid("The collection MetricDataQueries must not have a size greater than %d.", maxQueries)
	}
	all := make([]expression.Query, 0, len(in))
	seen := map[string]bool{}
	for i := range in {
		q, err := query(scope, "MetricDataQueries.member."+strconv.Itoa(i+1), &in[i])
		if err != nil {
			return nil, err
		}
		if seen[q.ID] {
			return nil, invalid("The values for parameter id in MetricDataQueries are not unique.")
		}
		seen[q.ID] = true
		all = append(all, q)
	}
	return all, nil
}

func query(scope fargo.Scope, path string, in *cloudwatch.MetricDataQuery) (q expression.Query, err error) {
	q = expression.Query{
		ID: *in.Id, Expression: aws.Value(in.Expression), Label: aws.Value(in.Label), Hidden: !aws.ValueOr(in.ReturnData, true),
		Period: time.Duration(aws.Value(in.Period)) * time.Second,
	}
	switch {
	case !queryID.MatchString(q.ID):
		return q, invalid("The value %s for parameter %s.Id is not matching the expected pattern %s.", q.ID, path, queryID)
	case in.MetricStat == nil && in.Expression == nil:
		return q, invalid("The parameter %s.MetricStat is required.\n", path)
	case in.MetricStat != nil && in.Expression != nil:
		return q, invalid("The parameters %s.Expression and %s.MetricStat are mutually exclusive and you have specified both.", path, path)
	case aws.ValueOr(in.AccountId, scope.Account) != scope.Account:
		return q, invalid("Fargo does not implement metrics of other accounts: %s.AccountId is %s.", path, *in.AccountId)
	case in.MetricStat == nil:
		if in.Period != nil {
			err = checkPeriod(*in.Period, path+".Period")
		}
		return q, err
	}
	m := in.MetricStat
	if q.Statistic, err = metrics.ParseStatistic(*m.Stat); err != nil {
		return q, invalid("The value %s for parameter %s.MetricStat.Stat is not supported.", *m.Stat, path)
	}
	if m.Metric.Namespace == nil || m.Metric.MetricName == nil {
		return q, invalid("The parameters %s.MetricStat.Metric.Namespace and %s.MetricStat.Metric.MetricName are required.", path, path)
	}
	q.Metric = metricOf(scope, *m.Metric.Namespace, *m.Metric.MetricName, m.Metric.Dimensions)
	q.Unit, q.Period = string(m.Unit), time.Duration(*m.Period)*time.Second
	return q, checkPeriod(*m.Period, path+".MetricStat.Period")
}

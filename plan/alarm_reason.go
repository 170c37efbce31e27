package plan

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"fargo/aws"
	"fargo/aws/cloudwatch"
)

// reason tells why the alarm is in a state.
// Sources: recorded answers of DescribeAlarms; CloudWatch user guide, "Alarm events and
// EventBridge". How AWS mentions missing datapoints beside others is inferred.
func (e *alarmEvaluator) reason(state cloudwatch.StateValue) string {
	switch {
	case state == cloudwatch.StateValueInsufficientData:
		return fmt.Sprintf("Insufficient Data: %s unknown.", wereDatapoints(e.n))
	case len(e.real) == 0:
		return fmt.Sprintf("Threshold Crossed: no datapoints were received for %s and %s treated as [%s].",
			count(e.n, "period"), wereMissing(e.n), e.treatedAs(state))
	}
	matching, not, need := e.breaching, "", e.m
	if state != cloudwatch.StateValueAlarm {
		matching, not, need = e.others(), "not ", e.n-e.m+1
	}
	if len(matching) == 0 {
		return fmt.Sprintf("Threshold Crossed: %s treated as [%s].", wereMissing(e.filled), e.treatedAs(state))
	}
	were := "were"
	if len(matching) == 1 {
		were = "was"
	}
	compared := fmt.Sprintf("%s %s %s%s the threshold (%s)", listDatapoints(matching), were, not, comparison(e.alarm.ComparisonOperator), javaDouble(*e.alarm.Threshold))
	if e.was != cloudwatch.StateValueInsufficientData && e.was != state && e.filled == 0 {
		return fmt.Sprintf("Threshold Crossed: %d out of the last %d datapoints %s (minimum %s for %s -> %s transition).",
			len(matching), e.n, compared, count(need, "datapoint"), e.was, state)
	}
	text := fmt.Sprintf("Threshold Crossed: %s %s", count(len(matching), "datapoint"), compared)
	if e.filled > 0 && (e.treatment() == missingIsBreaching || e.treatment() == missingIsNotBreaching) {
		text += fmt.Sprintf(" and %s treated as [%s]", wereMissing(e.filled), e.treatedAs(state))
	}
	return text + "."
}

// others are the datapoints that do not breach the threshold.
func (e *alarmEvaluator) others() (all []AlarmDatapoint) {
	for _, p := range e.real {
		if !Breaches(e.alarm.ComparisonOperator, p.Value, *e.alarm.Threshold) {
			all = append(all, p)
		}
	}
	return all
}

func (e *alarmEvaluator) treatedAs(state cloudwatch.StateValue) string {
	if e.treatment() == missingIsBreaching || state == cloudwatch.StateValueAlarm {
		return "Breaching"
	}
	return "NonBreaching"
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return strconv.Itoa(n) + " " + what + "s"
}

func wereDatapoints(n int) string {
	if n == 1 {
		return "1 datapoint was"
	}
	return strconv.Itoa(n) + " datapoints were"
}

func wereMissing(n int) string {
	if n == 1 {
		return "1 missing datapoint was"
	}
	return strconv.Itoa(n) + " missing datapoints were"
}

func comparison(o cloudwatch.ComparisonOperator) string {
	switch o {
	case cloudwatch.ComparisonOperatorGreaterThanOrEqualToThreshold:
		return "greater than or equal to"
	case cloudwatch.ComparisonOperatorGreaterThanThreshold:
		return "greater than"
	case cloudwatch.ComparisonOperatorLessThanOrEqualToThreshold:
		return "less than or equal to"
	}
	return "less than"
}

func listDatapoints(points []AlarmDatapoint) string {
	var texts []string
	for _, p := range points {
		texts = append(texts, fmt.Sprintf("%s (%s)", javaDouble(p.Value), p.Start.UTC().Format("02/01/06 15:04:05")))
	}
	return "[" + strings.Join(texts, ", ") + "]"
}

// javaDouble writes a number as Java does, which AWS's texts show.
func javaDouble(v float64) string {
	if abs := math.Abs(v); abs != 0 && (abs < 1e-3 || abs >= 1e7) {
		mantissa, exponent, _ := strings.Cut(strconv.FormatFloat(v, 'E', -1, 64), "E")
		if !strings.Contains(mantissa, ".") {
			mantissa += ".0"
		}
		n, _ := strconv.Atoi(exponent)
		return mantissa + "E" + strconv.Itoa(n)
	}
	text := strconv.FormatFloat(v, 'f', -1, 64)
	if !strings.Contains(text, ".") {
		text += ".0"
	}
	return text
}

// alarmData is the reason of a state for machines.
// Source: recorded answers of DescribeAlarms.
type alarmData struct {
	Version   string           `json:"version"`
	QueryDate string           `json:"queryDate"`
	StartDate string           `json:"startDate,omitempty"`
	Unit      string           `json:"unit,omitempty"`
	Statistic string           `json:"statistic,omitempty"`
	Period    int              `json:"period"`
	Recent    []float64        `json:"recentDatapoints"`
	Threshold float64          `json:"threshold"`
	Evaluated []alarmEvaluated `json:"evaluatedDatapoints"`
}

type alarmEvaluated struct {
	Timestamp string   `json:"timestamp"`
	Samples   *float64 `json:"sampleCount,omitempty"`
	Value     *float64 `json:"value,omitempty"`
}

// alarmTime is a time in what is for machines.
func alarmTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000-0700") }

func (e *alarmEvaluator) data(now time.Time) string {
	d := alarmData{
		Version: "1.0", QueryDate: alarmTime(now), Unit: string(e.alarm.Unit), Statistic: string(e.alarm.Statistic),
		Period: int(AlarmPeriod(e.alarm) / time.Second), Recent: []float64{}, Threshold: *e.alarm.Threshold,
	}
	if d.Statistic == "" {
		d.Statistic = aws.Value(e.alarm.ExtendedStatistic)
	}
	for _, p := range e.real {
		d.Recent = append(d.Recent, p.Value)
		d.Evaluated = append(d.Evaluated, alarmEvaluated{alarmTime(p.Start), &p.Samples, &p.Value})
	}
	slices.Reverse(d.Recent)
	if len(e.real) > 0 {
		d.StartDate = alarmTime(e.real[len(e.real)-1].Start)
	} else {
		for i := range e.n {
			d.Evaluated = append(d.Evaluated, alarmEvaluated{Timestamp: alarmTime(e.at.End.Add(-time.Duration(i+1) * e.at.Period))})
		}
	}
	return jsonText(d) // metrics have no NaN
}

// AlarmDataValues are the values in the data of a state's reason, the newest first; none when
// it has none.
func AlarmDataValues(data string) []float64 {
	var d alarmData
	if json.Unmarshal([]byte(data), &d) != nil {
		return nil
	}
	slices.Reverse(d.Recent)
	return d.Recent
}

package plan

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"fargo"
	"fargo/aws/cloudwatch"
	"fargo/record"
)

// TestAlarm runs scenarios. A line of settings begins an alarm; "series" gives its datapoints,
// one a period, the newest last: a number, or - where there is none. Each evaluation is one
// of the four treatments of missing data.
func TestAlarm(t *testing.T) {
	scenarios(t, "testdata/alarm", func() func(*testing.T, string) string {
		s := &alarmScenario{}
		return s.do
	})
}

type alarmScenario struct{ metric cloudwatch.MetricAlarm }

var treatments = []string{"missing", "ignore", "breaching", "notBreaching"}

var alarmNow = time.Date(2025, 1, 1, 0, 10, 0, 0, time.UTC)

func (s *alarmScenario) do(t *testing.T, command string) string {
	words := strings.Fields(command)
	switch words[0] {
	case "alarm": // alarm OPERATOR THRESHOLD M of N PERIOD
		number := func(text string) *int32 {
			n, err := strconv.Atoi(text)
			if err != nil {
				t.Fatal(err)
			}
			return new(int32(n))
		}
		threshold, err := strconv.ParseFloat(words[2], 64)
		if err != nil {
			t.Fatal(err)
		}
		s.metric = cloudwatch.MetricAlarm{
			AlarmName: new("a"), ComparisonOperator: cloudwatch.ComparisonOperator(words[1] + "Threshold"), Threshold: &threshold,
			DatapointsToAlarm: number(words[3]), EvaluationPeriods: number(words[5]), Period: number(words[6]), Statistic: cloudwatch.StatisticAverage,
		}
		return fmt.Sprintf("every %s", AlarmInterval(&s.metric))
	case "states": // states FROM POINT…
		var out []string
		for _, treat := range treatments {
			e := s.evaluate(t, treat, words[1], words[2:])
			out = append(out, treat+": "+string(e.State))
		}
		return strings.Join(out, "\n")
	case "reasons": // reasons TREATMENT FROM POINT…
		e := s.evaluate(t, words[1], words[2], words[3:])
		return string(e.State) + "\n" + e.Reason + "\n" + e.Data
	}
	t.Fatalf("unknown command %s", command)
	return ""
}

func (s *alarmScenario) evaluate(t *testing.T, treat, from string, series []string) AlarmEvaluation {
	m := s.metric
	m.TreatMissingData = &treat
	a := &record.Alarm{Metric: &m, State: record.AlarmState{Value: cloudwatch.StateValue(from)}}
	at, _ := AlarmRangeAt(&m, alarmNow.Add(alarmDelay(AlarmInterval(&m))), 1)
	if len(series) != at.Count {
		t.Fatalf("%d points for %d periods", len(series), at.Count)
	}
	var points []AlarmDatapoint
	for i, text := range series {
		if text == "-" {
			continue
		}
		v, err := strconv.ParseFloat(text, 64)
		if err != nil {
			t.Fatal(err)
		}
		points = append(points, AlarmDatapoint{at.Start().Add(time.Duration(i) * at.Period), v, 2})
	}
	return EvaluateAlarm(a, at, points, alarmNow)
}

// TestAlarmRange: periods and intervals are divided by the pace, to whole seconds, and data
// have a while to arrive.
func TestAlarmRange(t *testing.T) {
	m := &cloudwatch.MetricAlarm{Period: new(int32(60)), EvaluationPeriods: new(int32(3))}
	for _, c := range []struct {
		after              time.Duration
		pace               fargo.Pace
		end, period, until time.Duration
	}{
		{0, 1, -time.Minute, time.Minute, 10 * time.Second},
		{10 * time.Second, 1, 0, time.Minute, time.Minute},
		{4 * time.Second, 20, 0, 3 * time.Second, time.Second},
		{5 * time.Second, 20, 3 * time.Second, 3 * time.Second, 3 * time.Second},
		{9 * time.Second, 1000, 7 * time.Second, time.Second, time.Second},
	} {
		at, next := AlarmRangeAt(m, alarmNow.Add(c.after), c.pace)
		if end, until := at.End.Sub(alarmNow), next.Sub(alarmNow.Add(c.after)); end != c.end || at.Period != c.period || until != c.until || at.Count != 5 {
			t.Errorf("%s at %v: ends at %s, period %s, next in %s", c.after, c.pace, end, at.Period, until)
		}
	}
	at, _ := AlarmRangeAt(m, alarmNow.Add(10*time.Second), 1)
	if got := at.Start(); !got.Equal(alarmNow.Add(-5 * time.Minute)) {
		t.Errorf("starts at %s", got)
	}
}

// TestLowSamples: a percentile of few samples is not evaluated when the alarm says so.
// Source: CloudWatch user guide: 10/(1-percentile) samples are enough, 1,000 for p99.
func TestLowSamples(t *testing.T) {
	for samples, want := range map[float64]cloudwatch.StateValue{999: "OK", 1001: "ALARM"} {
		m := &cloudwatch.MetricAlarm{
			ComparisonOperator: "GreaterThanThreshold", Threshold: new(1.0), EvaluationPeriods: new(int32(1)), Period: new(int32(60)),
			ExtendedStatistic: new("p99"), EvaluateLowSampleCountPercentile: new("ignore"),
		}
		a := &record.Alarm{Metric: m, State: record.AlarmState{Value: "OK"}}
		at, _ := AlarmRangeAt(m, alarmNow, fargo.Pace(1))
		e := EvaluateAlarm(a, at, []AlarmDatapoint{{at.End.Add(-at.Period), 2, samples}}, alarmNow)
		if e.State != want {
			t.Errorf("%v samples: %s, want %s", samples, e.State, want)
		}
	}
}

func TestJavaDouble(t *testing.T) {
	for v, want := range map[float64]string{0: "0.0", 50: "50.0", 21.5: "21.5", 1e7: "1.0E7", 12345678.5: "1.23456785E7", 0.0005: "5.0E-4", -3: "-3.0"} {
		if got := javaDouble(v); got != want {
			t.Errorf("%v is %s, want %s", v, got, want)
		}
	}
}

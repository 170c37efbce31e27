package plan

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	autoscaling "fargo/aws/applicationautoscaling"
	"fargo/aws/cloudwatch"
	"fargo/record"
)

// TestScalingOfSeveralPolicies: whatever policies there are together, whatever their metrics
// and whatever the user sets meanwhile, a policy moves the capacity towards the limits or
// within them, and never reduces it within a cooldown or a deployment.
func TestScalingOfSeveralPolicies(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		least := rapid.IntRange(0, 5).Draw(t, "least")
		most := least + rapid.IntRange(0, 30).Draw(t, "more")
		s := newScalingSim(least, most, rapid.IntRange(0, most+5).Draw(t, "desired"))
		s.lag = rapid.IntRange(0, 4).Draw(t, "lag")
		for _, name := range []string{"a", "b"}[:rapid.IntRange(0, 2).Draw(t, "tracking")] {
			s.track(name, float64(rapid.IntRange(10, 90).Draw(t, "target")), 60*rapid.IntRange(0, 5).Draw(t, "out"), 60*rapid.IntRange(0, 5).Draw(t, "in"), drawn(t))
		}
		for _, name := range []string{"c", "d"}[:rapid.IntRange(0, 2).Draw(t, "steps")] {
			addSteps(t, s, name)
		}
		changed := time.Time{}
		for range 120 {
			s.view.Deploying = rapid.IntRange(0, 9).Draw(t, "deploying") == 0
			if rapid.IntRange(0, 29).Draw(t, "by hand") == 0 {
				s.view.Desired, s.started = rapid.IntRange(0, most+5).Draw(t, "set"), nil
				s.running = s.view.Desired
			}
			before, last := s.view.Desired, s.view.Target.Last
			s.minute()
			after := s.view.Desired
			switch {
			case after == before:
			case after < least || after > most:
				t.Fatalf("from %d to %d, limits %d and %d", before, after, least, most)
			case after < before && s.view.Deploying:
				t.Fatalf("reduced from %d to %d during a deployment", before, after)
			case after < before && last.Activity != "" && s.now.Sub(changed) < last.Cooldown && last.To == before:
				t.Fatalf("reduced from %d to %d %s after a change", before, after, s.now.Sub(changed))
			}
			if after != before {
				changed = s.now
			}
		}
	})
}

// drawn is a metric whose values, or their absence, are drawn.
func drawn(t *rapid.T) func(int, int) (float64, bool) {
	values := rapid.SliceOfN(rapid.IntRange(-20, 150), 1, 12).Draw(t, "values")
	return func(minute, _ int) (float64, bool) {
		v := values[minute/10%len(values)]
		return float64(v), v >= 0
	}
}

// addSteps adds a step scaling policy with two steps.
func addSteps(t *rapid.T, s *scalingSim, name string) {
	p := s.policy(name)
	middle := float64(rapid.IntRange(1, 50).Draw(t, "middle"))
	adjustment := rapid.IntRange(-40, 40)
	p.StepScalingPolicyConfiguration = &autoscaling.StepScalingPolicyConfiguration{
		AdjustmentType: rapid.SampledFrom([]autoscaling.AdjustmentType{"ChangeInCapacity", "ExactCapacity", "PercentChangeInCapacity"}).Draw(t, "type"),
		Cooldown:       new(int32(60 * rapid.IntRange(0, 5).Draw(t, "cooldown"))),
	}
	steps := []autoscaling.StepAdjustment{
		{MetricIntervalLowerBound: new(0.0), MetricIntervalUpperBound: &middle, ScalingAdjustment: new(int32(adjustment.Draw(t, "near")))},
		{MetricIntervalLowerBound: &middle, ScalingAdjustment: new(int32(adjustment.Draw(t, "far")))},
	}
	operator := cloudwatch.ComparisonOperatorGreaterThanThreshold
	if rapid.Bool().Draw(t, "below") {
		operator, middle = cloudwatch.ComparisonOperatorLessThanThreshold, -middle
		steps[0].MetricIntervalLowerBound, steps[0].MetricIntervalUpperBound = &middle, new(0.0)
		steps[1].MetricIntervalLowerBound, steps[1].MetricIntervalUpperBound = nil, &middle
	}
	p.StepScalingPolicyConfiguration.StepAdjustments = steps
	s.add(p, []*cloudwatch.MetricAlarm{{
		AlarmName: new(name + "-alarm"), ComparisonOperator: operator, Threshold: new(float64(rapid.IntRange(0, 100).Draw(t, "threshold"))),
		EvaluationPeriods: new(int32(rapid.IntRange(1, 3).Draw(t, "periods"))), Period: new(int32(60)),
	}}, drawn(t))
}

// TestAlarmProperties: with as many datapoints as an alarm asks for, how missing ones are
// treated makes no difference; without any, the treatment decides; and one more datapoint that
// breaches never ends an alarm.
func TestAlarmProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 6).Draw(t, "n")
		m := &cloudwatch.MetricAlarm{
			ComparisonOperator: cloudwatch.ComparisonOperatorGreaterThanThreshold, Threshold: new(5.0), Period: new(int32(60)),
			EvaluationPeriods: new(int32(n)), DatapointsToAlarm: new(int32(rapid.IntRange(1, n).Draw(t, "m"))),
		}
		was := rapid.SampledFrom([]cloudwatch.StateValue{"OK", "ALARM", "INSUFFICIENT_DATA"}).Draw(t, "was")
		at, _ := AlarmRangeAt(m, alarmNow, 1)
		var points, more []AlarmDatapoint
		for i := range at.Count {
			p := AlarmDatapoint{Start: at.Start().Add(time.Duration(i) * at.Period), Samples: 1}
			switch rapid.IntRange(0, 2).Draw(t, "point") {
			case 0:
				continue
			case 1:
				p.Value = 9
			}
			points = append(points, p)
			p.Value = 9
			more = append(more, p)
		}
		states := map[cloudwatch.StateValue]bool{}
		for _, treat := range treatments {
			a := *m
			a.TreatMissingData = &treat
			evaluate := func(points []AlarmDatapoint) cloudwatch.StateValue {
				return EvaluateAlarm(&record.Alarm{Metric: &a, State: record.AlarmState{Value: was}}, at, points, alarmNow).State
			}
			state := evaluate(points)
			states[state] = true
			if state == cloudwatch.StateValueAlarm && evaluate(more) != cloudwatch.StateValueAlarm {
				t.Fatalf("%s: ALARM with %v, and not with all of them breaching", treat, points)
			}
		}
		if len(points) >= n && len(states) != 1 {
			t.Fatalf("%d datapoints of %d, and %v", len(points), n, states)
		}
	})
}

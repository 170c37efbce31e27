package plan

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"fargo"
	autoscaling "fargo/aws/applicationautoscaling"
	"fargo/aws/cloudwatch"
	"fargo/record"
)

// scalingSim is a service whose capacity follows policies, a minute at a time: alarms are
// evaluated over what the metrics were, and tasks run some minutes after they are wanted.
type scalingSim struct {
	view     ScalingView
	now      time.Time
	running  int
	lag      int // minutes until a new task runs
	started  []time.Time
	metrics  map[string]*simMetric // by policy
	activity *record.ScalingActivity
	told     []string
}

// simMetric is what the policy of a name looks at.
type simMetric struct {
	alarms []*record.Alarm
	points []AlarmDatapoint
	value  func(minute, running int) (float64, bool)
}

var simStart = time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)

func newScalingSim(least, most, desired int) *scalingSim {
	n := 0
	return &scalingSim{
		now: simStart, running: desired, metrics: map[string]*simMetric{},
		view: ScalingView{
			Desired: desired, Pace: 1,
			Target: &record.ScalableTarget{Target: autoscaling.ScalableTarget{
				ServiceNamespace: "ecs", ResourceId: new("service/c/s"), ScalableDimension: "ecs:service:DesiredCount",
				MinCapacity: new(int32(least)), MaxCapacity: new(int32(most)), SuspendedState: &autoscaling.SuspendedState{},
			}},
			UUID: func() string { n++; return fmt.Sprintf("id-%d", n) },
		},
	}
}

func (s *scalingSim) policy(name string) autoscaling.ScalingPolicy {
	return autoscaling.ScalingPolicy{PolicyName: &name, PolicyARN: new("arn:" + name), ResourceId: new("service/c/s")}
}

func (s *scalingSim) add(p autoscaling.ScalingPolicy, alarms []*cloudwatch.MetricAlarm, value func(minute, running int) (float64, bool)) {
	m := &simMetric{value: value}
	view := ScalingPolicyView{Policy: &record.ScalingPolicy{Policy: p}}
	for _, a := range alarms {
		alarm := &record.Alarm{Metric: a, State: record.AlarmState{Value: cloudwatch.StateValueInsufficientData}}
		m.alarms = append(m.alarms, alarm)
		view.Alarms = append(view.Alarms, ScalingAlarm{Alarm: alarm})
	}
	s.metrics[*p.PolicyName] = m
	s.view.Policies = append(s.view.Policies, view)
}

// track adds a target tracking policy.
func (s *scalingSim) track(name string, target float64, out, in int, value func(minute, running int) (float64, bool)) {
	p := s.policy(name)
	p.TargetTrackingScalingPolicyConfiguration = &autoscaling.TargetTrackingScalingPolicyConfiguration{
		TargetValue: &target, ScaleOutCooldown: new(int32(out)), ScaleInCooldown: new(int32(in)),
		PredefinedMetricSpecification: &autoscaling.PredefinedMetricSpecification{PredefinedMetricType: autoscaling.MetricTypeECSServiceAverageCPUUtilization},
	}
	alarms := TrackingAlarms(&p, [2]string{name, name})
	s.add(p, alarms[:], value)
}

// minute lets a minute pass.
func (s *scalingSim) minute() {
	minute := int(s.now.Sub(simStart) / time.Minute)
	for i := range s.view.Policies {
		v := &s.view.Policies[i]
		m := s.metrics[*v.Policy.Policy.PolicyName]
		if value, ok := m.value(minute, s.running); ok {
			m.points = append(m.points, AlarmDatapoint{s.now, value, 1})
		}
		for j, a := range m.alarms {
			at, _ := AlarmRangeAt(a.Metric, s.now.Add(time.Minute+mostAlarmDelay), 1)
			var points []AlarmDatapoint
			for _, p := range m.points {
				if !p.Start.Before(at.Start()) {
					points = append(points, p)
				}
			}
			e := EvaluateAlarm(a, at, points, at.End)
			a.State.Value = e.State
			v.Alarms[j].Values = e.Values
		}
	}
	s.now = s.now.Add(time.Minute)
	s.scale()
	s.work()
}

func (s *scalingSim) scale() {
	s.view.Newest = s.activity
	d := PlanScaling(s.view, s.now)
	s.apply(d)
}

func (s *scalingSim) apply(d ScalingDecision) {
	if d.Activity != nil {
		s.activity = d.Activity
		a := &d.Activity.Activity
		text := fmt.Sprintf("%s %s", s.now.Format("15:04"), *a.Description)
		if len(a.NotScaledReasons) > 0 {
			text += " " + *a.NotScaledReasons[0].Code
		}
		s.told = append(s.told, text+" ("+*a.Cause+")")
	}
	if d.Target != nil {
		s.view.Target = d.Target
	}
	for range d.Desired - s.view.Desired {
		s.started = append(s.started, s.now.Add(time.Duration(s.lag)*time.Minute))
	}
	if d.Desired < s.view.Desired {
		s.running, s.started = min(s.running, d.Desired), nil
	}
	s.view.Desired = d.Desired
}

// work lets tasks get to run, and follows the last change.
func (s *scalingSim) work() {
	for len(s.started) > 0 && !s.started[0].After(s.now) {
		s.running, s.started = s.running+1, s.started[1:]
	}
	if !s.view.Target.Last.UnderWay() {
		return
	}
	target, activity, _ := FollowScaling(FollowView{
		Target: s.view.Target, Activity: s.activity, Active: true, Desired: s.view.Desired, Running: s.running, Pace: 1,
	}, s.now)
	if target != nil {
		s.view.Target, s.activity = target, activity
	}
}

// TestScaling runs scenarios: what a target and its policies are, series of their metrics,
// and what becomes of the capacity.
func TestScaling(t *testing.T) {
	scenarios(t, "testdata/scaling", func() func(*testing.T, string) string {
		r := &scalingScenario{}
		return r.do
	})
}

type scalingScenario struct{ sim *scalingSim }

func (r *scalingScenario) do(t *testing.T, command string) string {
	for line := range strings.SplitSeq(command, "\n") {
		words := strings.Fields(line)
		number := func(i int) int {
			n, err := strconv.Atoi(words[i])
			if err != nil {
				t.Fatal(line, err)
			}
			return n
		}
		switch words[0] {
		case "target": // target MIN MAX DESIRED
			r.sim = newScalingSim(number(1), number(2), number(3))
		case "lag":
			r.sim.lag = number(1)
		case "track": // track NAME TARGET OUT IN series|load VALUE…
			r.sim.track(words[1], float64(number(2)), number(3), number(4), series(t, words[5:]))
		case "noscalein":
			for _, p := range r.sim.view.Policies {
				p.Policy.Policy.TargetTrackingScalingPolicyConfiguration.DisableScaleIn = new(true)
			}
		case "step": // step NAME TYPE COOLDOWN MIN-MAGNITUDE OPERATOR THRESHOLD STEPS series…
			r.step(t, words, number)
		case "suspend":
			r.sim.view.Target.Target.SuspendedState = &autoscaling.SuspendedState{
				DynamicScalingInSuspended: new(words[1] == "in"), DynamicScalingOutSuspended: new(words[1] == "out"),
			}
		case "deploying":
			r.sim.view.Deploying = words[1] == "yes"
		case "desired": // by hand
			r.sim.view.Desired, r.sim.running, r.sim.started = number(1), number(1), nil
		case "limits": // new ones
			target := *r.sim.view.Target
			target.Target.MinCapacity, target.Target.MaxCapacity, target.LimitsAt = new(int32(number(1))), new(int32(number(2))), r.sim.now
			r.sim.view.Target = &target
			r.sim.apply(FitScaling(r.sim.view, r.sim.now))
		case "minutes":
			for range number(1) {
				r.sim.minute()
			}
		default:
			t.Fatalf("unknown command %s", line)
		}
	}
	told := append(r.sim.told, fmt.Sprintf("%s capacity %d", r.sim.now.Format("15:04"), r.sim.view.Desired))
	r.sim.told = nil
	return strings.Join(told, "\n")
}

func (r *scalingScenario) step(t *testing.T, words []string, number func(int) int) {
	p := r.sim.policy(words[1])
	c := &autoscaling.StepScalingPolicyConfiguration{AdjustmentType: autoscaling.AdjustmentType(words[2]), Cooldown: new(int32(number(3))), MinAdjustmentMagnitude: new(int32(number(4)))}
	bound := func(text string) *float64 {
		if text == "" {
			return nil
		}
		v, err := strconv.ParseFloat(text, 64)
		if err != nil {
			t.Fatal(err)
		}
		return &v
	}
	for text := range strings.SplitSeq(words[7], ",") { // LOW..HIGH:ADJUSTMENT
		bounds, by, _ := strings.Cut(text, ":")
		low, high, _ := strings.Cut(bounds, "..")
		n, err := strconv.Atoi(by)
		if err != nil {
			t.Fatal(err)
		}
		c.StepAdjustments = append(c.StepAdjustments, autoscaling.StepAdjustment{MetricIntervalLowerBound: bound(low), MetricIntervalUpperBound: bound(high), ScalingAdjustment: new(int32(n))})
	}
	p.StepScalingPolicyConfiguration = c
	r.sim.add(p, []*cloudwatch.MetricAlarm{{
		AlarmName: new(words[1] + "-alarm"), ComparisonOperator: cloudwatch.ComparisonOperator(words[5] + "Threshold"), Threshold: new(float64(number(6))),
		EvaluationPeriods: new(int32(1)), Period: new(int32(60)),
	}}, series(t, words[8:]))
}

// series reads a metric: the values of minutes, of which the last is that of all later ones,
// or a load that the running tasks divide among themselves.
func series(t *testing.T, words []string) func(minute, running int) (float64, bool) {
	var values []string
	for _, w := range words[1:] { // VALUE or VALUExTIMES
		v, times, _ := strings.Cut(w, "x")
		n := 1
		if times != "" {
			var err error
			if n, err = strconv.Atoi(times); err != nil {
				t.Fatal(err)
			}
		}
		for range n {
			values = append(values, v)
		}
	}
	return func(minute, running int) (float64, bool) {
		text := values[min(minute, len(values)-1)]
		v, err := strconv.ParseFloat(text, 64)
		if words[0] == "load" {
			return v / float64(max(1, running)), err == nil && running > 0
		}
		return v, err == nil
	}
}

// TestScalingProperties: whatever the load is, the capacity that policies choose is within
// the limits, is not reduced within a cooldown, and stays as it is once a load that stays the
// same has been met.
func TestScalingProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		least := rapid.IntRange(0, 5).Draw(t, "least")
		most := least + rapid.IntRange(0, 30).Draw(t, "more")
		s := newScalingSim(least, most, rapid.IntRange(least, most).Draw(t, "desired"))
		s.lag = rapid.IntRange(0, 4).Draw(t, "lag")
		target := float64(rapid.IntRange(10, 90).Draw(t, "target"))
		cooldown := rapid.IntRange(0, 10).Draw(t, "cooldown")
		loads := rapid.SliceOfN(rapid.IntRange(0, 2000), 1, 20).Draw(t, "loads")
		s.track("p", target, cooldown*60, cooldown*60, func(minute, running int) (float64, bool) {
			load := loads[min(minute/5, len(loads)-1)]
			return float64(load) / float64(max(1, running)), running > 0
		})
		changed, moved := s.now, false
		for minute := range 20*5 + 400 {
			before := s.view.Desired
			s.minute()
			after := s.view.Desired
			if after < least || after > most {
				t.Fatalf("capacity %d of %d to %d", after, least, most)
			}
			if after < before && moved && s.now.Sub(changed) < time.Duration(cooldown)*time.Minute {
				t.Fatalf("reduced %s after a change", s.now.Sub(changed))
			}
			if after != before {
				changed, moved = s.now, true
				if minute > 20*5+300 {
					t.Fatalf("still changes at minute %d: %d to %d", minute, before, after)
				}
			}
		}
	})
}

// TestScheduledScaling: limits change when they are due and can be.
func TestScheduledScaling(t *testing.T) {
	zone := "Europe/Berlin"
	a := &record.ScheduledAction{Since: simStart, Action: autoscaling.ScheduledAction{
		ScheduledActionName: new("morning"), Schedule: new("cron(0 9 * * ? *)"), Timezone: &zone,
		ScalableTargetAction: &autoscaling.ScalableTargetAction{MinCapacity: new(int32(5))},
	}}
	eight := simStart.Add(8 * time.Hour)
	step := StepScheduledAction(a, nil, eight.Add(time.Second))
	if !step.Due.Equal(eight) || !step.Next.Equal(eight.Add(24*time.Hour)) {
		t.Errorf("%+v", step)
	}
	a.Action.EndTime = new(simStart.Add(time.Hour))
	if step := StepScheduledAction(a, nil, eight.Add(time.Second)); !step.Due.IsZero() || !step.Next.IsZero() {
		t.Errorf("after its end: %+v", step)
	}
	a.Action.EndTime, a.Action.Schedule, a.Action.StartTime = nil, new("rate(1 hour)"), new(simStart.Add(90*time.Minute))
	if step := StepScheduledAction(a, nil, simStart.Add(2*time.Hour)); !step.Due.Equal(*a.Action.StartTime) || !step.Next.Equal(a.Action.StartTime.Add(time.Hour)) {
		t.Errorf("with a start: %+v", step)
	}
	s := newScalingSim(1, 10, 3)
	target, activity := ScheduledScaling(s.view.Target, a, "x", eight)
	if target == nil || *target.Target.MinCapacity != 5 || *target.Target.MaxCapacity != 10 || *activity.Activity.Description != "Setting min capacity to 5" {
		t.Errorf("%+v %+v", target, activity)
	}
	a.Action.ScalableTargetAction.MinCapacity = new(int32(11))
	if target, activity := ScheduledScaling(s.view.Target, a, "x", eight); target != nil || activity.Activity.StatusCode != "Failed" {
		t.Errorf("%+v %+v", target, activity)
	}
	s.view.Target.Target.SuspendedState.ScheduledScalingSuspended = new(true)
	if target, activity := ScheduledScaling(s.view.Target, a, "x", eight); target != nil || activity != nil {
		t.Error("suspended")
	}
}

// TestFollowScaling: what becomes of a change.
func TestFollowScaling(t *testing.T) {
	s := newScalingSim(1, 10, 3)
	s.view.Target.Last = record.ScalingStep{Activity: "a", From: 3, To: 5, Cooldown: time.Minute}
	activity := newActivity(s.view.Target, "a", "c", simStart)
	for _, c := range []struct {
		active           bool
		desired, running int
		after            time.Duration
		want             autoscaling.ScalingActivityStatusCode
	}{
		{true, 5, 4, time.Minute, ""},
		{true, 5, 5, time.Minute, "Successful"},
		{true, 4, 4, time.Minute, "Overridden"},
		{false, 5, 5, time.Minute, "Unfulfilled"},
		{true, 5, 4, time.Hour, "Unfulfilled"},
	} {
		_, a, next := FollowScaling(FollowView{s.view.Target, activity, c.active, c.desired, c.running, fargo.Pace(1)}, simStart.Add(c.after))
		got := autoscaling.ScalingActivityStatusCode("")
		if a != nil {
			got = a.Activity.StatusCode
		}
		if got != c.want || (a == nil) == next.IsZero() {
			t.Errorf("%+v: %s, next %s", c, got, next)
		}
	}
}

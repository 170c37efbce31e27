package control

import (
	"context"
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"fargo"
	autoscaling "fargo/aws/applicationautoscaling"
	"fargo/aws/cloudwatch"
	"fargo/aws/ecs"
	"fargo/plan"
	"fargo/record"
	"fargo/store"
)

// scaled is a world whose service web is a scalable target, with alarms over a metric.
type scaled struct {
	*world
	metric atomic.Pointer[metric]
	ended  chan error
}

// metric is a metric's value at a time; false when there is none.
type metric func(at time.Time) (float64, bool)

// measure gives the metric other values.
func (s *scaled) measure(m metric) { s.metric.Store(&m) }

func newScaled(t *testing.T, desired int) *scaled {
	s := &scaled{world: newWorld(t), ended: make(chan error, 1)}
	s.measure(func(time.Time) (float64, bool) { return 0, false })
	s.serve(desired, "subnet-1")
	e := &AlarmEvaluator{DB: s.db, Datapoints: s.datapoints, Logger: slog.New(slog.DiscardHandler), Pace: 1}
	go func() { s.ended <- e.Run(s.ctx) }()
	stop := s.stop
	s.stop = func() {
		stop()
		if err := <-s.ended; err != nil {
			t.Error(err)
		}
	}
	return s
}

func (s *scaled) datapoints(_ context.Context, _ fargo.Scope, _ *cloudwatch.MetricAlarm, at plan.AlarmRange) (out []plan.AlarmDatapoint, err error) {
	for i := range at.Count {
		start := at.Start().Add(time.Duration(i) * at.Period)
		if v, ok := (*s.metric.Load())(start); ok {
			out = append(out, plan.AlarmDatapoint{Start: start, Value: v, Samples: 1})
		}
	}
	return out, nil
}

// register makes the service a scalable target.
func (s *scaled) register(least, most int) *record.ScalableTarget {
	target := &record.ScalableTarget{Scope: home, LimitsAt: time.Now(), Target: autoscaling.ScalableTarget{
		ServiceNamespace: "ecs", ResourceId: new("service/c/web"), ScalableDimension: "ecs:service:DesiredCount",
		MinCapacity: new(int32(least)), MaxCapacity: new(int32(most)),
	}}
	s.update(func(tx *store.Tx) { store.ScalableTargets.Put(tx, target) })
	return target
}

// track gives the target a target tracking policy, with its alarms.
func (s *scaled) track(target float64) {
	s.update(func(tx *store.Tx) {
		p := &record.ScalingPolicy{Scope: home, Policy: autoscaling.ScalingPolicy{
			PolicyName: new("cpu"), PolicyARN: new("arn:aws:autoscaling:us-east-1:123456789012:scalingPolicy:1:policyName/cpu"), ServiceNamespace: "ecs",
			ResourceId: new("service/c/web"), ScalableDimension: "ecs:service:DesiredCount",
			TargetTrackingScalingPolicyConfiguration: &autoscaling.TargetTrackingScalingPolicyConfiguration{
				TargetValue: &target, ScaleOutCooldown: new(int32(60)), ScaleInCooldown: new(int32(300)),
				PredefinedMetricSpecification: &autoscaling.PredefinedMetricSpecification{PredefinedMetricType: autoscaling.MetricTypeECSServiceAverageCPUUtilization},
			},
		}}
		for _, m := range plan.TrackingAlarms(&p.Policy, [2]string{"h", "l"}) {
			store.Alarms.Put(tx, plan.NewAlarm(record.Alarm{Scope: home, Metric: m}, time.Now()))
			p.Policy.Alarms = append(p.Policy.Alarms, autoscaling.Alarm{AlarmName: m.AlarmName})
		}
		store.ScalingPolicies.Put(tx, p)
	})
}

func (s *scaled) service(t *testing.T) *record.Service {
	found, ok := store.Services.Get(s.db.View(), home.Key("c", "web"))
	if !ok {
		t.Fatal("no service")
	}
	return found
}

// after lets time pass, in which the service's tasks get to run, and to stop.
func (s *scaled) after(minutes int) {
	for range minutes {
		time.Sleep(time.Minute) //nolint:forbidigo // in a bubble
		s.runService()
		for _, task := range s.tasks() {
			if task.Desired == fargo.TaskStopped && !task.Stopped() {
				s.report(task, fargo.TaskStopped)
			}
		}
		synctest.Wait()
	}
}

// activities are what was done, the oldest first.
func (s *scaled) activities() string {
	var out []string
	for a := range store.ScalingActivities.All(s.db.View()) {
		out = append(out, string(a.Activity.StatusCode)+": "+*a.Activity.Description)
	}
	return strings.Join(out, "\n")
}

// TestScaleOutAndIn: a metric above its target makes the service grow after three minutes; a
// low one makes it shrink after fifteen.
func TestScaleOutAndIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScaled(t, 2)
		defer s.stop()
		s.register(2, 6)
		s.track(60)
		s.measure(func(time.Time) (float64, bool) { return 55, true })
		s.after(5)
		if got := s.service(t).DesiredCount(); got != 2 {
			t.Fatalf("%d tasks at the target", got)
		}
		began := time.Now()
		s.measure(func(at time.Time) (float64, bool) {
			if at.Before(began) {
				return 55, true
			}
			return 110, true
		})
		s.after(4)
		if got := s.service(t).DesiredCount(); got != 4 { // 2 x 110/60
			t.Fatalf("%d tasks\n%s", got, s.activities())
		}
		event := *s.service(t).Events[0].Message
		if !slices.ContainsFunc(s.service(t).Events, func(e ecs.ServiceEvent) bool {
			return strings.HasPrefix(*e.Message, "Successfully set desired count to 4. Waiting for change to be fulfilled by ecs. Cause: monitor alarm TargetTracking-service/c/web-AlarmHigh-h in state ALARM triggered policy cpu")
		}) {
			t.Errorf("events begin with %q", event)
		}
		low := time.Now()
		s.measure(func(at time.Time) (float64, bool) {
			if at.Before(low) {
				return 55, true
			}
			return 10, true
		})
		s.after(14)
		if got := s.service(t).DesiredCount(); got != 4 {
			t.Fatalf("%d tasks too early\n%s", got, s.activities())
		}
		s.after(3)
		if got := s.service(t).DesiredCount(); got != 2 {
			t.Fatalf("%d tasks\n%s", got, s.activities())
		}
		s.after(1)
		if got, want := s.activities(), "Successful: Setting desired count to 4.\nSuccessful: Setting desired count to 2."; got != want {
			t.Errorf("%s\nwant\n%s", got, want)
		}
	})
}

// TestLimits: capacities are moved inside of limits when these are given, and only then.
func TestLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScaled(t, 1)
		defer s.stop()
		target := s.register(3, 6)
		s.after(1)
		if got := s.service(t).DesiredCount(); got != 3 {
			t.Fatalf("%d tasks", got)
		}
		s.update(func(tx *store.Tx) {
			next := *s.service(t)
			next.Service.DesiredCount = new(int32(0))
			store.Services.Put(tx, &next)
		})
		s.after(20)
		if got := s.service(t).DesiredCount(); got != 0 {
			t.Fatalf("%d tasks, set to 0 by hand", got)
		}
		s.update(func(tx *store.Tx) {
			due := time.Now().Add(90 * time.Second).UTC()
			store.ScheduledActions.Put(tx, &record.ScheduledAction{Scope: home, Since: time.Now(), Action: autoscaling.ScheduledAction{
				ScheduledActionName: new("once"), ScheduledActionARN: new("arn:once"), ServiceNamespace: "ecs", ResourceId: target.Target.ResourceId,
				ScalableDimension: "ecs:service:DesiredCount", Schedule: new(due.Format("at(2006-01-02T15:04:05)")),
				ScalableTargetAction: &autoscaling.ScalableTargetAction{MinCapacity: new(int32(2)), MaxCapacity: new(int32(4))},
			}})
		})
		s.after(3)
		if got := s.service(t).DesiredCount(); got != 2 {
			t.Fatalf("%d tasks after the scheduled action", got)
		}
		for _, want := range []string{"Successful: Setting desired count to 3.", "Successful: Setting min capacity to 2 and max capacity to 4", "Successful: Setting desired count to 2."} {
			if got := s.activities(); strings.Count(got, want) != 1 || strings.Count(got, "\n") != 2 {
				t.Errorf("%s\nwant %s", got, want)
			}
		}
		s.after(7 * 7 * 24 * 60)
		if got := s.activities(); got != "" {
			t.Errorf("after seven weeks: %s", got)
		}
	})
}

// TestAlarmActions: actions are carried out once for each transition, composite alarms follow
// their children, and what cannot be done is in the history.
func TestAlarmActions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScaled(t, 1)
		defer s.stop()
		const topic = "arn:aws:sns:us-east-1:123456789012:topic"
		s.update(func(tx *store.Tx) {
			child := record.Alarm{Scope: home, Metric: &cloudwatch.MetricAlarm{
				AlarmName: new("child"), Threshold: new(5.0), ComparisonOperator: cloudwatch.ComparisonOperatorGreaterThanThreshold, Period: new(int32(60)), EvaluationPeriods: new(int32(1)),
			}}
			store.Alarms.Put(tx, plan.NewAlarm(child, time.Now()))
			parent := record.Alarm{Scope: home, Children: []string{"child"}, Composite: &cloudwatch.CompositeAlarm{
				AlarmName: new("parent"), AlarmRule: new("ALARM(child)"), AlarmActions: []string{topic}, OKActions: []string{topic},
			}}
			store.Alarms.Put(tx, plan.NewAlarm(parent, time.Now()))
		})
		s.after(1)
		s.measure(func(time.Time) (float64, bool) { return 9, true })
		s.after(10)
		s.measure(func(time.Time) (float64, bool) { return 1, true })
		s.after(10)
		var history []string
		for h := range store.AlarmHistory.All(s.db.View()) {
			history = append(history, *h.Item.AlarmName+": "+*h.Item.HistorySummary)
		}
		failed := `parent: Failed to execute action ` + topic + `. Received error: "Amazon SNS is not forwarded (fargo up --forward sns=URL)"`
		want := []string{
			"child: Alarm updated from INSUFFICIENT_DATA to ALARM", "child: Alarm updated from ALARM to OK",
			"parent: Alarm updated from INSUFFICIENT_DATA to OK", failed, "parent: Alarm updated from OK to ALARM", failed, "parent: Alarm updated from ALARM to OK", failed,
		}
		slices.Sort(history)
		slices.Sort(want)
		if !slices.Equal(history, want) {
			t.Errorf("%s\nwant\n%s", strings.Join(history, "\n"), strings.Join(want, "\n"))
		}
	})
}

// TestScaledServiceIsDeleted: the scalable target stays without its service, does nothing, and
// scales the next service of the name.
func TestScaledServiceIsDeleted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScaled(t, 2)
		defer s.stop()
		target := s.register(2, 6)
		s.track(60)
		s.measure(func(time.Time) (float64, bool) { return 90, true })
		s.update(func(tx *store.Tx) {
			next := *s.service(t)
			next.Service.Status, next.Service.DesiredCount = new("DRAINING"), new(int32(0))
			store.Services.Put(tx, &next)
		})
		s.after(10)
		if got := s.service(t).Status(); got != "INACTIVE" {
			t.Fatalf("the service is %s", got)
		}
		if got := s.activities(); got != "" {
			t.Fatalf("without a service: %s", got)
		}
		if _, ok := store.ScalableTargets.Get(s.db.View(), target.Key()); !ok {
			t.Fatal("the target is gone")
		}
		s.serve(2, "subnet-1")
		s.after(3)
		if got := s.service(t).DesiredCount(); got < 3 {
			t.Errorf("the next service has %d tasks\n%s", got, s.activities())
		}
	})
}

// TestAlarmFunction: a function is given what AWS gives it (recorded), once, a topic is sent a
// notification, and a function that nobody serves is told of in the history.
func TestAlarmFunction(t *testing.T) {
	db, err := store.Open(t.Context(), store.NewMemory())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	const known, unknown = "arn:aws:lambda:us-east-1:123456789012:function:known", "arn:aws:lambda:us-east-1:123456789012:function:unknown"
	const topic = "arn:aws:sns:us-east-1:123456789012:topic"
	controller := Alarms(Config{Callable: func(arn string) bool { return arn == known }, Topics: true})
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	reconcile := func(change func(tx *store.Tx)) {
		t.Helper()
		if err := db.Update(t.Context(), func(tx *store.Tx) error {
			change(tx)
			_, err := controller.Reconcile(tx, home.Key("a"), at.Add(time.Second))
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
	reconcile(func(tx *store.Tx) {
		a := plan.NewAlarm(record.Alarm{Scope: home, Metric: &cloudwatch.MetricAlarm{
			AlarmName: new("a"), AlarmDescription: new("testing lambda alarm action"), Namespace: new("namespace"), MetricName: new("metric1"), Period: new(int32(10)),
			Statistic: cloudwatch.StatisticAverage, AlarmActions: []string{known, unknown, topic},
		}}, at)
		transit(tx, a, record.AlarmState{Value: cloudwatch.StateValueAlarm, Reason: "testing alarm"}, at.Add(time.Second))
	})
	reconcile(func(*store.Tx) {})
	deliveries := slices.SortedFunc(store.EventDeliveries.All(db.View()), func(a, b *record.EventDelivery) int { return strings.Compare(*a.Target.Arn, *b.Target.Arn) })
	if len(deliveries) != 2 || *deliveries[0].Target.Arn != known || *deliveries[1].Target.Arn != topic {
		t.Fatalf("%d deliveries", len(deliveries))
	}
	var published string
	targets := &EventTargets{DB: db, Publish: func(_ context.Context, to fargo.ARN, subject, message string) error {
		published = to.Resource + " " + subject + " " + message[:strings.Index(message, ",")]
		return nil
	}}
	if _, err := targets.Send(t.Context(), deliveries[1]); err != nil || published != `topic ALARM: "a" in US East (N. Virginia) {"AlarmName":"a"` {
		t.Errorf("%s %v", published, err)
	}
	want := `{"accountId":"123456789012","alarmArn":"arn:aws:cloudwatch:us-east-1:123456789012:alarm:a","alarmData":{"alarmName":"a",` +
		`"state":{"value":"ALARM","reason":"testing alarm","timestamp":"2026-01-01T00:00:01.000+0000"},` +
		`"previousState":{"value":"INSUFFICIENT_DATA","reason":"Unchecked: Initial alarm creation","timestamp":"2026-01-01T00:00:00.000+0000"},` +
		`"configuration":{"description":"testing lambda alarm action","metrics":[{"id":"<id>","metricStat":{"metric":{"namespace":"namespace","name":"metric1","dimensions":{}},` +
		`"period":10,"stat":"Average"},"returnData":true}]}},"region":"us-east-1","source":"aws.cloudwatch","time":"2026-01-01T00:00:01.000+0000"}`
	if d := cmp.Diff(want, regexp.MustCompile(`"id":"[0-9a-f-]{36}"`).ReplaceAllString(deliveries[0].Body, `"id":"<id>"`)); d != "" {
		t.Error(d)
	}
	var told []string
	for h := range store.AlarmHistory.All(db.View()) {
		if h.Item.HistoryItemType == cloudwatch.HistoryItemTypeAction {
			told = append(told, *h.Item.HistorySummary)
		}
	}
	if d := cmp.Diff([]string{"Successfully executed action " + known, "Failed to execute action " + unknown + `. Received error: "there is no such function"`, "Successfully executed action " + topic}, told); d != "" {
		t.Error(d)
	}
}

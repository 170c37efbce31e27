package control

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"fargo"
	"fargo/aws"
	"fargo/aws/cloudwatch"
	"fargo/aws/events"
	"fargo/plan"
	"fargo/record"
	"fargo/store"
)

// AlarmEvaluator evaluates the alarms on metrics, each as often as it asks for. It keeps
// nothing that is not in the store: a new one begins with a look at every alarm.
type AlarmEvaluator struct {
	DB *store.DB
	// Datapoints gives the datapoints of an alarm in a range, the oldest first and without
	// those that are missing.
	Datapoints func(ctx context.Context, scope fargo.Scope, a *cloudwatch.MetricAlarm, at plan.AlarmRange) ([]plan.AlarmDatapoint, error)
	Logger     *slog.Logger
	// Pace divides the periods of alarms and how often they are evaluated.
	Pace fargo.Pace

	seen map[string]evaluatedAlarm // by the alarm's key
}

// evaluatedAlarm is when an alarm was evaluated last, and as what it was.
type evaluatedAlarm struct {
	metric *cloudwatch.MetricAlarm
	end    time.Time
}

// Run evaluates until ctx ends.
func (e *AlarmEvaluator) Run(ctx context.Context) error {
	e.seen = map[string]evaluatedAlarm{}
	w := e.DB.Watch(store.Alarms.Any())
	defer w.Close()
	changes := make(chan []store.Change)
	watching, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- forward(watching, w, changes) }()
	for {
		next, err := e.evaluate(ctx, time.Now())
		if err != nil {
			if ctx.Err() != nil {
				return unlessCanceled(<-ended)
			}
			e.Logger.ErrorContext(ctx, "alarms were not evaluated", "error", err)
			next = time.Now().Add(retryAfter)
		}
		timer := time.NewTimer(max(0, time.Until(next)))
		select {
		case <-changes:
		case <-timer.C:
		case err := <-ended:
			timer.Stop()
			return unlessCanceled(err)
		}
		timer.Stop()
	}
}

// evaluate evaluates the alarms that are due, and says when the next ones are.
func (e *AlarmEvaluator) evaluate(ctx context.Context, now time.Time) (next time.Time, err error) {
	next = now.Add(idle)
	found, seen := []foundAlarm{}, map[string]evaluatedAlarm{}
	for a := range store.Alarms.All(e.DB.View()) {
		if a.Metric == nil {
			continue
		}
		at, due := plan.AlarmRangeAt(a.Metric, now, e.Pace)
		if due.Before(next) {
			next = due
		}
		this := evaluatedAlarm{a.Metric, at.End}
		if last := e.seen[a.Key()]; last != this {
			points, err := e.Datapoints(ctx, a.Scope, a.Metric, at)
			if ctx.Err() != nil {
				return next, ctx.Err()
			}
			if err != nil {
				e.Logger.WarnContext(ctx, "an alarm was not evaluated", "alarm", a.Name(), "error", err)
			} else {
				found = append(found, foundAlarm{a, plan.EvaluateAlarm(a, at, points, now)})
			}
		}
		seen[a.Key()] = this
	}
	if err := e.commit(ctx, found, now); err != nil {
		return next, err
	}
	e.seen = seen
	return next, nil
}

// foundAlarm is an alarm with what an evaluation has found.
type foundAlarm struct {
	alarm *record.Alarm
	plan.AlarmEvaluation
}

// commit stores the states that have changed, and has the policies of scalable targets act
// for the alarms that stay in ALARM. An alarm that has changed meanwhile is evaluated again.
func (e *AlarmEvaluator) commit(ctx context.Context, found []foundAlarm, now time.Time) error {
	found = slices.DeleteFunc(found, func(f foundAlarm) bool {
		return f.State == f.alarm.State.Value && !callsPolicy(f.alarm)
	})
	for batch := range slices.Chunk(found, batchLimit) {
		err := e.DB.Update(ctx, func(tx *store.Tx) error {
			values := alarmValues{}
			for _, f := range batch {
				values[f.alarm.Key()] = f.Values
			}
			targets := map[string]bool{}
			for _, f := range batch {
				current, ok := store.Alarms.Get(tx, f.alarm.Key())
				switch {
				case !ok || current.Metric != f.alarm.Metric || current.State != f.alarm.State:
				case f.State != current.State.Value:
					transit(tx, current, record.AlarmState{Value: f.State, Reason: f.Reason, Data: f.Data}, now)
				default:
					for key := range calledTargets(tx, current) {
						targets[key] = true
					}
				}
			}
			for key := range targets {
				if err := scaleTarget(tx, key, values, e.Pace, now); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("store the states of alarms: %w", err)
		}
	}
	return nil
}

// callsPolicy reports whether an alarm in ALARM has a scaling policy among its actions, which
// acts for as long as it is.
func callsPolicy(a *record.Alarm) bool {
	return a.State.Value == cloudwatch.StateValueAlarm && a.ActionsEnabled() && slices.ContainsFunc(a.Actions(a.State.Value), isPolicy)
}

func isPolicy(action string) bool {
	a, _ := fargo.ParseARN(action)
	return a.Service == "autoscaling"
}

// transit puts an alarm into a state, with the item of its history.
func transit(tx *store.Tx, a *record.Alarm, to record.AlarmState, now time.Time) {
	next, item := plan.AlarmTransition(a, to, now)
	store.Alarms.Put(tx, next)
	if item != nil {
		store.AlarmHistory.Put(tx, item)
	}
}

// Alarms is the controller that evaluates composite alarms when what they depend on has
// changed, and carries out the actions of alarms that have got into another state.
func Alarms(c Config) Controller {
	a := alarms{c}
	return Controller{
		Name: "alarm", All: func(r store.Reader) iter.Seq[string] { return keys(store.Alarms.All(r)) },
		Scope: a.scope, Reconcile: a.reconcile,
	}
}

type alarms struct{ Config }

// scope is an alarm that has changed, and the composite ones that depend on it.
func (alarms) scope(r store.Reader, c store.Change) iter.Seq[string] {
	if c.Table != store.Alarms.Name() {
		return slices.Values([]string(nil))
	}
	return func(yield func(string) bool) {
		if !yield(c.Key) {
			return
		}
		for a := range store.Alarms.By(r, store.AlarmByChild, c.Key) {
			if !yield(a.Key()) {
				return
			}
		}
	}
}

func (c alarms) reconcile(tx *store.Tx, key string, now time.Time) (time.Time, error) {
	a, ok := store.Alarms.Get(tx, key)
	if !ok {
		return time.Time{}, nil
	}
	if a.Composite != nil {
		if state := evaluateComposite(tx, a); state.Value != a.State.Value {
			transit(tx, a, state, now)
			a, _ = store.Alarms.Get(tx, key)
		}
	}
	if a.HasActed() {
		return time.Time{}, nil
	}
	if a.Composite != nil && a.Composite.ActionsSuppressor != nil {
		suppressor, _ := store.AlarmOfRule(tx, a.Scope, *a.Composite.ActionsSuppressor)
		if by, until := plan.AlarmSuppression(a, suppressor, c.Pace, now); by != "" {
			return until, nil
		}
	}
	return time.Time{}, c.act(tx, a, now)
}

// evaluateComposite gives the state of a composite alarm, because of the child that has
// changed last.
func evaluateComposite(r store.Reader, a *record.Alarm) record.AlarmState {
	var trigger *record.Alarm
	for _, name := range a.Children {
		if child, ok := store.AlarmOfRule(r, a.Scope, name); ok && (trigger == nil || child.State.At.After(trigger.State.At)) {
			trigger = child
		}
	}
	return plan.EvaluateComposite(a, func(called string) cloudwatch.StateValue {
		if child, ok := store.AlarmOfRule(r, a.Scope, called); ok {
			return child.State.Value
		}
		return cloudwatch.StateValueInsufficientData
	}, trigger)
}

// act carries out the actions for the state that an alarm is in, once for each time that it
// gets there. One that was in another state while its actions were suppressed, and is in the
// old one again, has nothing to do.
func (c alarms) act(tx *store.Tx, a *record.Alarm, now time.Time) error {
	from := a.Acted.Value
	acted := *a
	acted.Acted = record.AlarmActed{Value: a.State.Value, At: a.State.At}
	store.Alarms.Put(tx, &acted)
	if !a.ActionsEnabled() || from == a.State.Value && a.Composite != nil && a.Composite.ActionsSuppressor != nil {
		return nil
	}
	for i, action := range a.Actions(a.State.Value) {
		failed, err := c.carryOut(tx, &acted, action, now)
		if err != nil {
			return err
		}
		store.AlarmHistory.Put(tx, plan.AlarmAction(&acted, action, failed, i+1, now))
	}
	return nil
}

// Why an action is not carried out.
var (
	errNoPolicy = errors.New("there is no such scaling policy")
	errNoTopics = errors.New("Amazon SNS is not forwarded (fargo up --forward sns=URL)") //nolint:revive,staticcheck // a name
)

// carryOut begins one action. failed tells the user why it cannot be.
func (c alarms) carryOut(tx *store.Tx, a *record.Alarm, action string, now time.Time) (failed, err error) {
	arn, _ := fargo.ParseARN(action)
	switch arn.Service {
	case "autoscaling":
		p, ok := store.FindScalingPolicy(tx, action)
		if !ok {
			return errNoPolicy, nil
		}
		return nil, scaleTarget(tx, p.TargetKey(), alarmValues{}, c.Pace, now)
	case "lambda":
		if c.Callable == nil || !c.Callable(action) {
			return errNoFunction, nil
		}
		store.EventDeliveries.Put(tx, &record.EventDelivery{
			Scope: a.Scope, ID: uuid.NewString(), Owner: a.ARN(), Target: events.Target{Id: new("action"), Arn: &action},
			Body: plan.AlarmInvocation(a, now), Made: now,
		})
		return nil, nil
	}
	if !c.Topics {
		return errNoTopics, nil
	}
	subject, message := plan.AlarmNotification(a)
	store.EventDeliveries.Put(tx, &record.EventDelivery{
		Scope: a.Scope, ID: uuid.NewString(), Owner: a.ARN(), Target: events.Target{Id: new("action"), Arn: &action},
		Body: message, Attributes: map[string]string{topicSubject: subject}, Made: now,
	})
	return nil, nil
}

// calledTargets are the keys of the scalable targets that an alarm calls the policies of, in
// the state that it is in.
func calledTargets(r store.Reader, a *record.Alarm) iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, action := range a.Actions(a.State.Value) {
			if !strings.Contains(action, ":scalingPolicy:") {
				continue
			}
			if p, ok := store.FindScalingPolicy(r, action); ok && !yield(p.TargetKey()) {
				return
			}
		}
	}
}

// alarmHistoryRetention is how long the history of an alarm is kept.
// Source: CloudWatch API, DescribeAlarmHistory.
const alarmHistoryRetention = 30 * 24 * time.Hour

// AlarmHistories is the controller that forgets old items of the histories of alarms.
func AlarmHistories() Controller {
	return expiring("alarmhistory", store.AlarmHistory, func(h *record.AlarmHistory) time.Time {
		return aws.Value(h.Item.Timestamp).Add(alarmHistoryRetention)
	})
}

// expiring is a controller that deletes the records of a table when they are old.
func expiring[T any, P interface {
	*T
	keyed
}](name string, table *store.Table[T], end func(P) time.Time) Controller {
	return Controller{
		Name: name,
		All: func(r store.Reader) iter.Seq[string] {
			return func(yield func(string) bool) {
				for v := range table.All(r) {
					if !yield(P(v).Key()) {
						return
					}
				}
			}
		},
		Scope: changed(table.Name()),
		Reconcile: func(tx *store.Tx, key string, now time.Time) (time.Time, error) {
			v, ok := table.Get(tx, key)
			if !ok {
				return time.Time{}, nil
			}
			if at := end(v); now.Before(at) {
				return at, nil
			}
			table.Delete(tx, key)
			return time.Time{}, nil
		},
	}
}

package control

import (
	"iter"
	"slices"
	"time"

	"github.com/google/uuid"

	"fargo"
	"fargo/aws/ecs"
	"fargo/plan"
	"fargo/record"
	"fargo/store"
)

// alarmValues are the values that the states of alarms were found from, the newest first, by
// the alarms' keys. Those of others are in the data of their states.
type alarmValues map[string][]float64

func (v alarmValues) of(a *record.Alarm) []float64 {
	if values, ok := v[a.Key()]; ok {
		return values
	}
	return plan.AlarmDataValues(a.State.Data)
}

// scaleTarget has the policies of a scalable target decide, and carries that out.
func scaleTarget(tx *store.Tx, key string, values alarmValues, pace fargo.Pace, now time.Time) error {
	target, ok := store.ScalableTargets.Get(tx, key)
	if !ok {
		return nil
	}
	service, ok := scaledService(tx, target)
	if !ok {
		return nil
	}
	v := scalingView(tx, target, service, pace)
	for p := range store.ScalingPolicies.Prefix(tx, key+"/") {
		policy := plan.ScalingPolicyView{Policy: p}
		for a := range store.Alarms.By(tx, store.AlarmByAction, *p.Policy.PolicyARN) {
			if slices.Contains(a.Actions(a.State.Value), *p.Policy.PolicyARN) {
				policy.Alarms = append(policy.Alarms, plan.ScalingAlarm{Alarm: a, Values: values.of(a)})
			}
		}
		v.Policies = append(v.Policies, policy)
	}
	putScaling(tx, target, service, plan.PlanScaling(v, now), now)
	return nil
}

// scaledService is the service of a scalable target; false when there is none that could be
// scaled.
func scaledService(r store.Reader, t *record.ScalableTarget) (*record.Service, bool) {
	cluster, name := plan.ScaledService(*t.Target.ResourceId)
	s, ok := store.Services.Get(r, t.Scope.Key(cluster, name))
	return s, ok && s.Status() == "ACTIVE" && !s.Daemon()
}

func scalingView(r store.Reader, t *record.ScalableTarget, s *record.Service, pace fargo.Pace) plan.ScalingView {
	v := plan.ScalingView{Target: t, Desired: s.DesiredCount(), Pace: pace, UUID: uuid.NewString}
	for d := range store.Deployments.By(r, store.ByService, s.Key()) {
		if d.ID == s.Primary {
			v.Deploying = d.Rollout == ecs.DeploymentRolloutStateInProgress
		}
	}
	for a := range store.ScalingActivities.Prefix(r, t.Key()+"/") {
		v.Newest = a
	}
	return v
}

// putScaling carries a decision out. The service controller does the rest, by the rules of
// deployments, as after UpdateService.
func putScaling(tx *store.Tx, t *record.ScalableTarget, s *record.Service, d plan.ScalingDecision, now time.Time) {
	if d.Desired != s.DesiredCount() {
		store.Services.Put(tx, plan.SetDesiredCount(s, d.Desired, d.Activity, uuid.NewString(), now))
		if old, ok := store.ScalingActivities.Get(tx, t.Last.Activity); ok && t.Last.UnderWay() {
			store.ScalingActivities.Put(tx, plan.OverrideActivity(old, now))
		}
	}
	if d.Activity != nil {
		store.ScalingActivities.Put(tx, d.Activity)
	}
	if d.Target != nil {
		store.ScalableTargets.Put(tx, d.Target)
	}
}

// ScalableTargets is the controller that moves capacities inside of limits that were given,
// and follows changes of capacity until the services have it.
func ScalableTargets(pace fargo.Pace) Controller {
	return Controller{
		Name:  "scalabletarget",
		All:   func(r store.Reader) iter.Seq[string] { return keys(store.ScalableTargets.All(r)) },
		Scope: scalableTargetScope,
		Reconcile: func(tx *store.Tx, key string, now time.Time) (time.Time, error) {
			t, ok := store.ScalableTargets.Get(tx, key)
			if !ok {
				return time.Time{}, nil
			}
			service, active := scaledService(tx, t)
			if active && !t.FittedAt.Equal(t.LimitsAt) {
				putScaling(tx, t, service, plan.FitScaling(scalingView(tx, t, service, pace), now), now)
				t, _ = store.ScalableTargets.Get(tx, key)
				service, active = scaledService(tx, t)
			}
			return followScaling(tx, t, service, active, pace, now), nil
		},
	}
}

// scalableTargetScope is a target that has changed, or that of a service which has, or has
// other tasks.
func scalableTargetScope(r store.Reader, c store.Change) iter.Seq[string] {
	service := ""
	switch c.Table {
	case store.ScalableTargets.Name():
		return slices.Values([]string{c.Key})
	case store.Services.Name():
		service = c.Key
	case store.Tasks.Name():
		if t, ok := store.Tasks.Get(r, c.Key); ok && t.Service != "" {
			service = t.ServiceKey()
		}
	}
	if s, ok := store.Services.Get(r, service); ok && service != "" {
		key := plan.ScalableTargetKey(s)
		if _, ok := store.ScalableTargets.Get(r, key); ok {
			return slices.Values([]string{key})
		}
	}
	return slices.Values([]string(nil))
}

// followScaling notes what has become of the change of capacity that is under way.
func followScaling(tx *store.Tx, t *record.ScalableTarget, s *record.Service, active bool, pace fargo.Pace, now time.Time) time.Time {
	activity, ok := store.ScalingActivities.Get(tx, t.Last.Activity)
	if !ok || !t.Last.UnderWay() {
		return time.Time{}
	}
	v := plan.FollowView{Target: t, Activity: activity, Active: active, Pace: pace}
	if active {
		v.Desired = s.DesiredCount()
		var tasks []plan.ServiceTask
		for task := range store.Tasks.By(tx, store.TaskByService, s.Key()) {
			tasks = append(tasks, plan.ServiceTask{Task: task})
		}
		running, _ := plan.TaskCounts("", tasks)
		v.Running = int(running)
	}
	target, done, next := plan.FollowScaling(v, now)
	if done != nil {
		store.ScalableTargets.Put(tx, target)
		store.ScalingActivities.Put(tx, done)
	}
	return next
}

// ScheduledActions is the controller that carries out scheduled actions of scalable targets.
// That one was due and what it sets is written in one transaction, so that it acts once.
func ScheduledActions() Controller {
	return Controller{
		Name:  "scheduledaction",
		All:   func(r store.Reader) iter.Seq[string] { return keys(store.ScheduledActions.All(r)) },
		Scope: changed(store.ScheduledActions.Name()),
		Reconcile: func(tx *store.Tx, key string, now time.Time) (time.Time, error) {
			a, ok := store.ScheduledActions.Get(tx, key)
			if !ok {
				return time.Time{}, nil
			}
			arn := *a.Action.ScheduledActionARN
			run, _ := store.ScheduleRuns.Get(tx, arn)
			step := plan.StepScheduledAction(a, run, now)
			if step.Due.IsZero() {
				return step.Next, nil
			}
			store.ScheduleRuns.Put(tx, &record.ScheduleRun{ARN: arn, Since: a.Since, Due: step.Due})
			if t, ok := store.ScalableTargets.Get(tx, a.TargetKey()); ok {
				target, activity := plan.ScheduledScaling(t, a, uuid.NewString(), now)
				if target != nil {
					store.ScalableTargets.Put(tx, target)
				}
				if activity != nil {
					store.ScalingActivities.Put(tx, activity)
				}
			}
			return step.Next, nil
		},
	}
}

// scalingActivityRetention is how long what was done to scalable targets is known.
// Source: Application Auto Scaling API, DescribeScalingActivities: six weeks.
const scalingActivityRetention = 6 * 7 * 24 * time.Hour

// ScalingActivities is the controller that forgets what was done to scalable targets long ago.
func ScalingActivities() Controller {
	return expiring("scalingactivity", store.ScalingActivities, func(a *record.ScalingActivity) time.Time {
		return a.Activity.StartTime.Add(scalingActivityRetention)
	})
}

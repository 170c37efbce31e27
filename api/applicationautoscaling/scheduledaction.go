package applicationautoscaling

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"

	"fargo"
	"fargo/api/page"
	autoscaling "fargo/aws/applicationautoscaling"
	"fargo/record"
	"fargo/schedule"
	"fargo/store"
)

// maxScheduledActions is how many scheduled actions a target may have.
// Source: Application Auto Scaling user guide, "Quotas".
const maxScheduledActions = 200

// PutScheduledAction makes a scheduled action, or gives one what a call says: what it leaves
// out stays.
func (s *Server) PutScheduledAction(ctx context.Context, in *autoscaling.PutScheduledActionInput) (*autoscaling.PutScheduledActionOutput, error) {
	name := targetName{in.ServiceNamespace, *in.ResourceId, in.ScalableDimension}
	return &autoscaling.PutScheduledActionOutput{}, s.update(ctx, func(tx *store.Tx, scope fargo.Scope) error {
		target, err := name.find(tx, scope)
		if err != nil {
			return err
		}
		a := &record.ScheduledAction{Scope: scope, Action: autoscaling.ScheduledAction{
			ScheduledActionName: in.ScheduledActionName, ServiceNamespace: in.ServiceNamespace, ResourceId: in.ResourceId, ScalableDimension: in.ScalableDimension,
		}}
		if old, ok := store.ScheduledActions.Get(tx, a.Key()); ok {
			c := *old
			a = &c
		} else {
			if n := len(slices.Collect(store.ScheduledActions.Prefix(tx, target.Key()+"/"))); n >= maxScheduledActions {
				return autoscaling.LimitExceededException("A scalable target can have at most %d scheduled actions.", maxScheduledActions)
			}
			a.Action.CreationTime = new(now())
			a.Action.ScheduledActionARN = new(scope.ARN("autoscaling", "scheduledAction:"+uuid.NewString()+":resource/"+string(name.namespace)+"/"+name.resource+":scheduledActionName/"+*in.ScheduledActionName))
		}
		set(&a.Action.Schedule, in.Schedule)
		set(&a.Action.Timezone, in.Timezone)
		set(&a.Action.StartTime, in.StartTime)
		set(&a.Action.EndTime, in.EndTime)
		set(&a.Action.ScalableTargetAction, in.ScalableTargetAction)
		a.Since = now()
		if err := checkScheduledAction(&a.Action); err != nil {
			return err
		}
		store.ScheduledActions.Put(tx, a)
		return nil
	})
}

// checkScheduledAction refuses an action that cannot be.
func checkScheduledAction(a *autoscaling.ScheduledAction) error {
	switch {
	case a.Schedule == nil:
		return invalid("Schedule is required.")
	case a.ScalableTargetAction == nil || a.ScalableTargetAction.MinCapacity == nil && a.ScalableTargetAction.MaxCapacity == nil:
		return invalid("ScalableTargetAction with MinCapacity, MaxCapacity or both is required.")
	}
	if _, err := schedule.Parse(*a.Schedule); err != nil {
		return invalid("The schedule %s is not valid.", *a.Schedule)
	}
	if a.Timezone != nil {
		if _, err := time.LoadLocation(*a.Timezone); err != nil || *a.Timezone == "" || *a.Timezone == "Local" {
			return invalid("The time zone %s is not valid.", *a.Timezone)
		}
	}
	low, high := a.ScalableTargetAction.MinCapacity, a.ScalableTargetAction.MaxCapacity
	switch {
	case low != nil && *low < 0 || high != nil && *high < 0:
		return invalid("Minimum and maximum capacity cannot be negative")
	case low != nil && high != nil && *low > *high:
		return invalid("Maximum capacity cannot be less than minimum capacity")
	case a.StartTime != nil && a.EndTime != nil && !a.StartTime.Before(*a.EndTime):
		return invalid("StartTime must be before EndTime.")
	}
	return nil
}

// DescribeScheduledActions shows scheduled actions.
func (s *Server) DescribeScheduledActions(ctx context.Context, in *autoscaling.DescribeScheduledActionsInput) (*autoscaling.DescribeScheduledActionsOutput, error) {
	prefix, err := listed(scopeOf(ctx), in.ServiceNamespace, in.ResourceId, in.ScalableDimension)
	if err != nil {
		return nil, err
	}
	actions := wanted(store.ScheduledActions.Prefix(s.db.View(), prefix), func(a *record.ScheduledAction) bool {
		return len(in.ScheduledActionNames) == 0 || slices.Contains(in.ScheduledActionNames, *a.Action.ScheduledActionName)
	})
	found, next, err := page.Of(pages.Ask(in, in.NextToken, in.MaxResults), actions, (*record.ScheduledAction).Key)
	out := &autoscaling.DescribeScheduledActionsOutput{ScheduledActions: []autoscaling.ScheduledAction{}, NextToken: next}
	for _, a := range found {
		out.ScheduledActions = append(out.ScheduledActions, a.Action)
	}
	return out, err
}

// DeleteScheduledAction deletes a scheduled action.
func (s *Server) DeleteScheduledAction(ctx context.Context, in *autoscaling.DeleteScheduledActionInput) (*autoscaling.DeleteScheduledActionOutput, error) {
	return &autoscaling.DeleteScheduledActionOutput{}, s.update(ctx, func(tx *store.Tx, scope fargo.Scope) error {
		name := targetName{in.ServiceNamespace, *in.ResourceId, in.ScalableDimension}
		a, ok := store.ScheduledActions.Get(tx, name.key(scope)+"/"+*in.ScheduledActionName)
		if !ok {
			return autoscaling.ObjectNotFoundException("No scheduled action found for service namespace: %s, resource ID: %s, scalable dimension: %s, scheduled action name: %s", name.namespace, name.resource, name.dimension, *in.ScheduledActionName)
		}
		store.DeleteScheduledAction(tx, a)
		return nil
	})
}

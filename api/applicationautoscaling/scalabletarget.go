package applicationautoscaling

import (
	"context"
	"iter"
	"slices"
	"strings"

	"fargo"
	"fargo/api/page"
	"fargo/api/tags"
	autoscaling "fargo/aws/applicationautoscaling"
	"fargo/plan"
	"fargo/record"
	"fargo/store"
)

// linkedService is the AWS service whose role scales services of ECS.
// Source: Application Auto Scaling user guide, "Service-linked roles".
const linkedService = "ecs.application-autoscaling.amazonaws.com"

// serviceRole is the ARN of that role.
func serviceRole(account string) string {
	return "arn:aws:iam::" + account + ":role/aws-service-role/" + linkedService + "/AWSServiceRoleForApplicationAutoScaling_ECSService"
}

// RegisterScalableTarget makes a service a scalable target, or gives one other limits. A
// desired count outside of them is moved inside.
func (s *Server) RegisterScalableTarget(ctx context.Context, in *autoscaling.RegisterScalableTargetInput) (*autoscaling.RegisterScalableTargetOutput, error) {
	name := targetName{in.ServiceNamespace, *in.ResourceId, in.ScalableDimension}
	if err := name.check(); err != nil {
		return nil, err
	}
	if err := s.ensureServiceRole(ctx, linkedService); err != nil {
		return nil, err
	}
	out := &autoscaling.RegisterScalableTargetOutput{}
	return out, s.update(ctx, func(tx *store.Tx, scope fargo.Scope) error {
		t := newTarget(scope, name)
		old, ok := store.ScalableTargets.Get(tx, t.Key())
		if ok {
			c := *old
			t = &c
		} else if in.MinCapacity == nil || in.MaxCapacity == nil {
			return invalid("MinCapacity and MaxCapacity are required to register a scalable target.")
		}
		cluster, service := plan.ScaledService(name.resource)
		if found, ok := store.Services.Get(tx, scope.Key(cluster, service)); !ok || found.Status() != "ACTIVE" {
			return invalid("ECS service doesn't exist: %s", name.resource)
		} else if found.Daemon() {
			return invalid("ECS service %s cannot be scaled: its scheduling strategy is DAEMON", name.resource)
		}
		if err := setTarget(t, in); err != nil {
			return err
		}
		merged, err := tagRules.Merge(tags.Pairs(t.Tags), tags.Pairs(in.Tags))
		if err != nil {
			return err
		}
		t.Tags = tags.Map(merged)
		if t.Target.RoleARN == nil {
			t.Target.RoleARN = new(serviceRole(scope.Account))
		}
		store.ScalableTargets.Put(tx, t)
		out.ScalableTargetARN = t.Target.ScalableTargetARN
		return nil
	})
}

func newTarget(scope fargo.Scope, name targetName) *record.ScalableTarget {
	at := now()
	return &record.ScalableTarget{Scope: scope, Target: autoscaling.ScalableTarget{
		ServiceNamespace: name.namespace, ResourceId: &name.resource, ScalableDimension: name.dimension, CreationTime: &at,
		SuspendedState:    &autoscaling.SuspendedState{DynamicScalingInSuspended: new(false), DynamicScalingOutSuspended: new(false), ScheduledScalingSuspended: new(false)},
		ScalableTargetARN: new(scope.ARN("application-autoscaling", "scalable-target/"+fargo.NewHex(32))),
	}}
}

// setTarget gives a target what a call says. A role that is given is not used, as on AWS.
// Source: Application Auto Scaling API, RegisterScalableTarget.
func setTarget(t *record.ScalableTarget, in *autoscaling.RegisterScalableTargetInput) error {
	d := &t.Target
	if in.MinCapacity != nil || in.MaxCapacity != nil {
		t.LimitsAt = now()
	}
	set(&d.MinCapacity, in.MinCapacity)
	set(&d.MaxCapacity, in.MaxCapacity)
	if given := in.SuspendedState; given != nil {
		state := *d.SuspendedState
		set(&state.DynamicScalingInSuspended, given.DynamicScalingInSuspended)
		set(&state.DynamicScalingOutSuspended, given.DynamicScalingOutSuspended)
		set(&state.ScheduledScalingSuspended, given.ScheduledScalingSuspended)
		d.SuspendedState = &state
	}
	switch {
	case *d.MinCapacity < 0 || *d.MaxCapacity < 0:
		return invalid("Minimum and maximum capacity cannot be negative")
	case *d.MinCapacity > *d.MaxCapacity:
		return invalid("Maximum capacity cannot be less than minimum capacity")
	}
	return nil
}

func set[T any](to **T, from *T) {
	if from != nil {
		*to = from
	}
}

// DeregisterScalableTarget ends the scaling of a service, with its policies and scheduled
// actions. The desired count stays as it is.
func (s *Server) DeregisterScalableTarget(ctx context.Context, in *autoscaling.DeregisterScalableTargetInput) (*autoscaling.DeregisterScalableTargetOutput, error) {
	return &autoscaling.DeregisterScalableTargetOutput{}, s.update(ctx, func(tx *store.Tx, scope fargo.Scope) error {
		t, err := targetName{in.ServiceNamespace, *in.ResourceId, in.ScalableDimension}.find(tx, scope)
		if err != nil {
			return err
		}
		store.DeleteScalableTarget(tx, t)
		return nil
	})
}

// DescribeScalableTargets shows the scalable targets of a namespace.
func (s *Server) DescribeScalableTargets(ctx context.Context, in *autoscaling.DescribeScalableTargetsInput) (*autoscaling.DescribeScalableTargetsOutput, error) {
	if len(in.ResourceIds) == 0 && in.ScalableDimension != "" {
		return nil, invalid("ScalableDimension requires a ResourceId.")
	}
	targets := wanted(store.ScalableTargets.Prefix(s.db.View(), scopeOf(ctx).Key(string(in.ServiceNamespace), "")), func(t *record.ScalableTarget) bool {
		return (len(in.ResourceIds) == 0 || slices.Contains(in.ResourceIds, *t.Target.ResourceId)) && (in.ScalableDimension == "" || in.ScalableDimension == t.Target.ScalableDimension)
	})
	found, next, err := page.Of(pages.Ask(in, in.NextToken, in.MaxResults), targets, (*record.ScalableTarget).Key)
	out := &autoscaling.DescribeScalableTargetsOutput{ScalableTargets: []autoscaling.ScalableTarget{}, NextToken: next}
	for _, t := range found {
		out.ScalableTargets = append(out.ScalableTargets, t.Target)
	}
	return out, err
}

// wanted are the records that a call asks for.
func wanted[T any](all iter.Seq[T], wants func(T) bool) iter.Seq[T] {
	return func(yield func(T) bool) {
		for v := range all {
			if wants(v) && !yield(v) {
				return
			}
		}
	}
}

// tagRules are those of scalable targets; the texts are ours.
// Source: Application Auto Scaling API, TagResource.
var tagRules = tags.Rules[tags.Pair]{
	Most: 50, MostKey: 128, MostValue: 256,
	TooMany: func(most int) error {
		return autoscaling.TooManyTagsException("A resource can have at most %d tags.", most)
	},
	BadKey: func(most int) error {
		return invalid("Tag keys must have between 1 and %d characters.", most)
	},
	BadValue: func(most int) error { return invalid("Tag values must have at most %d characters.", most) },
	Reserved: func(string) error { return invalid("Tag keys that begin with aws: are reserved.") },
}

// targetByARN finds the scalable target that an ARN names.
func targetByARN(r store.Reader, scope fargo.Scope, arn string) (*record.ScalableTarget, error) {
	for t := range store.ScalableTargets.Prefix(r, scope.Key("")) {
		if strings.EqualFold(*t.Target.ScalableTargetARN, arn) {
			return t, nil
		}
	}
	return nil, autoscaling.ResourceNotFoundException("The resource %s does not exist.", arn).WithField("ResourceName", arn)
}

func (s *Server) changeTags(ctx context.Context, arn string, change func(has []tags.Pair) ([]tags.Pair, error)) error {
	return s.update(ctx, func(tx *store.Tx, scope fargo.Scope) error {
		t, err := targetByARN(tx, scope, arn)
		if err != nil {
			return err
		}
		changed, err := change(tags.Pairs(t.Tags))
		if err != nil {
			return err
		}
		next := *t
		next.Tags = tags.Map(changed)
		store.ScalableTargets.Put(tx, &next)
		return nil
	})
}

// TagResource adds tags to a scalable target, or gives them other values.
func (s *Server) TagResource(ctx context.Context, in *autoscaling.TagResourceInput) (*autoscaling.TagResourceOutput, error) {
	return &autoscaling.TagResourceOutput{}, s.changeTags(ctx, *in.ResourceARN, func(has []tags.Pair) ([]tags.Pair, error) {
		return tagRules.Merge(has, tags.Pairs(in.Tags))
	})
}

// UntagResource takes tags away.
func (s *Server) UntagResource(ctx context.Context, in *autoscaling.UntagResourceInput) (*autoscaling.UntagResourceOutput, error) {
	return &autoscaling.UntagResourceOutput{}, s.changeTags(ctx, *in.ResourceARN, func(has []tags.Pair) ([]tags.Pair, error) {
		return tagRules.Remove(has, in.TagKeys)
	})
}

// ListTagsForResource shows the tags of a scalable target.
func (s *Server) ListTagsForResource(ctx context.Context, in *autoscaling.ListTagsForResourceInput) (*autoscaling.ListTagsForResourceOutput, error) {
	t, err := targetByARN(s.db.View(), scopeOf(ctx), *in.ResourceARN)
	if err != nil {
		return nil, err
	}
	shown := t.Tags
	if shown == nil {
		shown = map[string]string{}
	}
	return &autoscaling.ListTagsForResourceOutput{Tags: shown}, nil
}

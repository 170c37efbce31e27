package elbv2

import (
	"context"
	"slices"
	"time"

	"fargo"
	"fargo/api"
	"fargo/api/page"
	"fargo/aws"
	"fargo/aws/elbv2"
	"fargo/record"
	"fargo/store"
)

// maxTargetGroups is how many a region may have.
// Source: ELB user guide, "Quotas for your Application Load Balancers".
const maxTargetGroups = 3000

// CreateTargetGroup makes a target group. Asking again for the same gives the
// one there is.
func (s *Server) CreateTargetGroup(ctx context.Context, in *elbv2.CreateTargetGroupInput) (*elbv2.CreateTargetGroupOutput, error) {
	if err := checkTargetGroup(in); err != nil {
		return nil, err
	}
	shape := newTargetGroup(in)
	out := &elbv2.CreateTargetGroupOutput{}
	return out, s.update(ctx, func(tx *store.Tx, scope fargo.Scope, _ time.Time) error {
		if _, ok := store.EC2VPCs.Get(tx, scope.Key(*in.VpcId)); !ok {
			return invalid("The VPC ID '%s' is not found", *in.VpcId)
		}
		if err := checkHealthCheck(&shape); err != nil {
			return err
		}
		g := targetGroupByName(tx, scope, *in.Name)
		switch {
		case g == nil:
			if len(targetGroupsIn(tx, scope)) >= maxTargetGroups {
				return elbv2.TooManyTargetGroupsException("The maximum number of target groups has been reached")
			}
			shape.TargetGroupArn = new(scope.ARN(service, "targetgroup/"+*in.Name+"/"+fargo.NewHex(16)))
			g = &record.ELBTargetGroup{Scope: scope, TargetGroup: shape, Attributes: targetGroupAttributes(&shape).defaults(), Tags: aws.List(in.Tags)}
			store.ELBTargetGroups.Put(tx, g)
		case !sameTargetGroup(g, &shape, in.Tags):
			return elbv2.DuplicateTargetGroupNameException("A target group with the same name '%s' exists, but with different settings", *in.Name)
		}
		out.TargetGroups = []elbv2.TargetGroup{shown(tx, g)}
		return nil
	})
}

func targetGroupByName(r store.Reader, scope fargo.Scope, name string) *record.ELBTargetGroup {
	for g := range store.ELBTargetGroups.Prefix(r, scope.ARN(service, "targetgroup/"+name+"/")) {
		return g
	}
	return nil
}

func targetGroupsIn(r store.Reader, scope fargo.Scope) []*record.ELBTargetGroup {
	return slices.Collect(store.ELBTargetGroups.Prefix(r, scope.ARN(service, "targetgroup/")))
}

// shown is a target group as Describe shows it.
func shown(r store.Reader, g *record.ELBTargetGroup) elbv2.TargetGroup {
	shape := g.TargetGroup
	shape.LoadBalancerArns = aws.List(store.LoadBalancersOfGroup(r, g.Key()))
	return shape
}

// DescribeTargetGroups shows target groups: all, those named by ARN or name, or
// those that a load balancer uses.
func (s *Server) DescribeTargetGroups(ctx context.Context, in *elbv2.DescribeTargetGroupsInput) (*elbv2.DescribeTargetGroupsOutput, error) {
	ways := 0
	for _, asked := range []bool{in.LoadBalancerArn != nil, len(in.TargetGroupArns) > 0, len(in.Names) > 0} {
		if asked {
			ways++
		}
	}
	if ways > 1 {
		return nil, invalid("You can specify only one of the following: a load balancer ARN, target group ARNs, or target group names")
	}
	r, scope := s.view(ctx)
	found, err := findTargetGroups(r, scope, in)
	if err != nil {
		return nil, err
	}
	found, next, err := page.Of(pages.Ask(in, in.Marker, in.PageSize), slices.Values(found), (*record.ELBTargetGroup).Key)
	out := &elbv2.DescribeTargetGroupsOutput{TargetGroups: []elbv2.TargetGroup{}, NextMarker: next}
	for _, g := range found {
		out.TargetGroups = append(out.TargetGroups, shown(r, g))
	}
	return out, err
}

func findTargetGroups(r store.Reader, scope fargo.Scope, in *elbv2.DescribeTargetGroupsInput) (found []*record.ELBTargetGroup, err error) {
	notFound := elbv2.TargetGroupNotFoundException("One or more target groups not found")
	switch {
	case in.LoadBalancerArn != nil:
		if _, err := loadBalancer(r, scope, *in.LoadBalancerArn); err != nil {
			return nil, err
		}
		for _, arn := range groupsOf(r, *in.LoadBalancerArn) {
			if g, ok := store.ELBTargetGroups.Get(r, arn); ok {
				found = append(found, g)
			}
		}
	case len(in.TargetGroupArns) > 0:
		for _, arn := range in.TargetGroupArns {
			if err := targetGroupARNs.Check(scope, arn); err != nil {
				return nil, err
			}
			g, ok := store.ELBTargetGroups.Get(r, arn)
			if !ok || g.Scope != scope {
				return nil, notFound
			}
			found = append(found, g)
		}
	case len(in.Names) > 0:
		for _, name := range in.Names {
			g := targetGroupByName(r, scope, name)
			if g == nil {
				return nil, notFound
			}
			found = append(found, g)
		}
	default:
		found = targetGroupsIn(r, scope)
	}
	return found, nil
}

// groupsOf are the ARNs of the target groups that a load balancer uses, sorted.
func groupsOf(r store.Reader, lb string) []string {
	var arns []string
	for l := range store.ELBListeners.By(r, store.ListenerByLoadBalancer, lb) {
		arns = append(arns, l.TargetGroups()...)
		for rule := range store.ELBRules.By(r, store.RuleByListener, l.Key()) {
			arns = append(arns, rule.TargetGroups()...)
		}
	}
	slices.Sort(arns)
	return slices.Compact(arns)
}

// ModifyTargetGroup changes a group's health check.
func (s *Server) ModifyTargetGroup(ctx context.Context, in *elbv2.ModifyTargetGroupInput) (*elbv2.ModifyTargetGroupOutput, error) {
	out := &elbv2.ModifyTargetGroupOutput{}
	return out, s.update(ctx, func(tx *store.Tx, scope fargo.Scope, _ time.Time) error {
		g, err := targetGroup(tx, scope, *in.TargetGroupArn)
		if err != nil {
			return err
		}
		c := *g
		modifyHealthCheck(&c.TargetGroup, in)
		if err := checkHealthCheck(&c.TargetGroup); err != nil {
			return err
		}
		store.ELBTargetGroups.Put(tx, &c)
		out.TargetGroups = []elbv2.TargetGroup{shown(tx, &c)}
		return nil
	})
}

// DeleteTargetGroup deletes a group that no load balancer uses, with its
// targets. Deleting one that is not there succeeds.
func (s *Server) DeleteTargetGroup(ctx context.Context, in *elbv2.DeleteTargetGroupInput) (*elbv2.DeleteTargetGroupOutput, error) {
	arn := *in.TargetGroupArn
	if err := targetGroupARNs.Check(api.CallFrom(ctx).Scope(), arn); err != nil {
		return nil, err
	}
	return &elbv2.DeleteTargetGroupOutput{}, s.update(ctx, func(tx *store.Tx, scope fargo.Scope, _ time.Time) error {
		g, ok := store.ELBTargetGroups.Get(tx, arn)
		if !ok || g.Scope != scope {
			return nil
		}
		if len(store.LoadBalancersOfGroup(tx, arn)) > 0 {
			return elbv2.ResourceInUseException("Target group '%s' is currently in use by a listener or a rule", arn)
		}
		for t := range store.ELBTargets.By(tx, store.TargetByGroup, arn) {
			store.ELBTargets.Delete(tx, t.Key())
		}
		store.ELBTargetGroups.Delete(tx, arn)
		return nil
	})
}

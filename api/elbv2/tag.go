package elbv2

import (
	"context"
	"strings"
	"time"

	"fargo"
	"fargo/api/tags"
	"fargo/aws"
	"fargo/aws/elbv2"
	"fargo/plan"
	"fargo/record"
	"fargo/store"
)

// tagRules are Elastic Load Balancing's; keys and values have their bounds in the
// model. Source: ELB user guide, "Quotas".
var tagRules = tags.Rules[elbv2.Tag]{
	Most: 50,
	TooMany: func(most int) error {
		return elbv2.TooManyTagsException("The maximum number of tags per resource is '%d'", most)
	},
	Reserved:  func(key string) error { return invalid("Tag key '%s' is reserved: keys cannot begin with 'aws:'", key) },
	Duplicate: func(key string) error { return elbv2.DuplicateTagKeysException("Duplicate tag key '%s'", key) },
}

// sameTags reports whether two lists mean the same tags.
func sameTags(a, b []elbv2.Tag) bool {
	flat := func(tags []elbv2.Tag) (out []string) {
		for _, t := range tags {
			out = append(out, *t.Key+"\x00"+aws.Value(t.Value))
		}
		return out
	}
	return sameSet(flat(a), flat(b))
}

// findTagged finds the resource of any kind that arn names.
func findTagged(r store.Reader, scope fargo.Scope, arn string) (*tags.Resource[elbv2.Tag], error) {
	a, ok := fargo.ParseARN(arn)
	if !ok || a.Service != service {
		return nil, invalid("'%s' is not a valid load balancer ARN", arn)
	}
	kind, _, _ := strings.Cut(a.Resource, "/")
	switch kind {
	case "loadbalancer":
		lb, err := loadBalancer(r, scope, arn)
		if err != nil {
			return nil, err
		}
		return tags.Of(store.ELBLoadBalancers, lb, func(r *record.ELBLoadBalancer) *[]elbv2.Tag { return &r.Tags }), nil
	case "listener":
		l, err := listener(r, scope, arn)
		if err != nil {
			return nil, err
		}
		return tags.Of(store.ELBListeners, l, func(r *record.ELBListener) *[]elbv2.Tag { return &r.Tags }), nil
	case "targetgroup":
		g, err := targetGroup(r, scope, arn)
		if err != nil {
			return nil, err
		}
		return tags.Of(store.ELBTargetGroups, g, func(r *record.ELBTargetGroup) *[]elbv2.Tag { return &r.Tags }), nil
	case "listener-rule":
		return findTaggedRule(r, scope, arn)
	}
	return nil, invalid("'%s' is not a valid load balancer ARN", arn)
}

func findTaggedRule(r store.Reader, scope fargo.Scope, arn string) (*tags.Resource[elbv2.Tag], error) {
	if l, ok := defaultRule(r, scope, arn); ok {
		return &tags.Resource[elbv2.Tag]{Put: func(*store.Tx, []elbv2.Tag) error {
			return elbv2.OperationNotPermittedException("Default rule '%s' cannot be tagged: tag the listener '%s'", arn, l.Key())
		}}, nil
	}
	rule, err := rule(r, scope, arn)
	if err != nil {
		return nil, err
	}
	return tags.Of(store.ELBRules, rule, func(r *record.ELBRule) *[]elbv2.Tag { return &r.Tags }), nil
}

// defaultRule finds the listener that arn names the default rule of.
func defaultRule(r store.Reader, scope fargo.Scope, arn string) (*record.ELBListener, bool) {
	of, ok := plan.ListenerOfRule(arn)
	if !ok || plan.DefaultRuleARN(of) != arn {
		return nil, false
	}
	l, ok := store.ELBListeners.Get(r, of)
	return l, ok && l.Scope == scope
}

// maxTagged is how many resources one call may name.
// Source: ELBv2 API, DescribeTags.
const maxTagged = 20

func (s *Server) changeTags(ctx context.Context, arns []string, change func([]elbv2.Tag) ([]elbv2.Tag, error)) error {
	return s.update(ctx, func(tx *store.Tx, scope fargo.Scope, _ time.Time) error {
		for _, arn := range arns {
			t, err := findTagged(tx, scope, arn)
			if err != nil {
				return err
			}
			if err := t.Change(tx, change); err != nil {
				return err
			}
		}
		return nil
	})
}

// AddTags adds tags to resources, or gives them other values.
func (s *Server) AddTags(ctx context.Context, in *elbv2.AddTagsInput) (*elbv2.AddTagsOutput, error) {
	return &elbv2.AddTagsOutput{}, s.changeTags(ctx, in.ResourceArns, func(tags []elbv2.Tag) ([]elbv2.Tag, error) {
		return tagRules.Merge(tags, in.Tags)
	})
}

// RemoveTags takes tags away. Keys that are not there do no harm.
func (s *Server) RemoveTags(ctx context.Context, in *elbv2.RemoveTagsInput) (*elbv2.RemoveTagsOutput, error) {
	return &elbv2.RemoveTagsOutput{}, s.changeTags(ctx, in.ResourceArns, func(tags []elbv2.Tag) ([]elbv2.Tag, error) {
		return tagRules.Remove(tags, in.TagKeys)
	})
}

// DescribeTags shows the tags of resources.
func (s *Server) DescribeTags(ctx context.Context, in *elbv2.DescribeTagsInput) (*elbv2.DescribeTagsOutput, error) {
	if len(in.ResourceArns) > maxTagged {
		return nil, invalid("Cannot have more than '%d' resources in a DescribeTags call", maxTagged)
	}
	r, scope := s.view(ctx)
	out := &elbv2.DescribeTagsOutput{TagDescriptions: []elbv2.TagDescription{}}
	for _, arn := range in.ResourceArns {
		t, err := findTagged(r, scope, arn)
		if err != nil {
			return nil, err
		}
		out.TagDescriptions = append(out.TagDescriptions, elbv2.TagDescription{ResourceArn: &arn, Tags: aws.List(t.Tags)})
	}
	return out, nil
}

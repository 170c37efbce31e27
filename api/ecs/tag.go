package ecs

import (
	"context"
	"strings"
	"time"

	"fargo"
	"fargo/api"
	"fargo/api/tags"
	"fargo/aws"
	"fargo/aws/ecs"
	"fargo/record"
	"fargo/store"
)

// tagRules are ECS's, and definitionTags those of task definitions, which are refused
// in another way. Source: ECS API, Tag.
var (
	tagRules       = rulesOfTags(invalid)
	definitionTags = rulesOfTags(refuse)
)

func rulesOfTags(refuse func(string, ...any) error) tags.Rules[ecs.Tag] {
	return tags.Rules[ecs.Tag]{
		Most: 50, MostKey: 128, MostValue: 256,
		TooMany:  func(most int) error { return refuse("Tags can not have more than %d elements.", most) },
		BadKey:   func(most int) error { return refuse("Tag key must be between 1 and %d characters long.", most) },
		BadValue: func(most int) error { return refuse("Tag value must be at most %d characters long.", most) },
		Reserved: func(string) error { return refuse("Tag keys that begin with aws: are reserved.") },
		Duplicate: func(string) error {
			return refuse("Duplicate tag keys found. Please note that Tag keys are case insensitive.")
		},
	}
}

// checkDefinitionTags: none is not the same as an empty list.
func checkDefinitionTags(given []ecs.Tag) error {
	if given != nil && len(given) == 0 {
		return refuse("Tags can not be empty.")
	}
	return definitionTags.Check(given)
}

// findTagged finds the resource that arn names.
func findTagged(r store.Reader, scope fargo.Scope, arn string) (*tags.Resource[ecs.Tag], error) {
	a, ok := fargo.ParseARN(arn)
	if !ok || a.Service != "ecs" || a.Scope() != scope {
		return nil, invalid("The specified resourceArn is not valid: %s", arn)
	}
	kind, rest, _ := strings.Cut(a.Resource, "/")
	switch kind {
	case "cluster":
		c, err := taggedCluster(r, scope, rest)
		if err != nil {
			return nil, err
		}
		return tags.Of(store.Clusters, c, func(c *record.Cluster) *[]ecs.Tag { return &c.Cluster.Tags }), nil
	case "task-definition":
		d, err := findDefinition(r, scope, rest)
		if err != nil || d == nil {
			return nil, invalid("The specified task definition was not found.")
		}
		return tags.Of(store.TaskDefinitions, d, func(d *record.TaskDefinition) *[]ecs.Tag { return &d.Tags }), nil
	case "service":
		c, err := cluster(r, scope, new(fargo.ClusterOf(a)))
		if err != nil {
			return nil, err
		}
		found, err := activeService(r, c, a.Name())
		if err != nil {
			return nil, err
		}
		return tags.Of(store.Services, found, func(s *record.Service) *[]ecs.Tag { return &s.Service.Tags }), nil
	case "task":
		if strings.Count(rest, "/") != 1 {
			return nil, invalid("Long arn format must be used for tagging operations")
		}
		t, ok := store.Tasks.Get(r, scope.Key(fargo.ClusterOf(a), a.Name()))
		if !ok || t.Stopped() {
			return nil, invalid("The specified task was not found.")
		}
		return tags.Of(store.Tasks, t, func(t *record.Task) *[]ecs.Tag { return &t.Intent.Tags }), nil
	}
	return nil, invalid("The specified resourceArn is not valid: %s", arn)
}

// taggedCluster finds a cluster; of one that was deleted, tags are another matter.
func taggedCluster(r store.Reader, scope fargo.Scope, name string) (*record.Cluster, error) {
	if c, ok := store.Clusters.Get(r, scope.Key(name)); ok && *c.Cluster.Status == statusInactive {
		return nil, invalid("The specified cluster is inactive. Specify an active cluster and try again.")
	}
	return cluster(r, scope, &name)
}

func (s *Server) changeTags(ctx context.Context, arn string, change func([]ecs.Tag) ([]ecs.Tag, error)) error {
	return s.update(ctx, func(tx *store.Tx, scope fargo.Scope, _ time.Time) error {
		t, err := findTagged(tx, scope, arn)
		if err != nil {
			return err
		}
		return t.Change(tx, change)
	})
}

// TagResource adds tags to a cluster, task definition or task.
func (s *Server) TagResource(ctx context.Context, in *ecs.TagResourceInput) (*ecs.TagResourceOutput, error) {
	return &ecs.TagResourceOutput{}, s.changeTags(ctx, *in.ResourceArn, func(tags []ecs.Tag) ([]ecs.Tag, error) {
		return tagRules.Merge(tags, in.Tags)
	})
}

// UntagResource takes tags away.
func (s *Server) UntagResource(ctx context.Context, in *ecs.UntagResourceInput) (*ecs.UntagResourceOutput, error) {
	return &ecs.UntagResourceOutput{}, s.changeTags(ctx, *in.ResourceArn, func(tags []ecs.Tag) ([]ecs.Tag, error) {
		return tagRules.Remove(tags, in.TagKeys)
	})
}

// ListTagsForResource shows a resource's tags.
func (s *Server) ListTagsForResource(ctx context.Context, in *ecs.ListTagsForResourceInput) (*ecs.ListTagsForResourceOutput, error) {
	t, err := findTagged(s.db.View(), api.CallFrom(ctx).Scope(), *in.ResourceArn)
	if err != nil {
		return nil, err
	}
	return &ecs.ListTagsForResourceOutput{Tags: aws.List(t.Tags)}, nil
}

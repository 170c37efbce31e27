package ecs

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"fargo"
	"fargo/api"
	"fargo/api/page"
	"fargo/aws"
	"fargo/aws/ecs"
	"fargo/record"
	"fargo/store"
)

// RegisterTaskDefinition adds a revision to a family.
func (s *Server) RegisterTaskDefinition(ctx context.Context, in *ecs.RegisterTaskDefinitionInput) (*ecs.RegisterTaskDefinitionOutput, error) {
	if err := checkDefinitionTags(in.Tags); err != nil {
		return nil, err
	}
	if err := checkLength(in); err != nil {
		return nil, err
	}
	d := newDefinition(api.CallFrom(ctx).Scope(), in)
	if err := checkDefinition(d); err != nil {
		return nil, err
	}
	if err := s.tryKernel(d); err != nil {
		return nil, err
	}
	d.RegisteredBy = new(api.CallFrom(ctx).PrincipalARN)
	def := &record.TaskDefinition{Definition: *d, Tags: in.Tags}
	err := s.update(ctx, func(tx *store.Tx, scope fargo.Scope, now time.Time) error {
		family := &record.TaskDefinitionFamily{Scope: scope, Family: *in.Family}
		if old, ok := store.TaskDefinitionFamilies.Get(tx, family.Key()); ok {
			family.Revision = old.Revision
		}
		family.Revision++
		store.TaskDefinitionFamilies.Put(tx, family)

		def.Scope = scope
		def.Definition.Revision = new(int32(family.Revision))
		def.Definition.RegisteredAt = &now
		def.Definition.TaskDefinitionArn = new(scope.ARN("ecs", fmt.Sprintf("task-definition/%s:%d", family.Family, family.Revision)))
		store.TaskDefinitions.Put(tx, def)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &ecs.RegisterTaskDefinitionOutput{TaskDefinition: &def.Definition, Tags: in.Tags}, nil
}

var revisionText = regexp.MustCompile(`^[0-9]+$`)

// splitDefinition takes apart "family", "family:revision" or an ARN. revision
// is 0 when not given.
func splitDefinition(scope fargo.Scope, id string) (family string, revision int, err error) {
	id, err = definitionIDs.Name(scope, id)
	if err != nil {
		return "", 0, err
	}
	family, number, given := strings.Cut(id, ":")
	if !given {
		return family, 0, nil
	}
	if !revisionText.MatchString(number) {
		return "", 0, ecs.ClientException("Invalid revision number. Number: %s", number)
	}
	revision, err = strconv.Atoi(number)
	if err != nil || revision == 0 {
		return "", 0, ecs.ClientException("Invalid revision number. Number: %s", number)
	}
	return family, revision, nil
}

// findDefinition gives the named revision, or a family's latest active one; nil
// when there is none.
func findDefinition(r store.Reader, scope fargo.Scope, id string) (*record.TaskDefinition, error) {
	family, revision, err := splitDefinition(scope, id)
	if err != nil {
		return nil, err
	}
	if revision != 0 {
		d, _ := store.TaskDefinitions.Get(r, record.TaskDefinitionKey(scope, family, revision))
		return d, nil
	}
	latest, _ := store.LatestTaskDefinition(r, scope, family)
	return latest, nil
}

// DescribeTaskDefinition shows a revision, whatever its status.
func (s *Server) DescribeTaskDefinition(ctx context.Context, in *ecs.DescribeTaskDefinitionInput) (*ecs.DescribeTaskDefinitionOutput, error) {
	d, err := findDefinition(s.db.View(), api.CallFrom(ctx).Scope(), *in.TaskDefinition)
	if err != nil {
		return nil, err
	}
	if d == nil {
		return nil, ecs.ClientException("Unable to describe task definition.")
	}
	out := &ecs.DescribeTaskDefinitionOutput{TaskDefinition: &d.Definition}
	if slices.Contains(in.Include, ecs.TaskDefinitionFieldTags) {
		out.Tags = aws.List(d.Tags)
	}
	return out, nil
}

// DeregisterTaskDefinition makes a revision INACTIVE: nothing new starts from
// it, what runs goes on.
func (s *Server) DeregisterTaskDefinition(ctx context.Context, in *ecs.DeregisterTaskDefinitionInput) (*ecs.DeregisterTaskDefinitionOutput, error) {
	family, revision, err := splitDefinition(api.CallFrom(ctx).Scope(), *in.TaskDefinition)
	if err != nil {
		return nil, err
	}
	if revision == 0 {
		return nil, ecs.ClientException("Revision is missing.")
	}
	var changed record.TaskDefinition
	err = s.update(ctx, func(tx *store.Tx, scope fargo.Scope, now time.Time) error {
		d, ok := store.TaskDefinitions.Get(tx, record.TaskDefinitionKey(scope, family, revision))
		if !ok {
			return ecs.ClientException("Unable to describe task definition.")
		}
		changed = *d
		if changed.Definition.Status == ecs.TaskDefinitionStatusActive {
			changed.Definition.Status = ecs.TaskDefinitionStatusInactive
			changed.Definition.DeregisteredAt = &now
			store.TaskDefinitions.Put(tx, &changed)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &ecs.DeregisterTaskDefinitionOutput{TaskDefinition: &changed.Definition}, nil
}

// maxDeletes is how many revisions one DeleteTaskDefinitions takes.
const maxDeletes = 10

// DeleteTaskDefinitions deletes INACTIVE revisions: at once, or, while tasks
// still run from one, when the last of them is gone.
func (s *Server) DeleteTaskDefinitions(ctx context.Context, in *ecs.DeleteTaskDefinitionsInput) (*ecs.DeleteTaskDefinitionsOutput, error) {
	if len(in.TaskDefinitions) == 0 || len(in.TaskDefinitions) > maxDeletes {
		return nil, invalid("taskDefinitions should have between 1 and %d elements.", maxDeletes)
	}
	out := &ecs.DeleteTaskDefinitionsOutput{TaskDefinitions: []ecs.TaskDefinition{}, Failures: []ecs.Failure{}}
	err := s.update(ctx, func(tx *store.Tx, scope fargo.Scope, now time.Time) error {
		for _, id := range in.TaskDefinitions {
			family, revision, err := splitDefinition(scope, id)
			if err != nil {
				return err
			}
			d, ok := store.TaskDefinitions.Get(tx, record.TaskDefinitionKey(scope, family, revision))
			switch {
			case !ok || revision == 0:
				out.Failures = append(out.Failures, ecs.Failure{Arn: new(id), Reason: new("The specified task definition was not found.")})
				continue
			case d.Definition.Status == ecs.TaskDefinitionStatusActive:
				out.Failures = append(out.Failures, ecs.Failure{
					Arn:    d.Definition.TaskDefinitionArn,
					Reason: new("The specified task definition is still in ACTIVE status. Please deregister the target and try again."),
				})
				continue
			}
			gone := *d
			gone.Definition.Status = ecs.TaskDefinitionStatusDeleteInProgress
			gone.Definition.DeleteRequestedAt = &now
			store.TaskDefinitions.Put(tx, &gone)
			out.TaskDefinitions = append(out.TaskDefinitions, gone.Definition)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// ListTaskDefinitions gives revisions by family and number. The prefix means a
// whole family name.
func (s *Server) ListTaskDefinitions(ctx context.Context, in *ecs.ListTaskDefinitionsInput) (*ecs.ListTaskDefinitionsOutput, error) {
	scope := api.CallFrom(ctx).Scope()
	status := in.Status
	if status == "" {
		status = ecs.TaskDefinitionStatusActive
	}
	prefix := scope.Key()
	if family := aws.Value(in.FamilyPrefix); family != "" {
		prefix = record.TaskDefinitionKey(scope, family, 0)
	}
	var arns []string
	for d := range store.TaskDefinitions.Prefix(s.db.View(), prefix) {
		if d.Definition.Status == status {
			arns = append(arns, *d.Definition.TaskDefinitionArn)
		}
	}
	latestFirst := in.Sort == ecs.SortOrderDesc
	if latestFirst {
		slices.Reverse(arns)
	}
	got, next, err := page.Of(pages.Ask(in, in.NextToken, in.MaxResults).Descending(latestFirst), slices.Values(arns), byRevision)
	return &ecs.ListTaskDefinitionsOutput{TaskDefinitionArns: got, NextToken: next}, err
}

// byRevision is a revision's ARN as its place in a list: 10 comes after 9.
func byRevision(arn string) string {
	at := strings.LastIndex(arn, ":")
	return fmt.Sprintf("%s/%09s", arn[:at], arn[at+1:])
}

// ListTaskDefinitionFamilies gives family names: those with an active revision,
// those without, or all. Here the prefix is one.
func (s *Server) ListTaskDefinitionFamilies(ctx context.Context, in *ecs.ListTaskDefinitionFamiliesInput) (*ecs.ListTaskDefinitionFamiliesOutput, error) {
	scope := api.CallFrom(ctx).Scope()
	active := map[string]bool{}
	for d := range store.TaskDefinitions.Prefix(s.db.View(), scope.Key(aws.Value(in.FamilyPrefix))) {
		f := *d.Definition.Family
		active[f] = active[f] || d.Definition.Status == ecs.TaskDefinitionStatusActive
	}
	var names []string
	for f, is := range active {
		wanted := is
		switch in.Status {
		case ecs.TaskDefinitionFamilyStatusInactive:
			wanted = !is
		case ecs.TaskDefinitionFamilyStatusAll:
			wanted = true
		}
		if wanted {
			names = append(names, f)
		}
	}
	sort.Strings(names)
	got, next, err := page.Of(pages.Ask(in, in.NextToken, in.MaxResults), slices.Values(names), page.Itself)
	return &ecs.ListTaskDefinitionFamiliesOutput{Families: got, NextToken: next}, err
}

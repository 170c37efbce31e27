package scheduler

import (
	"context"

	"fargo"
	"fargo/api/page"
	"fargo/api/tags"
	"fargo/aws"
	"fargo/aws/scheduler"
	"fargo/record"
	"fargo/store"
)

// groupPrefix begins the resource of a group's ARN.
const groupPrefix = "schedule-group/"

// tagRules are Scheduler's; keys and values have their bounds in the model. The texts are
// ours. Source: EventBridge Scheduler API, CreateScheduleGroup.
var tagRules = tags.Rules[scheduler.Tag]{
	Most:      50,
	TooMany:   func(most int) error { return invalid("A schedule group can have at most %d tags.", most) },
	Reserved:  func(string) error { return invalid("Tag keys that begin with aws: are reserved.") },
	Duplicate: func(key string) error { return invalid("Duplicate tag key '%s'.", key) },
}

func noGroup(name string) error {
	return scheduler.ResourceNotFoundException("Schedule group %s does not exist.", name)
}

func newGroup(scope fargo.Scope, name string) *record.ScheduleGroup {
	at := now()
	return &record.ScheduleGroup{Scope: scope, Group: scheduler.GetScheduleGroupOutput{
		Name: &name, Arn: new(scope.ARN("scheduler", groupPrefix+name)), State: scheduler.ScheduleGroupStateActive,
		CreationDate: &at, LastModificationDate: &at,
	}}
}

// findGroup gives a group, and a new record of the default one if it has none.
func findGroup(r store.Reader, scope fargo.Scope, name string) (*record.ScheduleGroup, error) {
	if g, ok := store.ScheduleGroups.Get(r, scope.Key(name)); ok {
		return g, nil
	}
	if !store.HasScheduleGroup(r, scope, name) {
		return nil, noGroup(name)
	}
	return newGroup(scope, name), nil
}

// ensureDefault gives the default group its record, so that it always shows the same times.
func (s *Server) ensureDefault(ctx context.Context) error {
	view, scope := s.read(ctx)
	if _, ok := store.ScheduleGroups.Get(view, scope.Key(record.DefaultScheduleGroup)); ok {
		return nil
	}
	return s.changeGroup(ctx, record.DefaultScheduleGroup, func(*record.ScheduleGroup) error { return nil })
}

func (s *Server) changeGroup(ctx context.Context, name string, change func(*record.ScheduleGroup) error) error {
	return s.update(ctx, func(tx *store.Tx, scope fargo.Scope) error {
		g, err := findGroup(tx, scope, name)
		if err != nil {
			return err
		}
		changed := *g
		if err := change(&changed); err != nil {
			return err
		}
		store.ScheduleGroups.Put(tx, &changed)
		return nil
	})
}

// CreateScheduleGroup makes a group.
func (s *Server) CreateScheduleGroup(ctx context.Context, in *scheduler.CreateScheduleGroupInput) (*scheduler.CreateScheduleGroupOutput, error) {
	if err := tagRules.Check(in.Tags); err != nil {
		return nil, err
	}
	out := &scheduler.CreateScheduleGroupOutput{}
	return out, s.update(ctx, func(tx *store.Tx, scope fargo.Scope) error {
		g := newGroup(scope, *in.Name)
		g.Tags, g.Token = in.Tags, aws.Value(in.ClientToken)
		out.ScheduleGroupArn = g.Group.Arn
		old, ok := store.ScheduleGroups.Get(tx, g.Key())
		switch {
		case ok && g.Token != "" && old.Token == g.Token:
			return nil // it is asked again
		case store.HasScheduleGroup(tx, scope, *in.Name):
			return scheduler.ConflictException("Schedule group %s already exists.", *in.Name)
		}
		store.ScheduleGroups.Put(tx, g)
		return nil
	})
}

// GetScheduleGroup shows a group.
func (s *Server) GetScheduleGroup(ctx context.Context, in *scheduler.GetScheduleGroupInput) (*scheduler.GetScheduleGroupOutput, error) {
	if err := s.ensureDefault(ctx); err != nil {
		return nil, err
	}
	view, scope := s.read(ctx)
	g, err := findGroup(view, scope, *in.Name)
	if err != nil {
		return nil, err
	}
	return new(g.Group), nil
}

// ListScheduleGroups lists groups by their names.
func (s *Server) ListScheduleGroups(ctx context.Context, in *scheduler.ListScheduleGroupsInput) (*scheduler.ListScheduleGroupsOutput, error) {
	if err := s.ensureDefault(ctx); err != nil {
		return nil, err
	}
	view, scope := s.read(ctx)
	groups := store.ScheduleGroups.Prefix(view, scope.Key(aws.Value(in.NamePrefix)))
	found, next, err := page.Of(pages.Ask(in, in.NextToken, in.MaxResults), groups, (*record.ScheduleGroup).Key)
	out := &scheduler.ListScheduleGroupsOutput{NextToken: next, ScheduleGroups: []scheduler.ScheduleGroupSummary{}}
	for _, g := range found {
		out.ScheduleGroups = append(out.ScheduleGroups, scheduler.ScheduleGroupSummary{
			Arn: g.Group.Arn, Name: g.Group.Name, State: g.Group.State, CreationDate: g.Group.CreationDate, LastModificationDate: g.Group.LastModificationDate,
		})
	}
	return out, err
}

// DeleteScheduleGroup deletes a group with all schedules in it.
func (s *Server) DeleteScheduleGroup(ctx context.Context, in *scheduler.DeleteScheduleGroupInput) (*scheduler.DeleteScheduleGroupOutput, error) {
	if *in.Name == record.DefaultScheduleGroup {
		return nil, invalid("The default schedule group can't be deleted.")
	}
	_, scope := s.read(ctx)
	return &scheduler.DeleteScheduleGroupOutput{}, s.db.UpdateInParts(ctx, func(tx *store.Tx) (more bool, err error) {
		g, err := findGroup(tx, scope, *in.Name)
		if err != nil {
			return false, err
		}
		for each := range store.Schedules.Prefix(tx, scope.Key(*in.Name, "")) {
			if tx.Full() {
				deleting := *g
				deleting.Group.State = scheduler.ScheduleGroupStateDeleting
				store.ScheduleGroups.Put(tx, &deleting)
				return true, nil
			}
			deleteSchedule(tx, each)
		}
		store.ScheduleGroups.Delete(tx, g.Key())
		return false, nil
	})
}

// groupOfARN is the name of the group that an ARN means.
func groupOfARN(scope fargo.Scope, arn string) (string, error) {
	a, _ := fargo.ParseARN(arn)
	if a.Scope() != scope {
		return "", noGroup(a.Name())
	}
	return a.Name(), nil
}

func (s *Server) changeTags(ctx context.Context, arn string, change func([]scheduler.Tag) ([]scheduler.Tag, error)) error {
	_, scope := s.read(ctx)
	name, err := groupOfARN(scope, arn)
	if err != nil {
		return err
	}
	return s.changeGroup(ctx, name, func(g *record.ScheduleGroup) (err error) {
		g.Tags, err = change(g.Tags)
		return err
	})
}

// TagResource adds tags to a group, or gives them other values.
func (s *Server) TagResource(ctx context.Context, in *scheduler.TagResourceInput) (*scheduler.TagResourceOutput, error) {
	return &scheduler.TagResourceOutput{}, s.changeTags(ctx, *in.ResourceArn, func(has []scheduler.Tag) ([]scheduler.Tag, error) {
		return tagRules.Merge(has, in.Tags)
	})
}

// UntagResource takes tags from a group.
func (s *Server) UntagResource(ctx context.Context, in *scheduler.UntagResourceInput) (*scheduler.UntagResourceOutput, error) {
	return &scheduler.UntagResourceOutput{}, s.changeTags(ctx, *in.ResourceArn, func(has []scheduler.Tag) ([]scheduler.Tag, error) {
		return tagRules.Remove(has, in.TagKeys)
	})
}

// ListTagsForResource shows a group's tags.
func (s *Server) ListTagsForResource(ctx context.Context, in *scheduler.ListTagsForResourceInput) (*scheduler.ListTagsForResourceOutput, error) {
	view, scope := s.read(ctx)
	name, err := groupOfARN(scope, *in.ResourceArn)
	if err != nil {
		return nil, err
	}
	g, err := findGroup(view, scope, name)
	if err != nil {
		return nil, err
	}
	return &scheduler.ListTagsForResourceOutput{Tags: aws.List(g.Tags)}, nil
}

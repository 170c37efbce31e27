package scheduler

import (
	"context"
	"iter"
	"time"

	"fargo"
	"fargo/api/page"
	"fargo/aws"
	"fargo/aws/scheduler"
	"fargo/record"
	"fargo/schedule"
	"fargo/store"
)

// What a call leaves out. Source: EventBridge Scheduler API, CreateSchedule; recorded.
const (
	defaultMaxAge   = 86400
	defaultAttempts = 185
	defaultZone     = "UTC"
)

func noSchedule(name string) error {
	return scheduler.ResourceNotFoundException("Schedule %s does not exist.", name)
}

// CreateSchedule makes a schedule.
func (s *Server) CreateSchedule(ctx context.Context, in *scheduler.CreateScheduleInput) (*scheduler.CreateScheduleOutput, error) {
	out := &scheduler.CreateScheduleOutput{}
	return out, s.update(ctx, func(tx *store.Tx, scope fargo.Scope) error {
		made := newSchedule(scope, in)
		out.ScheduleArn = made.Schedule.Arn
		if err := s.check(tx, made); err != nil {
			return err
		}
		if old, ok := store.Schedules.Get(tx, made.Key()); ok {
			if made.Token != "" && old.Token == made.Token {
				return nil // it is asked again
			}
			return scheduler.ConflictException("Schedule %s already exists.", *in.Name)
		}
		store.Schedules.Put(tx, made)
		return nil
	})
}

// newSchedule is the schedule that a call describes, with what it leaves out.
func newSchedule(scope fargo.Scope, in *scheduler.CreateScheduleInput) *record.Schedule {
	at, group := now(), aws.ValueOr(in.GroupName, record.DefaultScheduleGroup)
	target := *in.Target
	retry := scheduler.RetryPolicy{MaximumEventAgeInSeconds: new(int32(defaultMaxAge)), MaximumRetryAttempts: new(int32(defaultAttempts))}
	if p := target.RetryPolicy; p != nil {
		retry.MaximumEventAgeInSeconds = new(aws.ValueOr(p.MaximumEventAgeInSeconds, defaultMaxAge))
		retry.MaximumRetryAttempts = new(aws.ValueOr(p.MaximumRetryAttempts, defaultAttempts))
	}
	target.RetryPolicy = &retry
	made := scheduler.GetScheduleOutput{
		Name: in.Name, GroupName: &group, Arn: new(scope.ARN("scheduler", "schedule/"+group+"/"+*in.Name)), Description: in.Description,
		ScheduleExpression: in.ScheduleExpression, ScheduleExpressionTimezone: new(aws.ValueOr(in.ScheduleExpressionTimezone, defaultZone)),
		StartDate: in.StartDate, EndDate: in.EndDate, FlexibleTimeWindow: in.FlexibleTimeWindow, State: in.State, Target: &target,
		KmsKeyArn: in.KmsKeyArn, ActionAfterCompletion: in.ActionAfterCompletion, CreationDate: &at, LastModificationDate: &at,
	}
	if made.State == "" {
		made.State = scheduler.ScheduleStateEnabled
	}
	if made.ActionAfterCompletion == "" {
		made.ActionAfterCompletion = scheduler.ActionAfterCompletionNone
	}
	return &record.Schedule{Scope: scope, Schedule: made, Token: aws.Value(in.ClientToken), Since: at}
}

// check refuses a schedule that cannot be.
func (s *Server) check(r store.Reader, made *record.Schedule) error {
	d := &made.Schedule
	if g, err := findGroup(r, made.Scope, *d.GroupName); err != nil {
		return err
	} else if g.Group.State == scheduler.ScheduleGroupStateDeleting {
		return scheduler.ConflictException("Schedule group %s is being deleted.", *d.GroupName)
	}
	if _, err := schedule.Parse(*d.ScheduleExpression); err != nil {
		return invalid("Invalid Schedule Expression %s.", *d.ScheduleExpression)
	}
	if zone := *d.ScheduleExpressionTimezone; zone == "" || zone == "Local" {
		return invalid("Invalid time zone %s.", zone)
	}
	if _, err := time.LoadLocation(*d.ScheduleExpressionTimezone); err != nil {
		return invalid("Invalid time zone %s.", *d.ScheduleExpressionTimezone)
	}
	w := d.FlexibleTimeWindow
	switch {
	case w.Mode == scheduler.FlexibleTimeWindowModeFlexible && w.MaximumWindowInMinutes == nil:
		return invalid("MaximumWindowInMinutes must be provided when FlexibleTimeWindowMode is set to FLEXIBLE")
	case w.Mode == scheduler.FlexibleTimeWindowModeOff && w.MaximumWindowInMinutes != nil:
		return invalid("MaximumWindowInMinutes must not be provided when FlexibleTimeWindowMode is set to OFF")
	case d.StartDate != nil && d.EndDate != nil && !d.StartDate.Before(*d.EndDate):
		return invalid("The StartDate you specify must come before the EndDate")
	}
	if err := s.checkTarget(made.Scope, d.Target); err != nil {
		return err
	}
	if !s.assumable(r, *d.Target.RoleArn, ownService, made.Scope.ARN("scheduler", "schedule-group/"+*d.GroupName)) {
		return invalid("The execution role you provide must allow AWS EventBridge Scheduler to assume the role.")
	}
	return nil
}

// UpdateSchedule replaces all that a schedule was made with.
func (s *Server) UpdateSchedule(ctx context.Context, in *scheduler.UpdateScheduleInput) (*scheduler.UpdateScheduleOutput, error) {
	out := &scheduler.UpdateScheduleOutput{}
	return out, s.update(ctx, func(tx *store.Tx, scope fargo.Scope) error {
		old, err := findSchedule(tx, scope, in.Name, in.GroupName)
		if err != nil {
			return err
		}
		changed := newSchedule(scope, new(scheduler.CreateScheduleInput(*in)))
		changed.Token, changed.Schedule.CreationDate = old.Token, old.Schedule.CreationDate
		if err := s.check(tx, changed); err != nil {
			return err
		}
		store.Schedules.Put(tx, changed)
		out.ScheduleArn = changed.Schedule.Arn
		return nil
	})
}

func findSchedule(r store.Reader, scope fargo.Scope, name, group *string) (*record.Schedule, error) {
	in := aws.ValueOr(group, record.DefaultScheduleGroup)
	if !store.HasScheduleGroup(r, scope, in) {
		return nil, noGroup(in)
	}
	found, ok := store.Schedules.Get(r, scope.Key(in, *name))
	if !ok {
		return nil, noSchedule(*name)
	}
	return found, nil
}

// GetSchedule shows a schedule.
func (s *Server) GetSchedule(ctx context.Context, in *scheduler.GetScheduleInput) (*scheduler.GetScheduleOutput, error) {
	view, scope := s.read(ctx)
	found, err := findSchedule(view, scope, in.Name, in.GroupName)
	if err != nil {
		return nil, err
	}
	return new(found.Schedule), nil
}

// DeleteSchedule deletes a schedule.
func (s *Server) DeleteSchedule(ctx context.Context, in *scheduler.DeleteScheduleInput) (*scheduler.DeleteScheduleOutput, error) {
	return &scheduler.DeleteScheduleOutput{}, s.update(ctx, func(tx *store.Tx, scope fargo.Scope) error {
		found, err := findSchedule(tx, scope, in.Name, in.GroupName)
		if err != nil {
			return err
		}
		deleteSchedule(tx, found)
		return nil
	})
}

func deleteSchedule(tx *store.Tx, s *record.Schedule) {
	store.Schedules.Delete(tx, s.Key())
	store.ScheduleRuns.Delete(tx, *s.Schedule.Arn)
}

// ListSchedules lists schedules by their groups and names.
func (s *Server) ListSchedules(ctx context.Context, in *scheduler.ListSchedulesInput) (*scheduler.ListSchedulesOutput, error) {
	view, scope := s.read(ctx)
	prefix := scope.Key()
	if in.GroupName != nil {
		if !store.HasScheduleGroup(view, scope, *in.GroupName) {
			return nil, noGroup(*in.GroupName)
		}
		prefix = scope.Key(*in.GroupName, "")
	}
	schedules := only(store.Schedules.Prefix(view, prefix), in)
	found, next, err := page.Of(pages.Ask(in, in.NextToken, in.MaxResults), schedules, (*record.Schedule).Key)
	out := &scheduler.ListSchedulesOutput{NextToken: next, Schedules: []scheduler.ScheduleSummary{}}
	for _, f := range found {
		d := &f.Schedule
		out.Schedules = append(out.Schedules, scheduler.ScheduleSummary{
			Arn: d.Arn, Name: d.Name, GroupName: d.GroupName, State: d.State, CreationDate: d.CreationDate,
			LastModificationDate: d.LastModificationDate, Target: &scheduler.TargetSummary{Arn: d.Target.Arn},
		})
	}
	return out, err
}

// only are the schedules that a call asks for.
func only(schedules iter.Seq[*record.Schedule], in *scheduler.ListSchedulesInput) iter.Seq[*record.Schedule] {
	prefix := aws.Value(in.NamePrefix)
	return func(yield func(*record.Schedule) bool) {
		for s := range schedules {
			name := *s.Schedule.Name
			wanted := len(name) >= len(prefix) && name[:len(prefix)] == prefix && (in.State == "" || s.Schedule.State == in.State)
			if wanted && !yield(s) {
				return
			}
		}
	}
}

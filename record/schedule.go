package record

import (
	"time"

	"fargo"
	"fargo/aws/scheduler"
)

// DefaultScheduleGroup is the name of the group that every account has in every region.
const DefaultScheduleGroup = "default"

// Schedule is a schedule of EventBridge Scheduler.
type Schedule struct {
	Scope    fargo.Scope
	Schedule scheduler.GetScheduleOutput
	Token    string // with which it was created
	// Since is when the schedule began to count: it was made or changed.
	Since time.Time
}

// Key is the schedule's place in the store.
func (s *Schedule) Key() string { return s.Scope.Key(*s.Schedule.GroupName, *s.Schedule.Name) }

// ScheduleGroup is a group of schedules.
type ScheduleGroup struct {
	Scope fargo.Scope
	Group scheduler.GetScheduleGroupOutput
	Tags  []scheduler.Tag `json:",omitempty"`
	Token string          // with which it was created
}

// Key is the group's place in the store.
func (g *ScheduleGroup) Key() string { return g.Scope.Key(*g.Group.Name) }

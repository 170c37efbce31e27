package store

import (
	"fargo"
	"fargo/record"
)

// Schedules are those of EventBridge Scheduler, by account, region, group and name.
var Schedules = NewTable("schedule", (*record.Schedule).Key)

// ScheduleGroups are the groups of schedules, by account, region and name. The default
// group gets its record when it is first asked about: see [HasScheduleGroup].
var ScheduleGroups = NewTable("schedulegroup", (*record.ScheduleGroup).Key)

// HasScheduleGroup reports whether there is a group of that name. The default group is
// there even before it has a record.
func HasScheduleGroup(r Reader, scope fargo.Scope, name string) bool {
	_, ok := ScheduleGroups.Get(r, scope.Key(name))
	return ok || name == record.DefaultScheduleGroup
}

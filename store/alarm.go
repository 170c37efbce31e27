package store

import (
	"strings"

	"fargo"
	"fargo/record"
)

// The indexes of alarms.
const (
	AlarmByAction = "action" // by the ARNs of their actions
	AlarmByChild  = "child"  // composite ones, by the keys of the alarms that they depend on
)

// Alarms are those of CloudWatch, by account, region and name.
var Alarms = NewTable("alarm", (*record.Alarm).Key,
	Index[record.Alarm]{AlarmByAction, func(a *record.Alarm) []string { return a.AllActions() }},
	Index[record.Alarm]{AlarmByChild, func(a *record.Alarm) (keys []string) {
		for _, name := range a.Children {
			keys = append(keys, a.Scope.Key(name))
		}
		return keys
	}})

// AlarmHistory are the items of the histories of alarms, by account, region, name and time.
var AlarmHistory = NewTable("alarmhistory", (*record.AlarmHistory).Key)

// AlarmOfRule finds the alarm that the rule of a composite alarm calls by its name or ARN.
func AlarmOfRule(r Reader, scope fargo.Scope, called string) (*record.Alarm, bool) {
	return Alarms.Get(r, scope.Key(AlarmName(called)))
}

// AlarmName is the name in the ARN of an alarm, or the name itself.
func AlarmName(called string) string {
	if a, ok := fargo.ParseARN(called); ok && a.Service == "cloudwatch" {
		return strings.TrimPrefix(a.Resource, "alarm:")
	}
	return called
}

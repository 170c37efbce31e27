package store

import (
	"fargo"
	"fargo/record"
)

// The indexes of EventBridge's tables.
const (
	EventRuleByTarget     = "target"     // by the ARNs of its targets
	APIDestinationByOwner = "connection" // by the ARN of the connection
)

// EventBuses are the buses of EventBridge, by account, region and name. The default bus
// gets its record when it is first asked about: see [HasEventBus].
var EventBuses = NewTable("eventbus", (*record.EventBus).Key)

// EventRules are the rules of buses, by account, region, bus and name.
var EventRules = NewTable("eventrule", (*record.EventRule).Key,
	Index[record.EventRule]{EventRuleByTarget, func(r *record.EventRule) (arns []string) {
		for _, t := range r.Targets {
			arns = append(arns, r.Scope.Key(*t.Arn))
		}
		return arns
	}})

// EventConnections are EventBridge's connections, by account, region and name.
var EventConnections = NewTable("eventconnection", (*record.EventConnection).Key)

// EventConnectionSecrets are what connections keep secret, by the connection's key.
var EventConnectionSecrets = NewTable("eventconnectionsecret", (*record.EventConnectionSecret).Key).Sealed()

// APIDestinations are EventBridge's HTTP endpoints, by account, region and name.
var APIDestinations = NewTable("apidestination", (*record.APIDestination).Key,
	Index[record.APIDestination]{APIDestinationByOwner, func(d *record.APIDestination) []string {
		return []string{*d.Destination.ConnectionArn}
	}})

// HasEventBus reports whether there is a bus of that name. The default bus is there even
// before it has a record.
func HasEventBus(r Reader, scope fargo.Scope, name string) bool {
	_, ok := EventBuses.Get(r, scope.Key(name))
	return ok || name == record.DefaultEventBus
}

// EventDeliveries are what is on its way to targets, by account, region and id.
var EventDeliveries = NewTable("eventdelivery", (*record.EventDelivery).Key)

// ScheduleRuns are the last runs of schedules, by the ARN of the rule or the schedule.
var ScheduleRuns = NewTable("schedulerun", (*record.ScheduleRun).Key)

// EventArrivals are the events that have not been routed yet, by account, region, bus and
// id.
var EventArrivals = NewTable("eventarrival", (*record.EventArrival).Key)

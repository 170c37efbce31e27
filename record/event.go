package record

import (
	"time"

	"fargo"
	"fargo/aws/events"
)

// DefaultEventBus is the name of the bus that every account has in every region.
const DefaultEventBus = "default"

// EventBus is a bus of EventBridge.
type EventBus struct {
	Scope fargo.Scope
	Bus   events.DescribeEventBusOutput
	Tags  []events.Tag `json:",omitempty"`
}

// Key is the bus's place in the store.
func (b *EventBus) Key() string { return b.Scope.Key(*b.Bus.Name) }

// EventRule is a rule of a bus, with its targets.
type EventRule struct {
	Scope   fargo.Scope
	Rule    events.DescribeRuleOutput
	Tags    []events.Tag    `json:",omitempty"`
	Targets []events.Target `json:",omitempty"`
	// Since is when the rule's schedule began to count: it was given or enabled.
	Since time.Time
}

// Key is the rule's place in the store.
func (r *EventRule) Key() string { return r.Scope.Key(*r.Rule.EventBusName, *r.Rule.Name) }

// Enabled reports whether the rule does anything.
func (r *EventRule) Enabled() bool { return r.Rule.State != events.RuleStateDisabled }

// ScheduleRun is what has become of a schedule, of a rule or of EventBridge Scheduler. The
// schedule controller writes it.
type ScheduleRun struct {
	ARN string // of the rule or the schedule
	// Since is that of the rule, or the schedule's; a run is of that schedule only.
	Since time.Time
	// Due is when it was due last, and fired.
	Due time.Time
}

// Key is the run's place in the store.
func (r *ScheduleRun) Key() string { return r.ARN }

// EventConnection is a connection of EventBridge: how HTTP endpoints are to be told who
// calls. What must stay secret is in [EventConnectionSecret].
type EventConnection struct {
	Scope      fargo.Scope
	Connection events.DescribeConnectionOutput
}

// Key is the connection's place in the store.
func (c *EventConnection) Key() string { return c.Scope.Key(*c.Connection.Name) }

// EventConnectionSecret are the parameters of a connection with their secret values.
type EventConnectionSecret struct {
	Connection string // its key
	Parameters events.CreateConnectionAuthRequestParameters
}

// Key is the secret's place in the store.
func (c *EventConnectionSecret) Key() string { return c.Connection }

// APIDestination is an HTTP endpoint that events can be sent to.
type APIDestination struct {
	Scope       fargo.Scope
	Destination events.DescribeApiDestinationOutput
}

// Key is the destination's place in the store.
func (d *APIDestination) Key() string { return d.Scope.Key(*d.Destination.Name) }

// EventDelivery is what a rule, a schedule or an alarm has for one target, on its way there. It
// is there from the transaction that answers PutEvents, or in which a schedule fires, until
// the target has it or it is given up.
type EventDelivery struct {
	Scope fargo.Scope // of the rule or the schedule
	// ID is random, or that of a schedule and the time it was due; the target gets it as
	// the client token where it takes one.
	ID     string
	Owner  string // the ARN of the rule, the schedule or the alarm
	Target events.Target
	Body   string    // what the target is given, in JSON
	Made   time.Time // when it began
	// Scheduled is when a schedule was due; zero for others.
	Scheduled time.Time `json:",omitzero"`
	// Forwarded is set for what came from another bus, which goes to no third one.
	Forwarded bool `json:",omitempty"`
	// Attributes are the message's, of a dead letter on its way to a queue, or the subject
	// of one on its way to a topic.
	Attributes map[string]string `json:",omitempty"`

	// What has become of it, which the sender writes.

	Attempts  int       `json:",omitempty"` // those that failed
	Next      time.Time `json:",omitzero"`  // when the next one is
	LastError string    `json:",omitempty"`
}

// Key is the delivery's place in the store.
func (d *EventDelivery) Key() string { return d.Scope.Key(d.ID) }

// EventArrival is an event that rules of a bus match and that has not been routed to their
// targets yet. It is made in the transaction that changes what the event tells of, and
// leaves in the one that makes the deliveries.
type EventArrival struct {
	Scope fargo.Scope // of the bus
	Bus   string      // name
	ID    string      // of the event
	Event string      // in JSON
	At    time.Time   // when it came
}

// Key is the arrival's place in the store.
func (a *EventArrival) Key() string { return a.Scope.Key(a.Bus, a.ID) }

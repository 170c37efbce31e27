package record

import (
	"time"

	"fargo"
	"fargo/aws/ecs"
)

// Service is an ECS service: what its user wants, and how it stands.
//
// Service (all of it but its status) and VolumeConfigurations are written by the API; the
// desired count by the scaling controller too, with an event. The service
// controller writes the rest, except that the API names a new deployment the
// primary one, lets an update be a new try, and asks for the service's end.
type Service struct {
	Scope   fargo.Scope
	Cluster string // name

	// Service is what the user wants, as it was asked for, whatever becomes of
	// it. Counts, deployments and events in it are not kept: they are answers.
	Service ecs.Service
	// VolumeConfigurations is part of what the user wants, for which the shape has no place.
	VolumeConfigurations []ecs.ServiceVolumeConfiguration `json:",omitzero"`
	// Monitoring is too.
	Monitoring *ecs.MonitoringConfiguration `json:",omitzero"`

	// Primary is the id of the deployment that the service is to become: the
	// newest one, or the one that is gone back to. It is empty once the service
	// is INACTIVE.
	Primary string `json:",omitzero"`
	// Completed is the id of the deployment that was completed last: the one to
	// go back to when another fails.
	Completed string             `json:",omitzero"`
	Events    []ecs.ServiceEvent // newest first, at most ServiceEvents
	// SteadyAt is when the service was last said to be steady; zero while it is
	// not.
	SteadyAt time.Time `json:",omitzero"`
	Throttle Throttle  `json:",omitzero"`
	// Rebalance is the move of tasks between availability zones.
	Rebalance Rebalance `json:",omitzero"`
	// InactiveAt is when the service ended.
	InactiveAt time.Time `json:",omitzero"`
}

// ServiceEvents is how many events a service keeps.
// Source: ECS API, Service.events.
const ServiceEvents = 100

// Key is the service's place in the store.
func (s *Service) Key() string { return s.Scope.Key(s.Cluster, s.Name()) }

// Name is the service's name.
func (s *Service) Name() string { return *s.Service.ServiceName }

// ARN is the service's full name.
func (s *Service) ARN() string { return *s.Service.ServiceArn }

// Status is ACTIVE, DRAINING or INACTIVE.
func (s *Service) Status() string { return *s.Service.Status }

// Daemon reports whether the service wants one task on every node.
func (s *Service) Daemon() bool {
	return s.Service.SchedulingStrategy == ecs.SchedulingStrategyDaemon
}

// DesiredCount is how many tasks a REPLICA service wants.
func (s *Service) DesiredCount() int {
	if s.Service.DesiredCount == nil {
		return 0
	}
	return int(*s.Service.DesiredCount)
}

// Throttle slows down the launches of a service whose tasks keep failing before
// they run.
type Throttle struct {
	Failures int       // in a row, over all deployments
	Last     time.Time `json:",omitzero"` // when the last one was noted
	Until    time.Time `json:",omitzero"` // no launches before
}

// Rebalance is a service's move of tasks from zones that have many to zones that
// have few.
type Rebalance struct {
	// Since is when the replacements now under way were started; zero when none
	// are and nothing is being moved.
	Since time.Time `json:",omitzero"`
	// Moving counts the replacements in whose favour a task is still to be
	// stopped. For so long the service has as many tasks more than desired.
	Moving int `json:",omitzero"`
	// Rest is before when nothing is moved, because a move has failed.
	Rest time.Time `json:",omitzero"`
}

// TargetRef names a target of a task in a target group.
type TargetRef struct {
	Group string // ARN
	ID    string
	Port  int
	Zone  string
}

// Key is the target's place in the store.
func (t TargetRef) Key() string { return fargo.TargetKey(t.Group, t.ID, t.Port) }

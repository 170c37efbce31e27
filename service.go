package fargo

import (
	"strings"
	"time"

	"fargo/aws/ecs"
)

// Service is an ECS service.
//
// Intent (everything in Service but Status) is written by the API, except that a
// rollback takes it back; Status, Deployments, Events, Throttle and Rebalance by
// the service controller, except that the API puts a new deployment first, lets
// an update be a new try, and asks for the service's end.
type Service struct {
	Scope   Scope
	Cluster string // name

	// Service is what the user wants, as DescribeServices shows it. Counts,
	// deployments and events in it are not kept: they are answers.
	Service ecs.Service

	// Deployments are newest first. The first is the PRIMARY one; the others are
	// ACTIVE and go when their last task has stopped.
	Deployments []Deployment
	Events      []ecs.ServiceEvent // newest first, at most ServiceEvents
	// LastCompleted is the revision of the deployment to go back to when another
	// fails: the one that was completed last.
	LastCompleted *ecs.ServiceRevision `json:",omitzero"`
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

// Revision is what the newest deployment's tasks are made from, nil when there
// is no deployment.
func (s *Service) Revision() *ecs.ServiceRevision {
	if len(s.Deployments) == 0 {
		return nil
	}
	return &s.Deployments[0].Revision
}

// DesiredCount is how many tasks a REPLICA service wants.
func (s *Service) DesiredCount() int {
	if s.Service.DesiredCount == nil {
		return 0
	}
	return int(*s.Service.DesiredCount)
}

// Deployment is the rollout of one revision of a service.
type Deployment struct {
	ID string // "ecs-svc/" and 19 digits
	// Revision is what its tasks are made from. Its ARN ends in the same digits.
	Revision ecs.ServiceRevision
	// Arn is the service deployment's, of a rollback that of the deployment that
	// failed, whose record it is part of; Source is the revision it replaces.
	Arn    string
	Source string `json:",omitzero"`

	Rollout ecs.DeploymentRolloutState
	Reason  string
	// FailedTasks counts tasks in a row that never became healthy.
	FailedTasks int
	// RollbackOf is the deployment that failed, while and after this one took its
	// place again.
	RollbackOf string `json:",omitzero"`
	// StopRequested is set when the user or a newer deployment ends this one
	// before it is complete.
	StopRequested bool `json:",omitzero"`

	// CreatedAt is when it became the newest one: again by a rollback.
	CreatedAt, UpdatedAt time.Time
}

// DeploymentOf is the id of the deployment that a revision was made for: both
// end in the same digits.
func DeploymentOf(r *ecs.ServiceRevision) string {
	arn := *r.ServiceRevisionArn
	return "ecs-svc/" + arn[strings.LastIndex(arn, "/")+1:]
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

// ServiceDeployment is the history of one deployment, as the ServiceDeployments
// API shows it. The API begins it, and the service controller keeps it up to date.
type ServiceDeployment struct {
	Scope      Scope
	Service    string // the service's key
	Deployment ecs.ServiceDeployment
}

// Key is the service deployment's place in the store.
func (d *ServiceDeployment) Key() string { return *d.Deployment.ServiceDeploymentArn }

// ServiceRevision is an immutable revision of a service.
type ServiceRevision struct {
	Scope    Scope
	Service  string // the service's key
	Revision ecs.ServiceRevision
}

// Key is the revision's place in the store.
func (r *ServiceRevision) Key() string { return *r.Revision.ServiceRevisionArn }

// TargetRef names a target of a task in a target group.
type TargetRef struct {
	Group string // ARN
	ID    string
	Port  int
	Zone  string
}

// Key is the target's place in the store.
func (t TargetRef) Key() string { return ELBTargetKey(t.Group, t.ID, t.Port) }

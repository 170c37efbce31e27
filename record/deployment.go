package record

import (
	"time"

	"fargo"
	"fargo/aws/ecs"
)

// Deployment is the rollout of one revision of a service, from its begin until
// its history is forgotten. What DescribeServices, the ServiceDeployments API and
// DescribeServiceRevisions show of it is derived from it and from its tasks.
//
// It is begun by the API; everything in it is then written by the service
// controller, except that the API asks for its end and gives its tasks to come
// another capacity provider strategy.
type Deployment struct {
	Scope   fargo.Scope
	Service string // the service's key
	ID      string // "ecs-svc/" and 19 digits
	// ARN is that of the service deployment.
	ARN string

	// Template is what of the service's intent the revision was made from. Its
	// capacity provider strategy may change: it is that of tasks to come.
	Template Template
	// Revision is what its tasks are made from. Its ARN ends in the same digits as ID.
	Revision ecs.ServiceRevision
	// Digests are the manifests that image names mean for all tasks of the
	// deployment, by container: "" until the first task has found out. A container
	// is not among them when each of its tasks resolves its name anew.
	Digests map[string]string `json:",omitzero"`
	// Configuration is the service's while the deployment is under way, and what it
	// was then afterwards.
	Configuration *ecs.DeploymentConfiguration `json:",omitzero"`
	// Replaces is the ARN of the revision that was the primary one before.
	Replaces string `json:",omitzero"`

	Rollout ecs.DeploymentRolloutState
	Reason  string
	// FailedTasks counts tasks in a row that never became healthy.
	FailedTasks int
	// Failures is what the circuit breaker compares with its threshold while the
	// deployment is under way: tasks that never became healthy or were replaced
	// because they no longer were, since a task last became healthy or, without
	// resetOnHealthyTask, since the begin.
	Failures int `json:",omitzero"`
	// Alarms is how alarms of CloudWatch watch the deployment; nil before they do.
	Alarms *DeploymentAlarms `json:",omitzero"`
	// BakeSince is when its tasks had been replaced, while alarms watch it.
	BakeSince time.Time `json:",omitzero"`
	// StopRequested is set when the user or a newer deployment ends this one
	// before it is complete.
	StopRequested bool `json:",omitzero"`
	// RollbackOf is the id of the deployment that failed, while and after this one
	// took its place again.
	RollbackOf string `json:",omitzero"`
	// Rollback is how the service goes back from this one, which failed.
	Rollback *Rollback `json:",omitzero"`

	CreatedAt time.Time
	// PrimaryAt is when it became the primary one: again by a rollback.
	PrimaryAt time.Time
	UpdatedAt time.Time
	// CompletedAt is when it was completed for the first time.
	CompletedAt time.Time `json:",omitzero"`
	// EndedAt is when nothing more came of it: it was completed, gave way before
	// that, failed without a way back, or the way back was at its end.
	EndedAt time.Time `json:",omitzero"`
	// Retired says that it is neither the primary deployment nor has tasks: only
	// its history is left.
	Retired bool `json:",omitzero"`
}

// DeploymentAlarms is how alarms watch a deployment.
type DeploymentAlarms struct {
	// Ignored says that one of them was in ALARM when the deployment began.
	Ignored bool `json:",omitzero"`
	// Triggered are the names of those that ended it.
	Triggered []string `json:",omitempty"`
}

// AlarmsTriggered reports whether alarms ended the deployment.
func (d *Deployment) AlarmsTriggered() bool { return d.Alarms != nil && len(d.Alarms.Triggered) > 0 }

// Key is the deployment's place in the store.
func (d *Deployment) Key() string { return d.ARN }

// RevisionARN is the name of the revision that the deployment rolls out.
func (d *Deployment) RevisionARN() string { return *d.Revision.ServiceRevisionArn }

// Template is the part of a service's intent that tasks are made from, as the
// user wrote it.
type Template struct {
	TaskDefinition           *string                            `json:",omitzero"`
	LaunchType               ecs.LaunchType                     `json:",omitzero"`
	CapacityProviderStrategy []ecs.CapacityProviderStrategyItem `json:",omitzero"`
	PlatformVersion          *string                            `json:",omitzero"`
	NetworkConfiguration     *ecs.NetworkConfiguration          `json:",omitzero"`
	LoadBalancers            []ecs.LoadBalancer                 `json:",omitzero"`
	ServiceRegistries        []ecs.ServiceRegistry              `json:",omitzero"`
	VolumeConfigurations     []ecs.ServiceVolumeConfiguration   `json:",omitzero"`
}

// TemplateOf is the template in a service's intent.
func TemplateOf(service *Service) Template {
	s := &service.Service
	return Template{
		VolumeConfigurations: service.VolumeConfigurations,
		TaskDefinition:       s.TaskDefinition, LaunchType: s.LaunchType, CapacityProviderStrategy: s.CapacityProviderStrategy,
		PlatformVersion: s.PlatformVersion, NetworkConfiguration: s.NetworkConfiguration,
		LoadBalancers: s.LoadBalancers, ServiceRegistries: s.ServiceRegistries,
	}
}

// Put makes a service's intent say what the template does.
func (t *Template) Put(service *Service) {
	s := &service.Service
	service.VolumeConfigurations = t.VolumeConfigurations
	s.TaskDefinition, s.LaunchType, s.CapacityProviderStrategy = t.TaskDefinition, t.LaunchType, t.CapacityProviderStrategy
	s.PlatformVersion, s.NetworkConfiguration = t.PlatformVersion, t.NetworkConfiguration
	s.LoadBalancers, s.ServiceRegistries = t.LoadBalancers, t.ServiceRegistries
}

// CompleteBreaker fills in what a circuit breaker leaves out; nil is one that is
// off.
// Source: ECS API, DeploymentCircuitBreaker and ThresholdConfiguration.
func CompleteBreaker(in *ecs.DeploymentCircuitBreaker) *ecs.DeploymentCircuitBreaker {
	b := ecs.DeploymentCircuitBreaker{Enable: new(false), Rollback: new(false)}
	if in != nil {
		b = *in
	}
	if b.ResetOnHealthyTask == nil {
		b.ResetOnHealthyTask = new(true)
	}
	if b.ThresholdConfiguration == nil {
		b.ThresholdConfiguration = &ecs.ThresholdConfiguration{Type: ecs.ThresholdTypeBoundedPercent, Value: new(int32(50))}
	}
	return &b
}

// Rollback is the way back from a deployment that failed.
type Rollback struct {
	To        string // the ARN of the revision that takes its place again
	StartedAt time.Time
	// Outcome is ROLLBACK_IN_PROGRESS, ROLLBACK_SUCCESSFUL or ROLLBACK_FAILED.
	Outcome ecs.ServiceDeploymentStatus
}

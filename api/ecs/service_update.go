package ecs

import (
	"context"
	"reflect"
	"slices"
	"strings"
	"time"

	"fargo"
	"fargo/aws"
	"fargo/aws/ecs"
	"fargo/record"
	"fargo/store"
)

// UpdateService changes what a service wants. What its tasks are made from
// begins a new deployment; the rest takes effect at once.
// Source: ECS API, UpdateService.
func (s *Server) UpdateService(ctx context.Context, in *ecs.UpdateServiceInput) (*ecs.UpdateServiceOutput, error) {
	if err := checkUpdateService(in); err != nil {
		return nil, err
	}
	var updated *record.Service
	err := s.update(ctx, func(tx *store.Tx, scope fargo.Scope, now time.Time) error {
		c, err := cluster(tx, scope, in.Cluster)
		if err != nil {
			return err
		}
		old, err := activeService(tx, c, *in.Service)
		if err != nil {
			return err
		}
		next, current := *old, primary(tx, old)
		// What is left out of an update stays as it is shown: after a rollback that
		// is not what the user wanted before.
		current.Template.Put(&next)
		shown := next
		if err := apply(&next, in); err != nil {
			return err
		}
		next.Throttle, next.Rebalance.Rest = record.Throttle{}, time.Time{} // an update is a new try
		updated = &next
		var revision *ecs.ServiceRevision
		if needsDeployment(&shown, &next, in) {
			if revision, err = s.revision(tx, &next, *next.Service.TaskDefinition); err != nil {
				return err
			}
			next.Service.TaskDefinition = revision.TaskDefinition
		}
		if err := checkExecuteCommand(tx, &next, "updated"); err != nil {
			return err
		}
		if revision != nil && (aws.Value(in.ForceNewDeployment) || !sameRevision(&current.Revision, revision)) {
			begin(tx, &next, *revision, now)
			return nil
		}
		store.Services.Put(tx, &next)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &ecs.UpdateServiceOutput{Service: serviceView(s.db.View(), updated, true)}, nil
}

func checkUpdateService(in *ecs.UpdateServiceInput) error {
	return checkServiceParameters(&ecs.CreateServiceInput{
		DeploymentController: in.DeploymentController, PlacementConstraints: in.PlacementConstraints, PlacementStrategy: in.PlacementStrategy,
		ServiceRegistries: in.ServiceRegistries, ServiceConnectConfiguration: in.ServiceConnectConfiguration,
		VpcLatticeConfigurations: in.VpcLatticeConfigurations, Monitoring: in.Monitoring,
	})
}

// apply lays an update over a service's intent.
func apply(s *record.Service, in *ecs.UpdateServiceInput) error {
	shape := &s.Service
	set(&shape.DesiredCount, in.DesiredCount)
	if in.DeploymentConfiguration != nil {
		shape.DeploymentConfiguration = mergeDeployment(shape.DeploymentConfiguration, in.DeploymentConfiguration)
	}
	if in.CapacityProviderStrategy != nil {
		if !sameStrategy(shape.CapacityProviderStrategy, strategyDefaults(in.CapacityProviderStrategy)) && !aws.Value(in.ForceNewDeployment) {
			return invalid("When switching from launch type to capacity provider strategy on an existing service, or making a change to a capacity provider strategy on a service that is already using one, you must force a new deployment.")
		}
		shape.CapacityProviderStrategy = strategyDefaults(in.CapacityProviderStrategy)
		shape.LaunchType = ""
		if len(in.CapacityProviderStrategy) == 0 {
			shape.LaunchType = ecs.LaunchTypeFargate
		}
	}
	set(&shape.TaskDefinition, in.TaskDefinition)
	set(&shape.PlatformVersion, in.PlatformVersion)
	set(&shape.NetworkConfiguration, in.NetworkConfiguration)
	set(&shape.HealthCheckGracePeriodSeconds, in.HealthCheckGracePeriodSeconds)
	set(&shape.EnableExecuteCommand, in.EnableExecuteCommand)
	set(&shape.EnableECSManagedTags, in.EnableECSManagedTags)
	if in.PropagateTags != "" {
		shape.PropagateTags = in.PropagateTags
	}
	if in.AvailabilityZoneRebalancing != "" {
		shape.AvailabilityZoneRebalancing = in.AvailabilityZoneRebalancing
	}
	if in.LoadBalancers != nil {
		shape.LoadBalancers = in.LoadBalancers
	}
	if in.Monitoring != nil {
		s.Monitoring = in.Monitoring
	}
	if in.VolumeConfigurations != nil {
		s.VolumeConfigurations = in.VolumeConfigurations
	}
	return checkService(shape)
}

// sameStrategy compares strategies, whose items have no order.
func sameStrategy(a, b []ecs.CapacityProviderStrategyItem) bool {
	byProvider := func(a, b ecs.CapacityProviderStrategyItem) int {
		return strings.Compare(*a.CapacityProvider, *b.CapacityProvider)
	}
	a, b = slices.SortedFunc(slices.Values(a), byProvider), slices.SortedFunc(slices.Values(b), byProvider)
	return reflect.DeepEqual(a, b)
}

func set[T any](to **T, from *T) {
	if from != nil {
		*to = from
	}
}

// mergeDeployment keeps what an update does not name.
func mergeDeployment(old, in *ecs.DeploymentConfiguration) *ecs.DeploymentConfiguration {
	c := *old
	if in.DeploymentCircuitBreaker != nil {
		c.DeploymentCircuitBreaker = mergeBreaker(c.DeploymentCircuitBreaker, in.DeploymentCircuitBreaker)
	}
	set(&c.MinimumHealthyPercent, in.MinimumHealthyPercent)
	set(&c.MaximumPercent, in.MaximumPercent)
	set(&c.BakeTimeInMinutes, in.BakeTimeInMinutes)
	set(&c.Alarms, in.Alarms)
	set(&c.LinearConfiguration, in.LinearConfiguration)
	set(&c.CanaryConfiguration, in.CanaryConfiguration)
	if in.Strategy != "" {
		c.Strategy = in.Strategy
	}
	if in.LifecycleHooks != nil {
		c.LifecycleHooks = in.LifecycleHooks
	}
	return &c
}

// mergeBreaker keeps of a circuit breaker what an update does not name, as AWS
// was seen to do.
func mergeBreaker(old, in *ecs.DeploymentCircuitBreaker) *ecs.DeploymentCircuitBreaker {
	b := *record.CompleteBreaker(old)
	set(&b.Enable, in.Enable)
	set(&b.Rollback, in.Rollback)
	set(&b.ResetOnHealthyTask, in.ResetOnHealthyTask)
	set(&b.ThresholdConfiguration, in.ThresholdConfiguration)
	return &b
}

// needsDeployment reports whether an update names something that tasks are made
// from, or asks for a new deployment.
func needsDeployment(old, next *record.Service, in *ecs.UpdateServiceInput) bool {
	return aws.Value(in.ForceNewDeployment) || in.TaskDefinition != nil ||
		!reflect.DeepEqual(old.Service.NetworkConfiguration, next.Service.NetworkConfiguration) ||
		aws.Value(old.Service.PlatformVersion) != aws.Value(next.Service.PlatformVersion) ||
		!reflect.DeepEqual(old.Service.LoadBalancers, next.Service.LoadBalancers) ||
		!sameVolumes(old.VolumeConfigurations, next.VolumeConfigurations)
}

// sameRevision reports whether tasks made from a and b would be alike.
func sameRevision(a, b *ecs.ServiceRevision) bool {
	if a == nil {
		return false
	}
	return *a.TaskDefinition == *b.TaskDefinition && reflect.DeepEqual(a.NetworkConfiguration, b.NetworkConfiguration) &&
		reflect.DeepEqual(a.LoadBalancers, b.LoadBalancers) && sameVolumes(a.VolumeConfigurations, b.VolumeConfigurations) && reflect.DeepEqual(a.Monitoring, b.Monitoring) && aws.Value(a.PlatformVersion) == aws.Value(b.PlatformVersion)
}

// sameVolumes: no list is an empty one.
func sameVolumes(a, b []ecs.ServiceVolumeConfiguration) bool {
	return len(a) == 0 && len(b) == 0 || reflect.DeepEqual(a, b)
}

package ecs

import (
	"context"
	"iter"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	"fargo"
	"fargo/api"
	"fargo/api/page"
	"fargo/aws"
	"fargo/aws/ecs"
	"fargo/record"
	"fargo/store"
)

// serviceName is what a service may be called. Source: ECS API, CreateService.
var serviceName = regexp.MustCompile(`^[a-zA-Z0-9_-]{1,255}$`)

// serviceToken is what makes a call of CreateService idempotent.
// Source: ECS API, CreateService.
var serviceToken = regexp.MustCompile(`^[!-~]{1,36}$`)

// Limits of service calls. Source: ECS API; AWS General Reference, "Amazon ECS
// endpoints and quotas".
const (
	maxDescribeServices = 10
	maxServicePage      = 10
	maxTargetGroups     = 5
	maxServiceTasks     = 5000
	maxBakeTime         = 1440 // minutes
)

// findService finds a service of a cluster, whatever its status.
func findService(r store.Reader, c *record.Cluster, name string) (*record.Service, bool) {
	return store.Services.Get(r, c.Scope.Key(*c.Cluster.ClusterName, name))
}

// activeService finds one that can be changed.
func activeService(r store.Reader, c *record.Cluster, id string) (*record.Service, error) {
	name, err := nameIn(c, serviceIDs, id)
	if err != nil {
		return nil, err
	}
	s, ok := findService(r, c, name)
	switch {
	case !ok:
		return nil, ecs.ServiceNotFoundException("Service not found.")
	case s.Status() != statusActive:
		return nil, ecs.ServiceNotActiveException("Service was not ACTIVE.")
	}
	return s, nil
}

// CreateService makes a service and its first deployment; the service
// controller does the rest.
func (s *Server) CreateService(ctx context.Context, in *ecs.CreateServiceInput) (*ecs.CreateServiceOutput, error) {
	if err := checkCreateService(in); err != nil {
		return nil, err
	}
	var made *record.Service
	err := s.update(ctx, func(tx *store.Tx, scope fargo.Scope, now time.Time) error {
		c, err := cluster(tx, scope, in.Cluster)
		if err != nil {
			return err
		}
		next := newService(ctx, c, in, now)
		if err := checkService(&next.Service); err != nil {
			return err
		}
		old, ok := findService(tx, c, *in.ServiceName)
		if ok && old.Status() != statusInactive {
			if old.Status() == statusActive && sameService(&old.Service, &next.Service, primary(tx, old), in) && sameVolumes(old.VolumeConfigurations, next.VolumeConfigurations) && reflect.DeepEqual(old.Monitoring, next.Monitoring) {
				made = old
				return nil
			}
			if old.Status() != statusActive {
				return invalid("Unable to Start a service that is still Draining.")
			}
			return invalid("Creation of service was not idempotent.")
		}
		revision, err := s.revision(tx, next, *in.TaskDefinition)
		if err != nil {
			return err
		}
		next.Service.TaskDefinition = revision.TaskDefinition
		if err := checkExecuteCommand(tx, next, "created"); err != nil {
			return err
		}
		store.DeleteDeployments(tx, next.Key(), func(*record.Deployment) bool { return true }) // of one that ended
		begin(tx, next, *revision, now)
		made = next
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &ecs.CreateServiceOutput{Service: serviceView(s.db.View(), made, true)}, nil
}

// newService is the user's intent with AWS's defaults, applied once.
func newService(ctx context.Context, c *record.Cluster, in *ecs.CreateServiceInput, now time.Time) *record.Service {
	name := *c.Cluster.ClusterName
	shape := ecs.Service{
		ServiceArn: new(c.Scope.ARN("ecs", "service/"+name+"/"+*in.ServiceName)), ServiceName: in.ServiceName,
		ClusterArn: c.Cluster.ClusterArn, Status: new(statusActive), DesiredCount: in.DesiredCount,
		LoadBalancers: aws.List(in.LoadBalancers), ServiceRegistries: aws.List(in.ServiceRegistries),
		LaunchType: in.LaunchType, CapacityProviderStrategy: strategyDefaults(in.CapacityProviderStrategy),
		PlatformVersion: in.PlatformVersion, PlatformFamily: new("Linux"), TaskDefinition: in.TaskDefinition,
		DeploymentConfiguration: deploymentDefaults(in.DeploymentConfiguration, in.SchedulingStrategy == ecs.SchedulingStrategyDaemon),
		CreatedAt:               &now, CreatedBy: new(api.CallFrom(ctx).PrincipalARN), RoleArn: new(linkedRole(c.Scope)),
		PlacementConstraints: []ecs.PlacementConstraint{}, PlacementStrategy: []ecs.PlacementStrategy{},
		NetworkConfiguration: in.NetworkConfiguration, HealthCheckGracePeriodSeconds: in.HealthCheckGracePeriodSeconds,
		SchedulingStrategy: in.SchedulingStrategy, Tags: aws.List(in.Tags),
		DeploymentController: &ecs.DeploymentController{Type: ecs.DeploymentControllerTypeEcs},
		EnableECSManagedTags: new(aws.Value(in.EnableECSManagedTags)), PropagateTags: in.PropagateTags,
		EnableExecuteCommand:        new(aws.Value(in.EnableExecuteCommand)),
		AvailabilityZoneRebalancing: in.AvailabilityZoneRebalancing,
	}
	if shape.SchedulingStrategy == "" {
		shape.SchedulingStrategy = ecs.SchedulingStrategyReplica
	}
	if shape.LaunchType == "" && len(shape.CapacityProviderStrategy) == 0 {
		if len(c.Cluster.DefaultCapacityProviderStrategy) > 0 {
			shape.CapacityProviderStrategy = c.Cluster.DefaultCapacityProviderStrategy
		} else {
			shape.LaunchType = ecs.LaunchTypeEc2
		}
	}
	if shape.PlatformVersion == nil {
		shape.PlatformVersion = new("LATEST")
	}
	if shape.PropagateTags == "" {
		shape.PropagateTags = ecs.PropagateTagsNone
	}
	if shape.AvailabilityZoneRebalancing == "" {
		shape.AvailabilityZoneRebalancing = ecs.AvailabilityZoneRebalancingEnabled
		if checkRebalancing(&shape) != nil {
			shape.AvailabilityZoneRebalancing = ecs.AvailabilityZoneRebalancingDisabled
		}
	}
	if shape.HealthCheckGracePeriodSeconds == nil && len(shape.LoadBalancers) > 0 {
		shape.HealthCheckGracePeriodSeconds = new(int32(0))
	}
	return &record.Service{Scope: c.Scope, Cluster: name, Service: shape, VolumeConfigurations: in.VolumeConfigurations, Monitoring: in.Monitoring}
}

// linkedRole is the service-linked role, with which ECS keeps the network
// interfaces and targets of tasks in awsvpc mode. Nothing here needs it.
func linkedRole(s fargo.Scope) string {
	return "arn:aws:iam::" + s.Account + ":role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS"
}

// deploymentDefaults fills in what a deployment configuration leaves out.
// Source: ECS API, DeploymentConfiguration.
func deploymentDefaults(in *ecs.DeploymentConfiguration, daemon bool) *ecs.DeploymentConfiguration {
	c := ecs.DeploymentConfiguration{}
	if in != nil {
		c = *in
	}
	c.DeploymentCircuitBreaker = record.CompleteBreaker(c.DeploymentCircuitBreaker)
	minimum, maximum := int32(100), int32(200)
	if daemon {
		minimum, maximum = 0, 100
	}
	if c.MinimumHealthyPercent == nil {
		c.MinimumHealthyPercent = &minimum
	}
	if c.MaximumPercent == nil {
		c.MaximumPercent = &maximum
	}
	if c.Strategy == "" {
		c.Strategy = ecs.DeploymentStrategyRolling
	}
	if c.BakeTimeInMinutes == nil {
		c.BakeTimeInMinutes = new(int32(0))
	}
	return &c
}

// sameService reports whether a service, whose primary deployment d is, is what a
// call would make of it.
func sameService(old, next *ecs.Service, d *record.Deployment, in *ecs.CreateServiceInput) bool {
	a, b := *old, *next
	for _, s := range []*ecs.Service{&a, &b} {
		s.CreatedAt, s.CreatedBy, s.TaskDefinition = nil, nil, nil
	}
	return reflect.DeepEqual(a, b) && sameDefinition(*d.Revision.TaskDefinition, aws.Value(in.TaskDefinition))
}

func sameDefinition(arn, id string) bool {
	return arn == id || strings.TrimPrefix(arn[strings.LastIndex(arn, ":task-definition/")+1:], "task-definition/") == id
}

// checkExecuteCommand sees that the tasks of a service into which commands can be
// sent have a role.
func checkExecuteCommand(r store.Reader, s *record.Service, verb string) error {
	if !aws.Value(s.Service.EnableExecuteCommand) {
		return nil
	}
	if d, ok := store.TaskDefinitionByARN(r, *s.Service.TaskDefinition); ok && d.Definition.TaskRoleArn == nil {
		return invalid("The service couldn't be %s because a valid taskRoleArn is not being used. Specify a valid task role in your task definition and try again.", verb)
	}
	return nil
}

// revision checks what a service's tasks are to be made from, against the
// state, and resolves it. definition is the name or ARN of a task definition.
func (s *Server) revision(tx *store.Tx, service *record.Service, definition string) (*ecs.ServiceRevision, error) {
	shape := &service.Service
	d, err := findDefinition(tx, service.Scope, definition)
	if err != nil {
		return nil, err
	}
	switch {
	case d == nil:
		return nil, ecs.ClientException("TaskDefinition not found.")
	case d.Definition.Status != ecs.TaskDefinitionStatusActive:
		return nil, ecs.ClientException("TaskDefinition is inactive")
	case shape.LaunchType != ecs.LaunchTypeFargate && len(shape.CapacityProviderStrategy) == 0:
		return nil, invalid("No Container Instances were found in your cluster.")
	case !slices.Contains(d.Definition.Compatibilities, ecs.CompatibilityFargate):
		return nil, invalid("Task definition does not support launch_type FARGATE.")
	}
	if err := checkImplemented(&d.Definition, nil); err != nil {
		return nil, err
	}
	version, err := platformFor(shape.PlatformVersion, &d.Definition)
	if err != nil {
		return nil, err
	}
	if len(shape.CapacityProviderStrategy) > 0 {
		c, _ := store.Clusters.Get(tx, service.Scope.Key(service.Cluster))
		if err := checkStrategy(c.Cluster.CapacityProviders, shape.CapacityProviderStrategy); err != nil {
			return nil, err
		}
	}
	network, err := checkNetworkConfiguration(tx, service.Scope, shape.NetworkConfiguration)
	if err != nil {
		return nil, err
	}
	if err := checkServiceTargets(tx, d, network, shape.LoadBalancers); err != nil {
		return nil, err
	}
	if err := checkServiceVolume(d, service.VolumeConfigurations); err != nil {
		return nil, err
	}
	return &ecs.ServiceRevision{
		VolumeConfigurations: service.VolumeConfigurations, Monitoring: service.Monitoring,
		ServiceArn: shape.ServiceArn, ClusterArn: shape.ClusterArn, TaskDefinition: d.Definition.TaskDefinitionArn,
		LaunchType: shape.LaunchType, CapacityProviderStrategy: shape.CapacityProviderStrategy,
		PlatformVersion: &version, PlatformFamily: new("Linux"),
		LoadBalancers: shape.LoadBalancers, ServiceRegistries: shape.ServiceRegistries,
		NetworkConfiguration:    &ecs.NetworkConfiguration{AwsvpcConfiguration: network},
		ContainerImages:         containerImages(d),
		GuardDutyEnabled:        new(false),
		FargateEphemeralStorage: &ecs.DeploymentEphemeralStorage{},
	}, nil
}

func containerImages(d *record.TaskDefinition) []ecs.ContainerImage {
	var out []ecs.ContainerImage
	for _, c := range d.Definition.ContainerDefinitions {
		out = append(out, ecs.ContainerImage{ContainerName: c.Name, Image: c.Image})
	}
	return out
}

// DescribeServices shows services, those that ended among them.
func (s *Server) DescribeServices(ctx context.Context, in *ecs.DescribeServicesInput) (*ecs.DescribeServicesOutput, error) {
	scope, view := api.CallFrom(ctx).Scope(), s.db.View()
	c, err := cluster(view, scope, in.Cluster)
	if err != nil {
		return nil, err
	}
	switch {
	case len(in.Services) == 0:
		return nil, invalid("Services cannot be empty.")
	case len(in.Services) > maxDescribeServices:
		return nil, invalid("service names can have at most %d items.", maxDescribeServices)
	}
	out := &ecs.DescribeServicesOutput{Services: []ecs.Service{}, Failures: []ecs.Failure{}}
	for _, id := range in.Services {
		name, err := nameIn(c, serviceIDs, id)
		if err != nil {
			return nil, err
		}
		found, ok := findService(view, c, name)
		if !ok {
			out.Failures = append(out.Failures, missing(scope.ARN("ecs", "service/"+*c.Cluster.ClusterName+"/"+name)))
			continue
		}
		out.Services = append(out.Services, *serviceView(view, found, slices.Contains(in.Include, ecs.ServiceFieldTags)))
	}
	return out, nil
}

// servicesOf gives the services of a cluster that still stand.
func servicesOf(r store.Reader, c *record.Cluster) iter.Seq[*record.Service] {
	return func(yield func(*record.Service) bool) {
		for s := range store.Services.Prefix(r, c.Scope.Key(*c.Cluster.ClusterName, "")) {
			if s.Status() != statusInactive && !yield(s) {
				return
			}
		}
	}
}

// ListServices gives the ARNs of a cluster's active services.
func (s *Server) ListServices(ctx context.Context, in *ecs.ListServicesInput) (*ecs.ListServicesOutput, error) {
	view := s.db.View()
	c, err := cluster(view, api.CallFrom(ctx).Scope(), in.Cluster)
	if err != nil {
		return nil, err
	}
	arns, next, err := page.Of(pages.WithDefault(maxServicePage).Ask(in, in.NextToken, in.MaxResults), func(yield func(string) bool) {
		for s := range servicesOf(view, c) {
			if s.Status() != statusActive || in.ResourceManagementType == ecs.ResourceManagementTypeEcs || (in.LaunchType != "" && s.Service.LaunchType != in.LaunchType) ||
				(in.SchedulingStrategy != "" && s.Service.SchedulingStrategy != in.SchedulingStrategy) {
				continue
			}
			if !yield(s.ARN()) {
				return
			}
		}
	}, page.Itself)
	return &ecs.ListServicesOutput{ServiceArns: arns, NextToken: next}, err
}

// ListServicesByNamespace gives none, as Service Connect is not implemented: of
// the namespaces that clusters have as their default, and there are no others.
func (s *Server) ListServicesByNamespace(ctx context.Context, in *ecs.ListServicesByNamespaceInput) (*ecs.ListServicesByNamespaceOutput, error) {
	for c := range store.Clusters.Prefix(s.db.View(), api.CallFrom(ctx).Scope().Key()) {
		if d := c.Cluster.ServiceConnectDefaults; d != nil && aws.Value(d.Namespace) == *in.Namespace {
			return &ecs.ListServicesByNamespaceOutput{ServiceArns: []string{}}, nil
		}
	}
	return nil, ecs.NamespaceNotFoundException("The specified namespace was not found.")
}

// DeleteService ends a service: DRAINING until its last task has stopped. One
// that is DRAINING may be deleted again, as Terraform does.
func (s *Server) DeleteService(ctx context.Context, in *ecs.DeleteServiceInput) (*ecs.DeleteServiceOutput, error) {
	var gone record.Service
	err := s.update(ctx, func(tx *store.Tx, scope fargo.Scope, _ time.Time) error {
		c, err := cluster(tx, scope, in.Cluster)
		if err != nil {
			return err
		}
		name, err := nameIn(c, serviceIDs, *in.Service)
		if err != nil {
			return err
		}
		found, ok := findService(tx, c, name)
		switch {
		case !ok, found.Status() == statusInactive:
			return ecs.ServiceNotFoundException("Service not found.")
		case found.Status() != statusActive: // it is on its way
			gone = *found
			return nil
		}
		if !found.Daemon() && found.DesiredCount() > 0 && !aws.Value(in.Force) {
			return invalid("The service cannot be stopped while it is scaled above 0.")
		}
		gone = *found
		gone.Service.Status, gone.Service.DesiredCount = new("DRAINING"), new(int32(0))
		store.Services.Put(tx, &gone)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &ecs.DeleteServiceOutput{Service: serviceView(s.db.View(), &gone, true)}, nil
}

package ecs

import (
	"slices"

	"fargo"

	"fargo/aws"
	"fargo/aws/ecs"
	"fargo/aws/elbv2"
	"fargo/record"
	"fargo/store"
)

// checkCreateService holds the rules of a call itself. What the service is to be is
// for [checkService].
func checkCreateService(in *ecs.CreateServiceInput) error {
	switch {
	case !serviceName.MatchString(aws.Value(in.ServiceName)):
		return invalid("Invalid service name: %s. A service name may only contain letters, numbers, hyphens and underscores, up to 255 characters.", aws.Value(in.ServiceName))
	case in.TaskDefinition == nil:
		return invalid("TaskDefinition cannot be blank.")
	case in.ClientToken != nil && !serviceToken.MatchString(*in.ClientToken):
		return invalid("clientToken must be at most 36 characters long, each of them visible ASCII.")
	case in.Role != nil:
		return invalid("You cannot specify an IAM role for services that require a service linked role.")
	}
	if err := checkServiceParameters(in); err != nil {
		return err
	}
	return tagRules.Check(in.Tags)
}

// checkServiceParameters checks what CreateService and UpdateService both take, and
// no service has.
func checkServiceParameters(in *ecs.CreateServiceInput) error {
	switch {
	case in.DeploymentController != nil && in.DeploymentController.Type != ecs.DeploymentControllerTypeEcs:
		return notImplemented("the deployment controller " + string(in.DeploymentController.Type))
	case len(in.ServiceRegistries) > 0:
		return notImplemented("serviceRegistries")
	case in.ServiceConnectConfiguration != nil && aws.Value(in.ServiceConnectConfiguration.Enabled):
		return notImplemented("serviceConnectConfiguration")
	case len(in.VpcLatticeConfigurations) > 0:
		return notImplemented("vpcLatticeConfigurations")
	case len(in.PlacementStrategy) > 0 && in.SchedulingStrategy == ecs.SchedulingStrategyDaemon:
		return invalid("The daemon scheduling strategy does not support placement strategies. Remove the placement strategy and try again")
	case len(in.PlacementConstraints) > 0 || len(in.PlacementStrategy) > 0:
		return invalid("Placement constraints and strategies are not supported with the FARGATE launch type.")
	}
	return checkMonitoring(in.Monitoring)
}

// checkService holds the rules of a service as it is to be, with its defaults and
// what an update leaves as it was: what a call does not name counts as much as what
// it names. What depends on other things is for [Server.revision].
func checkService(s *ecs.Service) error {
	for _, check := range []func(*ecs.Service) error{
		checkScheduling, checkServicePlatform, checkDeploymentConfiguration, checkGrace, checkRebalancing,
	} {
		if err := check(s); err != nil {
			return err
		}
	}
	return nil
}

func checkScheduling(s *ecs.Service) error {
	daemon := s.SchedulingStrategy == ecs.SchedulingStrategyDaemon
	n := s.DesiredCount
	switch {
	case s.LaunchType != "" && len(s.CapacityProviderStrategy) > 0:
		return invalid("Specifying both a launch type and capacity provider strategy is not supported. Remove one and try again.")
	case daemon && len(s.CapacityProviderStrategy) > 0:
		return invalid("Specifying a capacity provider strategy is not supported when you create a service using the DAEMON scheduling strategy.")
	case daemon && n != nil:
		return invalid("The daemon scheduling strategy does not support a desired count for services. Remove the desired count value and try again.")
	case !daemon && n == nil:
		return invalid("DesiredCount is required for services with the REPLICA scheduling strategy.")
	case n != nil && *n < 0:
		return invalid("DesiredCount must be greater than or equal to 0.")
	case n != nil && *n > maxServiceTasks:
		return invalid("DesiredCount must be at most %d, the quota of tasks per service.", maxServiceTasks)
	}
	return nil
}

func notImplemented(what string) error {
	return ecs.UnsupportedFeatureException("Fargo does not implement %s.", what)
}

func checkServicePlatform(s *ecs.Service) error {
	_, err := platform(s.PlatformVersion)
	return err
}

func checkGrace(s *ecs.Service) error {
	switch seconds := aws.Value(s.HealthCheckGracePeriodSeconds); {
	case seconds < 0:
		return invalid("healthCheckGracePeriodSeconds must be at least 0")
	case seconds > 0 && len(s.LoadBalancers) == 0:
		return invalid("Health check grace period is only valid for services configured to use load balancers")
	}
	return nil
}

// checkDeploymentConfiguration knows no upper bound of maximumPercent: AWS has
// none.
func checkDeploymentConfiguration(s *ecs.Service) error {
	c := s.DeploymentConfiguration
	least, most := *c.MinimumHealthyPercent, *c.MaximumPercent
	switch {
	case least < 0:
		return invalid("minimumHealthyPercent must be at least 0")
	case least > 100:
		return invalid("minimumHealthyPercent must be at most 100")
	case most < 100:
		return invalid("maximumPercent must be at least 100")
	case most > 100 && s.SchedulingStrategy == ecs.SchedulingStrategyDaemon:
		return invalid("The daemon scheduling strategy does not support values above 100 for maximumPercent on a deployment configuration. Change the maximumPercent value to 100, and try again")
	case least == 100 && most == 100:
		return invalid("Both maximumPercent and minimumHealthyPercent cannot be 100 as this will block deployments.")
	case c.Strategy != "" && c.Strategy != ecs.DeploymentStrategyRolling:
		return notImplemented("the deployment strategy " + string(c.Strategy))
	case c.LinearConfiguration != nil:
		return invalid("linearConfiguration can only be specified with the LINEAR deployment strategy.")
	case c.CanaryConfiguration != nil:
		return invalid("canaryConfiguration can only be specified with the CANARY deployment strategy.")
	case c.BakeTimeInMinutes != nil && (*c.BakeTimeInMinutes < 0 || *c.BakeTimeInMinutes > maxBakeTime):
		return invalid("bakeTimeInMinutes must be between 0 and %d.", maxBakeTime)
	case len(c.LifecycleHooks) > 0:
		return notImplemented("lifecycleHooks")
	case c.DeploymentCircuitBreaker != nil && c.DeploymentCircuitBreaker.ThresholdConfiguration != nil:
		return checkThreshold(c.DeploymentCircuitBreaker.ThresholdConfiguration)
	}
	return nil
}

// checkThreshold knows no upper bound of COUNT: AWS documents none.
// Source: ECS developer guide, "How the Amazon ECS deployment circuit breaker
// detects failures".
func checkThreshold(t *ecs.ThresholdConfiguration) error {
	switch {
	case t.Type == ecs.ThresholdTypeCount && *t.Value < 1:
		return invalid("thresholdConfiguration.value must be at least 1 for the type COUNT")
	case t.Type != ecs.ThresholdTypeCount && (*t.Value < 1 || *t.Value > 100):
		return invalid("thresholdConfiguration.value must be between 1 and 100 for the type %s", t.Type)
	}
	return nil
}

// checkRebalancing sees that a service whose tasks are to be moved between zones
// can be.
// Source: ECS developer guide, "Balancing an Amazon ECS service across
// Availability Zones".
func checkRebalancing(s *ecs.Service) error {
	switch {
	case s.AvailabilityZoneRebalancing != ecs.AvailabilityZoneRebalancingEnabled:
		return nil
	case s.SchedulingStrategy == ecs.SchedulingStrategyDaemon:
		return invalid("Availability Zone Rebalancing does not support DAEMON services.")
	case *s.DeploymentConfiguration.MaximumPercent <= 100:
		return invalid("Availability Zone Rebalancing does not support maximumPercent <= 100 %% as deployment configuration.")
	}
	return nil
}

// checkServiceTargets finds the target groups a service names and sees that its
// tasks can be their targets.
// Source: ECS developer guide, "Use load balancing to distribute Amazon ECS
// service traffic".
func checkServiceTargets(r store.Reader, d *record.TaskDefinition, network *ecs.AwsVpcConfiguration, balancers []ecs.LoadBalancer) error {
	if len(balancers) > maxTargetGroups {
		return invalid("Services cannot have more than %d target groups.", maxTargetGroups)
	}
	for _, l := range balancers {
		switch {
		case l.LoadBalancerName != nil && l.TargetGroupArn != nil:
			return invalid("loadBalancerName and targetGroupArn cannot both be specified. You must specify either a loadBalancerName or a targetGroupArn.")
		case l.LoadBalancerName != nil:
			return invalid("Classic Load Balancers are not supported with Fargate.")
		case l.TargetGroupArn == nil:
			return invalid("Target group ARN cannot be blank.")
		case l.AdvancedConfiguration != nil:
			return notImplemented("loadBalancers.advancedConfiguration")
		}
		if err := checkTargetGroup(r, d.Scope, *l.TargetGroupArn, network); err != nil {
			return err
		}
		c := d.Container(aws.Value(l.ContainerName))
		if c == nil {
			return invalid("The container %s does not exist in the task definition.", aws.Value(l.ContainerName))
		}
		if l.ContainerPort == nil || !slices.ContainsFunc(c.PortMappings, func(p ecs.PortMapping) bool { return p.ContainerPort != nil && *p.ContainerPort == *l.ContainerPort }) {
			return invalid("The container %s did not have a container port %d defined.", aws.Value(l.ContainerName), aws.Value(l.ContainerPort))
		}
	}
	return nil
}

func checkTargetGroup(r store.Reader, scope fargo.Scope, arn string, network *ecs.AwsVpcConfiguration) error {
	g, ok := store.ELBTargetGroups.Get(r, arn)
	if !ok || g.Scope != scope {
		return invalid("The specified target group does not exist: %s", arn)
	}
	if g.TargetGroup.TargetType != elbv2.TargetTypeEnumIp {
		return invalid("The provided target group %s has target type %s, which is incompatible with the awsvpc network mode specified in the task definition.", arn, g.TargetGroup.TargetType)
	}
	n, ok := store.EC2Subnets.Get(r, g.Scope.Key(network.Subnets[0]))
	if ok && aws.Value(g.TargetGroup.VpcId) != *n.Subnet.VpcId {
		return invalid("The target group %s is in the VPC %s, but the service's subnets are in the VPC %s.", arn, aws.Value(g.TargetGroup.VpcId), *n.Subnet.VpcId)
	}
	if len(store.LoadBalancersOfGroup(r, arn)) == 0 {
		return invalid("The target group with targetGroupArn %s does not have an associated load balancer.", arn)
	}
	return nil
}

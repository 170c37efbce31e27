package ecs

import (
	"regexp"
	"slices"

	"fargo"
	"fargo/aws"
	"fargo/aws/ecs"
	"fargo/plan"
)

// newDefinition fills in what the user left out, once and for all.
// Source: ECS API, RegisterTaskDefinition; Terraform compares with these.
func newDefinition(scope fargo.Scope, in *ecs.RegisterTaskDefinitionInput) *ecs.TaskDefinition {
	d := &ecs.TaskDefinition{
		Family: in.Family, TaskRoleArn: roleARN(scope, in.TaskRoleArn), ExecutionRoleArn: roleARN(scope, in.ExecutionRoleArn),
		NetworkMode: in.NetworkMode, ContainerDefinitions: slices.Clone(in.ContainerDefinitions),
		Volumes: slices.Clone(aws.List(in.Volumes)), PlacementConstraints: aws.List(in.PlacementConstraints),
		RequiresCompatibilities: in.RequiresCompatibilities, Cpu: in.Cpu, Memory: in.Memory,
		PidMode: in.PidMode, IpcMode: in.IpcMode, ProxyConfiguration: in.ProxyConfiguration,
		InferenceAccelerators: in.InferenceAccelerators, EphemeralStorage: in.EphemeralStorage,
		RuntimePlatform: in.RuntimePlatform, EnableFaultInjection: in.EnableFaultInjection,
		Status: ecs.TaskDefinitionStatusActive,
	}
	for i := range d.ContainerDefinitions {
		completeContainer(&d.ContainerDefinitions[i], d.NetworkMode)
	}
	for i := range d.Volumes {
		completeVolume(&d.Volumes[i])
	}
	return d
}

// roleName is what a role is called for short, after its path if it has one.
// Source: IAM API, CreateRole.
var roleName = regexp.MustCompile(`^([\w+=,.@-]+/)*[\w+=,.@-]{1,64}$`)

// roleARN is the ARN of a role that a user may have named for short; nil is none.
// Source: ECS API, RegisterTaskDefinition, taskRoleArn;
// github.com/aws-actions/amazon-ecs-render-task-definition/issues/19.
func roleARN(scope fargo.Scope, given *string) *string {
	switch {
	case aws.Value(given) == "":
		return nil
	case roleName.MatchString(*given):
		return new("arn:aws:iam::" + scope.Account + ":role/" + *given)
	}
	return given
}

// completeContainer fills in what a container definition leaves out. What it points
// to is not changed.
func completeContainer(c *ecs.ContainerDefinition, mode ecs.NetworkMode) {
	if c.Cpu == nil {
		c.Cpu = new(int32(0))
	}
	if c.Essential == nil {
		c.Essential = new(true)
	}
	c.Environment = aws.List(c.Environment)
	c.MountPoints = aws.List(c.MountPoints)
	c.VolumesFrom = aws.List(c.VolumesFrom)
	c.SystemControls = aws.List(c.SystemControls)
	c.PortMappings = slices.Clone(aws.List(c.PortMappings))
	for i := range c.PortMappings {
		completePort(&c.PortMappings[i], mode)
	}
	if c.HealthCheck != nil {
		c.HealthCheck = plan.CompleteHealthCheck(c.HealthCheck)
	}
	if p := c.LinuxParameters; p != nil && p.Capabilities != nil {
		changed := *p
		// Source: github.com/braintrustdata/terraform-aws-braintrust-data-plane/pull/335.
		changed.Capabilities = &ecs.KernelCapabilities{Add: aws.List(p.Capabilities.Add), Drop: aws.List(p.Capabilities.Drop)}
		c.LinuxParameters = &changed
	}
	if c.FirelensConfiguration != nil && c.User == nil {
		c.User = new("0") // a log router reads sockets of root's
	}
}

// completePort: a host port is not given, or 0, when it does not matter. In a
// network of its own it is the container's; on a bridge it stays open until there is
// a task. Source: ECS API, PortMapping.
func completePort(p *ecs.PortMapping, mode ecs.NetworkMode) {
	if p.Protocol == "" {
		p.Protocol = ecs.TransportProtocolTcp
	}
	if aws.Value(p.HostPort) != 0 || p.ContainerPort == nil {
		return
	}
	switch mode {
	case ecs.NetworkModeAwsvpc, ecs.NetworkModeHost:
		p.HostPort = p.ContainerPort
	default:
		p.HostPort = new(int32(0))
	}
}

// completeVolume: a volume that says nothing of where it is, is the task's own, and
// of a file system the whole is meant. Source: ECS API, Volume,
// EFSVolumeConfiguration; Terraform compares with them.
func completeVolume(v *ecs.Volume) {
	own := v.DockerVolumeConfiguration == nil && v.EfsVolumeConfiguration == nil && v.FsxWindowsFileServerVolumeConfiguration == nil &&
		v.S3filesVolumeConfiguration == nil && !aws.Value(v.ConfiguredAtLaunch)
	if v.Host == nil && own {
		v.Host = &ecs.HostVolumeProperties{}
	}
	if e := v.EfsVolumeConfiguration; e != nil && aws.Value(e.RootDirectory) == "" {
		changed := *e
		changed.RootDirectory = new("/")
		v.EfsVolumeConfiguration = &changed
	}
}

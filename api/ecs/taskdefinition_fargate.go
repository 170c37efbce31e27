package ecs

import (
	"slices"
	"strings"

	"fargo/aws"
	"fargo/aws/ecs"
	"fargo/plan"
)

// fargateDrivers are the log drivers Fargate takes, in the order AWS names them.
var fargateDrivers = []ecs.LogDriver{ecs.LogDriverAwslogs, ecs.LogDriverSplunk, ecs.LogDriverAwsfirelens}

// checkFargate refuses what Fargate cannot run.
// Source: ECS developer guide, "Task definition differences for Fargate".
func checkFargate(d *ecs.TaskDefinition) error {
	if d.NetworkMode != ecs.NetworkModeAwsvpc {
		return refuse("Fargate only supports network mode ‘awsvpc’.")
	}
	if d.Cpu == nil {
		return refuse("Fargate requires that 'cpu' be defined at the task level.")
	}
	if d.Memory == nil {
		return refuse("Fargate requires that 'memory' be defined at the task level.")
	}
	if !plan.FargateSize(mustInt(*d.Cpu), mustInt(*d.Memory)) {
		return refuse("No Fargate configuration exists for given values: %s CPU, %s memory. See the Amazon ECS documentation for the valid values.", *d.Cpu, *d.Memory)
	}
	switch {
	case d.IpcMode != "":
		return unsupported("ipcMode")
	case d.PidMode == ecs.PidModeHost:
		return refuse("Fargate only supports pid mode 'task'.")
	case len(d.PlacementConstraints) > 0:
		return unsupported("constraints")
	case len(d.InferenceAccelerators) > 0:
		return refuse("Unsupported field 'inferenceAccelerators'")
	case d.EphemeralStorage != nil && d.EphemeralStorage.SizeInGiB != nil && (*d.EphemeralStorage.SizeInGiB < 20 || *d.EphemeralStorage.SizeInGiB > 200):
		return refuse("Invalid 'ephemeralStorage' setting for task: sizeInGiB must be between 20 and 200.")
	}
	for _, v := range d.Volumes {
		if v.Host != nil && v.Host.SourcePath != nil {
			return unsupported("sourcePath")
		}
		if v.DockerVolumeConfiguration != nil {
			return unsupported("dockerVolumeConfiguration")
		}
	}
	for i := range d.ContainerDefinitions {
		if err := checkFargateContainer(d, &d.ContainerDefinitions[i]); err != nil {
			return err
		}
	}
	return nil
}

func unsupported(field string) error {
	return refuse("Fargate compatible task definitions do not support %s", field)
}

func checkFargateContainer(d *ecs.TaskDefinition, c *ecs.ContainerDefinition) error {
	if aws.Value(c.Privileged) {
		return refuse("Fargate requires that the 'privileged' setting be 'false'")
	}
	if len(c.DockerSecurityOptions) > 0 {
		return unsupported("dockerSecurityOptions")
	}
	if r := c.ResourceRequirements; len(r) > 0 && r[0].Type == ecs.ResourceTypeGpu {
		return unsupported("gpu")
	} else if len(r) > 0 {
		return unsupported("resourceRequirements of the type " + string(r[0].Type))
	}
	if ecrImage.MatchString(*c.Image) && d.ExecutionRoleArn == nil {
		return refuse("Fargate requires task definition to have execution role ARN to support ECR images.")
	}
	if err := checkFargateLinux(c.LinuxParameters); err != nil {
		return err
	}
	return checkFargateLogs(d, c.LogConfiguration)
}

func checkFargateLinux(p *ecs.LinuxParameters) error {
	if p == nil {
		return nil
	}
	switch {
	case len(p.Devices) > 0:
		return unsupported("devices")
	case p.SharedMemorySize != nil:
		return unsupported("sharedMemorySize")
	case len(p.Tmpfs) > 0:
		return unsupported("tmpfs")
	case p.MaxSwap != nil:
		return unsupported("maxSwap")
	case p.Swappiness != nil:
		return unsupported("swappiness")
	}
	if p.Capabilities != nil {
		for _, name := range p.Capabilities.Add {
			if name != "SYS_PTRACE" {
				return refuse("%s is not allowed on Fargate.", name)
			}
		}
	}
	return nil
}

func checkFargateLogs(d *ecs.TaskDefinition, l *ecs.LogConfiguration) error {
	if l == nil {
		return nil
	}
	if !slices.Contains(fargateDrivers, l.LogDriver) {
		names := make([]string, len(fargateDrivers))
		for i, n := range fargateDrivers {
			names[i] = string(n)
		}
		return refuse("%s is not a valid log driver. Must be one of [%s]", l.LogDriver, strings.Join(names, ", "))
	}
	if l.LogDriver != ecs.LogDriverAwslogs {
		return nil
	}
	switch {
	case l.Options["awslogs-group"] == "":
		return refuse("Log driver awslogs requires options: awslogs-group")
	case l.Options["awslogs-region"] == "":
		return refuse("Log driver awslogs requires options: awslogs-region")
	case l.Options["awslogs-stream-prefix"] == "":
		return refuse("Fargate requires log configuration options to include awslogs-stream-prefix to support log driver awslogs.")
	case d.ExecutionRoleArn == nil:
		return refuse("Fargate requires task definition to have execution role ARN to support log driver awslogs.")
	}
	return nil
}

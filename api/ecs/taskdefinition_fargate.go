package ecs

import (
	"fargo/aws"
	"fargo/aws/ecs"
	"fargo/plan"
)

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
		return refuse("Tasks using the Fargate launch type do not support pidMode 'host'. The supported value for pidMode is 'task'.")
	case len(d.PlacementConstraints) > 0:
		return unsupported("constraints")
	case len(d.InferenceAccelerators) > 0:
		return refuse("Unsupported field 'inferenceAccelerators'")
	}
	if err := checkStorage(d.EphemeralStorage); err != nil {
		return err
	}
	for _, v := range d.Volumes {
		if v.Host != nil && aws.Value(v.Host.SourcePath) != "" {
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

// Bounds of a task's storage, in GiB. Source: ECS API, EphemeralStorage.
const (
	minStorage = 21
	maxStorage = 200
)

func checkStorage(e *ecs.EphemeralStorage) error {
	switch {
	case e == nil || e.SizeInGiB == nil:
		return nil
	case *e.SizeInGiB < minStorage:
		return refuse("EphemeralStorage size should be at least %d.", minStorage)
	case *e.SizeInGiB > maxStorage:
		return refuse("EphemeralStorage size should be at most %d.", maxStorage)
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
		return refuse("Tasks using the Fargate launch type do not support GPU resource requirements.")
	} else if len(r) > 0 {
		return unsupported("resourceRequirements of the type " + string(r[0].Type))
	}
	if ecrImage.MatchString(*c.Image) && d.ExecutionRoleArn == nil {
		return refuse("Fargate requires task definition to have execution role ARN to support ECR images.")
	}
	if err := checkFargateLinux(c.LinuxParameters); err != nil {
		return err
	}
	return checkFargateLogs(d, c)
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

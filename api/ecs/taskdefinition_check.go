package ecs

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"

	"fargo/aws"
	"fargo/aws/ecs"
	"fargo/plan"
)

// The rules of RegisterTaskDefinition, and their texts.
// Source: ECS developer guide, "Amazon ECS task definition parameters for
// Fargate"; ECS API, RegisterTaskDefinition.

var (
	familyName    = regexp.MustCompile(`^[a-zA-Z0-9_-]{1,255}$`)
	containerName = regexp.MustCompile(`^[a-zA-Z0-9_-]{1,255}$`)
	roleARNForm   = regexp.MustCompile(`^arn:aws[a-z-]*:iam::\d{12}:role/.+$`)
	// credentialsParameter is a secret's ARN or name. The letters of names are Secrets
	// Manager's; the text of the refusal names fewer.
	credentialsParameter = regexp.MustCompile(`^(arn:aws[a-z-]*:secretsmanager:[^:\s]+:\d{12}:secret:)?[\w/+=.@-]{1,255}$`)
	ecrImage             = regexp.MustCompile(`^\d{12}\.dkr[.-]ecr\.[a-z0-9-]+\.`)
)

// maxContainers is the limit of container definitions in a task definition.
const maxContainers = 10

// refuse is the answer to a definition that breaks a rule.
func refuse(format string, args ...any) error { return ecs.ClientException(format, args...) }

func checkDefinition(d *ecs.TaskDefinition) error {
	if !familyName.MatchString(*d.Family) {
		return refuse("Invalid parameter at 'family': The family name may only contain letters, numbers, hyphens and underscores, up to 255 characters.")
	}
	if n := len(d.ContainerDefinitions); n == 0 || n > maxContainers {
		if n == 0 {
			return refuse("Container list cannot be empty.")
		}
		return refuse("Too many containers.")
	}
	for _, arn := range []*string{d.TaskRoleArn, d.ExecutionRoleArn} {
		if arn != nil && !roleARNForm.MatchString(*arn) {
			return refuse("Role is not valid")
		}
	}
	for _, check := range []func(*ecs.TaskDefinition) error{
		checkSize, checkContainers, checkEnvironmentFiles, checkDependencies, checkVolumes, checkLogs, checkCompatibilities,
	} {
		if err := check(d); err != nil {
			return err
		}
	}
	if why := unstartable(d); why != "" {
		return refuse("%s", why)
	}
	return nil
}

// maxDefinition is the quota of a task definition's size, in bytes of JSON.
// Source: ECS developer guide, "Service quotas"; the text:
// github.com/awsdocs/amazon-ecs-developer-guide/pull/149.
const maxDefinition = 64 << 10

func checkLength(in *ecs.RegisterTaskDefinitionInput) error {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false) // no client writes \u003c for one character
	if err := e.Encode(in); err != nil {
		return err
	}
	if b.Len() > maxDefinition {
		return refuse("Actual length: '%d'. Max allowed length is '%d' bytes.", b.Len(), maxDefinition)
	}
	return nil
}

// checkSize reads task-level cpu and memory and leaves them as plain integers,
// which is how they are shown.
func checkSize(d *ecs.TaskDefinition) error {
	if d.Cpu != nil {
		n, ok := plan.ParseCPU(*d.Cpu)
		if !ok {
			return refuse("Invalid 'cpu' setting for task. For more information, see the Troubleshooting section of the Amazon ECS Developer Guide.")
		}
		d.Cpu = new(strconv.FormatInt(n, 10))
	}
	if d.Memory != nil {
		n, ok := plan.ParseMemory(*d.Memory)
		if !ok {
			return refuse("Invalid 'memory' setting for task. For more information, see the Troubleshooting section of the Amazon ECS Developer Guide.")
		}
		d.Memory = new(strconv.FormatInt(n, 10))
	}
	return nil
}

func checkContainers(d *ecs.TaskDefinition) error {
	essential := false
	names, ports, portNames := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for i := range d.ContainerDefinitions {
		c := &d.ContainerDefinitions[i]
		name := aws.Value(c.Name)
		switch {
		case name == "":
			return refuse("Container.name should not be null or empty.")
		case !containerName.MatchString(name):
			return refuse("Container.name contains invalid characters.")
		case names[name]:
			return refuse("Container names must be unique within a task definition.")
		case aws.Value(c.Image) == "":
			return refuse("Container.image should not be null or empty.")
		}
		names[name] = true
		essential = essential || *c.Essential
		for _, check := range []func(*ecs.TaskDefinition, *ecs.ContainerDefinition) error{
			checkMemory, checkParameters, checkNetwork, checkSecrets, checkRepositoryCredentials,
		} {
			if err := check(d, c); err != nil {
				return err
			}
		}
		if err := checkPorts(d, c, ports, portNames); err != nil {
			return err
		}
	}
	if !essential {
		return refuse("Task definition doesn't have any essential container")
	}
	return nil
}

func checkMemory(d *ecs.TaskDefinition, c *ecs.ContainerDefinition) error {
	if d.Memory == nil && c.Memory == nil && c.MemoryReservation == nil {
		return refuse("Invalid setting for container '%s'. At least one of 'memory' or 'memoryReservation' must be specified.", *c.Name)
	}
	return nil
}

func mustInt(s string) int64 {
	n, _ := strconv.ParseInt(s, 10, 64) // checkSize made it
	return n
}

// ranges are the bounds of a container's numbers.
// Source: ECS API, ContainerDefinition, HealthCheck, ContainerRestartPolicy.
func checkParameters(_ *ecs.TaskDefinition, c *ecs.ContainerDefinition) error {
	type bound struct {
		field    string
		value    *int32
		min, max int32
	}
	bounds := []bound{{"startTimeout", c.StartTimeout, 2, 120}, {"stopTimeout", c.StopTimeout, 2, 120}}
	if h := c.HealthCheck; h != nil {
		if len(h.Command) == 0 {
			return refuse("Container.healthCheck.command should not be null or empty.")
		}
		bounds = append(bounds, bound{"healthCheck.interval", h.Interval, 5, 300}, bound{"healthCheck.timeout", h.Timeout, 2, 60},
			bound{"healthCheck.retries", h.Retries, 1, 10}, bound{"healthCheck.startPeriod", h.StartPeriod, 0, 300})
	}
	if r := c.RestartPolicy; r != nil {
		if p := r.RestartAttemptPeriod; p != nil && (*p < 60 || *p > 1800) {
			return refuse("the 'restartAttemptPeriod' setting for container '%s' must be between 60 and 1800.", *c.Name)
		}
		if len(r.IgnoredExitCodes) > 50 {
			return refuse("Container restart policy cannot contain more than 50 ignored exit codes.")
		}
	}
	for _, b := range bounds {
		if b.value != nil && (*b.value < b.min || *b.value > b.max) {
			return refuse("Invalid '%s' setting for container '%s': must be between %d and %d.", b.field, *c.Name, b.min, b.max)
		}
	}
	return nil
}

func checkNetwork(d *ecs.TaskDefinition, c *ecs.ContainerDefinition) error {
	if d.NetworkMode != ecs.NetworkModeAwsvpc {
		return nil
	}
	switch {
	case aws.Value(c.Hostname) != "":
		return refuse("hostname is not supported on container when networkMode=awsvpc")
	case len(c.DnsServers) > 0:
		return refuse("DNS servers are not supported on container when networkMode=awsvpc")
	case len(c.DnsSearchDomains) > 0:
		return refuse("DNS search domains are not supported on container when networkMode=awsvpc")
	case aws.Value(c.DisableNetworking):
		return refuse("Disable Networking is not supported on container when networkMode=awsvpc")
	case len(c.Links) > 0:
		return refuse("Links are not supported when networkMode=awsvpc")
	case len(c.ExtraHosts) > 0:
		return refuse("Extra hosts are not supported on container when networkMode=awsvpc")
	}
	return nil
}

const maxPort = 1<<16 - 1

// ownPorts reports whether the ports of a container are those of its host.
func ownPorts(mode ecs.NetworkMode) bool {
	return mode == ecs.NetworkModeAwsvpc || mode == ecs.NetworkModeHost
}

func checkPorts(d *ecs.TaskDefinition, c *ecs.ContainerDefinition, ports, names map[string]bool) error {
	for _, p := range c.PortMappings {
		switch {
		case p.ContainerPort != nil && p.ContainerPortRange != nil:
			return refuse("cannot specify both single port and port range")
		case p.ContainerPort == nil && p.ContainerPortRange == nil,
			p.ContainerPort != nil && (*p.ContainerPort < 1 || *p.ContainerPort > maxPort):
			return refuse("Invalid 'containerPort' setting for container '%s'.", *c.Name)
		case aws.Value(p.HostPort) < 0 || aws.Value(p.HostPort) > maxPort:
			return refuse("Invalid 'hostPort' setting for container '%s'.", *c.Name)
		case ownPorts(d.NetworkMode) && p.HostPort != nil && p.ContainerPort != nil && *p.HostPort != *p.ContainerPort:
			return refuse("When networkMode=%s, the host ports and container ports in port mappings must match.", d.NetworkMode)
		}
		if p.ContainerPort != nil {
			key := fmt.Sprintf("%d/%s", *p.ContainerPort, p.Protocol)
			if ports[key] && d.NetworkMode == ecs.NetworkModeAwsvpc {
				return refuse("container port is used multiple times in task")
			}
			ports[key] = true
		}
		if n := aws.Value(p.Name); n != "" {
			if names[n] {
				return refuse("port mapping name is already used")
			}
			names[n] = true
		}
	}
	return nil
}

func checkSecrets(d *ecs.TaskDefinition, c *ecs.ContainerDefinition) error {
	if len(c.Secrets) == 0 {
		return nil
	}
	if d.ExecutionRoleArn == nil {
		return refuse("When you are specifying container secrets, you must also specify a value for 'executionRoleArn'.")
	}
	for _, s := range c.Secrets {
		for _, e := range c.Environment {
			if aws.Value(e.Name) == aws.Value(s.Name) {
				return refuse("The secret name must be unique and not shared with any new or existing environment variables set on the container, such as '%s'.", aws.Value(s.Name))
			}
		}
	}
	return nil
}

// checkRepositoryCredentials refuses credentials that no registry could be asked with.
func checkRepositoryCredentials(d *ecs.TaskDefinition, c *ecs.ContainerDefinition) error {
	r := c.RepositoryCredentials
	switch {
	case r == nil:
		return nil
	case d.ExecutionRoleArn == nil:
		return refuse("Private repository authentication requires that the task definition specify a value for executionRoleArn.")
	case ecrImage.MatchString(*c.Image):
		return refuse("Private repository credentials are not a supported authentication method for ECR repositories.")
	case !credentialsParameter.MatchString(aws.Value(r.CredentialsParameter)):
		return refuse("The repository credentials parameter specified for container '%s' is invalid. Parameter names can include up to 255 (uppercase and lowercase), numbers, hyphens, and underscores are allowed. Spaces are not allowed.", *c.Name)
	}
	return nil
}

func checkDependencies(d *ecs.TaskDefinition) error {
	byName := map[string]*ecs.ContainerDefinition{}
	for i := range d.ContainerDefinitions {
		byName[*d.ContainerDefinitions[i].Name] = &d.ContainerDefinitions[i]
	}
	for _, c := range d.ContainerDefinitions {
		for _, dep := range c.DependsOn {
			on, ok := byName[*dep.ContainerName]
			switch {
			case !ok:
				return refuse("Cannot depend on container %s because it does not exist.", *dep.ContainerName)
			case (dep.Condition == ecs.ContainerConditionSuccess || dep.Condition == ecs.ContainerConditionComplete) && *on.Essential:
				return refuse("A dependency container with SUCCESS or COMPLETE condition cannot be an essential container")
			case dep.Condition == ecs.ContainerConditionHealthy && on.HealthCheck == nil:
				return refuse("A dependency container with HEALTHY condition must have health check configured")
			}
		}
		if reaches(byName, *c.Name, *c.Name, map[string]bool{}) {
			return refuse("Container dependencies must not form a cycle; '%s' depends on itself.", *c.Name)
		}
	}
	return nil
}

// reaches reports whether target is among the dependencies of from, at any
// distance.
func reaches(byName map[string]*ecs.ContainerDefinition, from, target string, seen map[string]bool) bool {
	for _, dep := range byName[from].DependsOn {
		next := *dep.ContainerName
		if next == target {
			return true
		}
		if byName[next] == nil || seen[next] {
			continue
		}
		seen[next] = true
		if reaches(byName, next, target, seen) {
			return true
		}
	}
	return false
}

func checkVolumes(d *ecs.TaskDefinition) error {
	names := map[string]bool{}
	for _, v := range d.Volumes {
		if aws.Value(v.Name) == "" {
			return refuse("Volume name should not be null or empty.")
		}
		names[*v.Name] = true
		if err := checkEFS(v.EfsVolumeConfiguration); err != nil {
			return err
		}
	}
	if err := checkConfiguredAtLaunch(d); err != nil {
		return err
	}
	containers := map[string]bool{}
	for _, c := range d.ContainerDefinitions {
		containers[*c.Name] = true
	}
	for _, c := range d.ContainerDefinitions {
		for _, m := range c.MountPoints {
			if !names[aws.Value(m.SourceVolume)] {
				return refuse("Unknown volume '%s'.", aws.Value(m.SourceVolume))
			}
			if aws.Value(m.ContainerPath) == "" {
				return refuse("Container path should not be null or empty in a mount point of container '%s'.", *c.Name)
			}
		}
		for _, v := range c.VolumesFrom {
			if !containers[aws.Value(v.SourceContainer)] {
				return refuse("Container '%s' takes volumes from unknown container '%s'.", *c.Name, aws.Value(v.SourceContainer))
			}
		}
	}
	return nil
}

// checkEFS refuses what no volume in EFS can be.
// Source: ECS API, EFSVolumeConfiguration and EFSAuthorizationConfig.
func checkEFS(c *ecs.EFSVolumeConfiguration) error {
	if c == nil || c.AuthorizationConfig == nil {
		return nil
	}
	point, root := aws.Value(c.AuthorizationConfig.AccessPointId), aws.Value(c.RootDirectory)
	if point != "" && root != "" && root != "/" {
		return refuse(`When using an EFS access point, the root directory must either be set to "/" or be omitted.`)
	}
	if (point != "" || c.AuthorizationConfig.Iam == ecs.EFSAuthorizationConfigIAMEnabled) && c.TransitEncryption != ecs.EFSTransitEncryptionEnabled {
		return refuse("EFS transit encryption must be enabled when using an EFS access point or IAM authorization.")
	}
	return nil
}

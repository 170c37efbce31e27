package plan

import (
	"cmp"
	"slices"
	"strconv"
	"time"

	"fargo"
	"fargo/aws"
	"fargo/aws/ecs"
	"fargo/desired"
	"fargo/record"
)

// Defaults of container definitions.
// Source: ECS API, ContainerDefinition and HealthCheck.
const (
	defaultStopTimeout    = 30 * time.Second
	defaultHealthInterval = 30 // seconds
	defaultHealthTimeout  = 5  // seconds
	defaultHealthRetries  = 3
	defaultRestartPeriod  = 300 * time.Second
)

// Assignment is task t, of definition d, as its node needs it. pace divides the
// intervals that the definition prescribes; pull says where each container's
// image comes from.
func Assignment(t *record.Task, d *record.TaskDefinition, pace fargo.Pace, pull func(*ecs.ContainerDefinition) desired.PullSource) desired.Assignment {
	a := desired.Assignment{
		TaskARN: t.ARN(), ID: t.ID, Cluster: *t.Intent.ClusterArn,
		Family: *d.Definition.Family, Revision: int(*d.Definition.Revision),
		Service: t.Service, TaskRole: TaskRole(t, d),
		LaunchType: string(t.Intent.LaunchType), AvailabilityZone: aws.Value(t.Intent.AvailabilityZone),
		CPU: number(t.Intent.Cpu), Memory: number(t.Intent.Memory),
		Interface: t.Interface, PIDMode: string(d.Definition.PidMode), FileSystems: t.FileSystems,
	}
	a.PIDs = PIDs(a.CPU)
	a.Resolution = MetricResolution(t.Monitoring)
	if e := t.Intent.EphemeralStorage; e != nil {
		a.Storage = int64(aws.Value(e.SizeInGiB)) << 30
	}
	a.DesiredStatus, a.StopCode, a.StoppedReason = AssignedStatus(t)
	for _, v := range d.Definition.Volumes {
		if v.EfsVolumeConfiguration == nil && !aws.Value(v.ConfiguredAtLaunch) {
			a.Volumes = append(a.Volumes, *v.Name)
		}
	}
	a.BlockVolumes = blockVolumes(t)
	secrets := TaskSecrets(&d.Definition, t.Intent.Overrides)
	for _, c := range d.Definition.ContainerDefinitions {
		c = Overridden(c, t.Intent.Overrides)
		assigned := container(t, d, &c, pace, pull(&c))
		nameSecrets(&assigned, &c, a.TaskARN, secrets)
		a.Containers = append(a.Containers, assigned)
	}
	routeLogs(&a, t, &d.Definition, secrets)
	return a
}

// AssignedStatus is the part of a task's assignment that may change: what its node
// should bring it to, and why.
func AssignedStatus(t *record.Task) (desired fargo.TaskStatus, code fargo.StopCode, reason string) {
	if t.Held() {
		return fargo.TaskRunning, "", ""
	}
	return t.Desired, t.StopCode, t.StoppedReason
}

func container(t *record.Task, d *record.TaskDefinition, c *ecs.ContainerDefinition, pace fargo.Pace, pull desired.PullSource) desired.ContainerAssignment {
	a := desired.ContainerAssignment{
		Name: *c.Name, ARN: containerARN(t, *c.Name), RuntimeID: runtimeID(t, *c.Name), Image: *c.Image, Pull: pull,
		Essential:  c.Essential == nil || *c.Essential,
		EntryPoint: c.EntryPoint, Command: c.Command,
		WorkingDirectory: aws.Value(c.WorkingDirectory), User: aws.Value(c.User),
		ReadonlyRootfs: aws.Value(c.ReadonlyRootFilesystem), Tty: aws.Value(c.PseudoTerminal), Stdin: aws.Value(c.Interactive),
		Labels: labels(t, d, c),
		CPU:    int64(aws.Value(c.Cpu)), Memory: int64(aws.Value(c.Memory)), MemoryReservation: int64(aws.Value(c.MemoryReservation)),
		StopTimeout: seconds(c.StopTimeout, defaultStopTimeout), StartTimeout: seconds(c.StartTimeout, 0),
		HealthCheck: healthCheck(c.HealthCheck, pace), Restart: restart(c.RestartPolicy, pace),
		Log: logTarget(t, c),
	}
	if l := c.LogConfiguration; l != nil {
		a.LogBuffer = logBuffer(c.LogConfiguration, t.BlockingLogs)
	}
	for _, e := range c.Environment {
		a.Environment = append(a.Environment, aws.Value(e.Name)+"="+aws.Value(e.Value))
	}
	for _, u := range c.Ulimits {
		a.Ulimits = append(a.Ulimits, desired.Ulimit{Name: string(u.Name), Soft: int64(aws.Value(u.SoftLimit)), Hard: int64(aws.Value(u.HardLimit))})
	}
	if p := c.LinuxParameters; p != nil {
		a.Init = aws.Value(p.InitProcessEnabled)
		if p.Capabilities != nil {
			a.CapAdd, a.CapDrop = p.Capabilities.Add, p.Capabilities.Drop
		}
		for _, t := range p.Tmpfs {
			a.Tmpfs = append(a.Tmpfs, desired.Tmpfs{Path: aws.Value(t.ContainerPath), Size: int64(aws.Value(t.Size)), Options: t.MountOptions})
		}
	}
	for _, s := range c.SystemControls {
		if a.Sysctls == nil {
			a.Sysctls = map[string]string{}
		}
		a.Sysctls[aws.Value(s.Namespace)] = aws.Value(s.Value)
	}
	for _, m := range c.MountPoints {
		a.MountPoints = append(a.MountPoints, desired.MountPoint{Volume: aws.Value(m.SourceVolume), Path: aws.Value(m.ContainerPath), ReadOnly: aws.Value(m.ReadOnly)})
	}
	for _, v := range c.VolumesFrom {
		a.VolumesFrom = append(a.VolumesFrom, desired.VolumeFrom{Container: aws.Value(v.SourceContainer), ReadOnly: aws.Value(v.ReadOnly)})
	}
	for _, dep := range c.DependsOn {
		a.DependsOn = append(a.DependsOn, desired.Dependency{Container: *dep.ContainerName, Condition: string(dep.Condition)})
	}
	return a
}

// nameSecrets names the values that a container is given, of which all are all that the
// task is.
func nameSecrets(a *desired.ContainerAssignment, c *ecs.ContainerDefinition, taskARN string, all []TaskSecret) {
	id := func(s TaskSecret) desired.SecretID { return desired.TaskSecretOf(taskARN, slices.Index(all, s)) }
	if r := c.RepositoryCredentials; r != nil {
		a.Pull.CredentialsID = id(TaskSecret{From: aws.Value(r.CredentialsParameter), Registry: true})
	}
	for _, s := range c.Secrets {
		a.Secrets = append(a.Secrets, desired.SecretVariable{Name: aws.Value(s.Name), ValueID: id(TaskSecret{From: aws.Value(s.ValueFrom)})})
	}
	for _, f := range c.EnvironmentFiles {
		a.EnvironmentFiles = append(a.EnvironmentFiles, id(TaskSecret{From: aws.Value(f.Value), File: true}))
	}
}

// Overridden is a container definition with RunTask's containerOverrides laid over
// it; d stays as it is. Source: ECS API, ContainerOverride.
func Overridden(d ecs.ContainerDefinition, o *ecs.TaskOverride) ecs.ContainerDefinition {
	if o == nil {
		return d
	}
	for _, c := range o.ContainerOverrides {
		if aws.Value(c.Name) != aws.Value(d.Name) {
			continue
		}
		if len(c.Command) > 0 {
			d.Command = c.Command
		}
		if len(c.EnvironmentFiles) > 0 {
			d.EnvironmentFiles = c.EnvironmentFiles
		}
		d.Environment = slices.Concat(d.Environment, c.Environment)
		d.Cpu = cmp.Or(c.Cpu, d.Cpu)
		d.Memory = cmp.Or(c.Memory, d.Memory)
		d.MemoryReservation = cmp.Or(c.MemoryReservation, d.MemoryReservation)
	}
	return d
}

func runtimeID(t *record.Task, name string) string {
	for _, c := range t.Intent.Containers {
		if *c.Name == name {
			return *c.RuntimeId
		}
	}
	return ""
}

func containerARN(t *record.Task, name string) string {
	for _, c := range t.Intent.Containers {
		if *c.Name == name {
			return aws.Value(c.ContainerArn)
		}
	}
	return ""
}

// labels are the user's and those the agent adds.
// Source: amazon-ecs-agent, container labels.
func labels(t *record.Task, d *record.TaskDefinition, c *ecs.ContainerDefinition) map[string]string {
	l := map[string]string{
		"com.amazonaws.ecs.cluster":                 *t.Intent.ClusterArn,
		"com.amazonaws.ecs.container-name":          *c.Name,
		"com.amazonaws.ecs.task-arn":                t.ARN(),
		"com.amazonaws.ecs.task-definition-family":  *d.Definition.Family,
		"com.amazonaws.ecs.task-definition-version": strconv.Itoa(int(*d.Definition.Revision)),
	}
	for k, v := range c.DockerLabels {
		l[k] = v
	}
	return l
}

// CompleteHealthCheck is a health check with what it leaves out filled in.
func CompleteHealthCheck(h *ecs.HealthCheck) *ecs.HealthCheck {
	c := *h
	c.Interval = cmp.Or(h.Interval, new(int32(defaultHealthInterval)))
	c.Timeout = cmp.Or(h.Timeout, new(int32(defaultHealthTimeout)))
	c.Retries = cmp.Or(h.Retries, new(int32(defaultHealthRetries)))
	return &c
}

func healthCheck(h *ecs.HealthCheck, pace fargo.Pace) *desired.HealthCheck {
	if h == nil || len(h.Command) == 0 || h.Command[0] == "NONE" {
		return nil
	}
	h = CompleteHealthCheck(h)
	return &desired.HealthCheck{
		Command: h.Command, Retries: int(*h.Retries),
		Interval:    pace.Of(seconds(h.Interval, 0)),
		Timeout:     seconds(h.Timeout, 0),
		StartPeriod: pace.Of(seconds(h.StartPeriod, 0)),
	}
}

func restart(r *ecs.ContainerRestartPolicy, pace fargo.Pace) *desired.RestartPolicy {
	if r == nil || !aws.Value(r.Enabled) {
		return nil
	}
	p := &desired.RestartPolicy{AttemptPeriod: pace.Of(seconds(r.RestartAttemptPeriod, defaultRestartPeriod))}
	for _, code := range r.IgnoredExitCodes {
		p.IgnoredExitCodes = append(p.IgnoredExitCodes, int(code))
	}
	return p
}

// logTarget resolves the awslogs driver's options.
// Source: ECS developer guide, "Send Amazon ECS logs to CloudWatch".
func logTarget(t *record.Task, c *ecs.ContainerDefinition) *desired.LogTarget {
	l := c.LogConfiguration
	if l == nil || l.LogDriver != ecs.LogDriverAwslogs {
		return nil
	}
	o := l.Options
	region := o["awslogs-region"]
	if region == "" {
		region = t.Scope.Region
	}
	stream := t.ID
	if p := o["awslogs-stream-prefix"]; p != "" {
		stream = p + "/" + *c.Name + "/" + t.ID
	}
	multiline := o["awslogs-multiline-pattern"]
	if multiline == "" && o["awslogs-datetime-format"] != "" {
		multiline = DatetimePattern(o["awslogs-datetime-format"])
	}
	create, _ := strconv.ParseBool(o["awslogs-create-group"])
	return &desired.LogTarget{
		Account: t.Scope.Account, Region: region, Group: o["awslogs-group"], Stream: stream,
		Create: create, Task: t.ARN(), MultilineStart: multiline,
	}
}

func number(p *string) int64 {
	n, _ := strconv.ParseInt(aws.Value(p), 10, 64)
	return n
}

func seconds(p *int32, unset time.Duration) time.Duration {
	if p == nil {
		return unset
	}
	return time.Duration(*p) * time.Second
}

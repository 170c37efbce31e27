package ecs

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"fargo"
	"fargo/api"
	"fargo/aws"
	"fargo/aws/ecs"
	"fargo/plan"
	"fargo/record"
	"fargo/store"
)

// Bounds of RunTask. Source: ECS API, RunTask.
const (
	maxTaskCount      = 10
	maxOverrides      = 8192 // characters of JSON
	maxSubnets        = 16
	maxSecurityGroups = 5
	maxStartedBy      = 128
)

// RunTask makes tasks of a definition. They are PROVISIONING in the answer; the
// task controller takes them from there.
func (s *Server) RunTask(ctx context.Context, in *ecs.RunTaskInput) (*ecs.RunTaskOutput, error) {
	if err := checkRunTask(in); err != nil {
		return nil, err
	}
	var tasks []*record.Task
	err := s.update(ctx, func(tx *store.Tx, scope fargo.Scope, now time.Time) error {
		tasks = nil
		c, err := cluster(tx, scope, in.Cluster)
		if err != nil {
			return err
		}
		token := &record.RunTaskToken{Scope: scope, Cluster: *c.Cluster.ClusterName, Token: aws.Value(in.ClientToken), Digest: digestOf(in), At: now}
		if token.Token != "" {
			if old, ok := store.RunTaskTokens.Get(tx, token.Key()); ok {
				tasks, err = repeated(tx, old, token)
				return err
			}
		}
		spec, providers, err := s.taskSpec(tx, scope, c, in)
		if err != nil {
			return err
		}
		spec.BlockingLogs = store.BlockingLogs(tx, scope, api.CallFrom(ctx).PrincipalARN)
		for _, provider := range providers {
			spec.CapacityProvider = provider
			t := plan.NewTask(*spec, now, fargo.NewHex)
			if err := s.checkRoles(tx, t, spec.Definition); err != nil {
				return err
			}
			store.Tasks.Put(tx, t)
			tasks = append(tasks, t)
			token.Tasks = append(token.Tasks, t.ID)
		}
		if token.Token != "" {
			store.RunTaskTokens.Put(tx, token)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	out := &ecs.RunTaskOutput{Tasks: []ecs.Task{}, Failures: []ecs.Failure{}}
	for _, t := range tasks {
		out.Tasks = append(out.Tasks, *launchedView(t))
	}
	return out, nil
}

// checkRunTask holds the rules that need no state.
func checkRunTask(in *ecs.RunTaskInput) error {
	if in.Count != nil && (*in.Count < 1 || *in.Count > maxTaskCount) {
		return invalid("Count must be between 1 and %d.", maxTaskCount)
	}
	if in.LaunchType != "" && len(in.CapacityProviderStrategy) > 0 {
		return invalid("Specifying both a launch type and capacity provider strategy is not supported. Remove one and try again.")
	}
	if len(aws.Value(in.StartedBy)) > maxStartedBy {
		return invalid("startedBy must be at most %d characters long.", maxStartedBy)
	}
	if in.Overrides != nil {
		b, err := json.Marshal(in.Overrides)
		if err != nil || len(b) > maxOverrides {
			return invalid("Container Overrides length must be at most %d", maxOverrides)
		}
	}
	if _, err := platform(in.PlatformVersion); err != nil {
		return err
	}
	return tagRules.Check(in.Tags)
}

// digestOf stands for all parameters of a call but its token.
func digestOf(in *ecs.RunTaskInput) string {
	c := *in
	c.ClientToken = nil
	b, err := json.Marshal(c)
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// repeated answers a call whose token was seen: the same tasks again, or a
// conflict when it asks for something else now.
func repeated(r store.Reader, old, now *record.RunTaskToken) ([]*record.Task, error) {
	var tasks []*record.Task
	var arns []string
	for _, id := range old.Tasks {
		arns = append(arns, old.Scope.ARN("ecs", "task/"+old.Cluster+"/"+id))
		if t, ok := store.Tasks.Get(r, old.Scope.Key(old.Cluster, id)); ok {
			tasks = append(tasks, t)
		}
	}
	if old.Digest != now.Digest {
		return nil, ecs.ConflictException("The clientToken was used with other parameters.").WithField("resourceIds", arns)
	}
	return tasks, nil
}

// taskSpec checks a call against the state and gives what its tasks are made
// from, and a capacity provider ("" for none) for each.
func (s *Server) taskSpec(tx *store.Tx, scope fargo.Scope, c *record.Cluster, in *ecs.RunTaskInput) (*plan.TaskSpec, []string, error) {
	d, err := findDefinition(tx, scope, *in.TaskDefinition)
	if err != nil {
		return nil, nil, err
	}
	if d == nil {
		return nil, nil, ecs.ClientException("TaskDefinition not found.")
	}
	if d.Definition.Status != ecs.TaskDefinitionStatusActive {
		return nil, nil, invalid("TaskDefinition is inactive")
	}
	launchType, providers, err := capacity(c, in)
	if err != nil {
		return nil, nil, err
	}
	if err := s.checkRunnable(tx, d, in, launchType); err != nil {
		return nil, nil, err
	}
	version, err := platformFor(in.PlatformVersion, overridden(&d.Definition, in.Overrides))
	if err != nil {
		return nil, nil, err
	}
	network, err := checkNetworkConfiguration(tx, scope, in.NetworkConfiguration)
	if err != nil {
		return nil, nil, err
	}
	volume, err := launchVolume(c, d, in)
	if err != nil {
		return nil, nil, err
	}
	return &plan.TaskSpec{
		Volume: volume,
		Scope:  scope, Cluster: c, Definition: d, LaunchType: launchType, PlatformVersion: version, Group: aws.Value(in.Group),
		AvailabilityZone: onlyZone(tx, scope, network.Subnets),
		StartedBy:        aws.Value(in.StartedBy), Overrides: in.Overrides, Network: network,
		EnableExec: aws.Value(in.EnableExecuteCommand), Tags: taskTags(c, d, in),
	}, providers, nil
}

// onlyZone is the availability zone that subnets share, "" when there are several.
func onlyZone(r store.Reader, scope fargo.Scope, subnets []string) string {
	zone := ""
	for _, id := range subnets {
		s, _ := store.EC2Subnets.Get(r, scope.Key(id))
		if zone != "" && *s.Subnet.AvailabilityZone != zone {
			return ""
		}
		zone = *s.Subnet.AvailabilityZone
	}
	return zone
}

// capacity decides the launch type, and a capacity provider for each task.
// Source: ECS API, RunTask, launchType and capacityProviderStrategy.
func capacity(c *record.Cluster, in *ecs.RunTaskInput) (ecs.LaunchType, []string, error) {
	count := int(aws.ValueOr(in.Count, 1))
	strategy := in.CapacityProviderStrategy
	if in.LaunchType == "" && len(strategy) == 0 {
		strategy = c.Cluster.DefaultCapacityProviderStrategy
	}
	if len(strategy) > 0 {
		if err := checkStrategy(c.Cluster.CapacityProviders, strategy); err != nil {
			return "", nil, err
		}
		return ecs.LaunchTypeFargate, plan.SpreadProviders(strategy, count), nil
	}
	if in.LaunchType != ecs.LaunchTypeFargate {
		return "", nil, invalid("No Container Instances were found in your cluster.")
	}
	return ecs.LaunchTypeFargate, make([]string, count), nil
}

// checkRunnable refuses what cannot become a task here: AWS's refusals first,
// then, by name, what Fargo does not do yet.
func (s *Server) checkRunnable(tx *store.Tx, d *record.TaskDefinition, in *ecs.RunTaskInput, launchType ecs.LaunchType) error {
	if !slices.Contains(d.Definition.Compatibilities, ecs.Compatibility(launchType)) {
		return invalid("Task definition does not support launch_type %s.", launchType)
	}
	if len(in.PlacementConstraints) > 0 || len(in.PlacementStrategy) > 0 {
		return invalid("Placement constraints and strategies are not supported with the FARGATE launch type.")
	}
	taskRole := d.Definition.TaskRoleArn
	if o := in.Overrides; o != nil {
		if err := checkOverrides(d, o); err != nil {
			return err
		}
		o.TaskRoleArn, o.ExecutionRoleArn = roleARN(d.Scope, o.TaskRoleArn), roleARN(d.Scope, o.ExecutionRoleArn)
		taskRole = cmp.Or(o.TaskRoleArn, taskRole)
	}
	if aws.Value(in.EnableExecuteCommand) && taskRole == nil {
		return invalid("The task couldn't be run because a valid taskRoleArn is not being used. Specify a valid task role in your task definition and try again.")
	}
	if err := checkEnvironmentFiles(overridden(&d.Definition, in.Overrides)); err != nil {
		return err
	}
	return checkImplemented(&d.Definition, in.Overrides)
}

// checkRoles refuses a task one of whose roles does not trust ECS to act for it.
func (s *Server) checkRoles(r store.Reader, t *record.Task, d *record.TaskDefinition) error {
	for _, role := range plan.TaskRoles(t, d) {
		if !s.assumable(r, role, "ecs-tasks.amazonaws.com", t.ARN()) {
			return ecs.ClientException("ECS was unable to assume the role '%s' that was provided for this task. Please verify that the role being passed has the proper trust relationship and permissions and that your IAM user has permissions to pass this role.", role)
		}
	}
	return nil
}

func checkOverrides(d *record.TaskDefinition, o *ecs.TaskOverride) error {
	for _, c := range o.ContainerOverrides {
		if d.Container(aws.Value(c.Name)) == nil {
			return invalid("Override for container named %s is not a container in the TaskDefinition.", aws.Value(c.Name))
		}
		if len(c.ResourceRequirements) > 0 {
			return invalid("Overrides of resourceRequirements are not supported with the FARGATE launch type.")
		}
	}
	if len(o.InferenceAcceleratorOverrides) > 0 {
		return invalid("Overrides of inference accelerators are not supported with the FARGATE launch type.")
	}
	if err := checkStorage(o.EphemeralStorage); err != nil {
		return err
	}
	cpu, memory := d.Definition.Cpu, d.Definition.Memory
	if o.Cpu != nil {
		n, ok := plan.ParseCPU(*o.Cpu)
		if !ok {
			return invalid("Invalid 'cpu' setting for task. For more information, see the Troubleshooting section of the Amazon ECS Developer Guide.")
		}
		o.Cpu = new(fmt.Sprint(n))
		cpu = o.Cpu
	}
	if o.Memory != nil {
		n, ok := plan.ParseMemory(*o.Memory)
		if !ok {
			return invalid("Invalid 'memory' setting for task. For more information, see the Troubleshooting section of the Amazon ECS Developer Guide.")
		}
		o.Memory = new(fmt.Sprint(n))
		memory = o.Memory
	}
	if !plan.FargateSize(mustInt(*cpu), mustInt(*memory)) {
		return ecs.ClientException("No Fargate configuration exists for given values: %s CPU, %s memory. See the Amazon ECS documentation for the valid values.", *cpu, *memory)
	}
	return nil
}

// checkImplemented names what a definition may say but Fargo cannot do yet,
// rather than run something else than was asked for, and what nobody can.
func checkImplemented(d *ecs.TaskDefinition, o *ecs.TaskOverride) error {
	missing := func(what string) error {
		return ecs.UnsupportedFeatureException("Fargo does not implement %s.", what)
	}
	if d.ProxyConfiguration != nil {
		return missing("proxyConfiguration (App Mesh)")
	}
	if p := d.RuntimePlatform; p != nil && strings.HasPrefix(string(p.OperatingSystemFamily), "WINDOWS") {
		return missing("Windows containers")
	}
	for _, v := range d.Volumes {
		if v.S3filesVolumeConfiguration != nil || v.FsxWindowsFileServerVolumeConfiguration != nil {
			return missing("volumes other than the task's own storage, Amazon EFS and Amazon EBS")
		}
	}
	for _, c := range d.ContainerDefinitions {
		switch {
		case c.FirelensConfiguration != nil && c.FirelensConfiguration.Options["config-file-type"] == "s3":
			return missing("a log router's configuration file in S3")
		case c.LogConfiguration != nil && c.LogConfiguration.LogDriver != ecs.LogDriverAwslogs && c.LogConfiguration.LogDriver != ecs.LogDriverAwsfirelens:
			return missing("the log driver " + string(c.LogConfiguration.LogDriver))
		case c.LogConfiguration != nil && c.LogConfiguration.Options["awslogs-endpoint"] != "":
			return missing("the log option awslogs-endpoint")
		case c.LogConfiguration != nil && c.LogConfiguration.LogDriver == ecs.LogDriverAwslogs && len(c.LogConfiguration.SecretOptions) > 0:
			return missing("secretOptions of the log driver awslogs")
		case len(c.CredentialSpecs) > 0:
			return missing("credentialSpecs")
		}
	}
	if why := unstartable(overridden(d, o)); why != "" {
		return invalid("%s", why)
	}
	return nil
}

// overridden is a definition as a task with these overrides has it.
func overridden(d *ecs.TaskDefinition, o *ecs.TaskOverride) *ecs.TaskDefinition {
	if o == nil {
		return d
	}
	changed := *d
	changed.ContainerDefinitions = nil
	for _, c := range d.ContainerDefinitions {
		changed.ContainerDefinitions = append(changed.ContainerDefinitions, plan.Overridden(c, o))
	}
	changed.Cpu, changed.Memory = cmp.Or(o.Cpu, d.Cpu), cmp.Or(o.Memory, d.Memory)
	changed.ExecutionRoleArn = cmp.Or(o.ExecutionRoleArn, d.ExecutionRoleArn)
	changed.EphemeralStorage = cmp.Or(o.EphemeralStorage, d.EphemeralStorage)
	return &changed
}

// checkNetworkConfiguration finds the subnets and groups a call names, in AWS's
// words when it cannot, and fills in the VPC's default group.
func checkNetworkConfiguration(r store.Reader, scope fargo.Scope, n *ecs.NetworkConfiguration) (*ecs.AwsVpcConfiguration, error) {
	if n == nil || n.AwsvpcConfiguration == nil {
		return nil, invalid("Network Configuration must be provided when networkMode 'awsvpc' is specified.")
	}
	v := *n.AwsvpcConfiguration
	switch {
	case len(v.Subnets) == 0:
		return nil, invalid("subnets can not be empty.")
	case len(v.Subnets) > maxSubnets:
		return nil, invalid("subnets can have at most %d items.", maxSubnets)
	case len(v.SecurityGroups) > maxSecurityGroups:
		return nil, invalid("securityGroups can have at most %d items.", maxSecurityGroups)
	}
	vpc := ""
	for _, id := range v.Subnets {
		s, ok := store.EC2Subnets.Get(r, scope.Key(id))
		if !ok {
			return nil, invalid("Error retrieving subnet information for [%s]: The subnet ID '%s' does not exist (ErrorCode: InvalidSubnetID.NotFound)", strings.Join(v.Subnets, ", "), id)
		}
		if vpc != "" && vpc != *s.Subnet.VpcId {
			return nil, invalid("Provided subnets must belong to same VPC.")
		}
		vpc = *s.Subnet.VpcId
	}
	for _, id := range v.SecurityGroups {
		g, ok := store.EC2SecurityGroups.Get(r, scope.Key(id))
		if !ok {
			return nil, invalid("Error retrieving security group information for [%s]: The security group '%s' does not exist (ErrorCode: InvalidGroup.NotFound)", strings.Join(v.SecurityGroups, ", "), id)
		}
		if *g.Group.VpcId != vpc {
			return nil, invalid("Security group %s does not appear to belong to the same VPC as the input subnets.", id)
		}
	}
	if len(v.SecurityGroups) == 0 {
		for g := range store.EC2SecurityGroups.By(r, store.ByVPC, vpc) {
			if *g.Group.GroupName == "default" {
				v.SecurityGroups = []string{*g.Group.GroupId}
			}
		}
	}
	if v.AssignPublicIp == "" {
		v.AssignPublicIp = ecs.AssignPublicIpDisabled
	}
	return &v, nil
}

// taskTags are the tags a task begins with: the call's, over those propagated
// from the definition, and ECS's own.
func taskTags(c *record.Cluster, d *record.TaskDefinition, in *ecs.RunTaskInput) []ecs.Tag {
	tags := []ecs.Tag{}
	if in.PropagateTags == ecs.PropagateTagsTaskDefinition {
		tags = d.Tags
	}
	tags = tagRules.Overlay(tags, in.Tags)
	return tagRules.Overlay(tags, managedTags(c, in))
}

// managedTags are those that ECS gives to a task and its volume, when it is to.
func managedTags(c *record.Cluster, in *ecs.RunTaskInput) []ecs.Tag {
	if !aws.Value(in.EnableECSManagedTags) {
		return nil
	}
	return []ecs.Tag{{Key: new("aws:ecs:clusterName"), Value: c.Cluster.ClusterName}}
}

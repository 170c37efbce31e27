package plan

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"fargo"
	"fargo/aws"
	"fargo/aws/ecs"
	"fargo/record"
)

// defaultEphemeralStorage is what a Fargate task gets when it asks for none, in
// GiB.
const defaultEphemeralStorage = 20

// TaskSpec is what a new task is made from, checked by the caller.
type TaskSpec struct {
	Scope            fargo.Scope
	Cluster          *record.Cluster
	Definition       *record.TaskDefinition
	Service          string // name; "" for a task of its own
	LaunchType       ecs.LaunchType
	PlatformVersion  string // resolved
	AvailabilityZone string // "" when it is known only once there is an interface
	CapacityProvider string
	Group            string // "" means family:<family>, or service:<service>
	StartedBy        string
	Overrides        *ecs.TaskOverride
	Network          *ecs.AwsVpcConfiguration // security groups resolved
	LoadBalancers    []ecs.LoadBalancer       // of a service: where it is registered
	Digests          map[string]string        // of images, by container, as far as they are known
	EnableExec       bool
	BlockingLogs     bool // containers block on their output when they do not say
	Tags             []ecs.Tag
	Volume           *record.TaskVolume // nil for none
	Monitoring       *ecs.MonitoringConfiguration
}

// NewTask makes a task that nobody has touched yet. newHex gives random
// hexadecimal digits.
func NewTask(s TaskSpec, now time.Time, newHex func(n int) string) *record.Task {
	id := newHex(32)
	d := &s.Definition.Definition
	t := &record.Task{
		Scope: s.Scope, ID: id, Cluster: *s.Cluster.Cluster.ClusterName, Service: s.Service,
		Network: s.Network, LoadBalancers: s.LoadBalancers, Digests: s.Digests, BlockingLogs: s.BlockingLogs, Volume: s.Volume, Monitoring: s.Monitoring, Status: fargo.TaskProvisioning, Desired: fargo.TaskRunning, Version: 1,
	}
	cpu, memory := d.Cpu, d.Memory
	storage := &ecs.EphemeralStorage{SizeInGiB: new(int32(defaultEphemeralStorage))}
	if d.EphemeralStorage != nil {
		storage = d.EphemeralStorage
	}
	overrides := ecs.TaskOverride{}
	if s.Overrides != nil {
		overrides = *s.Overrides
		cpu, memory = cmp.Or(overrides.Cpu, cpu), cmp.Or(overrides.Memory, memory)
		if overrides.EphemeralStorage != nil {
			storage = overrides.EphemeralStorage
		}
	}
	overrides.ContainerOverrides = allOverrides(d, overrides.ContainerOverrides)
	if overrides.InferenceAcceleratorOverrides == nil {
		overrides.InferenceAcceleratorOverrides = []ecs.InferenceAcceleratorOverride{}
	}
	t.Intent = ecs.Task{
		TaskArn: new(t.ARN()), ClusterArn: s.Cluster.Cluster.ClusterArn, TaskDefinitionArn: d.TaskDefinitionArn,
		Group: new(group(s)), LaunchType: s.LaunchType, StartedBy: aws.NonZero(s.StartedBy),
		CapacityProviderName: aws.NonZero(s.CapacityProvider), AvailabilityZone: aws.NonZero(s.AvailabilityZone),
		Cpu: cpu, Memory: memory, CreatedAt: &now, EnableExecuteCommand: &s.EnableExec,
		Overrides: &overrides, PlatformVersion: &s.PlatformVersion, PlatformFamily: new("Linux"),
		EphemeralStorage:        storage,
		FargateEphemeralStorage: &ecs.TaskEphemeralStorage{SizeInGiB: storage.SizeInGiB},
		Attributes:              []ecs.Attribute{{Name: new("ecs.cpu-architecture"), Value: new(architecture(d))}},
		InferenceAccelerators:   []ecs.InferenceAccelerator{},
		Attachments: []ecs.Attachment{{
			Id: new(uuid(newHex)), Type: new("ElasticNetworkInterface"), Status: new("PRECREATED"),
			Details: []ecs.KeyValuePair{{Name: new("subnetId"), Value: &s.Network.Subnets[0]}},
		}},
		Tags: s.Tags,
	}
	if s.Volume != nil {
		t.Intent.Attachments = append(t.Intent.Attachments, volumeAttachment(s.Volume, uuid(newHex)))
	}
	for i := range d.ContainerDefinitions {
		c := &d.ContainerDefinitions[i]
		t.Intent.Containers = append(t.Intent.Containers, newContainer(t, c, newHex))
		if aws.Value(c.Essential) && healthCheck(c.HealthCheck, 1) != nil {
			t.HealthChecked = append(t.HealthChecked, *c.Name)
		}
	}
	return t
}

func newContainer(t *record.Task, c *ecs.ContainerDefinition, newHex func(int) string) ecs.Container {
	return ecs.Container{
		ContainerArn: new(t.Scope.ARN("ecs", "container/"+t.Cluster+"/"+t.ID+"/"+uuid(newHex))),
		TaskArn:      new(t.ARN()), Name: c.Name, Image: c.Image,
		RuntimeId:  new(fmt.Sprintf("%s-%010d", t.ID, hash(t.ID+*c.Name))),
		LastStatus: new(string(fargo.ContainerPending)), HealthStatus: ecs.HealthStatusUnknown,
		NetworkInterfaces: []ecs.NetworkInterface{},
		Cpu:               new(strconv.Itoa(int(aws.Value(c.Cpu)))), Memory: decimal(c.Memory), MemoryReservation: decimal(c.MemoryReservation),
	}
}

// allOverrides is one entry per container, as DescribeTasks shows them.
func allOverrides(d *ecs.TaskDefinition, given []ecs.ContainerOverride) []ecs.ContainerOverride {
	out := make([]ecs.ContainerOverride, 0, len(d.ContainerDefinitions))
	for i := range d.ContainerDefinitions {
		name := d.ContainerDefinitions[i].Name
		n := slices.IndexFunc(given, func(o ecs.ContainerOverride) bool { return aws.Value(o.Name) == *name })
		if n >= 0 {
			out = append(out, given[n])
		} else {
			out = append(out, ecs.ContainerOverride{Name: name})
		}
	}
	return out
}

func group(s TaskSpec) string {
	switch {
	case s.Group != "":
		return s.Group
	case s.Service != "":
		return "service:" + s.Service
	}
	return "family:" + *s.Definition.Definition.Family
}

func architecture(d *ecs.TaskDefinition) string {
	if d.RuntimePlatform != nil && d.RuntimePlatform.CpuArchitecture == ecs.CPUArchitectureArm64 {
		return "arm64"
	}
	return "x86_64"
}

func uuid(newHex func(int) string) string {
	h := newHex(32)
	return strings.Join([]string{h[:8], h[8:12], "4" + h[13:16], "8" + h[17:20], h[20:]}, "-")
}

func decimal(n *int32) *string {
	if n == nil {
		return nil
	}
	return new(strconv.Itoa(int(*n)))
}

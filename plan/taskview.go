package plan

import (
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"time"

	"fargo"
	"fargo/aws"
	"fargo/aws/ecs"
	"fargo/desired"
	"fargo/record"
)

// TaskVersion is the version of a task that was before: one more when clients
// can see a difference in its status or that of its containers, and the same
// otherwise. Its tags are no part of that.
// Source: ECS API, Task: each change that triggers an event is counted.
func TaskVersion(before, t *record.Task) int64 {
	a, b := TaskView(before), TaskView(t)
	a.Version, a.Tags = b.Version, b.Tags
	if reflect.DeepEqual(a, b) {
		return before.Version
	}
	return before.Version + 1
}

// TaskView is a task as clients see it: the intent, what the control plane
// decided, and what the node has seen.
// Source: ECS API, Task.
func TaskView(t *record.Task) *ecs.Task {
	v := t.Intent
	status := t.LastStatus()
	v.LastStatus, v.DesiredStatus = new(string(status)), new(string(t.Desired))
	v.Version = &t.Version
	v.HealthStatus = ecs.HealthStatusUnknown
	v.StopCode, v.StoppedReason, v.StoppingAt = ecs.TaskStopCode(t.StopCode), nonEmpty(t.StoppedReason), moment(t.StoppingAt)
	if v.ConnectivityAt = moment(t.ConnectivityAt); v.ConnectivityAt != nil {
		v.Connectivity = ecs.ConnectivityConnected
	}
	if len(t.Unreachable) > 0 {
		v.Attributes = append(slices.Clip(v.Attributes), ecs.Attribute{Name: new(fargo.UnreachableAttribute), Value: new(strings.Join(t.Unreachable, ","))})
	}
	v.Attachments = taskAttachments(t, status)
	v.Containers = taskContainers(t)
	if r := t.Report; r != nil {
		v.PullStartedAt, v.PullStoppedAt, v.StartedAt = moment(r.PullStartedAt), moment(r.PullStoppedAt), moment(r.StartedAt)
		v.ExecutionStoppedAt = moment(r.ExecutionStoppedAt)
		v.HealthStatus = TaskHealth(r.Containers, t.HealthChecked)
	}
	if status == fargo.TaskStopped {
		v.StoppedAt = moment(StoppedAt(t))
	}
	return &v
}

// moment is a time as clients see it: the same for the same moment, whoever saw
// it and wherever.
func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return new(t.UTC().Round(0)) // without the monotonic clock
}

func nonEmpty(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// taskAttachments shows the network interface and the volume, and how far they are.
// Source: ECS API, Attachment; the order of the details is AWS's.
func taskAttachments(t *record.Task, status fargo.TaskStatus) []ecs.Attachment {
	all := slices.Clone(t.Intent.Attachments)
	showInterface(&all[0], t, status)
	if len(all) > 1 {
		showVolume(&all[1], t, status)
	}
	return all
}

func showInterface(a *ecs.Attachment, t *record.Task, status fargo.TaskStatus) {
	if t.Interface == nil {
		return
	}
	state := "ATTACHING"
	switch {
	case status == fargo.TaskStopped:
		state = "DELETED"
	case status == fargo.TaskDeprovisioning:
		state = "DETACHING"
	case !status.Before(fargo.TaskRunning):
		state = "ATTACHED"
	}
	i := t.Interface
	a.Status = &state
	a.Details = []ecs.KeyValuePair{
		{Name: new("subnetId"), Value: &i.Subnet},
		{Name: new("networkInterfaceId"), Value: &i.ID},
		{Name: new("macAddress"), Value: &i.MAC},
	}
	if i.Address.IsValid() {
		a.Details = append(a.Details,
			ecs.KeyValuePair{Name: new("privateDnsName"), Value: new(fargo.PrivateDNSName(t.Scope.Region, i.Address))},
			ecs.KeyValuePair{Name: new("privateIPv4Address"), Value: new(i.Address.String())})
	}
}

func taskContainers(t *record.Task) []ecs.Container {
	out := slices.Clone(t.Intent.Containers)
	for i := range out {
		c := &out[i]
		if t.Interface != nil {
			c.NetworkInterfaces = []ecs.NetworkInterface{{
				AttachmentId: t.Intent.Attachments[0].Id, PrivateIpv4Address: addressText(t.Interface.Address), Ipv6Address: addressText(t.Interface.IPv6),
			}}
		}
		if t.Report != nil {
			for _, r := range t.Report.Containers {
				if r.Name == *c.Name {
					showReport(c, r)
				}
			}
		}
		if t.Stopped() { // whatever was reported last
			c.LastStatus = new(string(fargo.ContainerStopped))
		}
		if aws.Value(t.Intent.EnableExecuteCommand) {
			c.ManagedAgents = []ecs.ManagedAgent{execAgent(t, c)}
		}
	}
	return out
}

// addressText is an address as AWS shows it: not at all when there is none.
func addressText(a netip.Addr) *string {
	if !a.IsValid() {
		return nil
	}
	return new(a.String())
}

// showReport lays what the node has seen over a container.
func showReport(c *ecs.Container, r desired.ContainerReport) {
	c.LastStatus = new(string(r.Status))
	c.ImageDigest = nonEmpty(r.ImageDigest)
	// Of an image that could not be pulled, the task alone tells. Source: answers of
	// AWS recorded in LocalStack's tests (test_ecs_task_service).
	if !strings.HasPrefix(r.Reason, "CannotPullContainerError") {
		c.Reason = nonEmpty(r.Reason)
	}
	if r.ExitCode != nil {
		c.ExitCode = new(int32(*r.ExitCode))
	}
	if r.Health != "" {
		c.HealthStatus = ecs.HealthStatus(r.Health)
	}
}

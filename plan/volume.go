package plan

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"time"

	"fargo"
	"fargo/aws"
	"fargo/aws/ec2"
	"fargo/aws/ecs"
	"fargo/desired"
	"fargo/record"
)

// InfrastructureRoleRefused is why a volume cannot be made that a role should make.
// Source: ECS developer guide, "Status reasons for Amazon EBS volume attachment to Amazon
// ECS tasks".
func InfrastructureRoleRefused(role string) string {
	return "ECS was unable to assume the configured ECS Infrastructure Role '" + role + "'. Please verify that the role being passed has the proper trust relationship with Amazon ECS"
}

// VolumeKeyRefused is why a volume cannot be made whose KMS key is not there. Source: as of
// [InfrastructureRoleRefused].
const VolumeKeyRefused = `ECS failed to set up the EBS volume. Encountered IdempotentParameterMismatch"; "The client token you have provided is associated with a resource that is already deleted. Please use a different client token."`

// VolumeStorageQuota is how much all volumes of a type may have together in a region, in GiB.
// Source: AWS General Reference, "Amazon Elastic Block Store endpoints and quotas".
const VolumeStorageQuota = 50 << 10

// VolumeStorageExceeded is why a volume cannot be made that is beyond [VolumeStorageQuota].
// Source: EC2's sentence is that of github.com/kubernetes/kubernetes/issues/51897; what ECS
// says around it, of github.com/rocicorp/mono/pull/4410.
func VolumeStorageExceeded(kind ec2.VolumeType) string {
	return fmt.Sprintf("ECS failed to set up the EBS volume. Encountered 'VolumeLimitExceeded' error from AmazonEC2: "+
		"\"You have exceeded your maximum %s storage limit of %d TiB in this region. Please contact AWS Support to request an Elastic Block Store service limit increase.\"", kind, VolumeStorageQuota>>10)
}

// TaskVolumeConfiguration is a service's configuration of a volume, for one of its tasks.
func TaskVolumeConfiguration(v *ecs.ServiceVolumeConfiguration) ecs.TaskVolumeConfiguration {
	c := ecs.TaskVolumeConfiguration{Name: v.Name}
	if m := v.ManagedEBSVolume; m != nil {
		c.ManagedEBSVolume = &ecs.TaskManagedEBSVolumeConfiguration{
			Encrypted: m.Encrypted, KmsKeyId: m.KmsKeyId, VolumeType: m.VolumeType, SizeInGiB: m.SizeInGiB, SnapshotId: m.SnapshotId,
			VolumeInitializationRate: m.VolumeInitializationRate, Iops: m.Iops, Throughput: m.Throughput,
			TagSpecifications: m.TagSpecifications, RoleArn: m.RoleArn, FilesystemType: m.FilesystemType,
		}
	}
	return c
}

// NewTaskVolume is the volume of a task to come. Its tags are the configuration's own, over
// those that it propagates from the definition or the service, and those that ECS manages.
// Source: ECS API, EBSTagSpecification.
func NewTaskVolume(c ecs.TaskVolumeConfiguration, definition, service, managed []ecs.Tag) *record.TaskVolume {
	v := &record.TaskVolume{Configuration: c}
	for _, s := range c.ManagedEBSVolume.TagSpecifications {
		switch s.PropagateTags {
		case ecs.PropagateTagsTaskDefinition:
			v.Tags = overlay(v.Tags, definition)
		case ecs.PropagateTagsService:
			v.Tags = overlay(v.Tags, service)
		}
		v.Tags = overlay(v.Tags, s.Tags)
	}
	v.Tags = overlay(v.Tags, managed)
	return v
}

// overlay is a list of tags with others over it.
func overlay(tags, over []ecs.Tag) []ecs.Tag {
	tags = slices.DeleteFunc(slices.Clone(tags), func(t ecs.Tag) bool {
		return slices.ContainsFunc(over, func(o ecs.Tag) bool { return *o.Key == *t.Key })
	})
	return append(tags, over...)
}

// volumeAttachment is a task's attachment of a volume that is yet to be made.
// Source: ECS API, Attachment; AWS CLI, examples of run-task.
func volumeAttachment(v *record.TaskVolume, id string) ecs.Attachment {
	c := v.Configuration
	return ecs.Attachment{
		Id: &id, Type: new("AmazonElasticBlockStorage"), Status: new("CREATED"),
		Details: []ecs.KeyValuePair{
			{Name: new("roleArn"), Value: c.ManagedEBSVolume.RoleArn},
			{Name: new("volumeName"), Value: c.Name},
			{Name: new("deleteOnTermination"), Value: new(strconv.FormatBool(!v.Keep()))},
		},
	}
}

// showVolume shows how far a task's volume is.
func showVolume(a *ecs.Attachment, t *record.Task, status fargo.TaskStatus) {
	v := t.Volume
	failure := v.Failure
	if t.Report != nil {
		failure = cmp.Or(failure, t.Report.VolumeFailure)
	}
	a.Details = slices.Clip(a.Details)
	if v.ID != "" {
		a.Details = append(a.Details, ecs.KeyValuePair{Name: new("volumeId"), Value: &v.ID})
		a.Status = new(volumeStatus(v, status))
	}
	if failure != "" {
		a.Details = append(a.Details, ecs.KeyValuePair{Name: new("statusReason"), Value: &failure})
		a.Status = new("FAILED")
	}
}

func volumeStatus(v *record.TaskVolume, status fargo.TaskStatus) string {
	switch {
	case status == fargo.TaskStopped && v.Keep():
		return "DETACHED"
	case status == fargo.TaskStopped:
		return "DELETED"
	case status == fargo.TaskDeprovisioning:
		return "DETACHING"
	case !status.Before(fargo.TaskActivating):
		return "ATTACHED"
	}
	return "ATTACHING"
}

// blockVolumes are a task's volumes for its node.
func blockVolumes(t *record.Task) []desired.BlockVolume {
	if t.Volume == nil {
		return nil
	}
	c := t.Volume.Configuration.ManagedEBSVolume
	return []desired.BlockVolume{{
		Volume: *t.Volume.Configuration.Name, ID: t.Volume.ID, Size: int64(*c.SizeInGiB) << 30,
		FileSystem: string(cmp.Or(c.FilesystemType, ecs.TaskFilesystemTypeXfs)), Keep: t.Volume.Keep(),
	}}
}

// Tags that ECS gives to the volumes it makes: the ARN of the task, and "true".
// Source: the managed policy AmazonECSInfrastructureRolePolicyForVolumes.
const (
	VolumeCreatedTag = "AmazonECSCreated"
	VolumeManagedTag = "AmazonECSManaged"
)

// NewVolume is the volume that ECS makes for a task in a zone, with a KMS key when it is
// encrypted. The configuration is one that [EBSVolume] accepts.
func NewVolume(t *record.Task, id, zone, key string, now time.Time) *record.EC2Volume {
	shape, _ := EBSVolume(t.Volume.Configuration.ManagedEBSVolume)
	shape.VolumeId, shape.AvailabilityZone, shape.KmsKeyId = &id, &zone, aws.NonZero(key)
	shape.CreateTime = new(now.UTC().Truncate(time.Millisecond))
	for _, tag := range t.Volume.Tags {
		shape.Tags = append(shape.Tags, ec2.Tag{Key: tag.Key, Value: tag.Value})
	}
	shape.Tags = append(shape.Tags, ec2.Tag{Key: new(VolumeCreatedTag), Value: new(t.ARN())}, ec2.Tag{Key: new(VolumeManagedTag), Value: new("true")})
	return &record.EC2Volume{Scope: t.Scope, Volume: shape, Task: t.Key(), Keep: t.Volume.Keep()}
}

// VolumeView is a volume as EC2 shows it. t is the task that it is attached to, nil for none.
// Source: EC2 API, Volume and VolumeAttachment.
func VolumeView(v *record.EC2Volume, t *record.Task) ec2.Volume {
	shape := v.Volume
	shape.State, shape.Attachments = ec2.VolumeStateAvailable, []ec2.VolumeAttachment{}
	if t == nil {
		return shape
	}
	shape.State = ec2.VolumeStateInUse
	state := ec2.VolumeAttachmentStateAttached
	switch status := t.LastStatus(); {
	case status.Before(fargo.TaskActivating):
		state = ec2.VolumeAttachmentStateAttaching
	case !status.Before(fargo.TaskDeprovisioning):
		state = ec2.VolumeAttachmentStateDetaching
	}
	shape.Attachments = []ec2.VolumeAttachment{{
		VolumeId: shape.VolumeId, State: state, AttachTime: shape.CreateTime, DeleteOnTermination: new(!v.Keep),
		AssociatedResource: new(t.ARN()), InstanceOwningService: new("fargate.amazonaws.com"),
	}}
	return shape
}

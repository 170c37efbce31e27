package ec2

import (
	"context"
	"iter"
	"strconv"
	"time"

	"fargo"
	"fargo/api"
	"fargo/aws/ec2"
	"fargo/aws/protocol"
	"fargo/plan"
	"fargo/store"
)

var noVolume = noSuch("vol")

var volumeFields = fields[ec2.Volume]{
	operation: "DescribeVolumes",
	names: map[string]func(ec2.Volume) []string{
		"attachment.attach-time": each(volumeAttachments, func(a ec2.VolumeAttachment) *string { return new(timeText(*a.AttachTime)) }),
		"attachment.delete-on-termination": each(volumeAttachments, func(a ec2.VolumeAttachment) *string {
			return new(strconv.FormatBool(*a.DeleteOnTermination))
		}),
		"attachment.status":    each(volumeAttachments, func(a ec2.VolumeAttachment) *string { return new(string(a.State)) }),
		"availability-zone":    one(func(v ec2.Volume) *string { return v.AvailabilityZone }),
		"create-time":          func(v ec2.Volume) []string { return []string{timeText(*v.CreateTime)} },
		"encrypted":            func(v ec2.Volume) []string { return boolean(v.Encrypted) },
		"multi-attach-enabled": func(v ec2.Volume) []string { return boolean(v.MultiAttachEnabled) },
		"operator.managed":     func(v ec2.Volume) []string { return boolean(v.Operator.Managed) },
		"size":                 func(v ec2.Volume) []string { return []string{strconv.Itoa(int(*v.Size))} },
		"snapshot-id":          one(func(v ec2.Volume) *string { return v.SnapshotId }),
		"status":               func(v ec2.Volume) []string { return []string{string(v.State)} },
		"volume-id":            one(func(v ec2.Volume) *string { return v.VolumeId }),
		"volume-type":          func(v ec2.Volume) []string { return []string{string(v.VolumeType)} },
	},
	absent: []string{"attachment.device", "attachment.instance-id", "availability-zone-id", "fast-restored", "operator.principal"},
	tags:   func(v ec2.Volume) []ec2.Tag { return v.Tags },
}

func volumeAttachments(v ec2.Volume) []ec2.VolumeAttachment { return v.Attachments }

// timeText is a time as filters have it.
func timeText(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// volumes are those of a scope, as they are shown.
func volumes(r store.Reader, scope fargo.Scope) iter.Seq[ec2.Volume] {
	return func(yield func(ec2.Volume) bool) {
		for v := range store.EC2Volumes.Prefix(r, scope.Key()) {
			t, _ := store.Tasks.Get(r, v.Task)
			if !yield(plan.VolumeView(v, t)) {
				return
			}
		}
	}
}

// DescribeVolumes shows the volumes that ECS has made.
func (s *Server) DescribeVolumes(ctx context.Context, in *ec2.DescribeVolumesInput) (*ec2.DescribeVolumesOutput, error) {
	found, next, err := describe(volumes(s.db.View(), api.CallFrom(ctx).Scope()),
		query{in.VolumeIds, in.Filters, pages.Ask(in, in.NextToken, in.MaxResults)}, volumeFields,
		func(v ec2.Volume) string { return *v.VolumeId }, noVolume)
	return &ec2.DescribeVolumesOutput{Volumes: append([]ec2.Volume{}, found...), NextToken: next}, err
}

// DeleteVolume deletes a volume that outlived its task, with its files.
func (s *Server) DeleteVolume(ctx context.Context, in *ec2.DeleteVolumeInput) (*ec2.DeleteVolumeOutput, error) {
	return &ec2.DeleteVolumeOutput{}, s.update(ctx, func(tx *store.Tx, scope fargo.Scope, now time.Time) error {
		v, ok := store.EC2Volumes.Get(tx, scope.Key(*in.VolumeId))
		if !ok {
			return noVolume(*in.VolumeId)
		}
		if t, ok := store.Tasks.Get(tx, v.Task); ok {
			return protocol.Errorf("VolumeInUse", "Volume %s is currently attached to %s", *in.VolumeId, t.ARN())
		}
		store.DeleteEC2Volume(tx, v, now)
		return nil
	})
}

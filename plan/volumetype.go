package plan

import (
	"cmp"

	"fargo/aws"
	"fargo/aws/ec2"
	"fargo/aws/ecs"
	"fargo/aws/protocol"
)

// volumeType is what EBS makes of a type of volumes. Sizes are in GiB.
// Sources: ECS API, TaskManagedEBSVolumeConfiguration; EBS user guide, "Amazon EBS volume
// types".
type volumeType struct {
	least, most         int32
	leastIOPS, mostIOPS int32 // 0: they cannot be chosen
	usualIOPS           int32 // 0: they must be chosen
	ratio               int32 // the most IOPS for a GiB beyond the usual ones
}

var volumeTypes = map[ec2.VolumeType]volumeType{
	ec2.VolumeTypeGp2: {least: 1, most: 16384},
	ec2.VolumeTypeGp3: {least: 1, most: 16384, leastIOPS: 3000, mostIOPS: 16000, usualIOPS: 3000, ratio: 500},
	ec2.VolumeTypeIo1: {least: 4, most: 16384, leastIOPS: 100, mostIOPS: 64000, ratio: 50},
	ec2.VolumeTypeIo2: {least: 4, most: 16384, leastIOPS: 100, mostIOPS: 256000, ratio: 1000},
	ec2.VolumeTypeSt1: {least: 125, most: 16384},
	ec2.VolumeTypeSc1: {least: 125, most: 16384},
}

// Throughput of gp3 in MiB/s, and how much of it an IOPS carries.
// Source: EBS user guide, "General Purpose SSD volumes".
const (
	usualThroughput   = 125
	mostThroughput    = 1000
	throughputForIOPS = 0.25
)

// EBSVolume is what EC2 makes of a configuration: an empty volume. The error is EC2's.
// Source: EC2 API, CreateVolume.
func EBSVolume(c *ecs.TaskManagedEBSVolumeConfiguration) (v ec2.Volume, err error) {
	kind := ec2.VolumeType(cmp.Or(aws.Value(c.VolumeType), string(ec2.VolumeTypeGp3)))
	t, ok := volumeTypes[kind]
	switch {
	case !ok:
		return v, protocol.Errorf("InvalidParameterValue", "Value (%s) for parameter volumeType is invalid.", kind)
	case c.SizeInGiB == nil:
		return v, protocol.Errorf("MissingParameter", "The request must contain the parameter size or snapshotId")
	case *c.SizeInGiB < t.least:
		return v, protocol.Errorf("InvalidParameterValue", "Volume of %dGiB is too small for volume type %s; minimum is %dGiB", *c.SizeInGiB, kind, t.least)
	case *c.SizeInGiB > t.most:
		return v, protocol.Errorf("InvalidParameterValue", "Volume of %dGiB is too large for volume type %s; maximum is %dGiB", *c.SizeInGiB, kind, t.most)
	case c.KmsKeyId != nil && !aws.Value(c.Encrypted):
		return v, protocol.Errorf("InvalidParameterDependency", "The parameter KmsKeyId requires the parameter Encrypted to be set.")
	}
	v = ec2.Volume{
		VolumeType: kind, Size: c.SizeInGiB, SnapshotId: new(""), Encrypted: new(aws.Value(c.Encrypted)), MultiAttachEnabled: new(false),
		Operator: &ec2.OperatorResponse{Managed: new(false)},
	}
	if v.Iops, err = volumeIOPS(c, kind, t); err != nil {
		return v, err
	}
	v.Throughput, err = volumeThroughput(c, kind, v.Iops)
	return v, err
}

// volumeIOPS is nil for types that have none.
func volumeIOPS(c *ecs.TaskManagedEBSVolumeConfiguration, kind ec2.VolumeType, t volumeType) (*int32, error) {
	switch n := c.Iops; {
	case n != nil && t.mostIOPS == 0:
		return nil, protocol.Errorf("InvalidParameterCombination", "The parameter iops is not supported for %s volumes.", kind)
	case kind == ec2.VolumeTypeGp2: // 3 for a GiB
		return new(min(max(3**c.SizeInGiB, 100), 16000)), nil
	case t.mostIOPS == 0:
		return nil, nil
	case n == nil && t.usualIOPS == 0:
		return nil, protocol.Errorf("MissingParameter", "The request must contain the parameter iops")
	case n == nil:
		return &t.usualIOPS, nil
	case *n < t.leastIOPS:
		return nil, protocol.Errorf("InvalidParameterValue", "Volume iops of %d is too low; minimum is %d.", *n, t.leastIOPS)
	case *n > t.mostIOPS:
		return nil, protocol.Errorf("InvalidParameterValue", "Volume iops of %d is too high; maximum is %d.", *n, t.mostIOPS)
	case *n > t.usualIOPS && *n > t.ratio**c.SizeInGiB:
		return nil, protocol.Errorf("InvalidParameterValue", "Iops to volume size ratio of %f is too high; maximum is %d", float64(*n)/float64(*c.SizeInGiB), t.ratio)
	}
	return c.Iops, nil
}

// volumeThroughput is nil for types whose throughput cannot be chosen.
func volumeThroughput(c *ecs.TaskManagedEBSVolumeConfiguration, kind ec2.VolumeType, iops *int32) (*int32, error) {
	switch n := c.Throughput; {
	case kind != ec2.VolumeTypeGp3 && n != nil:
		return nil, protocol.Errorf("InvalidParameterCombination", "The parameter throughput is not supported for %s volumes.", kind)
	case kind != ec2.VolumeTypeGp3:
		return nil, nil
	case n == nil:
		return new(int32(usualThroughput)), nil
	case *n < usualThroughput:
		return nil, protocol.Errorf("InvalidParameterValue", "Volume throughput of %d is too low; minimum is %d.", *n, usualThroughput)
	case *n > mostThroughput:
		return nil, protocol.Errorf("InvalidParameterValue", "Volume throughput of %d is too high; maximum is %d.", *n, mostThroughput)
	case float64(*n) > throughputForIOPS*float64(*iops):
		return nil, protocol.Errorf("InvalidParameterValue", "Throughput (MiBps) to iops ratio of %f is too high; maximum is %f MiBps per iops", float64(*n)/float64(*iops), throughputForIOPS)
	}
	return c.Throughput, nil
}

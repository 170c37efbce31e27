package plan

import (
	"testing"

	"pgregory.net/rapid"

	"fargo/aws/ec2"
	"fargo/aws/ecs"
)

// What EC2 makes of a configuration has what its type has, within its bounds.
func TestEBSVolumeBounds(t *testing.T) {
	maybe := func(of *rapid.Generator[int32]) *rapid.Generator[*int32] { return rapid.Ptr(of, true) }
	rapid.Check(t, func(t *rapid.T) {
		c := &ecs.TaskManagedEBSVolumeConfiguration{
			VolumeType: new(rapid.SampledFrom([]string{"gp2", "gp3", "io1", "io2", "st1", "sc1"}).Draw(t, "type")),
			SizeInGiB:  maybe(rapid.Int32Range(-1, 17000)).Draw(t, "size"),
			Iops:       maybe(rapid.Int32()).Draw(t, "iops"), Throughput: maybe(rapid.Int32()).Draw(t, "throughput"),
		}
		if rapid.Bool().Draw(t, "likely") {
			c.SizeInGiB, c.Throughput, c.Iops = new(int32(200)), nil, maybe(rapid.Int32Range(1000, 20000)).Draw(t, "likely iops")
		}
		v, err := EBSVolume(c)
		if err != nil {
			return
		}
		kind := volumeTypes[v.VolumeType]
		if *v.Size < kind.least || *v.Size > kind.most {
			t.Errorf("%s of %d GiB", v.VolumeType, *v.Size)
		}
		hasIOPS := v.VolumeType != ec2.VolumeTypeSt1 && v.VolumeType != ec2.VolumeTypeSc1
		if (v.Iops != nil) != hasIOPS || v.Iops != nil && *v.Iops < 100 {
			t.Errorf("%s with IOPS %v", v.VolumeType, v.Iops)
		}
		if (v.Throughput != nil) != (v.VolumeType == ec2.VolumeTypeGp3) || v.Throughput != nil && 4**v.Throughput > *v.Iops {
			t.Errorf("%s with throughput %v", v.VolumeType, v.Throughput)
		}
	})
}

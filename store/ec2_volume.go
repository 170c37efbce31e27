package store

import (
	"time"

	"fargo/record"
)

// EC2Volumes are the volumes of EBS, by scope and id.
var EC2Volumes = NewTable("ec2volume", (*record.EC2Volume).Key)

// DeleteEC2Volume deletes a volume, and has nodes remove its files.
func DeleteEC2Volume(tx *Tx, v *record.EC2Volume, now time.Time) {
	EC2Volumes.Delete(tx, v.Key())
	if v.Keep {
		DeletedFileSystems.Put(tx, &record.DeletedFileSystem{ID: *v.Volume.VolumeId, At: now})
	}
}

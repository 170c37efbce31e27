package control

import (
	"time"

	"fargo"
	"fargo/aws"
	"fargo/aws/ec2"
	"fargo/kms"
	"fargo/plan"
	"fargo/policy"
	"fargo/record"
	"fargo/store"
)

// makeVolume makes the volume of a task that is placed in a zone, and notes it in the task.
// reason is why it cannot, in ECS's words; it is empty when it can.
func makeVolume(tx *store.Tx, of RolePolicies, t *record.Task, zone string, now time.Time) (reason string) {
	if t.Volume == nil {
		return ""
	}
	c := t.Volume.Configuration.ManagedEBSVolume
	if !mayMakeVolume(tx, of, t) {
		return plan.InfrastructureRoleRefused(*c.RoleArn)
	}
	key := ""
	if aws.Value(c.Encrypted) {
		k, err := kms.FindOrMake(tx, t.Scope, aws.ValueOr(c.KmsKeyId, "alias/aws/ebs"), now)
		if err != nil {
			return plan.VolumeKeyRefused
		}
		key = *k.Metadata.Arn
	}
	made := *t.Volume
	made.ID = fargo.NewEC2ID("vol")
	v := plan.NewVolume(t, made.ID, zone, key, now)
	used := volumeStorage(tx, t.Scope, v.Volume.VolumeType)
	if *used+int(*v.Volume.Size) > plan.VolumeStorageQuota {
		return plan.VolumeStorageExceeded(v.Volume.VolumeType)
	}
	*used += int(*v.Volume.Size)
	t.Volume = &made
	store.EC2Volumes.Put(tx, v)
	return ""
}

// volumeKind is what the storage of is cached in a transaction that makes volumes.
type volumeKind struct {
	scope fargo.Scope
	kind  ec2.VolumeType
}

// volumeStorage is how much the volumes of a type have together, in GiB.
func volumeStorage(tx *store.Tx, scope fargo.Scope, kind ec2.VolumeType) *int {
	return store.Cached(tx, volumeKind{scope, kind}, func() *int {
		sum := 0
		for v := range store.EC2Volumes.Prefix(tx, scope.Key()) {
			if v.Volume.VolumeType == kind {
				sum += int(*v.Volume.Size)
			}
		}
		return &sum
	})
}

// mayMakeVolume reports whether the infrastructure role of a task's volume lets ECS act in
// its name, and may make the volume with its tags.
// Source: ECS developer guide, "Amazon ECS infrastructure IAM role".
func mayMakeVolume(r store.Reader, of RolePolicies, t *record.Task) bool {
	role, ok := assumed(r, *t.Volume.Configuration.ManagedEBSVolume.RoleArn, "ecs.amazonaws.com", t)
	if !ok {
		return false
	}
	caller := of(&record.Session{
		Account:      role.Account,
		PrincipalARN: fargo.Scope{Account: role.Account}.ARN("sts", "assumed-role/"+*role.Role.RoleName+"/ECSTaskVolumesForEBS"),
		PrincipalID:  *role.Role.RoleId + ":ECSTaskVolumesForEBS",
		Role:         *role.Role.Arn,
	})
	context := policy.Values{
		"aws:requesttag/amazonecscreated": {t.ARN()}, "aws:requesttag/amazonecsmanaged": {"true"}, "ec2:createaction": {"CreateVolume"},
	}
	volume := []policy.Resource{{ARN: t.Scope.ARN("ec2", "volume/*")}}
	for _, action := range []string{"ec2:CreateVolume", "ec2:CreateTags"} {
		if policy.Decide(caller, action, volume, context).Effect != policy.Allow {
			return false
		}
	}
	return true
}

// holdsVolume finds the volume that is attached to a task.
func holdsVolume(r store.Reader, t *record.Task) (*record.EC2Volume, bool) {
	if t.Volume == nil {
		return nil, false
	}
	v, ok := store.EC2Volumes.Get(r, t.Scope.Key(t.Volume.ID))
	return v, ok && v.Task == t.Key()
}

// releaseVolume takes a task's volume away from it, which is its end, unless it is to be kept
// and was ever attached.
func releaseVolume(tx *store.Tx, t *record.Task, now time.Time) {
	v, ok := holdsVolume(tx, t)
	if !ok {
		return
	}
	if !v.Keep || t.Report != nil && t.Report.VolumeFailure != "" {
		store.DeleteEC2Volume(tx, v, now)
		return
	}
	free := *v
	free.Task = ""
	store.EC2Volumes.Put(tx, &free)
}

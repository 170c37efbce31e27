package efs

import (
	"strings"

	"fargo"
	"fargo/api"
	"fargo/aws"
	"fargo/aws/efs"
	"fargo/store"
)

// Actions are what the operations ask IAM for.
// Source: Service Authorization Reference, "Amazon Elastic File System".
var Actions = &api.Actions{
	Prefix:      service,
	TagOnCreate: "elasticfilesystem:TagResource", CreateActionKey: "elasticfilesystem:CreateAction",
	Tags: func(r store.Reader, arn string) map[string]string {
		a, ok := fargo.ParseARN(arn)
		if !ok {
			return nil
		}
		found, err := tagged(r, a.Scope(), a.Name())
		if err != nil {
			return nil
		}
		return tagMap(found.Tags)
	},
	Rows: map[string]api.Row{
		"CreateFileSystem": api.AnyResource[efs.CreateFileSystemInput]().
			Tags(func(in *efs.CreateFileSystemInput) map[string]string { return tagMap(in.Tags) }).Creates().
			Key("elasticfilesystem:Encrypted", func(_ *api.Query, in *efs.CreateFileSystemInput) []string {
				if aws.Value(in.Encrypted) {
					return []string{"true"}
				}
				return []string{"false"}
			}).Inferred(),
		"CreateAccessPoint": onFileSystem(func(in *efs.CreateAccessPointInput) *string { return in.FileSystemId }).
			Tags(func(in *efs.CreateAccessPointInput) map[string]string { return tagMap(in.Tags) }).Creates(),
		"CreateMountTarget": onFileSystem(func(in *efs.CreateMountTargetInput) *string { return in.FileSystemId }),
		"DeleteAccessPoint": api.On(func(q *api.Query, in *efs.DeleteAccessPointInput) []string {
			return []string{q.ARN(service, "access-point/"+idOf(q.Scope(), aws.Value(in.AccessPointId)))}
		}),
		"DeleteFileSystem":                onFileSystem(func(in *efs.DeleteFileSystemInput) *string { return in.FileSystemId }),
		"DeleteFileSystemPolicy":          onFileSystem(func(in *efs.DeleteFileSystemPolicyInput) *string { return in.FileSystemId }),
		"DescribeBackupPolicy":            onFileSystem(func(in *efs.DescribeBackupPolicyInput) *string { return in.FileSystemId }),
		"DescribeFileSystemPolicy":        onFileSystem(func(in *efs.DescribeFileSystemPolicyInput) *string { return in.FileSystemId }),
		"DescribeLifecycleConfiguration":  onFileSystem(func(in *efs.DescribeLifecycleConfigurationInput) *string { return in.FileSystemId }),
		"PutBackupPolicy":                 onFileSystem(func(in *efs.PutBackupPolicyInput) *string { return in.FileSystemId }),
		"PutFileSystemPolicy":             onFileSystem(func(in *efs.PutFileSystemPolicyInput) *string { return in.FileSystemId }),
		"PutLifecycleConfiguration":       onFileSystem(func(in *efs.PutLifecycleConfigurationInput) *string { return in.FileSystemId }),
		"UpdateFileSystem":                onFileSystem(func(in *efs.UpdateFileSystemInput) *string { return in.FileSystemId }),
		"DescribeFileSystems":             onFileSystem(func(in *efs.DescribeFileSystemsInput) *string { return in.FileSystemId }),
		"DescribeAccessPoints":            onFileSystem(func(in *efs.DescribeAccessPointsInput) *string { return first(in.AccessPointId, in.FileSystemId) }),
		"DescribeMountTargets":            describesMountTargets,
		"DeleteMountTarget":               onMountTarget(func(in *efs.DeleteMountTargetInput) *string { return in.MountTargetId }),
		"ModifyMountTargetSecurityGroups": onMountTarget(func(in *efs.ModifyMountTargetSecurityGroupsInput) *string { return in.MountTargetId }),
		"DescribeMountTargetSecurityGroups": onMountTarget(func(in *efs.DescribeMountTargetSecurityGroupsInput) *string {
			return in.MountTargetId
		}),
		"ListTagsForResource": onFileSystem(func(in *efs.ListTagsForResourceInput) *string { return in.ResourceId }),
		"TagResource": onFileSystem(func(in *efs.TagResourceInput) *string { return in.ResourceId }).
			Tags(func(in *efs.TagResourceInput) map[string]string { return tagMap(in.Tags) }),
		"UntagResource": onFileSystem(func(in *efs.UntagResourceInput) *string { return in.ResourceId }).
			Key("aws:TagKeys", func(_ *api.Query, in *efs.UntagResourceInput) []string { return in.TagKeys }),
	},
}

// onFileSystem is on the file system or the access point that a request names.
func onFileSystem[In any](name func(*In) *string) api.Rule[In] {
	return api.On(func(q *api.Query, in *In) []string { return named(q, name(in)) })
}

// onMountTarget is on the file system of the mount target that a request names.
func onMountTarget[In any](id func(*In) *string) api.Rule[In] {
	return api.On(func(q *api.Query, in *In) []string { return fileSystemOf(q, aws.Value(id(in))) })
}

var describesMountTargets = api.On(func(q *api.Query, in *efs.DescribeMountTargetsInput) []string {
	if in.MountTargetId != nil {
		return fileSystemOf(q, *in.MountTargetId)
	}
	return named(q, first(in.AccessPointId, in.FileSystemId))
})

func named(q *api.Query, name *string) []string {
	switch {
	case name == nil:
		return []string{q.ARN(service, "file-system/*")}
	case strings.HasPrefix(*name, "arn:"):
		return []string{*name}
	}
	return []string{arnOf(q.Scope(), *name)}
}

func fileSystemOf(q *api.Query, mountTarget string) []string {
	m, ok := store.EFSMountTargets.Get(q.State, q.Scope().Key(mountTarget))
	if !ok {
		return named(q, nil)
	}
	return named(q, m.MountTarget.FileSystemId)
}

func first(some ...*string) *string {
	for _, s := range some {
		if s != nil {
			return s
		}
	}
	return nil
}

func tagMap(tags []efs.Tag) map[string]string {
	return api.TagMap(tags, func(t efs.Tag) (key, value *string) { return t.Key, t.Value })
}

package efs

import "fargo/api"

// NotActedOn lists the fields that are kept and shown but change nothing.
var NotActedOn = []api.Gap{
	{Operation: "CreateFileSystem", Field: "Encrypted, PerformanceMode, ThroughputMode, ProvisionedThroughputInMibps", Why: "files are in a directory of the machine that runs the tasks, and are as fast as that"},
	{Operation: "CreateFileSystem", Field: "Backup", Why: "there is no AWS Backup"},
	{Operation: "DescribeFileSystems", Field: "SizeInBytes", Why: "is that of an empty file system, whatever is in it"},
	{Operation: "CreateMountTarget", Field: "SecurityGroups", Why: "tasks mount without a connection; whether there is a mount target in their zone counts"},
	{Operation: "CreateAccessPoint", Field: "PosixUser", Why: "a container's own user is that user in the file system, and the other way round; a process that has become another user is that one, and root passes over permissions"},
	{Operation: "PutLifecycleConfiguration", Field: "LifecyclePolicies", Why: "there is one storage class"},
	{Operation: "PutBackupPolicy", Field: "BackupPolicy", Why: "there is no AWS Backup"},
}

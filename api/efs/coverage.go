package efs

import "fargo/api"

// NotActedOn lists the fields that are kept and shown but change nothing.
var NotActedOn = []api.Gap{
	{Operation: "CreateFileSystem", Field: "Encrypted, PerformanceMode, ThroughputMode, ProvisionedThroughputInMibps", Why: "file systems are kept and hold no files: RunTask refuses to mount them, by name"},
	{Operation: "CreateFileSystem", Field: "Backup", Why: "there is no AWS Backup"},
	{Operation: "DescribeFileSystems", Field: "SizeInBytes", Why: "is that of an empty file system, which it is"},
	{Operation: "CreateMountTarget", Field: "SecurityGroups", Why: "its interface is shown, and answers nothing"},
	{Operation: "PutFileSystemPolicy", Field: "Policy", Why: "is kept and not evaluated"},
	{Operation: "PutLifecycleConfiguration", Field: "LifecyclePolicies", Why: "there is one storage class"},
	{Operation: "PutBackupPolicy", Field: "BackupPolicy", Why: "there is no AWS Backup"},
}

package efs

import "fargo/api"

// NotActedOn lists the fields that are kept and shown but change nothing.
var NotActedOn = []api.Gap{
	{Operation: "CreateFileSystem", Field: "Encrypted", Why: "files are in a directory of the machine, encrypted if its disk is"},
	{Operation: "CreateFileSystem", Field: "PerformanceMode, ThroughputMode, ProvisionedThroughputInMibps", Why: "a file system is as fast as the machine's disk"},
	{Operation: "CreateFileSystem", Field: "Backup", Why: "there is no AWS Backup"},
	{Operation: "DescribeFileSystems", Field: "SizeInBytes", Why: "is that of an empty file system: files are not measured"},
	{Operation: "CreateMountTarget", Field: "SecurityGroups", Why: "tasks mount a directory of the machine, not by the network: what the groups allow is not asked"},
	{Operation: "PutFileSystemPolicy", Field: "Policy", Why: "is kept and not evaluated"},
	{Operation: "PutLifecycleConfiguration", Field: "LifecyclePolicies", Why: "there is one storage class"},
	{Operation: "PutBackupPolicy", Field: "BackupPolicy", Why: "there is no AWS Backup"},
}

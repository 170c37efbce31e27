package ecs

import "fargo/api"

// NotActedOn lists the fields that are kept and shown but change nothing yet.
var NotActedOn = []api.Gap{
	{Operation: "CreateCluster", Field: "configuration.managedStorageConfiguration", Why: "storage is not encrypted with KMS"},
	{Operation: "CreateCluster", Field: "serviceConnectDefaults", Why: "Service Connect is not implemented yet"},
	{Operation: "PutAccountSetting", Field: "name awsvpcTrunking", Why: "there are no container instances"},
	{Operation: "PutAccountSetting", Field: "name fargateEventWindows", Why: "tasks are not retired"},
	{Operation: "PutAccountSetting", Field: "name fargateFIPSMode", Why: "tasks use the cryptography of their images"},
	{Operation: "PutAccountSetting", Field: "name fargateTaskRetirementWaitPeriod", Why: "tasks are not retired"},
	{Operation: "PutAccountSetting", Field: "name tagResourceAuthorization", Why: "ecs:TagResource is always asked for when tags come with what is created, as if it were on"},
	{Operation: "RunTask", Field: "networkConfiguration.awsvpcConfiguration.assignPublicIp", Why: "gives the task a way to the Internet, but no public address of its own is shown"},
	{Operation: "RunTask", Field: "capacityProviderStrategy FARGATE_SPOT", Why: "tasks are never interrupted yet"},
	{Operation: "RunTask", Field: "platformVersion 1.3.0", Why: "refused with what that version lacks, and shown; tasks run as those of 1.4.0 do"},
	{Operation: "RunTask", Field: "volumeConfigurations.managedEBSVolume.volumeType, iops, throughput", Why: "checked and shown; a volume is as fast as the machine's disk"},
	{Operation: "RunTask", Field: "volumeConfigurations.managedEBSVolume.encrypted, kmsKeyId", Why: "the key has to be there, and is shown; the volume's file is not encrypted"},
	{Operation: "RunTask", Field: "volumeConfigurations.managedEBSVolume.roleArn", Why: "has to trust ECS and allow to make the volume with its tags; the other permissions of the managed policy are not asked for"},
	{Operation: "RunTask", Field: "referenceId", Why: "kept by nothing; AWS has deprecated it"},
	{Operation: "CreateService", Field: "deploymentConfiguration.bakeTimeInMinutes", Why: "it counts with deployment alarms only; other strategies than rolling are not implemented yet"},
	{Operation: "CreateService", Field: "volumeConfigurations.managedEBSVolume", Why: "what RunTask does not act on either"},
	{Operation: "RegisterTaskDefinition", Field: "runtimePlatform.cpuArchitecture", Why: "images run on the machine's own architecture"},
	{Operation: "RegisterTaskDefinition", Field: "enableFaultInjection", Why: "the fault injection endpoints are not served"},
	{Operation: "RegisterTaskDefinition", Field: "placementConstraints", Why: "there are no container instances"},
	{Operation: "RegisterTaskDefinition", Field: "containerDefinitions.logConfiguration.options mode, max-buffer-size", Why: "only with fargo up --containerd, whose shim knows no bounds: output is kept in files, and no container blocks"},
	{Operation: "RegisterTaskDefinition", Field: "containerDefinitions.logConfiguration.logDriver splunk", Why: "kept; RunTask refuses it by name: a log router (awsfirelens) can send to Splunk"},
	{Operation: "RegisterTaskDefinition", Field: "containerDefinitions.logConfiguration.secretOptions", Why: "those of awsfirelens are given to the log router; RunTask refuses those of awslogs by name: none of its options is secret"},
}

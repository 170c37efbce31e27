package ecs

import "fargo/api"

// Rates are how often an account may call ECS in a region.
// Source: ECS API reference, "Request throttling for the Amazon ECS API".
var Rates = []api.Rate{
	{Operations: []string{"CreateCluster", "DeleteCluster", "PutClusterCapacityProviders", "UpdateCluster", "UpdateClusterSettings"}, Burst: 20, PerSecond: 1},
	{Operations: []string{"DescribeClusters", "ListClusters"}, Burst: 50, PerSecond: 20},
	{Operations: []string{"DeregisterTaskDefinition", "RegisterTaskDefinition"}, Burst: 20, PerSecond: 1},
	{Operations: []string{"DescribeTaskDefinition", "ListTaskDefinitions", "ListTaskDefinitionFamilies"}, Burst: 50, PerSecond: 20},
	{Operations: []string{"DeleteTaskDefinitions"}, Burst: 5, PerSecond: 1},
	{Operations: []string{"CreateCapacityProvider", "DeleteCapacityProvider", "UpdateCapacityProvider"}, Burst: 10, PerSecond: 1},
	{Operations: []string{"DescribeCapacityProviders"}, Burst: 50, PerSecond: 20},
	{Operations: []string{"TagResource", "UntagResource"}, Burst: 20, PerSecond: 10},
	{Operations: []string{"ListTagsForResource"}, Burst: 50, PerSecond: 20},
	{Operations: []string{"DeleteAccountSetting", "PutAccountSetting", "PutAccountSettingDefault"}, Burst: 10, PerSecond: 1},
	{Operations: []string{"ListAccountSettings"}, Burst: 50, PerSecond: 20},
	{
		Operations: []string{
			"DeleteAttributes", "DeregisterContainerInstance", "ExecuteCommand", "PutAttributes", "RunTask", "StartTask", "StopTask",
			"UpdateContainerAgent", "UpdateContainerInstancesState",
		},
		Burst: 100, PerSecond: 40,
	},
	{Operations: []string{"DescribeContainerInstances", "DescribeTasks", "ListAttributes", "ListContainerInstances", "ListTasks"}, Burst: 100, PerSecond: 20},
	{
		Operations: []string{"RegisterContainerInstance", "SubmitAttachmentStateChanges", "SubmitContainerStateChange", "SubmitTaskStateChange"},
		Burst:      200, PerSecond: 120,
	},
	{Operations: []string{"CreateService", "DeleteService", "UpdateService"}, Burst: 50, PerSecond: 5},
	{Operations: []string{"DescribeServices", "ListServices"}, Burst: 100, PerSecond: 20},
	{Operations: []string{"DescribeServiceDeployments", "ListServiceDeployments"}, Burst: 50, PerSecond: 20},
	{Operations: []string{"DescribeServiceRevisions"}, Burst: 50, PerSecond: 20},
	{Operations: []string{"UpdateTaskProtection", "GetTaskProtection"}, Burst: 200, PerSecond: 80},
	{Operations: []string{"ListServicesByNamespace"}, Burst: 10, PerSecond: 1},
}

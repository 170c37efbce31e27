package ecs

import (
	"strconv"
	"strings"

	"fargo"
	"fargo/api"
	"fargo/aws"
	"fargo/aws/ecs"
	"fargo/plan"
	"fargo/store"
)

// Actions are what the operations ask IAM for.
// Source: Service Authorization Reference, "Amazon Elastic Container Service"; of
// tags, ECS developer guide, "Grant permission to tag resources on creation"; of
// roles, "IAM roles for Amazon ECS".
var Actions = &api.Actions{
	Prefix:          "ecs",
	TagOnCreate:     "ecs:TagResource",
	CreateActionKey: "ecs:CreateAction",
	Tags: func(r store.Reader, arn string) map[string]string {
		a, _ := fargo.ParseARN(arn)
		found, err := findTagged(r, a.Scope(), arn)
		if err != nil {
			return nil
		}
		return tagMap(found.Tags)
	},
	Rows: map[string]api.Row{
		"CreateCluster": onCluster(func(in *ecs.CreateClusterInput) *string { return in.ClusterName }).
			Tags(func(in *ecs.CreateClusterInput) map[string]string { return tagMap(in.Tags) }).Creates().
			Key("ecs:capacity-provider", func(q *api.Query, in *ecs.CreateClusterInput) []string {
				return capacityProviders(q, in.CapacityProviders)
			}).
			Key("ecs:fargate-ephemeral-storage-kms-key", func(_ *api.Query, in *ecs.CreateClusterInput) []string {
				return storageKey(in.Configuration)
			}),
		"UpdateCluster": onCluster(func(in *ecs.UpdateClusterInput) *string { return in.Cluster }).
			Key("ecs:fargate-ephemeral-storage-kms-key", func(_ *api.Query, in *ecs.UpdateClusterInput) []string {
				return storageKey(in.Configuration)
			}),
		"PutClusterCapacityProviders": onCluster(func(in *ecs.PutClusterCapacityProvidersInput) *string { return in.Cluster }).
			Key("ecs:capacity-provider", func(q *api.Query, in *ecs.PutClusterCapacityProvidersInput) []string {
				return capacityProviders(q, in.CapacityProviders)
			}),
		"DeleteCluster":          onCluster(func(in *ecs.DeleteClusterInput) *string { return in.Cluster }),
		"UpdateClusterSettings":  onCluster(func(in *ecs.UpdateClusterSettingsInput) *string { return in.Cluster }),
		"ListContainerInstances": onCluster(func(in *ecs.ListContainerInstancesInput) *string { return in.Cluster }),
		"DescribeClusters": api.On(func(q *api.Query, in *ecs.DescribeClustersInput) []string {
			if len(in.Clusters) == 0 {
				return []string{clusterARN(q, nil)}
			}
			return each(in.Clusters, func(id string) string { return clusterARN(q, &id) })
		}),

		"CreateService": createService,
		"UpdateService": updateService,
		"DeleteService": onService(
			func(in *ecs.DeleteServiceInput) *string { return in.Cluster },
			func(in *ecs.DeleteServiceInput) []string { return api.Given(in.Service) }),
		"DescribeServices": onService(
			func(in *ecs.DescribeServicesInput) *string { return in.Cluster },
			func(in *ecs.DescribeServicesInput) []string { return in.Services }),
		"ListServiceDeployments": onService(
			func(in *ecs.ListServiceDeploymentsInput) *string { return in.Cluster },
			func(in *ecs.ListServiceDeploymentsInput) []string { return api.Given(in.Service) }),
		"DescribeServiceDeployments": onRollout(func(in *ecs.DescribeServiceDeploymentsInput) []string { return in.ServiceDeploymentArns }),
		"StopServiceDeployment":      onRollout(func(in *ecs.StopServiceDeploymentInput) []string { return api.Given(in.ServiceDeploymentArn) }),
		"DescribeServiceRevisions":   onRollout(func(in *ecs.DescribeServiceRevisionsInput) []string { return in.ServiceRevisionArns }),

		"RunTask": runTask,
		"StopTask": onTask(
			func(in *ecs.StopTaskInput) *string { return in.Cluster },
			func(in *ecs.StopTaskInput) []string { return api.Given(in.Task) }),
		"DescribeTasks": onTask(
			func(in *ecs.DescribeTasksInput) *string { return in.Cluster },
			func(in *ecs.DescribeTasksInput) []string { return in.Tasks }),
		// The cluster is a resource of its own, next to the task.
		"ExecuteCommand": api.On(func(q *api.Query, in *ecs.ExecuteCommandInput) []string {
			return []string{clusterARN(q, in.Cluster), execTask(q, in)}
		}).
			Key("ecs:cluster", func(q *api.Query, in *ecs.ExecuteCommandInput) []string { return []string{clusterARN(q, in.Cluster)} }).
			Key("ecs:task", func(q *api.Query, in *ecs.ExecuteCommandInput) []string { return []string{execTask(q, in)} }).
			Key("ecs:container-name", func(q *api.Query, in *ecs.ExecuteCommandInput) []string { return execContainer(q, in) }),
		"GetTaskProtection": onTask(
			func(in *ecs.GetTaskProtectionInput) *string { return in.Cluster },
			func(in *ecs.GetTaskProtectionInput) []string { return in.Tasks }),
		"UpdateTaskProtection": onTask(
			func(in *ecs.UpdateTaskProtectionInput) *string { return in.Cluster },
			func(in *ecs.UpdateTaskProtectionInput) []string { return in.Tasks }),
		// Without the filter the resource is "*", as texts of denials show.
		"ListTasks": inCluster("container-instance",
			func(in *ecs.ListTasksInput) *string { return in.Cluster },
			func(in *ecs.ListTasksInput) []string { return api.Given(in.ContainerInstance) }),
		"DescribeContainerInstances": inCluster("container-instance",
			func(in *ecs.DescribeContainerInstancesInput) *string { return in.Cluster },
			func(in *ecs.DescribeContainerInstancesInput) []string { return in.ContainerInstances }),

		"RegisterTaskDefinition": registerTaskDefinition,
		"DeleteTaskDefinitions": api.On(func(q *api.Query, in *ecs.DeleteTaskDefinitionsInput) []string {
			return each(in.TaskDefinitions, func(id string) string { return definitionARN(q, &id) })
		}),
		"DeregisterTaskDefinition":   api.AnyResource[any](),
		"DescribeTaskDefinition":     api.AnyResource[any](),
		"ListTaskDefinitions":        api.AnyResource[any](),
		"ListTaskDefinitionFamilies": api.AnyResource[any](),

		"ListClusters": api.AnyResource[any](),
		"ListServices": api.AnyResource[ecs.ListServicesInput]().
			Key("ecs:cluster", func(q *api.Query, in *ecs.ListServicesInput) []string { return []string{clusterARN(q, in.Cluster)} }),
		"ListServicesByNamespace": api.AnyResource[ecs.ListServicesByNamespaceInput]().
			Key("ecs:namespace", func(_ *api.Query, in *ecs.ListServicesByNamespaceInput) []string { return api.Given(in.Namespace) }),
		"DescribeCapacityProviders": api.On(func(q *api.Query, in *ecs.DescribeCapacityProvidersInput) []string {
			if len(in.CapacityProviders) == 0 {
				return []string{q.ARN("ecs", "capacity-provider/*")} // inferred: of no names nothing is said
			}
			return capacityProviders(q, in.CapacityProviders)
		}),

		"ListAccountSettings": api.AnyResource[any](),
		"PutAccountSetting": api.AnyResource[ecs.PutAccountSettingInput]().
			Key("ecs:account-setting", func(_ *api.Query, in *ecs.PutAccountSettingInput) []string { return api.Given(&in.Name) }),
		"PutAccountSettingDefault": api.AnyResource[ecs.PutAccountSettingDefaultInput]().
			Key("ecs:account-setting", func(_ *api.Query, in *ecs.PutAccountSettingDefaultInput) []string { return api.Given(&in.Name) }),
		"DeleteAccountSetting": api.AnyResource[ecs.DeleteAccountSettingInput]().
			Key("ecs:account-setting", func(_ *api.Query, in *ecs.DeleteAccountSettingInput) []string { return api.Given(&in.Name) }),

		"TagResource": api.On(func(_ *api.Query, in *ecs.TagResourceInput) []string { return api.Given(in.ResourceArn) }).
			Tags(func(in *ecs.TagResourceInput) map[string]string { return tagMap(in.Tags) }),
		"UntagResource": api.On(func(_ *api.Query, in *ecs.UntagResourceInput) []string { return api.Given(in.ResourceArn) }).
			Key("aws:TagKeys", func(_ *api.Query, in *ecs.UntagResourceInput) []string { return in.TagKeys }),
		"ListTagsForResource": api.On(func(_ *api.Query, in *ecs.ListTagsForResourceInput) []string { return api.Given(in.ResourceArn) }),
	},
}

var createService = onService(
	func(in *ecs.CreateServiceInput) *string { return in.Cluster },
	func(in *ecs.CreateServiceInput) []string { return api.Given(in.ServiceName) }).
	Tags(func(in *ecs.CreateServiceInput) map[string]string { return tagMap(in.Tags) }).Creates().
	Key("ecs:task-definition", func(q *api.Query, in *ecs.CreateServiceInput) []string {
		return definitionOf(q, in.TaskDefinition)
	}).
	Key("ecs:capacity-provider", func(q *api.Query, in *ecs.CreateServiceInput) []string {
		return strategyProviders(q, in.CapacityProviderStrategy)
	}).
	Key("ecs:enable-execute-command", func(_ *api.Query, in *ecs.CreateServiceInput) []string { return flag(in.EnableExecuteCommand) }).
	Key("ecs:enable-service-connect", func(_ *api.Query, in *ecs.CreateServiceInput) []string {
		return serviceConnect(in.ServiceConnectConfiguration)
	}).
	Key("ecs:namespace", func(_ *api.Query, in *ecs.CreateServiceInput) []string {
		return namespace(in.ServiceConnectConfiguration)
	}).
	Key("ecs:enable-ebs-volumes", func(_ *api.Query, in *ecs.CreateServiceInput) []string {
		return []string{strconv.FormatBool(len(in.VolumeConfigurations) > 0)}
	}).
	Key("ecs:enable-ecs-managed-tags", func(_ *api.Query, in *ecs.CreateServiceInput) []string { return flag(in.EnableECSManagedTags) }).
	Key("ecs:enable-vpc-lattice", func(_ *api.Query, in *ecs.CreateServiceInput) []string {
		return []string{strconv.FormatBool(len(in.VpcLatticeConfigurations) > 0)}
	}).
	Key("ecs:propagate-tags", func(_ *api.Query, in *ecs.CreateServiceInput) []string { return api.Given(&in.PropagateTags) }).
	Key("ecs:auto-assign-public-ip", func(_ *api.Query, in *ecs.CreateServiceInput) []string { return publicIP(in.NetworkConfiguration) }).
	Key("ecs:subnet", func(_ *api.Query, in *ecs.CreateServiceInput) []string { return subnets(in.NetworkConfiguration) }).
	Key("ecs:task-cpu", func(q *api.Query, in *ecs.CreateServiceInput) []string { return definitionCPU(q, in.TaskDefinition) }).
	Key("ecs:task-memory", func(q *api.Query, in *ecs.CreateServiceInput) []string { return definitionMemory(q, in.TaskDefinition) }).
	Also(func(q *api.Query, in *ecs.CreateServiceInput) []api.Access {
		return passServiceRoles(q, in.Role, in.VolumeConfigurations, in.LoadBalancers)
	})

var updateService = onService(
	func(in *ecs.UpdateServiceInput) *string { return in.Cluster },
	func(in *ecs.UpdateServiceInput) []string { return api.Given(in.Service) }).
	Key("ecs:task-definition", func(q *api.Query, in *ecs.UpdateServiceInput) []string {
		return definitionOf(q, in.TaskDefinition)
	}).
	Key("ecs:capacity-provider", func(q *api.Query, in *ecs.UpdateServiceInput) []string {
		return strategyProviders(q, in.CapacityProviderStrategy)
	}).
	Key("ecs:enable-execute-command", func(_ *api.Query, in *ecs.UpdateServiceInput) []string { return given(in.EnableExecuteCommand) }).
	Key("ecs:enable-service-connect", func(_ *api.Query, in *ecs.UpdateServiceInput) []string {
		return serviceConnect(in.ServiceConnectConfiguration)
	}).
	Key("ecs:namespace", func(_ *api.Query, in *ecs.UpdateServiceInput) []string {
		return namespace(in.ServiceConnectConfiguration)
	}).
	Key("ecs:enable-ebs-volumes", func(_ *api.Query, in *ecs.UpdateServiceInput) []string {
		return []string{strconv.FormatBool(len(in.VolumeConfigurations) > 0)}
	}).
	Key("ecs:enable-ecs-managed-tags", func(_ *api.Query, in *ecs.UpdateServiceInput) []string { return given(in.EnableECSManagedTags) }).
	Key("ecs:enable-vpc-lattice", func(_ *api.Query, in *ecs.UpdateServiceInput) []string {
		return []string{strconv.FormatBool(len(in.VpcLatticeConfigurations) > 0)}
	}).
	Key("ecs:propagate-tags", func(_ *api.Query, in *ecs.UpdateServiceInput) []string { return api.Given(&in.PropagateTags) }).
	Key("ecs:auto-assign-public-ip", func(_ *api.Query, in *ecs.UpdateServiceInput) []string { return publicIP(in.NetworkConfiguration) }).
	Key("ecs:subnet", func(_ *api.Query, in *ecs.UpdateServiceInput) []string { return subnets(in.NetworkConfiguration) }).
	Key("ecs:task-cpu", func(q *api.Query, in *ecs.UpdateServiceInput) []string { return definitionCPU(q, in.TaskDefinition) }).
	Key("ecs:task-memory", func(q *api.Query, in *ecs.UpdateServiceInput) []string { return definitionMemory(q, in.TaskDefinition) }).
	Also(func(q *api.Query, in *ecs.UpdateServiceInput) []api.Access {
		return passServiceRoles(q, nil, in.VolumeConfigurations, in.LoadBalancers)
	})

var runTask = api.On(func(q *api.Query, in *ecs.RunTaskInput) []string { return definitionOf(q, in.TaskDefinition) }).
	Tags(func(in *ecs.RunTaskInput) map[string]string { return tagMap(in.Tags) }).
	Key("ecs:cluster", func(q *api.Query, in *ecs.RunTaskInput) []string { return []string{clusterARN(q, in.Cluster)} }).
	Key("ecs:capacity-provider", func(q *api.Query, in *ecs.RunTaskInput) []string {
		return strategyProviders(q, in.CapacityProviderStrategy)
	}).
	Key("ecs:enable-execute-command", func(_ *api.Query, in *ecs.RunTaskInput) []string { return flag(in.EnableExecuteCommand) }).
	Key("ecs:enable-ebs-volumes", func(_ *api.Query, in *ecs.RunTaskInput) []string {
		return []string{strconv.FormatBool(len(in.VolumeConfigurations) > 0)}
	}).
	Also(func(q *api.Query, in *ecs.RunTaskInput) []api.Access {
		if len(in.Tags) == 0 {
			return nil
		}
		// What is tagged is the task, not the definition that the action is on.
		return []api.Access{q.TagOnCreate(q.ARN("ecs", "task/"+clusterNamed(in.Cluster)+"/*"))}
	}).
	Also(func(q *api.Query, in *ecs.RunTaskInput) []api.Access {
		var task, execution *string
		if d, err := findDefinition(q.State, q.Scope(), aws.Value(in.TaskDefinition)); err == nil && d != nil {
			task, execution = d.Definition.TaskRoleArn, d.Definition.ExecutionRoleArn
		}
		if o := in.Overrides; o != nil {
			if o.TaskRoleArn != nil {
				task = o.TaskRoleArn
			}
			if o.ExecutionRoleArn != nil {
				execution = o.ExecutionRoleArn
			}
		}
		return api.PassRole(tasksService, roleOf(q, task), roleOf(q, execution))
	})

// The action's resource is a task definition in AWS's table, but "*" in every text
// of a denial that has been seen.
var registerTaskDefinition = api.AnyResource[ecs.RegisterTaskDefinitionInput]().
	Tags(func(in *ecs.RegisterTaskDefinitionInput) map[string]string { return tagMap(in.Tags) }).
	Key("ecs:compute-compatibility", func(_ *api.Query, in *ecs.RegisterTaskDefinitionInput) []string {
		return each(in.RequiresCompatibilities, func(c ecs.Compatibility) string { return string(c) })
	}).
	Key("ecs:privileged", func(_ *api.Query, in *ecs.RegisterTaskDefinitionInput) []string {
		privileged := false
		for _, c := range in.ContainerDefinitions {
			privileged = privileged || c.Privileged != nil && *c.Privileged
		}
		return []string{strconv.FormatBool(privileged)}
	}).
	Key("ecs:task-cpu", func(_ *api.Query, in *ecs.RegisterTaskDefinitionInput) []string { return units(in.Cpu, plan.ParseCPU) }).
	Key("ecs:task-memory", func(_ *api.Query, in *ecs.RegisterTaskDefinitionInput) []string {
		return units(in.Memory, plan.ParseMemory)
	}).
	Also(func(q *api.Query, in *ecs.RegisterTaskDefinitionInput) []api.Access {
		if len(in.Tags) == 0 {
			return nil
		}
		return []api.Access{q.TagOnCreate(q.ARN("ecs", "task-definition/"+aws.Value(in.Family)+":*"))}
	}).
	Also(func(q *api.Query, in *ecs.RegisterTaskDefinitionInput) []api.Access {
		return api.PassRole(tasksService, roleOf(q, in.TaskRoleArn), roleOf(q, in.ExecutionRoleArn))
	})

// tasksService and ownService are whom roles are passed to: those of tasks, and
// those that ECS itself uses.
const (
	tasksService = "ecs-tasks.amazonaws.com"
	ownService   = "ecs.amazonaws.com"
)

func onCluster[In any](id func(*In) *string) api.Rule[In] {
	return api.On(func(q *api.Query, in *In) []string { return []string{clusterARN(q, id(in))} })
}

// inCluster is the row of an operation on things of one kind in a cluster.
func inCluster[In any](kind string, cluster func(*In) *string, ids func(*In) []string) api.Rule[In] {
	return api.On(func(q *api.Query, in *In) []string {
		name := clusterNamed(cluster(in))
		return each(ids(in), func(id string) string {
			if a, ok := fargo.ParseARN(id); ok && fargo.ClusterOf(a) != "" {
				return id
			}
			return q.ARN("ecs", kind+"/"+name+"/"+shortName(id))
		})
	}).Key("ecs:cluster", func(q *api.Query, in *In) []string { return []string{clusterARN(q, cluster(in))} })
}

func onService[In any](cluster func(*In) *string, ids func(*In) []string) api.Rule[In] {
	return inCluster("service", cluster, ids)
}

func onTask[In any](cluster func(*In) *string, ids func(*In) []string) api.Rule[In] {
	return inCluster("task", cluster, ids)
}

// onRollout is the row of an operation on deployments or revisions of services,
// ARNs that end in cluster/service/id: the services are resources too.
func onRollout[In any](arns func(*In) []string) api.Rule[In] {
	owner := func(arn, kind string, parts int) (string, bool) {
		a, _ := fargo.ParseARN(arn)
		path := strings.Split(a.Resource, "/")
		if len(path) != 4 {
			return "", false
		}
		return a.Scope().ARN("ecs", kind+"/"+strings.Join(path[1:1+parts], "/")), true
	}
	owners := func(in *In, kind string, parts int) (all []string) {
		for _, arn := range arns(in) {
			if o, ok := owner(arn, kind, parts); ok {
				all = append(all, o)
			}
		}
		return all
	}
	return api.On(func(_ *api.Query, in *In) []string {
		return append(owners(in, "service", 2), arns(in)...)
	}).
		Key("ecs:cluster", func(_ *api.Query, in *In) []string { return first(owners(in, "cluster", 1)) }).
		Key("ecs:service", func(_ *api.Query, in *In) []string { return first(owners(in, "service", 2)) })
}

func clusterNamed(id *string) string {
	if id == nil || *id == "" {
		return defaultCluster
	}
	return shortName(*id)
}

func clusterARN(q *api.Query, id *string) string { return q.ARN("ecs", "cluster/"+clusterNamed(id)) }

// definitionARN names the revision that a family, a revision or an ARN means. A
// family is resolved to its latest active revision before it is authorized.
// Source: ECS API, RunTask.
func definitionARN(q *api.Query, id *string) string {
	if d, err := findDefinition(q.State, q.Scope(), aws.Value(id)); err == nil && d != nil {
		return *d.Definition.TaskDefinitionArn
	}
	if strings.HasPrefix(*id, "arn:") {
		return *id
	}
	return q.ARN("ecs", "task-definition/"+*id)
}

func definitionOf(q *api.Query, id *string) []string {
	if id == nil || *id == "" {
		return nil
	}
	return []string{definitionARN(q, id)}
}

func definitionCPU(q *api.Query, id *string) []string {
	if d, err := findDefinition(q.State, q.Scope(), aws.Value(id)); err == nil && d != nil {
		return api.Given(d.Definition.Cpu)
	}
	return nil
}

func definitionMemory(q *api.Query, id *string) []string {
	if d, err := findDefinition(q.State, q.Scope(), aws.Value(id)); err == nil && d != nil {
		return api.Given(d.Definition.Memory)
	}
	return nil
}

func capacityProviders(q *api.Query, names []string) []string {
	return each(names, func(name string) string { return q.ARN("ecs", "capacity-provider/"+shortName(name)) })
}

func strategyProviders(q *api.Query, strategy []ecs.CapacityProviderStrategyItem) []string {
	return capacityProviders(q, each(strategy, func(i ecs.CapacityProviderStrategyItem) string { return aws.Value(i.CapacityProvider) }))
}

// passServiceRoles are the roles that a service hands to ECS itself.
func passServiceRoles(q *api.Query, own *string, volumes []ecs.ServiceVolumeConfiguration, balancers []ecs.LoadBalancer) []api.Access {
	all := api.PassRole(ownService, roleOf(q, own))
	for _, v := range volumes {
		if v.ManagedEBSVolume != nil {
			all = append(all, api.PassRole(ownService, roleOf(q, v.ManagedEBSVolume.RoleArn))...)
		}
	}
	for _, b := range balancers {
		if b.AdvancedConfiguration != nil {
			all = append(all, api.PassRole(ownService, roleOf(q, b.AdvancedConfiguration.RoleArn))...)
		}
	}
	return all
}

// roleARN is the ARN of a role that a client names by its ARN or its name.
func roleOf(q *api.Query, id *string) *string {
	if id == nil || *id == "" || strings.HasPrefix(*id, "arn:") {
		return id
	}
	return new(q.GlobalARN("iam", "role/"+*id))
}

func storageKey(c *ecs.ClusterConfiguration) []string {
	if c == nil || c.ManagedStorageConfiguration == nil {
		return nil
	}
	return api.Given(c.ManagedStorageConfiguration.FargateEphemeralStorageKmsKeyId)
}

func serviceConnect(c *ecs.ServiceConnectConfiguration) []string {
	return []string{strconv.FormatBool(c != nil && aws.Value(c.Enabled))}
}

func namespace(c *ecs.ServiceConnectConfiguration) []string {
	if c == nil {
		return nil
	}
	return api.Given(c.Namespace)
}

func publicIP(n *ecs.NetworkConfiguration) []string {
	if n == nil || n.AwsvpcConfiguration == nil {
		return nil
	}
	return []string{strconv.FormatBool(n.AwsvpcConfiguration.AssignPublicIp == ecs.AssignPublicIpEnabled)}
}

func subnets(n *ecs.NetworkConfiguration) []string {
	if n == nil || n.AwsvpcConfiguration == nil {
		return nil
	}
	return n.AwsvpcConfiguration.Subnets
}

// flag is a boolean that is false when it is absent, given one that is then no key.
func flag(b *bool) []string { return []string{strconv.FormatBool(aws.Value(b))} }

func given(b *bool) []string {
	if b == nil {
		return nil
	}
	return flag(b)
}

// units is a task's cpu in CPU units, or its memory in MiB, however it is written.
func units(written *string, parse func(string) (int64, bool)) []string {
	n, ok := parse(aws.Value(written))
	if !ok {
		return nil
	}
	return []string{strconv.FormatInt(n, 10)}
}

func tagMap(tags []ecs.Tag) map[string]string {
	return api.TagMap(tags, func(t ecs.Tag) (key, value *string) { return t.Key, t.Value })
}

func each[T any](list []T, f func(T) string) []string {
	all := make([]string, len(list))
	for i, v := range list {
		all[i] = f(v)
	}
	return all
}

func first(list []string) []string { return list[:min(1, len(list))] }

// shortName is the last part of an ARN, or the name itself.
func shortName(id string) string {
	if a, ok := fargo.ParseARN(id); ok {
		return a.Name()
	}
	return id
}

// execTask is the ARN of the task that a command is for.
func execTask(q *api.Query, in *ecs.ExecuteCommandInput) string {
	if a, ok := fargo.ParseARN(aws.Value(in.Task)); ok && fargo.ClusterOf(a) != "" {
		return *in.Task
	}
	return q.ARN("ecs", "task/"+clusterNamed(in.Cluster)+"/"+shortName(aws.Value(in.Task)))
}

// execContainer is the name of the container that a command is for: that of the task's
// only one, when the request has none.
func execContainer(q *api.Query, in *ecs.ExecuteCommandInput) []string {
	if in.Container != nil {
		return []string{*in.Container}
	}
	a, _ := fargo.ParseARN(execTask(q, in))
	t, ok := store.Tasks.Get(q.State, a.Scope().Key(fargo.ClusterOf(a), a.Name()))
	if !ok || len(t.Intent.Containers) != 1 {
		return nil
	}
	return []string{*t.Intent.Containers[0].Name}
}

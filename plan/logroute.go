package plan

import (
	"slices"

	"fargo/aws"
	"fargo/aws/ecs"
	"fargo/desired"
	"fargo/record"
)

// routeLogs lays FireLens over a task: what its log router is given, and what the
// containers are given whose output goes there. secrets are all values of the task.
// Source: amazon-ecs-agent, docker_task_engine.go and task_unix.go.
func routeLogs(a *desired.Assignment, t *record.Task, d *ecs.TaskDefinition, secrets []TaskSecret) {
	router := FirelensRouter(d)
	if router == nil {
		return
	}
	at := slices.IndexFunc(a.Containers, func(c desired.ContainerAssignment) bool { return c.Name == *router.Name })
	a.Containers[at].Router = &desired.LogRouter{
		ConfigPath: FirelensConfigPath(router.FirelensConfiguration.Type),
		Config:     FirelensConfig(d, t.Cluster, a.TaskARN),
	}
	for i := range d.ContainerDefinitions {
		l := d.ContainerDefinitions[i].LogConfiguration
		if l == nil || l.LogDriver != ecs.LogDriverAwsfirelens {
			continue
		}
		c := &a.Containers[i]
		c.Route = &desired.LogRoute{Tag: FirelensTag(c.Name, a.ID)}
		c.Environment = append(c.Environment, "FLUENT_HOST=127.0.0.1", "FLUENT_PORT="+FirelensPort)
		for _, s := range l.SecretOptions {
			n := slices.Index(secrets, TaskSecret{From: aws.Value(s.ValueFrom)})
			a.Containers[at].Secrets = append(a.Containers[at].Secrets, desired.SecretVariable{
				Name: FirelensSecret(aws.Value(s.Name), i), ValueID: desired.TaskSecretOf(a.TaskARN, n),
			})
		}
		// A router that waits for others is not waited for: it might be for one of them.
		if i != at && len(router.DependsOn) == 0 && !dependsOn(c, *router.Name) {
			c.DependsOn = append(c.DependsOn, desired.Dependency{Container: *router.Name, Condition: "START"})
		}
	}
}

func dependsOn(c *desired.ContainerAssignment, name string) bool {
	return slices.ContainsFunc(c.DependsOn, func(d desired.Dependency) bool { return d.Container == name })
}

package record

import (
	"fargo"
	"fargo/aws/ecs"
)

// Cluster is an ECS cluster: a name that tasks and services live under.
type Cluster struct {
	Scope fargo.Scope
	// Cluster is the user's intent (name, settings, configuration, providers,
	// tags) and its status. Counts in it are not kept: they are answers.
	Cluster ecs.Cluster
}

// Key is the cluster's place in the store.
func (c *Cluster) Key() string { return c.Scope.Key(*c.Cluster.ClusterName) }

package ecs

import (
	"strings"

	"fargo"
	"fargo/api/arn"
	"fargo/aws/ecs"
	"fargo/record"
)

// The kinds of resources that calls name by an ARN or a short name.
var (
	clusterIDs           = kind("cluster", func(string) error { return ecs.ClusterNotFoundException("Cluster not found.") })
	serviceIDs           = kind("service", otherKind)
	taskIDs              = kind("task", otherKind)
	definitionIDs        = kind("task-definition", otherKind)
	containerInstanceIDs = kind("container-instance", otherKind)
	providerIDs          = kind("capacity-provider", otherKind)
)

func kind(name string, notOne func(given string) error) *arn.Kind {
	return &arn.Kind{Service: "ecs", Prefix: name + "/", NotOne: notOne, Elsewhere: elsewhere}
}

// otherKind refuses the ARN of something else.
func otherKind(given string) error {
	a, ok := fargo.ParseARN(given)
	if !ok || a.Service != "ecs" {
		return invalid("Invalid identifier: %s is not an ARN of ECS.", given) // our text
	}
	is, _, _ := strings.Cut(a.Resource, "/")
	return invalid("Unsupported resource type: %s", is)
}

// elsewhere refuses ARNs of another region or account. The text on regions is
// ECS's (aws-samples/ecs-bg-external-controller, issue 9); that on accounts is made
// after it.
func elsewhere(given fargo.ARN, scope fargo.Scope) error {
	if given.Region != scope.Region {
		return invalid("Invalid Region in ARN")
	}
	return invalid("Invalid Account in ARN")
}

// nameIn gives the short name that a client means by id: a name, or the ARN of
// something of the kind in the cluster. An ARN without a cluster is of the old form.
func nameIn(c *record.Cluster, kind *arn.Kind, id string) (string, error) {
	if !arn.Is(id) {
		return id, nil
	}
	a, _, err := kind.Parse(c.Scope, id)
	if err != nil {
		return "", err
	}
	if of := fargo.ClusterOf(a); of != "" && of != *c.Cluster.ClusterName {
		return "", invalid("Invalid identifier: Identifier is for cluster %s. Your cluster is %s", of, *c.Cluster.ClusterName)
	}
	return a.Name(), nil
}

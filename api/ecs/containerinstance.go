package ecs

import (
	"context"

	"fargo/api"
	"fargo/aws/ecs"
)

// ListContainerInstances lists nothing: tasks run on Fargate.
func (s *Server) ListContainerInstances(ctx context.Context, in *ecs.ListContainerInstancesInput) (*ecs.ListContainerInstancesOutput, error) {
	_, err := cluster(s.db.View(), api.CallFrom(ctx).Scope(), in.Cluster)
	return &ecs.ListContainerInstancesOutput{ContainerInstanceArns: []string{}}, err
}

// DescribeContainerInstances finds none of those it is asked for.
func (s *Server) DescribeContainerInstances(ctx context.Context, in *ecs.DescribeContainerInstancesInput) (*ecs.DescribeContainerInstancesOutput, error) {
	scope := api.CallFrom(ctx).Scope()
	c, err := cluster(s.db.View(), scope, in.Cluster)
	if err != nil {
		return nil, err
	}
	if len(in.ContainerInstances) == 0 {
		return nil, invalid("Container instance cannot be empty.")
	}
	if len(in.ContainerInstances) > maxPage {
		return nil, invalid("instanceIds can have at most %d items.", maxPage)
	}
	out := &ecs.DescribeContainerInstancesOutput{ContainerInstances: []ecs.ContainerInstance{}, Failures: []ecs.Failure{}}
	for _, id := range in.ContainerInstances {
		name, err := nameIn(c, containerInstanceIDs, id)
		if err != nil {
			return nil, err
		}
		out.Failures = append(out.Failures, missing(scope.ARN("ecs", "container-instance/"+*c.Cluster.ClusterName+"/"+name)))
	}
	return out, nil
}

package ecs_test

import (
	"context"
	"errors"
	"testing"

	"fargo"
	"fargo/api"
	"fargo/api/ecs"
	wire "fargo/aws/ecs"
	"fargo/aws/iam"
	"fargo/store"
)

// A cluster is made although its maker may not make the role that ECS has for itself; but
// not when nobody knows whether that is there.
func TestClustersAndTheServiceRole(t *testing.T) {
	db, err := store.Open(t.Context(), store.NewMemory())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	asked, answer := 0, iam.InvalidInputException("not to you")
	var failure error = answer
	server := ecs.New(ecs.Config{DB: db, EnsureServiceRole: func(_ context.Context, service string) error {
		if service == "ecs.amazonaws.com" {
			asked++
		}
		return failure
	}})
	create := func(name string) error {
		_, err := server.CreateCluster(api.WithCall(t.Context(), &api.Call{Account: fargo.DefaultAccount, Region: fargo.DefaultRegion}), &wire.CreateClusterInput{ClusterName: &name})
		return err
	}
	if err := create("a"); err != nil || asked != 1 {
		t.Errorf("%v, asked for the role %d times", err, asked)
	}
	failure = errors.New("the disk is full")
	if err := create("b"); !errors.Is(err, failure) {
		t.Errorf("got %v", err)
	}
}

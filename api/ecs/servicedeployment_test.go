package ecs_test

import (
	"testing"

	"fargo"
	"fargo/api"
	"fargo/api/ecs"
	wire "fargo/aws/ecs"
	"fargo/record"
	"fargo/store"
)

// An ARN of another region names nothing in this one.
func TestDeploymentsOfAnotherRegion(t *testing.T) {
	db, err := store.Open(t.Context(), store.NewMemory())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	scope := fargo.Scope{Account: fargo.DefaultAccount, Region: "eu-west-1"}
	deployment, revision := scope.ARN("ecs", "service-deployment/c/web/1"), scope.ARN("ecs", "service-revision/c/web/1")
	err = db.Update(t.Context(), func(tx *store.Tx) error {
		service := &record.Service{Scope: scope, Cluster: "c", Service: wire.Service{ServiceName: new("web"), ServiceArn: new("web"), Status: new("ACTIVE")}}
		store.Services.Put(tx, service)
		store.Deployments.Put(tx, &record.Deployment{
			Scope: scope, Service: service.Key(), ARN: deployment, Revision: wire.ServiceRevision{ServiceRevisionArn: &revision},
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	server := ecs.New(ecs.Config{DB: db})
	for region, want := range map[string]int{"eu-west-1": 1, "us-east-1": 0} {
		ctx := api.WithCall(t.Context(), &api.Call{Account: fargo.DefaultAccount, Region: region})
		d, err := server.DescribeServiceDeployments(ctx, &wire.DescribeServiceDeploymentsInput{ServiceDeploymentArns: []string{deployment}})
		if err != nil || len(d.ServiceDeployments) != want || len(d.Failures) != 1-want {
			t.Errorf("%s: %v, %v", region, d, err)
		}
		r, err := server.DescribeServiceRevisions(ctx, &wire.DescribeServiceRevisionsInput{ServiceRevisionArns: []string{revision}})
		if err != nil || len(r.ServiceRevisions) != want || len(r.Failures) != 1-want {
			t.Errorf("%s: %v, %v", region, r, err)
		}
	}
	ctx := api.WithCall(t.Context(), &api.Call{Account: fargo.DefaultAccount, Region: "us-east-1"})
	_, err = server.StopServiceDeployment(ctx, &wire.StopServiceDeploymentInput{ServiceDeploymentArn: &deployment})
	if err == nil || err.Error() != "ServiceDeploymentNotFoundException: The service deployment does not exist." {
		t.Error(err)
	}
}

package ecr_test

import (
	"context"
	"net/netip"
	"testing"

	"fargo"
	"fargo/api"
	"fargo/api/ecr"
	"fargo/aws/ecs"
	"fargo/desired"
	"fargo/record"
	"fargo/store"
)

// noted is an Authorizer that notes whom it was asked about.
type noted struct{ calls []*api.Call }

func (n *noted) Authorize(_ context.Context, call *api.Call, _ any) error {
	n.calls = append(n.calls, call)
	return nil
}

// IAM is asked about the registry's clients with what their requests tell of them.
func TestClientsOfTheRegistry(t *testing.T) {
	var asked noted
	db, err := store.Open(t.Context(), store.NewMemory())
	must(t, err)
	defer db.Close()
	server := ecr.New(ecr.Config{DB: db, Calls: api.Calls{Authorizer: &asked}})
	from := api.Client{Origin: &desired.Origin{At: "vpce-dkr"}, SourceAddress: netip.MustParseAddr("10.0.0.5"), Secure: true, UserAgent: "containerd"}
	grant := record.RegistryGrant{Scope: fargo.Scope{Account: fargo.DefaultAccount, Region: fargo.DefaultRegion}}
	task := &record.Task{Scope: grant.Scope, Cluster: "c", ID: "t", Intent: ecs.Task{TaskDefinitionArn: new("d")}, Interface: &desired.Interface{VPC: "vpc-1", Address: from.SourceAddress}}
	must(t, db.Update(t.Context(), func(tx *store.Tx) error { store.Tasks.Put(tx, task); return nil }))
	ask := func(ctx context.Context, g record.RegistryGrant) api.Client {
		asked.calls = nil
		err := server.Authorize(ctx, g, "ecr:BatchGetImage", g.Scope, "web")
		if len(asked.calls) != 1 {
			t.Fatalf("asked %+v, %v", asked.calls, err)
		}
		return asked.calls[0].Client
	}
	if got := ask(api.WithClient(t.Context(), from), grant); got != from {
		t.Errorf("of a client: %+v", got)
	}
	grant.Task = task.ARN()
	if got := ask(t.Context(), grant); *got.Origin != (desired.Origin{At: "vpc-1", Client: from.SourceAddress, Secure: true}) || got.SourceAddress != from.SourceAddress {
		t.Errorf("of a node that pulls for a task: %+v", got)
	}
	grant.AccessKeyID = "ASIATASK"
	if got := ask(t.Context(), grant); got.Origin != nil {
		t.Errorf("of a password that the task has asked for, used elsewhere: %+v", got)
	}
}

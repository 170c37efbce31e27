package ecr_test

import (
	"context"
	"errors"
	"net/netip"
	"testing"

	"fargo"
	"fargo/api"
	"fargo/api/ecr"
	"fargo/aws/ec2"
	awsecr "fargo/aws/ecr"
	"fargo/aws/ecs"
	"fargo/aws/protocol"
	"fargo/aws/s3"
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

// refusing is an Authorizer that refuses requests for objects of S3.
type refusing struct{ asked []*api.Call }

func (f *refusing) Authorize(_ context.Context, call *api.Call, in any) error {
	object, ok := in.(*s3.GetObjectInput)
	if !ok {
		return nil
	}
	f.asked = append(f.asked, call)
	return protocol.Errorf("AccessDenied", "no way to %s in %s", *object.Key, *object.Bucket)
}

// Whoever pulls from inside a VPC gets layers from S3, by the VPC's own way there.
func TestLayersAreOfS3(t *testing.T) {
	var refuses refusing
	db, err := store.Open(t.Context(), store.NewMemory())
	must(t, err)
	defer db.Close()
	server := ecr.New(ecr.Config{DB: db, Calls: api.Calls{Authorizer: &refuses}})
	grant := record.RegistryGrant{Scope: fargo.Scope{Account: fargo.DefaultAccount, Region: fargo.DefaultRegion}, AccessKeyID: "AKIA"}
	must(t, db.Update(t.Context(), func(tx *store.Tx) error {
		store.EC2VPCEndpoints.Put(tx, &record.EC2VPCEndpoint{Scope: grant.Scope, Endpoint: ec2.VpcEndpoint{VpcEndpointId: new("vpce-dkr"), VpcId: new("vpc-1")}})
		store.Repositories.Put(tx, &record.Repository{Scope: grant.Scope, Repository: awsecr.Repository{RepositoryName: new("team/web")}})
		return nil
	}))
	inside := func(at string) context.Context {
		return api.WithClient(t.Context(), api.Client{Origin: &desired.Origin{At: at, Client: netip.MustParseAddr("10.0.0.5")}})
	}
	for _, at := range []string{"vpc-1", "vpce-dkr"} {
		refuses.asked = nil
		err := server.Authorize(inside(at), grant, "ecr:GetDownloadUrlForLayer", grant.Scope, "team/web")
		var e *protocol.Error
		if !errors.As(err, &e) || e.Code != "AccessDeniedException" || e.Message != "no way to "+fargo.DefaultAccount+"/team/web in prod-us-east-1-starport-layer-bucket" {
			t.Errorf("by %s: %v", at, err)
		}
		if a := refuses.asked; len(a) != 1 || a[0].Origin.At != "vpc-1" || a[0].ServicePrincipal != "ecr.amazonaws.com" || a[0].Region != fargo.DefaultRegion {
			t.Errorf("by %s: asked %+v", at, a)
		}
	}
	refuses.asked = nil
	must(t, server.Authorize(inside("vpc-1"), grant, "ecr:BatchGetImage", grant.Scope, "team/web"))
	must(t, server.Authorize(t.Context(), grant, "ecr:GetDownloadUrlForLayer", grant.Scope, "team/web"))
	if len(refuses.asked) > 0 {
		t.Errorf("asked about manifests, or about a client elsewhere: %+v", refuses.asked)
	}
}

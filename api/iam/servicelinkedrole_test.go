package iam_test

import (
	"context"
	"strings"
	"testing"

	"fargo"
	"fargo/api"
	"fargo/api/iam"
	wire "fargo/aws/iam"
)

// refuser is an Authorizer that refuses everything.
type refuser struct{ asked []*api.Call }

func (r *refuser) Authorize(_ context.Context, call *api.Call, _ any) error {
	r.asked = append(r.asked, call)
	return wire.InvalidInputException("no")
}

// A service makes its role with the permissions of its caller, and asks for nothing when it
// has one.
func TestEnsureServiceRole(t *testing.T) {
	db, no := open(t), &refuser{}
	ctx := api.WithCall(t.Context(), &api.Call{Account: fargo.DefaultAccount, Region: "eu-west-1", Caller: api.Caller{PrincipalARN: "arn:aws:iam::123456789012:user/ann"}})
	refusing := iam.New(iam.Config{DB: db, Calls: api.Calls{Authorizer: no}})
	if err := refusing.EnsureServiceRole(ctx, "ecs.amazonaws.com"); err == nil || !strings.Contains(err.Error(), "no") {
		t.Errorf("got %v", err)
	}
	if c := no.asked[0]; len(no.asked) != 1 || c.Operation != "CreateServiceLinkedRole" || c.Service != "iam" || c.Region != "us-east-1" ||
		c.PrincipalARN != "arn:aws:iam::123456789012:user/ann" || c.InvokedBy != "ecs.amazonaws.com" {
		t.Errorf("asked about %+v", no.asked)
	}
	allowing := iam.New(iam.Config{DB: db, Calls: api.Calls{Authorizer: api.AllowAuthenticated{}}})
	for _, server := range []*iam.Server{allowing, refusing} {
		if err := server.EnsureServiceRole(ctx, "ecs.amazonaws.com"); err != nil {
			t.Error(err)
		}
	}
}

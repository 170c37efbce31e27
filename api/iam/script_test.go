package iam_test

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"fargo"
	"fargo/api"
	"fargo/api/apitest"
	"fargo/api/ecs"
	"fargo/api/iam"
	wireecs "fargo/aws/ecs"
	wire "fargo/aws/iam"
	"fargo/store"
)

func open(t *testing.T) *store.DB {
	t.Helper()
	db, err := store.Open(t.Context(), store.NewMemory())
	if err != nil {
		t.Fatal(err)
	}
	return db
}

// "assumable <role ARN> <service>" asks what ECS asks before it uses a role; "trust
// <role>" shows its trust policy as clients decode it.
func TestScripts(t *testing.T) {
	apitest.Run(t, func(t *testing.T) apitest.Setup {
		db := open(t)
		server := iam.New(iam.Config{DB: db, Calls: api.Calls{Authorizer: api.AllowAuthenticated{}}})
		return apitest.Setup{
			Services: []api.Mounted{
				{Service: &wire.API, Server: server},
				{Service: &wireecs.API, Server: ecs.New(ecs.Config{DB: db, EnsureServiceRole: server.EnsureServiceRole})},
			},
			Commands: map[string]func(context.Context, string) (string, error){
				"trust": func(ctx context.Context, name string) (string, error) {
					ctx = api.WithCall(ctx, &api.Call{Account: fargo.DefaultAccount})
					out, err := server.GetRole(ctx, &wire.GetRoleInput{RoleName: &name})
					if err != nil {
						return "", err
					}
					return url.QueryUnescape(*out.Role.AssumeRolePolicyDocument)
				},
				"assumable": func(_ context.Context, args string) (string, error) {
					f := strings.Fields(args)
					return fmt.Sprint(iam.Assumable(db.View(), f[0], f[1], f[2])), nil
				},
			},
		}
	})
}

func TestRecorded(t *testing.T) {
	apitest.RunRecorded(t, func(t *testing.T) apitest.Setup {
		return apitest.Setup{Services: []api.Mounted{{Service: &wire.API, Server: iam.New(iam.Config{DB: open(t)})}}}
	})
}

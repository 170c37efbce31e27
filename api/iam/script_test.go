package iam_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"fargo/api"
	"fargo/api/apitest"
	"fargo/api/iam"
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

// "assumable <role ARN> <service>" asks what ECS asks before it uses a role.
func TestScripts(t *testing.T) {
	apitest.Run(t, func(t *testing.T) apitest.Setup {
		db := open(t)
		return apitest.Setup{
			Services: []api.Mounted{{Service: &wire.API, Server: iam.New(iam.Config{DB: db})}},
			Commands: map[string]func(context.Context, string) (string, error){
				"assumable": func(_ context.Context, args string) (string, error) {
					role, service, _ := strings.Cut(args, " ")
					return fmt.Sprint(iam.Assumable(db.View(), role, service)), nil
				},
			},
		}
	})
}

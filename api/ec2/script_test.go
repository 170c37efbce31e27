package ec2_test

import (
	"testing"

	"fargo/api"
	"fargo/api/apitest"
	"fargo/api/ec2"
	wire "fargo/aws/ec2"
	"fargo/store"
)

func TestScripts(t *testing.T) {
	apitest.Run(t, func(t *testing.T) apitest.Site {
		db, err := store.Open(t.Context(), store.NewMemory())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { db.Close() })
		return apitest.Site{Services: []api.Mounted{{Service: &wire.API, Server: ec2.New(db)}}}
	})
}

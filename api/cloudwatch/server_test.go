package cloudwatch_test

import (
	"testing"

	"fargo/api"
	"fargo/api/apitest"
	"fargo/api/cloudwatch"
	wire "fargo/aws/cloudwatch"
	"fargo/store"
)

func setup(t *testing.T) apitest.Setup {
	db, err := store.Open(t.Context(), store.NewMemory())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return apitest.Setup{Services: []api.Mounted{{Service: &wire.API, Server: cloudwatch.New(cloudwatch.Config{DB: db})}}}
}

func TestScripts(t *testing.T) { apitest.Run(t, setup) }

func TestTexts(t *testing.T) { apitest.Texts(t, ".") }

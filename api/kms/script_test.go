package kms_test

import (
	"testing"

	"fargo/api"
	"fargo/api/apitest"
	"fargo/api/kms"
	wire "fargo/aws/kms"
	"fargo/store"
)

func TestTexts(t *testing.T) { apitest.Texts(t, ".") }

func TestScripts(t *testing.T)  { apitest.Run(t, setup) }
func TestRecorded(t *testing.T) { apitest.RunRecorded(t, setup) }

func setup(t *testing.T) apitest.Setup {
	db, err := store.Open(t.Context(), store.NewMemory())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return apitest.Setup{Services: []api.Mounted{{Service: &wire.API, Server: kms.New(db)}}}
}

package events_test

import (
	"testing"

	"fargo/api"
	"fargo/api/apitest"
	"fargo/api/events"
	wire "fargo/aws/events"
	"fargo/eventbus"
	"fargo/store"
)

func TestTexts(t *testing.T) { apitest.Texts(t, ".") }

func setup(t *testing.T) apitest.Setup {
	db, err := store.Open(t.Context(), store.NewMemory())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return apitest.Setup{
		Services: []api.Mounted{{Service: &wire.API, Server: events.New(events.Config{DB: db, Router: eventbus.NewRouter()})}},
	}
}

func TestRecorded(t *testing.T) { apitest.RunRecorded(t, setup) }

func TestScripts(t *testing.T) { apitest.Run(t, setup) }

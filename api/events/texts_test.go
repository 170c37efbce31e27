package events_test

import (
	"strings"
	"testing"

	"fargo/api"
	"fargo/api/apitest"
	"fargo/api/events"
	"fargo/api/secretsmanager"
	wire "fargo/aws/events"
	wiresecrets "fargo/aws/secretsmanager"
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
		Services: []api.Mounted{{Service: &wiresecrets.API, Server: secretsmanager.New(secretsmanager.Config{DB: db})}, {Service: &wire.API, Server: events.New(events.Config{DB: db, Router: eventbus.NewRouter(), Callable: func(arn string) bool { return strings.HasSuffix(arn, ":known") }})}},
	}
}

func TestRecorded(t *testing.T) { apitest.RunRecorded(t, setup) }

func TestScripts(t *testing.T) { apitest.Run(t, setup) }

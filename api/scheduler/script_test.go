package scheduler_test

import (
	"strings"
	"testing"

	"fargo/api"
	"fargo/api/apitest"
	"fargo/api/scheduler"
	wire "fargo/aws/scheduler"
	"fargo/store"
)

func TestTexts(t *testing.T) { apitest.Texts(t, ".") }

// setup has every role but those whose names say that they do not trust Scheduler.
func setup(t *testing.T) apitest.Setup {
	db, err := store.Open(t.Context(), store.NewMemory())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	server := scheduler.New(scheduler.Config{DB: db, Assumable: func(_ store.Reader, role, _, _ string) bool {
		return !strings.HasSuffix(role, "/untrusting")
	}, Callable: func(arn string) bool { return strings.HasSuffix(arn, ":known") }})
	return apitest.Setup{Services: []api.Mounted{{Service: &wire.API, Server: server}}}
}

func TestRecorded(t *testing.T) { apitest.RunRecorded(t, setup) }

func TestScripts(t *testing.T) { apitest.Run(t, setup) }

package cloudwatch_test

import (
	"log/slog"
	"testing"
	"time"

	"fargo/api"
	"fargo/api/apitest"
	"fargo/api/cloudwatch"
	wire "fargo/aws/cloudwatch"
	"fargo/metrics"
	"fargo/store"
)

// now is when all scripts run.
func now() time.Time { return time.Date(2026, 6, 1, 12, 0, 30, 0, time.UTC) }

func setup(t *testing.T) apitest.Setup {
	db, err := store.Open(t.Context(), store.NewMemory())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	series, err := metrics.Open(t.TempDir(), slog.New(slog.DiscardHandler), now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { series.Close() })
	return apitest.Setup{Services: []api.Mounted{{Service: &wire.API, Server: cloudwatch.New(cloudwatch.Config{DB: db, Metrics: series, Now: now})}}}
}

// CloudWatch answers as AWS was recorded to.
func TestRecorded(t *testing.T) { apitest.RunRecorded(t, setup) }

func TestTexts(t *testing.T) { apitest.Texts(t, ".") }

package ecs_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"fargo"
	"fargo/api"
	"fargo/api/apitest"
	"fargo/api/ec2"
	"fargo/api/ecs"
	wireec2 "fargo/aws/ec2"
	wire "fargo/aws/ecs"
	"fargo/control"
	"fargo/store"
)

// noImages is a registry without images.
type noImages struct{}

func (noImages) Resolve(store.Reader, fargo.Scope, string) string { return "" }

// TestScripts runs the scripts against the API with a node that does what the
// script says: "settle" lets the task controller work, "report" is the node's
// word.
func TestScripts(t *testing.T) {
	apitest.Run(t, func(t *testing.T) apitest.Site {
		db, err := store.Open(t.Context(), store.NewMemory())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { db.Close() })
		plane := &control.Plane{DB: db, Logger: slog.New(slog.DiscardHandler)}
		return apitest.Site{
			Services: []api.Mounted{
				{Service: &wireec2.API, Server: ec2.New(db)},
				{Service: &wire.API, Server: ecs.New(ecs.Config{DB: db, Assumable: func(_ store.Reader, arn, _ string) bool {
					return !strings.HasSuffix(arn, "/missing")
				}})},
			},
			Commands: map[string]func(context.Context, string) (string, error){
				"node":   func(ctx context.Context, name string) (string, error) { return "", plane.Hello(ctx, name) },
				"settle": func(ctx context.Context, _ string) (string, error) { return "", settle(ctx, db) },
				"report": func(ctx context.Context, args string) (string, error) {
					node, body, _ := strings.Cut(args, " ")
					var r fargo.TaskReport
					if err := json.Unmarshal([]byte(body), &r); err != nil {
						return "", err
					}
					return "", plane.Report(ctx, node, []fargo.TaskReport{r})
				},
			},
		}
	})
}

// settle lets the controllers look at everything until nothing changes.
func settle(ctx context.Context, db *store.DB) error {
	w := db.Watch()
	defer w.Close()
	tasks := control.Tasks(noImages{})
	for range 10 {
		before := fmt.Sprintf("%p", db.View())
		err := db.Update(ctx, func(tx *store.Tx) error {
			for key := range tasks.All(tx) {
				if _, err := tasks.Reconcile(tx, key, time.Now()); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil || before == fmt.Sprintf("%p", db.View()) {
			return err
		}
	}
	return fmt.Errorf("the controllers do not come to rest")
}

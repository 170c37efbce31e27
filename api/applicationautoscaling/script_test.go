package applicationautoscaling_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"fargo"
	"fargo/api"
	"fargo/api/apitest"
	"fargo/api/applicationautoscaling"
	"fargo/aws"
	wire "fargo/aws/applicationautoscaling"
	"fargo/aws/cloudwatch"
	"fargo/aws/ecs"
	"fargo/record"
	"fargo/store"
)

var home = fargo.Scope{Account: fargo.DefaultAccount, Region: fargo.DefaultRegion}

// setup has the services that "service CLUSTER NAME" makes, shows alarms by "alarms", and lets
// an alarm call a policy by "alarm NAME POLICY-ARN".
func setup(t *testing.T) apitest.Setup {
	db, err := store.Open(t.Context(), store.NewMemory())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	server := applicationautoscaling.New(applicationautoscaling.Config{DB: db, EnsureServiceRole: func(context.Context, string) error { return nil }})
	put := func(ctx context.Context, change func(tx *store.Tx)) (string, error) {
		return "", db.Update(ctx, func(tx *store.Tx) error {
			change(tx)
			return nil
		})
	}
	return apitest.Setup{
		Services: []api.Mounted{{Service: &wire.API, Server: server}},
		Commands: map[string]func(ctx context.Context, args string) (string, error){
			"service": func(ctx context.Context, args string) (string, error) {
				cluster, name, _ := strings.Cut(args, " ")
				return put(ctx, func(tx *store.Tx) {
					store.Services.Put(tx, &record.Service{Scope: home, Cluster: cluster, Service: ecs.Service{ServiceName: &name, Status: new("ACTIVE")}})
				})
			},
			"alarm": func(ctx context.Context, args string) (string, error) {
				name, policy, _ := strings.Cut(args, " ")
				return put(ctx, func(tx *store.Tx) {
					store.Alarms.Put(tx, &record.Alarm{Scope: home, Metric: &cloudwatch.MetricAlarm{AlarmName: &name, AlarmActions: []string{policy}}})
				})
			},
			"alarms": func(context.Context, string) (string, error) {
				var out []string // without what is random in their names
				for a := range store.Alarms.All(db.View()) {
					name := a.Name()
					if strings.HasPrefix(name, "TargetTracking-") {
						name = name[:len(name)-len("-00000000-0000-0000-0000-000000000000")]
					}
					m := a.Metric
					out = append(out, fmt.Sprintln(name, a.State.Value, aws.Value(m.MetricName), m.Statistic, m.ComparisonOperator, aws.Value(m.Threshold), aws.Value(m.EvaluationPeriods), aws.Value(m.Period)))
				}
				slices.Sort(out)
				return strings.TrimSpace(strings.Join(out, "")), nil
			},
			"activity": func(ctx context.Context, args string) (string, error) {
				seconds, reason, _ := strings.Cut(args, " ")
				at, err := time.ParseDuration(seconds)
				if err != nil {
					return "", err
				}
				start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).Add(at)
				a := wire.ScalingActivity{
					ActivityId: new("at-" + seconds), ServiceNamespace: "ecs", ResourceId: new("service/c/web"), ScalableDimension: "ecs:service:DesiredCount",
					StartTime: &start, Cause: new("c"), Description: new("d"), StatusCode: "Successful",
				}
				if reason != "" {
					a.NotScaledReasons = []wire.NotScaledReason{{Code: &reason}}
				}
				return put(ctx, func(tx *store.Tx) { store.ScalingActivities.Put(tx, &record.ScalingActivity{Scope: home, Activity: a}) })
			},
		},
	}
}

func TestScripts(t *testing.T) { apitest.Run(t, setup) }

func TestTexts(t *testing.T) { apitest.Texts(t, ".") }

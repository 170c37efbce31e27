package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// The module's timeline of a rolling update, at its second step.
func TestWatchDrawsTheTimeline(t *testing.T) {
	const answer = `{"serviceName":"api","status":"ACTIVE","desiredCount":3,"runningCount":4,"pendingCount":1,
		"deployments":[
			{"id":"ecs-svc/2","status":"PRIMARY","taskDefinition":"arn:aws:ecs:us-east-1:1:task-definition/api:2","rolloutState":"IN_PROGRESS","runningCount":1,"pendingCount":1,"rolloutStateReason":"ECS deployment ecs-svc/2 in progress."},
			{"id":"ecs-svc/1","status":"ACTIVE","taskDefinition":"arn:aws:ecs:us-east-1:1:task-definition/api:1","rolloutState":"COMPLETED","runningCount":3}],
		"events":[{"createdAt":1700000000.5,"message":"(service api) has started 2 tasks: (task a) (task b)."}]}`
	const v1, v2 = "arn:aws:ecs:us-east-1:1:task-definition/api:1", "arn:aws:ecs:us-east-1:1:task-definition/api:2"
	var s watchedService
	if err := json.Unmarshal([]byte(answer), &s); err != nil {
		t.Fatal(err)
	}
	const facts = `{"Target":{"MinCapacity":2,"MaxCapacity":6},"Policies":[{"PolicyName":"cpu","Alarms":[{"AlarmName":"h"},{"AlarmName":"l"}]},{"PolicyName":"steps"}],
		"Alarms":[{"AlarmName":"l","StateValue":"OK"},{"AlarmName":"h","StateValue":"ALARM"}],
		"Activities":[{"Description":"Attempting to scale","StartTime":1700000002,"NotScaledReasons":[{"Code":"AlreadyAtMaxCapacity"}]},
			{"Description":"Setting desired count to 3.","StatusCode":"Successful","StartTime":1700000001}]}`
	var scaling scalingFacts
	if err := json.Unmarshal([]byte(facts), &scaling); err != nil {
		t.Fatal(err)
	}
	unreachable := []struct{ Name, Value string }{{"ecs.cpu-architecture", "x86_64"}, {"fargo.unreachable", "public.ecr.aws"}}
	var b strings.Builder
	s.draw(&b, []watchedTask{
		{TaskArn: "e", TaskDefinitionArn: v2, LastStatus: "PROVISIONING", DesiredStatus: "RUNNING", CreatedAt: 4, Attributes: unreachable},
		{TaskArn: "a", TaskDefinitionArn: v1, LastStatus: "RUNNING", DesiredStatus: "RUNNING", CreatedAt: 1},
		{TaskArn: "b", TaskDefinitionArn: v1, LastStatus: "RUNNING", DesiredStatus: "RUNNING", HealthStatus: "UNHEALTHY", CreatedAt: 2},
		{TaskArn: "c", TaskDefinitionArn: v1, LastStatus: "DEACTIVATING", DesiredStatus: "STOPPED", CreatedAt: 3},
		{TaskArn: "d", TaskDefinitionArn: v2, LastStatus: "RUNNING", DesiredStatus: "RUNNING", CreatedAt: 4, Attributes: unreachable},
		{TaskArn: "x", TaskDefinitionArn: v1, LastStatus: "STOPPED", DesiredStatus: "STOPPED", CreatedAt: 0},
	}, &scaling)
	want := strings.TrimLeft(`
api  ACTIVE  desired 3  running 4  pending 1
  [v1] [v1!] -v1- [v2] (v2)
  PRIMARY v2   IN_PROGRESS running 1  pending 1  failed 0  ECS deployment ecs-svc/2 in progress.
  ACTIVE  v1   COMPLETED   running 3  pending 0  failed 0  
  scaled from 2 to 6  cpu: ALARM, OK  steps: 
  `+time.Unix(1700000001, 0).Format(time.TimeOnly)+` Setting desired count to 3. Successful
  on Fargate these tasks would not start: there is no way to public.ecr.aws
  `+time.Unix(1700000000, 0).Format(time.TimeOnly)+` (service api) has started 2 tasks: (task a) (task b).
`, "\n")
	if d := cmp.Diff(want, b.String()); d != "" {
		t.Error(d)
	}
}

package ecs_test

import (
	"encoding/json"
	"log/slog"
	"os"
	"slices"
	"testing"
	"time"

	"fargo"
	"fargo/api"
	"fargo/api/ec2"
	"fargo/api/ecs"
	wireec2 "fargo/aws/ec2"
	wire "fargo/aws/ecs"
	"fargo/control"
	"fargo/desired"
	"fargo/plan"
	"fargo/store"
)

// Lists that the recordings have though AWS leaves them out: the client that recorded
// them, the SDK for Java, makes empty lists of absent ones.
var emptyLists = []string{
	"GpuIds", "ManagedAgents", "NetworkBindings", "Command", "Environment", "EnvironmentFiles", "ResourceRequirements",
}

// Members that are missing in the recordings: they are from before there was the
// first, and from events, in which the others are left out.
var newer = []string{"FargateEphemeralStorage"}

var notInEvents = []string{"HealthStatus", "PlatformFamily"}

// Tasks have the members that AWS shows, and no others, when they were just made and
// when they have ended. recorded_tasks.json has what four executions of AWS Step
// Functions were answered, as recorded in LocalStack's tests (Apache-2.0).
func TestRecordedTasks(t *testing.T) {
	b, err := os.ReadFile("testdata/recorded_tasks.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases map[string]struct{ RunTask, Stopped any }
	if err := json.Unmarshal(b, &cases); err != nil || len(cases) != 4 {
		t.Fatal(err, len(cases))
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			made, ended := runTask(t, c.Stopped)
			sameMembers(t, "RunTask", c.RunTask, document(t, made), newer)
			if c.Stopped != nil {
				sameMembers(t, "Stopped", c.Stopped, document(t, ended), slices.Concat(newer, notInEvents))
			}
		})
	}
}

// runTask runs a task as the executions did, and gives it as it was made and as it
// ended: with what a node reported, as the recording has it.
func runTask(t *testing.T, recorded any) (made, ended *wire.Task) {
	db, err := store.Open(t.Context(), store.NewMemory())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	ctx := api.WithCall(t.Context(), &api.Call{Account: fargo.DefaultAccount, Region: fargo.DefaultRegion})
	server := ecs.New(ecs.Config{DB: db})
	if err := ec2.EnsureDefaults(ctx, db, nil, fargo.Scope{Account: fargo.DefaultAccount, Region: fargo.DefaultRegion}); err != nil {
		t.Fatal(err)
	}
	subnets, err := ec2.New(ec2.Config{DB: db}).DescribeSubnets(ctx, &wireec2.DescribeSubnetsInput{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := server.CreateCluster(ctx, &wire.CreateClusterInput{}); err != nil {
		t.Fatal(err)
	}
	_, err = server.RegisterTaskDefinition(ctx, &wire.RegisterTaskDefinitionInput{
		Family: new("family"), NetworkMode: wire.NetworkModeAwsvpc, Cpu: new("256"), Memory: new("512"),
		RequiresCompatibilities: []wire.Compatibility{wire.CompatibilityFargate},
		ContainerDefinitions:    []wire.ContainerDefinition{{Name: new("app"), Image: new("busybox")}},
	})
	if err != nil {
		t.Fatal(err)
	}
	in := &wire.RunTaskInput{
		TaskDefinition: new("family"), LaunchType: wire.LaunchTypeFargate, PlatformVersion: new("1.4.0"),
		NetworkConfiguration: &wire.NetworkConfiguration{AwsvpcConfiguration: &wire.AwsVpcConfiguration{Subnets: []string{*subnets.Subnets[0].SubnetId}, AssignPublicIp: wire.AssignPublicIpEnabled}},
	}
	if recorded != nil { // the executions that waited for the end
		in.StartedBy = new("AWS Step Functions")
	}
	out, err := server.RunTask(ctx, in)
	if err != nil {
		t.Fatal(err)
	}
	if recorded == nil {
		return &out.Tasks[0], nil
	}
	plane := &control.Plane{DB: db, Sessions: control.NewSessions(), Logger: slog.New(slog.DiscardHandler)}
	if err := plane.Hello(ctx, desired.Hello{ID: "n"}); err != nil {
		t.Fatal(err)
	}
	if err := plane.ReportEmpty(ctx, "n"); err != nil {
		t.Fatal(err)
	}
	if err := settle(ctx, db); err != nil {
		t.Fatal(err)
	}
	if err := plane.Report(ctx, "n", []desired.TaskReport{endOf(*out.Tasks[0].TaskArn, recorded)}); err != nil {
		t.Fatal(err)
	}
	for task := range store.Tasks.All(db.View()) {
		return &out.Tasks[0], plan.TaskView(task)
	}
	return nil, nil
}

// endOf is what a node says at the end of a task that ran, or whose image could not be
// pulled.
func endOf(arn string, recorded any) desired.TaskReport {
	now := time.Now()
	r := desired.TaskReport{
		TaskARN: arn, Status: fargo.TaskStopped, StoppedAt: now, ExecutionStoppedAt: now, StoppingAt: now,
		Containers: []desired.ContainerReport{{Name: "app", Status: fargo.ContainerStopped}},
	}
	c := &r.Containers[0]
	if recorded.(map[string]any)["StopCode"] == string(fargo.StopTaskFailedToStart) {
		r.StopCode, r.StoppedReason = fargo.StopTaskFailedToStart, "CannotPullContainerError: no such image"
		c.Reason = r.StoppedReason
		return r
	}
	r.StopCode, r.StoppedReason = fargo.StopEssentialContainerExited, "Essential container in task exited"
	r.PullStartedAt, r.PullStoppedAt, r.StartedAt = now, now, now
	c.ExitCode, c.ImageDigest = new(0), "sha256:1"
	return r
}

func document(t *testing.T, task *wire.Task) any {
	b, err := json.Marshal(task)
	if err != nil {
		t.Fatal(err)
	}
	var v any
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// sameMembers compares which members there are, at any depth; more are those that we
// may have besides.
func sameMembers(t *testing.T, at string, aws, ours any, more []string) {
	switch a := aws.(type) {
	case map[string]any:
		o, _ := ours.(map[string]any)
		for name, v := range a {
			empty, isList := v.([]any)
			if _, ok := o[name]; ok {
				sameMembers(t, at+"."+name, v, o[name], more)
				continue
			}
			if !isList || len(empty) > 0 || !slices.Contains(emptyLists, name) {
				t.Errorf("%s.%s is absent; AWS says %v", at, name, v)
			}
		}
		for name, v := range o {
			if _, ok := a[name]; !ok && !slices.Contains(more, name) {
				t.Errorf("%s.%s is %v; AWS leaves it out", at, name, v)
			}
		}
	case []any:
		o, _ := ours.([]any)
		if len(a) != len(o) {
			t.Errorf("%s has %d items, AWS has %d", at, len(o), len(a))
			return
		}
		for i := range a {
			sameMembers(t, at, a[i], o[i], more)
		}
	}
}

package lambda_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/containerd/errdefs"

	"fargo"
	"fargo/aws/ec2"
	"fargo/aws/ecs"
	"fargo/desired"
	"fargo/lambda"
	"fargo/record"
	"fargo/store"
)

// cluster is an ECS whose tasks are on the node "n" as soon as they are asked for.
type cluster struct {
	t     *testing.T
	db    *store.DB
	asked []*ecs.RunTaskInput
}

func newCluster(t *testing.T) *cluster {
	db, err := store.Open(t.Context(), store.NewMemory())
	if err != nil {
		t.Fatal(err)
	}
	c := &cluster{t: t, db: db}
	c.update(func(tx *store.Tx) {
		for n, status := range []ecs.TaskDefinitionStatus{ecs.TaskDefinitionStatusActive, ecs.TaskDefinitionStatusActive, ecs.TaskDefinitionStatusInactive} {
			store.TaskDefinitions.Put(tx, &record.TaskDefinition{Scope: scope, Definition: ecs.TaskDefinition{
				Family: new("rotation"), Revision: new(int32(n + 1)), Status: status, Memory: new("512"),
				TaskDefinitionArn:    new(scope.ARN("ecs", "task-definition/rotation:"+string(rune('1'+n)))),
				ContainerDefinitions: []ecs.ContainerDefinition{{Name: new("function")}, {Name: new("router")}},
			}})
		}
		for id, isDefault := range map[string]bool{"subnet-1": true, "subnet-2": false} {
			store.EC2Subnets.Put(tx, &record.EC2Subnet{Scope: scope, Subnet: ec2.Subnet{SubnetId: &id, DefaultForAz: &isDefault, VpcId: new("vpc-1")}})
		}
	})
	return c
}

func (c *cluster) update(fn func(tx *store.Tx)) {
	if err := c.db.Update(c.t.Context(), func(tx *store.Tx) error { fn(tx); return nil }); err != nil {
		c.t.Error(err)
	}
}

// taskKey is the place of the task with a client token.
func taskKey(token string) string { return scope.Key("default", token) }

func (c *cluster) run(_ context.Context, _ fargo.Scope, in *ecs.RunTaskInput) (*ecs.RunTaskOutput, error) {
	c.asked = append(c.asked, in)
	t, known := store.Tasks.Get(c.db.View(), taskKey(*in.ClientToken))
	if !known {
		t = &record.Task{
			Scope: scope, ID: *in.ClientToken, Cluster: "default", Node: "n", Desired: fargo.TaskRunning, Status: fargo.TaskRunning,
			Intent: ecs.Task{TaskDefinitionArn: in.TaskDefinition, StartedBy: in.StartedBy, CreatedAt: new(time.Now())},
		}
		c.update(func(tx *store.Tx) { store.Tasks.Put(tx, t) })
	}
	return &ecs.RunTaskOutput{Tasks: []ecs.Task{{TaskArn: new(t.ARN())}}}, nil
}

func (c *cluster) stop(_ context.Context, _ fargo.Scope, in *ecs.StopTaskInput) error {
	a, _ := fargo.ParseARN(*in.Task)
	c.end(a.Name(), *in.Reason)
	return nil
}

// end has a task stopped.
func (c *cluster) end(id, reason string) {
	c.update(func(tx *store.Tx) {
		t, _ := store.Tasks.Get(tx, taskKey(id))
		stopped := *t
		stopped.Desired, stopped.StoppedReason = fargo.TaskStopped, reason
		store.Tasks.Put(tx, &stopped)
	})
}

func (c *cluster) tasks() *lambda.Tasks {
	return lambda.NewTasks(lambda.TasksConfig{DB: c.db, RunTask: c.run, StopTask: c.stop, Logger: slog.New(slog.DiscardHandler)})
}

// call calls the function and gives what it ends with.
func call(ctx context.Context, tasks *lambda.Tasks, id string) <-chan error {
	m, err := lambda.ParseMappings([]string{"rotate=rotation"})
	ended := make(chan error, 1)
	if err != nil {
		ended <- err
		return ended
	}
	go func() { ended <- lambda.New(m, tasks).Invoke(ctx, scope, id, arn, []byte(`{"a":1}`)) }()
	return ended
}

// the task of the last call.
func (c *cluster) task() string {
	synctest.Wait()
	return scope.ARN("ecs", "task/default/"+*c.asked[len(c.asked)-1].ClientToken)
}

func TestTasks(t *testing.T) {
	for name, test := range map[string]struct {
		does func(c *cluster, tasks *lambda.Tasks, i desired.Invocation, task string) error
		want string // what the call ends with
	}{
		"answers": {func(c *cluster, tasks *lambda.Tasks, i desired.Invocation, task string) error {
			return tasks.PutInvocationResult(c.t.Context(), "n", desired.InvocationResult{TaskARN: task, RequestID: i.RequestID})
		}, ""},
		"fails": {func(c *cluster, tasks *lambda.Tasks, i desired.Invocation, task string) error {
			return tasks.PutInvocationResult(c.t.Context(), "n", desired.InvocationResult{TaskARN: task, RequestID: i.RequestID, ErrorType: "Unhandled", Error: `{"errorMessage":"no database"}`})
		}, `call ` + arn + `: Unhandled error: {"errorMessage":"no database"}`},
		"does not begin": {func(c *cluster, tasks *lambda.Tasks, _ desired.Invocation, task string) error {
			return tasks.PutInvocationResult(c.t.Context(), "n", desired.InvocationResult{TaskARN: task, ErrorType: "Runtime.NoSuchHandler"})
		}, "Runtime.NoSuchHandler error: "},
		"ends": {func(c *cluster, _ *lambda.Tasks, i desired.Invocation, _ string) error {
			c.end(i.RequestID, "Essential container in task exited")
			return nil
		}, "Runtime.ExitError error: its task has ended without an answer: Essential container in task exited"},
		"takes too long": {func(*cluster, *lambda.Tasks, desired.Invocation, string) error { return nil }, "Sandbox.Timedout error: it has not answered within 15m0s"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newCluster(t)
				defer c.db.Close()
				tasks := c.tasks()
				ended := call(t.Context(), tasks, "1")
				task := c.task()
				time.Sleep(10 * time.Minute) // to start is no part of the function's time
				i, err := tasks.NextInvocation(t.Context(), "n", task)
				if err != nil || string(i.Event) != `{"a":1}` || i.FunctionARN != arn || !i.Deadline.Equal(time.Now().Add(15*time.Minute)) {
					t.Fatalf("the task gets %v, %v", i, err)
				}
				if err := test.does(c, tasks, i, task); err != nil {
					t.Error(err)
				}
				err = <-ended
				if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
					t.Errorf("the call ends with %v, want %q", err, test.want)
				}
				if s, _ := store.Tasks.Get(c.db.View(), taskKey(i.RequestID)); s.Desired != fargo.TaskStopped {
					t.Error("the task goes on")
				}
			})
		})
	}
}

// The task is that of the last revision in use, in the default VPC, and each of its
// containers is told where it gets the event.
func TestTaskOfFunction(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t)
		defer c.db.Close()
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		call(ctx, c.tasks(), "1")
		synctest.Wait()
		in := c.asked[0]
		if !strings.HasSuffix(*in.TaskDefinition, "rotation:2") || *in.Cluster != "default" || *in.StartedBy != "lambda/rotate" || in.LaunchType != ecs.LaunchTypeFargate {
			t.Errorf("asked for %v in %v by %v", *in.TaskDefinition, *in.Cluster, *in.StartedBy)
		}
		if n := in.NetworkConfiguration.AwsvpcConfiguration; !slices.Equal(n.Subnets, []string{"subnet-1"}) || n.AssignPublicIp != ecs.AssignPublicIpEnabled {
			t.Errorf("in the network %v", n)
		}
		text, err := json.Marshal(in.Overrides)
		if n := strings.Count(string(text), "169.254.170.2"); err != nil || n != 2 {
			t.Errorf("overrides %s, %v", text, err)
		}
	})
}

// A call that is made again by the next process gets the same task, and its answer, also
// when the answer comes first; another call gets another.
func TestNextProcess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t)
		defer c.db.Close()
		ctx, kill := context.WithCancel(t.Context())
		tasks := c.tasks()
		first := call(ctx, tasks, "1")
		task := c.task()
		i, err := tasks.NextInvocation(t.Context(), "n", task)
		if err != nil {
			t.Fatal(err)
		}
		kill()
		if err := <-first; !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		tasks = c.tasks()
		put := make(chan error, 1)
		go func() {
			put <- tasks.PutInvocationResult(t.Context(), "n", desired.InvocationResult{TaskARN: task, RequestID: i.RequestID})
		}()
		synctest.Wait()
		again := call(t.Context(), tasks, "1")
		if err := errors.Join(<-again, <-put); err != nil {
			t.Error(err)
		}
		if a, b := *c.asked[0].ClientToken, *c.asked[1].ClientToken; a != b {
			t.Errorf("the same call has the tokens %s and %s", a, b)
		}
		other := call(t.Context(), tasks, "2")
		if c.task() == task {
			t.Error("another call has the same task")
		}
		c.end(*c.asked[2].ClientToken, "")
		<-other
	})
}

// A task gets nothing of another's, nor does a node; one that nobody waits for waits, and
// is stopped in the end.
func TestWhoGetsInvocations(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t)
		defer c.db.Close()
		ctx, kill := context.WithCancel(t.Context())
		tasks := c.tasks()
		ended := call(ctx, tasks, "1")
		task := c.task()
		c.update(func(tx *store.Tx) {
			store.Tasks.Put(tx, &record.Task{Scope: scope, ID: "other", Cluster: "default", Node: "n", Desired: fargo.TaskRunning, Intent: ecs.Task{TaskDefinitionArn: new("d")}})
		})
		for _, of := range [][2]string{{"m", task}, {"n", scope.ARN("ecs", "task/default/none")}, {"n", scope.ARN("ecs", "task/default/other")}} {
			if i, err := tasks.NextInvocation(t.Context(), of[0], of[1]); !errdefs.IsNotFound(err) {
				t.Errorf("%s gets %v, %v", of, i, err)
			}
		}
		err := tasks.PutInvocationResult(t.Context(), "n", desired.InvocationResult{TaskARN: task, RequestID: "another"})
		if !errdefs.IsNotFound(err) {
			t.Errorf("the answer to another invocation: %v", err)
		}
		kill()
		<-ended
		tasks = c.tasks()
		if _, err := tasks.NextInvocation(t.Context(), "n", task); !errdefs.IsUnavailable(err) {
			t.Errorf("an invocation that nobody waits for: %v", err)
		}
		if err := tasks.Run(t.Context()); err != nil {
			t.Error(err)
		}
		a, _ := fargo.ParseARN(task)
		if s, _ := store.Tasks.Get(c.db.View(), taskKey(a.Name())); s.Desired != fargo.TaskStopped {
			t.Error("it goes on")
		}
	})
}

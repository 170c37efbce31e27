package lambda

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/google/uuid"

	"fargo"
	"fargo/aws"
	"fargo/aws/ecs"
	"fargo/desired"
	"fargo/record"
	"fargo/store"
)

// TasksConfig is the configuration of Tasks. All fields are required.
type TasksConfig struct {
	DB *store.DB
	// RunTask and StopTask are ECS's.
	RunTask  func(ctx context.Context, scope fargo.Scope, in *ecs.RunTaskInput) (*ecs.RunTaskOutput, error)
	StopTask func(ctx context.Context, scope fargo.Scope, in *ecs.StopTaskInput) error
	Logger   *slog.Logger
}

// Tasks runs functions as tasks, one for each invocation. A task is started with a client
// token that stands for the call, so that a call which a crash has interrupted finds the
// task again; it is stopped when it has answered.
type Tasks struct {
	cfg TasksConfig
	mu  invocations
}

// NewTasks makes Tasks. Run stops what nobody waits for.
func NewTasks(cfg TasksConfig) *Tasks {
	t := &Tasks{cfg: cfg}
	t.mu.of, t.mu.changed = map[string]*invocation{}, make(chan struct{})
	return t
}

// runtimeAPI is where containers find the runtime API: see package taskmetadata.
const runtimeAPI = "169.254.170.2"

// stopTimeout bounds asking ECS to stop a task.
const stopTimeout = 10 * time.Second

// call is a call of a function.
type call struct {
	scope        fargo.Scope
	id, function string
	event        []byte
}

// requestID is that of the call's invocation, and the client token of its task.
func (c *call) requestID() string {
	return uuid.NewSHA1(uuid.NameSpaceOID, []byte(c.scope.Key(c.function, c.id))).String()
}

// invoke runs a function as a task. When ctx ends, the task goes on, for the next process.
func (t *Tasks) invoke(ctx context.Context, c call, target taskTarget) error {
	in, definition, err := runInput(t.cfg.DB.View(), &c, target)
	if err != nil {
		return err
	}
	w := t.cfg.DB.Watch(store.Tasks.Under(store.TaskByDefinition, definition))
	defer w.Close()
	out, err := t.cfg.RunTask(ctx, c.scope, in)
	switch {
	case err != nil:
		return fmt.Errorf("run a task: %w", err)
	case len(out.Failures) > 0:
		return fmt.Errorf("run a task: %s", aws.Value(out.Failures[0].Reason))
	case len(out.Tasks) == 0:
		return errors.New("the task has ended long ago")
	}
	arn := *out.Tasks[0].TaskArn
	i := newInvocation(&c)
	t.mu.add(arn, i)
	defer t.mu.remove(arn)

	waiting, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- taskEnd(waiting, w, t.cfg.DB, arn) }()
	err = i.wait(ctx, ended)
	if ctx.Err() == nil {
		t.stop(ctx, c.scope, in.Cluster, arn)
	}
	return err
}

// runInput is the task of a call, and the ARN of its definition.
func runInput(r store.Reader, c *call, target taskTarget) (in *ecs.RunTaskInput, definition string, err error) {
	d, ok := target.definition(r, c.scope)
	if !ok {
		return nil, "", fmt.Errorf("there is no such revision of the task definition %s", target.family)
	}
	network := &ecs.AwsVpcConfiguration{Subnets: target.subnets, SecurityGroups: target.securityGroups}
	if len(target.subnets) == 0 { // where nothing but a public address leads out
		network.Subnets, network.AssignPublicIp = defaultSubnets(r, c.scope), ecs.AssignPublicIpEnabled
	}
	overrides := &ecs.TaskOverride{}
	for i := range d.Definition.ContainerDefinitions {
		overrides.ContainerOverrides = append(overrides.ContainerOverrides, ecs.ContainerOverride{
			Name: d.Definition.ContainerDefinitions[i].Name, Environment: environment(c, d),
		})
	}
	return &ecs.RunTaskInput{
		Cluster: &target.cluster, TaskDefinition: d.Definition.TaskDefinitionArn, LaunchType: ecs.LaunchTypeFargate,
		NetworkConfiguration: &ecs.NetworkConfiguration{AwsvpcConfiguration: network},
		Overrides:            overrides, StartedBy: new(startedBy + nameOf(c.function)), ClientToken: new(c.requestID()),
	}, *d.Definition.TaskDefinitionArn, nil
}

func (t *taskTarget) definition(r store.Reader, scope fargo.Scope) (*record.TaskDefinition, bool) {
	if t.revision == 0 {
		return store.LatestTaskDefinition(r, scope, t.family)
	}
	return store.TaskDefinitions.Get(r, record.TaskDefinitionKey(scope, t.family, t.revision))
}

// environment is what functions find in their environment.
// Source: Lambda developer guide, "Defined runtime environment variables".
func environment(c *call, d *record.TaskDefinition) []ecs.KeyValuePair {
	variables := []ecs.KeyValuePair{}
	for _, v := range [][2]string{
		{"AWS_LAMBDA_RUNTIME_API", runtimeAPI},
		{"AWS_LAMBDA_FUNCTION_NAME", nameOf(c.function)},
		{"AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"},
		{"AWS_LAMBDA_FUNCTION_MEMORY_SIZE", aws.Value(d.Definition.Memory)},
	} {
		variables = append(variables, ecs.KeyValuePair{Name: new(v[0]), Value: new(v[1])})
	}
	return variables
}

// defaultSubnets are the default subnets of the zones in scope.
func defaultSubnets(r store.Reader, scope fargo.Scope) (ids []string) {
	for s := range store.EC2Subnets.Prefix(r, scope.Key("")) {
		if aws.Value(s.Subnet.DefaultForAz) {
			ids = append(ids, *s.Subnet.SubnetId)
		}
	}
	return ids
}

// taskEnd waits until a task is stopped, and says why it is.
func taskEnd(ctx context.Context, w *store.Watcher, db *store.DB, arn string) error {
	for {
		task, ok := taskByARN(db.View(), arn)
		switch {
		case !ok:
			return errors.New("its task is gone")
		case task.Desired == fargo.TaskStopped:
			return functionError("Runtime.ExitError", []byte("its task has ended without an answer: "+task.StoppedReason))
		}
		if _, err := w.Next(ctx); err != nil {
			return err
		}
	}
}

// startedBy begins what tasks of functions are started by; the name of the function follows.
const startedBy = "lambda/"

// ofFunction reports whether a task runs a function.
func ofFunction(t *record.Task) bool {
	return strings.HasPrefix(aws.Value(t.Intent.StartedBy), startedBy)
}

func taskByARN(r store.Reader, arn string) (*record.Task, bool) {
	a, ok := fargo.ParseARN(arn)
	if !ok {
		return nil, false
	}
	return store.Tasks.Get(r, a.Scope().Key(fargo.ClusterOf(a), a.Name()))
}

// stop stops the task of an invocation that is over.
func (t *Tasks) stop(ctx context.Context, scope fargo.Scope, cluster *string, arn string) {
	bounded, cancel := context.WithTimeout(ctx, stopTimeout)
	defer cancel()
	err := t.cfg.StopTask(bounded, scope, &ecs.StopTaskInput{Cluster: cluster, Task: &arn, Reason: new("The invocation of the function is over")})
	if err != nil {
		t.cfg.Logger.WarnContext(ctx, "the task of a function is not stopped", "task", arn, "error", err)
	}
}

func newInvocation(c *call) *invocation {
	function := c.function
	if _, ok := fargo.ParseARN(function); !ok {
		function = c.scope.ARN("lambda", "function:"+function)
	}
	return &invocation{
		is:    desired.Invocation{RequestID: c.requestID(), FunctionARN: function, Event: json.RawMessage(c.event)},
		taken: make(chan struct{}), result: make(chan desired.InvocationResult, 1),
	}
}

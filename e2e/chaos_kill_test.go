//go:build e2e && chaos

package e2e

import (
	"context"
	"fmt"
	"slices"
	"syscall"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
)

// killAttacks kill processes at random moments.
var killAttacks = []attack{
	{name: "kill the control plane", run: func(c *chaos) { c.killThenUp("control") }},
	{name: "kill the node", run: func(c *chaos) { c.killSome("node") }},
	{name: "kill control plane and node", run: func(c *chaos) { c.killThenUp("control", "node") }},
	{name: "kill containerd", run: func(c *chaos) { c.killSome("containerd") }},
	{name: "kill all but load balancers and shims", run: func(c *chaos) { c.killThenUp("control", "node", "containerd") }},
	{name: "kill load balancers", mayFail: true, run: func(c *chaos) { c.killSome("balancers") }},
	{name: "kill shims", mayFail: true, run: func(c *chaos) { c.killSome("shims") }},
	{name: "kill everything", mayFail: true, run: func(c *chaos) {
		c.killThenUp("control", "node", "balancers", "containerd", "shims")
	}},
	{name: "kill a container", mayFail: true, run: func(c *chaos) { c.note("target %s", c.killContainer()) }},
	{name: "kill the node while tasks start", run: func(c *chaos) { c.whileTasksStart(func() { c.killSome("node") }) }},
	{name: "kill containerd while tasks start", run: func(c *chaos) { c.whileTasksStart(func() { c.killSome("containerd") }) }},
	{name: "kill the control plane while tasks start", run: func(c *chaos) { c.whileTasksStart(func() { c.killThenUp("control") }) }},
	{name: "end and start the control plane", run: func(c *chaos) {
		if err := c.in.signal(syscall.SIGTERM); err != nil {
			c.t.Fatal(err)
		}
		c.up("10")
	}},
}

func (c *chaos) killSome(names ...string) {
	c.t.Helper()
	c.pause(time.Second)
	if err := c.in.kill(names...); err != nil {
		c.t.Fatal(err)
	}
}

func (c *chaos) killThenUp(names ...string) {
	c.t.Helper()
	c.killSome(names...)
	c.up("10")
}

// startedAtOnce is how many tasks are on their way when something is killed.
const startedAtOnce = 6

// whileTasksStart does something while tasks start, all of which must run.
func (c *chaos) whileTasksStart(do func()) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	input := c.user.taskInput(fmt.Sprintf("together%d", c.rng.Uint32()))
	input.Count = aws.Int32(startedAtOnce)
	out, err := c.user.ecs.RunTask(ctx, input)
	if err != nil {
		c.t.Fatal(err)
	}
	var arns []string
	for _, task := range out.Tasks {
		arns = append(arns, *task.TaskArn)
	}
	do()
	c.wait(func() error {
		return c.allRun(ctx, arns)
	})
	for _, arn := range arns {
		if _, err := c.user.ecs.StopTask(ctx, &ecs.StopTaskInput{Cluster: input.Cluster, Task: &arn}); err != nil {
			c.t.Error(err)
		}
	}
}

func (c *chaos) allRun(ctx context.Context, arns []string) error {
	out, err := c.user.ecs.DescribeTasks(ctx, &ecs.DescribeTasksInput{Cluster: aws.String("kubedojo-exercise"), Tasks: arns})
	if err != nil {
		return err
	}
	var statuses []string
	for _, task := range out.Tasks {
		statuses = append(statuses, *task.LastStatus)
		if *task.LastStatus == "STOPPED" {
			c.t.Fatalf("a task stopped: %s", aws.ToString(task.StoppedReason))
		}
	}
	if slices.ContainsFunc(statuses, func(s string) bool { return s != "RUNNING" }) || len(statuses) < len(arns) {
		return fmt.Errorf("tasks are %v", statuses)
	}
	return nil
}

package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"regexp"
	"strings"

	"fargo/aws/ecs"
)

// execCommand runs a command in a container of a running task.
type execCommand struct {
	dataDir
	Region    string   `default:"${region}" help:"The task's region (${default})."`
	Cluster   string   `default:"default" help:"The task's cluster (${default})."`
	Container string   `short:"c" help:"The container; a task that has one needs none."`
	Terminal  bool     `short:"t" help:"Give the command a terminal although input or output is none."`
	Task      string   `arg:"" help:"The task's id or ARN."`
	Command   []string `arg:"" passthrough:"" help:"The command and its arguments."`
}

// exitStatus is that of the command that was run, which is ours too.
type exitStatus int

func (s exitStatus) Error() string { return fmt.Sprint("exit status ", int(s)) }

// Run runs the command and exits with its status. With a terminal at both ends it has one;
// otherwise its output stays as it is, and its input has an end.
func (c *execCommand) Run(ctx context.Context, std *stdio, log *slog.Logger) error {
	api, err := newClient(c.DataDir, c.Region)
	if err != nil {
		return err
	}
	opened, err := api.execute(ctx, c)
	if err != nil {
		return err
	}
	a := &attendance{
		opened: opened, by: api.http, in: os.Stdin, out: std.out, err: std.err, log: log,
		api:        func(context.Context) (*client, error) { return api, nil },
		noTerminal: !c.Terminal && (!isTerminal(os.Stdin) || !isTerminal(std.out)),
	}
	end, err := a.run(ctx)
	switch {
	case err != nil:
		return err
	case !end.Exited && end.Reason != "":
		return errors.New(end.Reason)
	case !end.Exited:
		return errors.New("the session was ended before the command")
	case end.ExitCode != 0:
		return exitStatus(end.ExitCode)
	}
	return nil
}

// execute asks ECS for a session.
func (c *client) execute(ctx context.Context, command *execCommand) (openedSession, error) {
	words := command.Command
	if words[0] == "--" { // which is not the command's
		words = words[1:]
	}
	in := map[string]any{"cluster": command.Cluster, "task": command.Task, "command": quoted(words), "interactive": true}
	if command.Container != "" {
		in["container"] = command.Container
	}
	var out struct {
		ClusterArn, TaskArn, ContainerName string
		Session                            openedSession
	}
	if err := c.call(ctx, &ecs.API, "ExecuteCommand", in, &out); err != nil {
		return openedSession{}, err
	}
	var described struct {
		Tasks []struct {
			Containers []struct{ Name, RuntimeID string }
		}
	}
	in = map[string]any{"cluster": command.Cluster, "tasks": []string{out.TaskArn}}
	if err := c.call(ctx, &ecs.API, "DescribeTasks", in, &described); err != nil {
		return openedSession{}, err
	}
	for _, t := range described.Tasks {
		for _, container := range t.Containers {
			if container.Name == out.ContainerName {
				out.Session.target = "ecs:" + lastPart(out.ClusterArn) + "_" + lastPart(out.TaskArn) + "_" + container.RuntimeID
			}
		}
	}
	return out.Session, nil
}

// lastPart is what is behind the last slash of an ARN.
func lastPart(arn string) string { return arn[strings.LastIndexByte(arn, '/')+1:] }

// quoted joins arguments so that ECS, which takes a command apart as a shell would, gets
// the same.
func quoted(arguments []string) string {
	words := make([]string, len(arguments))
	for i, argument := range arguments {
		words[i] = argument
		if !plainWord.MatchString(argument) {
			words[i] = "'" + strings.ReplaceAll(argument, "'", `'"'"'`) + "'"
		}
	}
	return strings.Join(words, " ")
}

// plainWord is what a shell leaves as it is.
var plainWord = regexp.MustCompile(`^[A-Za-z0-9_./:=@%+,-]+$`)

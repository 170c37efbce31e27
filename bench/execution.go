package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// execTask is the task definition of a task in which commands are run, by ECS Exec.
const execTask = "with-commands"

// What is measured of commands.
const (
	execOutput    = 256 << 20 // bytes of one command's output
	pluginOutput  = 16 << 20  // the same, for AWS's plugin, which is slower
	execOutputs   = 5
	execEchoes    = 500
	execFirst     = 20 // echoes that are not counted
	pluginProgram = "session-manager-plugin"
)

// measureExec runs commands in a container: how fast their output comes, and how soon what
// is typed comes back.
func measureExec(ctx context.Context, f *fixture, r *report) error {
	arn, err := f.runExecTask(ctx)
	if err != nil {
		return err
	}
	var ours, plugins series
	err = repeat(ctx, 1, execOutputs, func(int) error {
		took, err := timeOutput(f.exec(ctx, arn, zeros(execOutput)...), execOutput)
		ours.add(took)
		return err
	})
	if err != nil {
		return err
	}
	echo := series{name: "a byte to a command in a container, and back"}
	if err := timeEchoes(f.exec(ctx, arn, "cat"), &echo); err != nil {
		return err
	}
	rate := float64(execOutput) / 1e6 / ours.percentile(50).Seconds()
	r.budget("output of a command in a container, by fargo exec", fmt.Sprintf("%.0f MB/s", rate), check{execRate, rate})
	r.budget("a byte to a command in a container, and back, p50", millis(echo.percentile(50)), check{execEcho, inMillis(echo.percentile(50))})
	r.latencies = append(r.latencies, echo)
	plugin := filepath.Join(filepath.Dir(f.in.binary), pluginProgram)
	if _, err := os.Stat(plugin); err != nil {
		r.missing(pluginProgram)
		return f.stop(ctx, []string{arn})
	}
	err = repeat(ctx, 1, execOutputs, func(int) error {
		cmd, err := f.pluginCommand(ctx, plugin, arn, strings.Join(zeros(pluginOutput), " "))
		if err != nil {
			return err
		}
		took, err := timeOutput(cmd, pluginOutput)
		plugins.add(took)
		return err
	})
	if err != nil {
		return err
	}
	r.budget("the same on a terminal, by AWS's session-manager-plugin", fmt.Sprintf("%.0f MB/s", float64(pluginOutput)/1e6/plugins.percentile(50).Seconds()))
	return f.stop(ctx, []string{arn})
}

// zeros is a command that writes so many bytes in large pieces: it must not be what is
// measured. Busybox's head writes a kilobyte at a time, which takes as long as all the rest.
func zeros(size int) []string {
	const piece = 64 << 10
	return []string{"dd", "if=/dev/zero", fmt.Sprintf("bs=%d", piece), fmt.Sprintf("count=%d", size/piece), "status=none"}
}

// runExecTask starts a task whose role may open data channels, and waits for its agent.
func (f *fixture) runExecTask(ctx context.Context) (string, error) {
	const name = "bench-commands"
	for _, call := range []url.Values{
		{"Action": {"CreateRole"}, "RoleName": {name}, "AssumeRolePolicyDocument": {trust}},
		{"Action": {"PutRolePolicy"}, "RoleName": {name}, "PolicyName": {name}, "PolicyDocument": {
			`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ssmmessages:*","Resource":"*"}]}`,
		}},
	} {
		call.Set("Version", "2010-05-08")
		if err := f.query(ctx, "iam", call, nil); err != nil {
			return "", err
		}
	}
	type object = map[string]any
	if err := f.ecs(ctx, "RegisterTaskDefinition", object{
		"family": execTask, "networkMode": "awsvpc", "requiresCompatibilities": []string{"FARGATE"}, "cpu": "1024", "memory": "2048",
		"executionRoleArn": "arn:aws:iam::123456789012:role/" + role, "taskRoleArn": "arn:aws:iam::123456789012:role/" + name,
		"containerDefinitions": []object{{"name": "api", "image": registry + "/" + repository + ":" + tag}},
	}, nil); err != nil {
		return "", err
	}
	var answer tasksAnswer
	if err := f.ecs(ctx, "RunTask", object{
		"cluster": cluster, "taskDefinition": execTask, "launchType": "FARGATE", "enableExecuteCommand": true,
		"networkConfiguration": object{"awsvpcConfiguration": object{"subnets": f.subnets, "securityGroups": []string{f.group}}},
	}, &answer); err != nil {
		return "", err
	}
	if err := answer.check(1); err != nil {
		return "", err
	}
	arns := []string{answer.Tasks[0].ARN}
	tasks, err := f.await(ctx, pollInterval, arns, "RUNNING")
	if err != nil {
		return "", err
	}
	return arns[0], f.awaitListening(ctx, tasks)
}

// exec is fargo exec with a command in a task.
func (f *fixture) exec(ctx context.Context, task string, args ...string) *exec.Cmd {
	return exec.CommandContext(ctx, f.in.binary, append([]string{"exec", "--data-dir", f.in.data, "--cluster", cluster, task, "--"}, args...)...)
}

// pluginCommand opens a session, and is AWS's plugin on it.
func (f *fixture) pluginCommand(ctx context.Context, plugin, task, command string) (*exec.Cmd, error) {
	var opened struct{ Session json.RawMessage }
	in := map[string]any{"cluster": cluster, "task": task, "command": command, "interactive": true}
	if err := f.ecs(ctx, "ExecuteCommand", in, &opened); err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, plugin, string(opened.Session), "us-east-1", "StartSession", "", `{"Target":""}`, f.url)
	cmd.Dir = f.in.data // it may write logs
	return cmd, nil
}

// timeOutput is how long a command takes from its first kilobyte to its last, of a size in
// bytes.
func timeOutput(cmd *exec.Cmd, size int) (took time.Duration, err error) {
	input, err := cmd.StdinPipe() // AWS's plugin ends with its input
	if err != nil {
		return 0, err
	}
	defer input.Close()
	output, err := cmd.StdoutPipe()
	if err != nil {
		return 0, err
	}
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	buffer := make([]byte, 256<<10)
	first, err := io.ReadFull(output, buffer[:1<<10])
	begun, n := time.Now(), first
	for err == nil {
		var more int
		more, err = output.Read(buffer)
		n += more
	}
	took = time.Since(begun)
	if err := cmd.Wait(); err != nil {
		return 0, err
	}
	if n < size {
		return 0, fmt.Errorf("%d bytes of %d have come", n, size)
	}
	return took, nil
}

// timeEchoes types to a command that gives back what it gets.
func timeEchoes(cmd *exec.Cmd, times *series) error {
	input, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	output, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	b := make([]byte, 1)
	for i := range execFirst + execEchoes {
		begun := time.Now()
		if _, err := input.Write(b); err != nil {
			return err
		}
		if _, err := io.ReadFull(output, b); err != nil {
			return err
		}
		if i >= execFirst {
			times.add(time.Since(begun))
		}
	}
	if err := input.Close(); err != nil {
		return err
	}
	return cmd.Wait()
}

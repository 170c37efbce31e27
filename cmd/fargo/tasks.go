package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"fargo"
	"fargo/aws/ecs"
	"fargo/plan"
	"fargo/record"
)

// tasksCommand prints tasks.
type tasksCommand struct {
	dataDir
	Region  string `default:"${region}" help:"The tasks' region (${default})."`
	Cluster string `help:"Only those of this cluster."`
	Stopped bool   `help:"Those that have stopped in the last seven days, the newest last, and why each has."`
}

// Run prints them.
func (c *tasksCommand) Run(ctx context.Context, std *stdio) error {
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	api, err := newClient(c.DataDir, c.Region)
	if err != nil {
		return err
	}
	var table string
	if c.Stopped {
		table, err = c.stopped(ctx, api)
	} else {
		table, err = c.current(ctx, api)
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprint(std.out, table)
	return err
}

// current draws the tasks that have not stopped.
func (c *tasksCommand) current(ctx context.Context, api *client) (string, error) {
	clusters, err := api.clusters(ctx, c.Cluster)
	if err != nil {
		return "", err
	}
	rows := [][]string{{"TASK", "STATUS", "DEFINITION", "GROUP", "HEALTH"}}
	for _, cluster := range clusters {
		tasks, err := api.tasks(ctx, cluster, "")
		if err != nil {
			return "", err
		}
		for _, t := range tasks {
			if t.LastStatus != string(fargo.TaskStopped) {
				rows = append(rows, []string{taskName(t.TaskArn), t.LastStatus, definitionName(t.TaskDefinitionArn), t.Group, t.HealthStatus})
			}
		}
	}
	return columns(rows), nil
}

// clusters are the one that is named, or all if none is.
func (c *client) clusters(ctx context.Context, named string) (all []string, err error) {
	if named != "" {
		return []string{named}, nil
	}
	in := map[string]any{}
	for {
		var listed struct {
			ClusterArns []string
			NextToken   string
		}
		if err := c.call(ctx, &ecs.API, "ListClusters", in, &listed); err != nil {
			return nil, err
		}
		all = append(all, listed.ClusterArns...)
		if listed.NextToken == "" {
			return all, nil
		}
		in["nextToken"] = listed.NextToken
	}
}

// tasks are those of a cluster, those that are stopping or have stopped among them;
// service is the one that they must be of, "" for all.
func (c *client) tasks(ctx context.Context, cluster, service string) (all []watchedTask, err error) {
	for _, status := range []fargo.TaskStatus{fargo.TaskRunning, fargo.TaskStopped} {
		some, err := c.tasksToBe(ctx, cluster, service, status)
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
	}
	return all, nil
}

// tasksToBe are those that are to be in a status: running, or stopped.
func (c *client) tasksToBe(ctx context.Context, cluster, service string, status fargo.TaskStatus) (all []watchedTask, err error) {
	in := map[string]any{"cluster": cluster, "desiredStatus": status}
	if service != "" {
		in["serviceName"] = service
	}
	for {
		var listed struct {
			TaskArns  []string // no more than DescribeTasks takes
			NextToken string
		}
		if err := c.call(ctx, &ecs.API, "ListTasks", in, &listed); err != nil {
			return nil, err
		}
		if len(listed.TaskArns) > 0 {
			var described struct{ Tasks []watchedTask }
			if err := c.call(ctx, &ecs.API, "DescribeTasks", map[string]any{"cluster": cluster, "tasks": listed.TaskArns}, &described); err != nil {
				return nil, err
			}
			all = append(all, described.Tasks...)
		}
		if listed.NextToken == "" {
			return all, nil
		}
		in["nextToken"] = listed.NextToken
	}
}

// stoppedTask is what of a task's last event is printed.
type stoppedTask struct {
	TaskArn, ClusterArn, TaskDefinitionArn, Group, StopCode, StoppedReason string

	StoppedAt  time.Time
	Containers []struct {
		Name, Reason string
		ExitCode     *int
	}
}

// stopped draws the tasks whose end is in the history: ECS itself forgets them after an
// hour.
func (c *tasksCommand) stopped(ctx context.Context, api *client) (string, error) {
	last := stoppedTasks{}
	q := historyQuery{since: time.Now().AddDate(0, 0, -historyDays), bus: record.DefaultEventBus, filter: `{ $.detail.lastStatus = "STOPPED" }`}
	err := api.history(ctx, q, func(e pastEvent) error { last.add(e.Message, c.wants); return nil })
	return last.draw(), err
}

// wants reports whether a task is of the cluster that was asked for, by name or ARN.
func (c *tasksCommand) wants(t *stoppedTask) bool {
	return c.Cluster == "" || c.Cluster == t.ClusterArn || "cluster/"+c.Cluster == resourceOf(t.ClusterArn)
}

// stoppedTasks are what the last event of each task says, by the task's ARN.
type stoppedTasks map[string]stoppedTask

// add takes note of an event, if it is of a task that is wanted.
func (s stoppedTasks) add(event string, wants func(*stoppedTask) bool) {
	var told struct {
		Source string
		Detail stoppedTask
	}
	if json.Unmarshal([]byte(event), &told) == nil && told.Source == plan.ECSEventSource && wants(&told.Detail) {
		s[told.Detail.TaskArn] = told.Detail
	}
}

func (s stoppedTasks) draw() string {
	rows := [][]string{{"STOPPED", "TASK", "DEFINITION", "GROUP", "CODE", "REASON"}}
	for _, t := range slices.SortedFunc(maps.Values(s), func(a, b stoppedTask) int {
		return cmp.Or(a.StoppedAt.Compare(b.StoppedAt), strings.Compare(a.TaskArn, b.TaskArn))
	}) {
		rows = append(rows, []string{
			t.StoppedAt.UTC().Format(time.RFC3339), taskName(t.TaskArn), definitionName(t.TaskDefinitionArn), t.Group, t.StopCode, t.why(),
		})
	}
	return columns(rows)
}

// why is the reason of a task's end, and how each container has ended.
func (t *stoppedTask) why() string {
	var ends []string
	for _, c := range t.Containers {
		end := c.Name
		if c.ExitCode != nil {
			end += fmt.Sprint(" ", *c.ExitCode)
		}
		if c.Reason != "" {
			end += ": " + c.Reason
		}
		ends = append(ends, end)
	}
	return fmt.Sprintf("%s (%s)", t.StoppedReason, strings.Join(ends, "; "))
}

// columns draws rows below each other, as wide as they must be.
func columns(rows [][]string) string {
	var b bytes.Buffer
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		fmt.Fprintln(w, strings.Join(row, "\t"))
	}
	w.Flush() // into memory: it cannot fail
	return b.String()
}

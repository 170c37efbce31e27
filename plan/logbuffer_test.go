package plan_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fargo"
	"fargo/aws/ecs"
	"fargo/desired"
	"fargo/plan"
	"fargo/record"
)

// taskOf is a new task of containers, and its definition.
func taskOf(blocking bool, containers ...ecs.ContainerDefinition) (*record.Task, *record.TaskDefinition) {
	d := &record.TaskDefinition{Definition: ecs.TaskDefinition{Family: new("web"), Revision: new(int32(3)), ContainerDefinitions: containers}}
	scope := fargo.Scope{Account: "123456789012", Region: "us-east-1"}
	hex := func(n int) string { return strings.Repeat("a", n) }
	return plan.NewTask(plan.TaskSpec{
		Scope: scope, Cluster: &record.Cluster{Cluster: ecs.Cluster{ClusterName: new("default"), ClusterArn: new(scope.ARN("ecs", "cluster/default"))}},
		Definition: d, Network: &ecs.AwsVpcConfiguration{Subnets: []string{"subnet-1"}}, BlockingLogs: blocking,
	}, time.Unix(0, 0), hex), d
}

func assigned(t *record.Task, d *record.TaskDefinition) desired.Assignment {
	return plan.Assignment(t, d, 1, func(*ecs.ContainerDefinition) desired.PullSource { return desired.PullSource{} })
}

// What a definition says of its buffer counts, then what the account has chosen.
func TestLogBuffer(t *testing.T) {
	options := func(pairs ...string) *ecs.LogConfiguration {
		l := &ecs.LogConfiguration{LogDriver: ecs.LogDriverAwslogs, Options: map[string]string{"awslogs-group": "g"}}
		for i := 0; i < len(pairs); i += 2 {
			l.Options[pairs[i]] = pairs[i+1]
		}
		return l
	}
	for _, c := range []struct {
		account bool
		l       *ecs.LogConfiguration
		want    *desired.LogBuffer
	}{
		{false, nil, nil},
		{false, options(), &desired.LogBuffer{Limit: 10 << 20}},
		{true, options(), &desired.LogBuffer{Limit: 10 << 20, Blocking: true}},
		{true, options("mode", "non-blocking", "max-buffer-size", "25m"), &desired.LogBuffer{Limit: 25 << 20}},
		{false, options("mode", "blocking"), &desired.LogBuffer{Limit: 10 << 20, Blocking: true}},
	} {
		task, d := taskOf(c.account, ecs.ContainerDefinition{Name: new("app"), Image: new("i"), LogConfiguration: c.l})
		if diff := cmp.Diff(c.want, assigned(task, d).Containers[0].LogBuffer); diff != "" {
			t.Errorf("%v, account %v: (-want +got)\n%s", c.l, c.account, diff)
		}
	}
}

func TestParseBufferSize(t *testing.T) {
	for text, want := range map[string]int64{
		"10m": 10 << 20, "25M": 25 << 20, "4k": 4096, "1 GiB": 1 << 30, "1.5kb": 1536, "7": 7, "7b": 7, "0": 0,
		"": -1, "m": -1, "-1m": -1, "10q": -1, "10 mm": -1, "1e3": -1, "99999999p": 1 << 62,
	} {
		got, ok := plan.ParseBufferSize(text)
		if !ok {
			got = -1
		}
		if got != want {
			t.Errorf("%q: %d, want %d", text, got, want)
		}
	}
}

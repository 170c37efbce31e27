//go:build e2e && chaos

package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/smithy-go"
)

// callInterval is the pause between two calls of a user. tasksKept is how many tasks a
// user has at a time.
const (
	callInterval = 40 * time.Millisecond
	tasksKept    = 2
)

// user calls the API all the time, by the AWS SDK without its retries, and
// remembers what was acknowledged.
type user struct {
	c      *chaos
	ecs    *ecs.Client
	subnet string
	group  string
	cancel context.CancelFunc
	ended  chan struct{}
	paused sync.Mutex // held while it should not call

	mu       sync.Mutex
	clusters map[string]string // by name, the status that was acknowledged; "" if that is not known
	tasks    map[string]string // by client token, the ARN that was acknowledged; "" if that is not known
	live     []string          // tasks to stop, the oldest first
	made     int
	tally    tally
	refused  map[string]int // by error code
}

type tally struct{ acknowledged, unanswered int }

func startUser(c *chaos) *user {
	key := struct{ AccessKeyID, SecretAccessKey string }{}
	b, err := os.ReadFile(filepath.Join(c.in.data, "admin.json"))
	if err == nil {
		err = json.Unmarshal(b, &key)
	}
	if err != nil {
		c.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	u := &user{
		c: c, cancel: cancel, ended: make(chan struct{}),
		clusters: map[string]string{}, tasks: map[string]string{}, refused: map[string]int{},
		subnet: c.shell(`. ./balancer.env; echo "${SUBNETS%%,*}"`), group: c.shell(`. ./balancer.env; echo "$TASK_SG"`),
		ecs: ecs.New(ecs.Options{
			Region: "us-east-1", BaseEndpoint: &c.in.url, Retryer: aws.NopRetryer{},
			Credentials: credentials.NewStaticCredentialsProvider(key.AccessKeyID, key.SecretAccessKey, ""),
			HTTPClient:  &http.Client{Timeout: 20 * time.Second},
		}),
	}
	go u.run(ctx)
	c.t.Cleanup(u.stop)
	return u
}

func (u *user) stop() {
	u.cancel()
	<-u.ended
}

func (u *user) run(ctx context.Context) {
	defer close(u.ended)
	ticker := time.NewTicker(callInterval)
	defer ticker.Stop()
	for n := 0; ; n++ {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		u.paused.Lock()
		switch {
		case n%40 == 0:
			u.runTask(ctx)
		case n%3 == 2:
			u.deleteCluster(ctx)
		default:
			u.createCluster(ctx)
		}
		u.paused.Unlock()
	}
}

// answered counts a call's outcome and returns what is known after it.
func (u *user) answered(err error) (acknowledged, known bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	var refused smithy.APIError
	switch {
	case err == nil:
		u.tally.acknowledged++
		return true, true
	case errors.As(err, &refused):
		u.refused[refused.ErrorCode()]++
		return false, refused.ErrorFault() == smithy.FaultClient
	}
	u.tally.unanswered++
	return false, false
}

func (u *user) createCluster(ctx context.Context) {
	u.made++
	name := fmt.Sprintf("c%05d", u.made)
	_, err := u.ecs.CreateCluster(ctx, &ecs.CreateClusterInput{ClusterName: &name})
	u.remember(u.clusters, name, "ACTIVE", err)
}

// remember notes what is known of one resource after a call.
func (u *user) remember(things map[string]string, name, state string, err error) {
	acknowledged, known := u.answered(err)
	u.mu.Lock()
	defer u.mu.Unlock()
	switch {
	case acknowledged:
		things[name] = state
	case !known:
		things[name] = ""
	}
}

func (u *user) deleteCluster(ctx context.Context) {
	u.mu.Lock()
	var name string
	for n, status := range u.clusters {
		if status == "ACTIVE" {
			name = n
			break
		}
	}
	u.mu.Unlock()
	if name != "" {
		_, err := u.ecs.DeleteCluster(ctx, &ecs.DeleteClusterInput{Cluster: &name})
		u.remember(u.clusters, name, "INACTIVE", err)
	}
}

// runTask starts a task, and stops the oldest if there are enough.
func (u *user) runTask(ctx context.Context) {
	u.made++
	token := fmt.Sprintf("t%05d", u.made)
	out, err := u.ecs.RunTask(ctx, u.taskInput(token))
	arn := ""
	if err == nil && len(out.Tasks) == 1 {
		arn = *out.Tasks[0].TaskArn
	}
	u.remember(u.tasks, token, arn, err)
	if arn != "" {
		u.live = append(u.live, arn)
	}
	if len(u.live) > tasksKept {
		_, err := u.ecs.StopTask(ctx, &ecs.StopTaskInput{Cluster: aws.String("kubedojo-exercise"), Task: &u.live[0]})
		if acknowledged, _ := u.answered(err); acknowledged {
			u.live = u.live[1:]
		}
	}
}

func (u *user) taskInput(token string) *ecs.RunTaskInput {
	return &ecs.RunTaskInput{
		Cluster: aws.String("kubedojo-exercise"), TaskDefinition: aws.String("ecs-exercise"), LaunchType: types.LaunchTypeFargate,
		ClientToken: &token, StartedBy: &token,
		NetworkConfiguration: &types.NetworkConfiguration{AwsvpcConfiguration: &types.AwsVpcConfiguration{
			Subnets: []string{u.subnet}, SecurityGroups: []string{u.group},
		}},
	}
}

// running counts the tasks that run or are on their way.
func (u *user) running() (int, error) {
	tasks := 0
	pages := ecs.NewListTasksPaginator(u.ecs, &ecs.ListTasksInput{Cluster: aws.String("kubedojo-exercise")})
	for pages.HasMorePages() {
		page, err := pages.NextPage(context.Background())
		if err != nil {
			return 0, err
		}
		tasks += len(page.TaskArns)
	}
	return tasks, nil
}

func (u *user) counts() tally {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.tally
}

// verify checks that everything acknowledged exists, and nothing twice. What has been
// verified is not checked again.
func (u *user) verify(after string) {
	u.paused.Lock()
	defer u.paused.Unlock()
	u.verifyPaused(after)
}

// verifyPaused is verify with paused held.
func (u *user) verifyPaused(after string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for names := range slices.Chunk(slices.Sorted(maps.Keys(u.clusters)), 100) {
		u.verifyClusters(ctx, after, names)
	}
	for token, arn := range u.tasks {
		u.verifyTask(ctx, after, token, arn)
	}
	clear(u.tasks)
	maps.DeleteFunc(u.clusters, func(_, status string) bool { return status != "ACTIVE" })
	if n := u.refused["InternalFailure"]; n > 0 {
		u.c.t.Errorf("after %s: %d calls failed inside", after, n)
	}
}

func (u *user) verifyClusters(ctx context.Context, after string, names []string) {
	var out *ecs.DescribeClustersOutput
	u.c.wait(func() (err error) { // about one large answer in a hundred breaks off; why is not known
		out, err = u.ecs.DescribeClusters(ctx, &ecs.DescribeClustersInput{Clusters: names})
		return err
	})
	is := map[string]string{}
	for _, cluster := range out.Clusters {
		is[*cluster.ClusterName] = *cluster.Status
	}
	for _, name := range names {
		switch want := u.clusters[name]; {
		case want == "": // either is right; from now on it is known
			u.clusters[name] = is[name]
		case want == "ACTIVE" && is[name] != "ACTIVE", want == "INACTIVE" && is[name] == "ACTIVE":
			u.c.t.Errorf("after %s: cluster %s is %q, and was acknowledged to be %s", after, name, is[name], want)
		}
	}
}

func (u *user) verifyTask(ctx context.Context, after, token, arn string) {
	var found []string
	for _, status := range []types.DesiredStatus{types.DesiredStatusRunning, types.DesiredStatusStopped} {
		out, err := u.ecs.ListTasks(ctx, &ecs.ListTasksInput{
			Cluster: aws.String("kubedojo-exercise"), StartedBy: &token, DesiredStatus: status,
		})
		if err != nil {
			u.c.t.Fatal(err)
		}
		found = append(found, out.TaskArns...)
	}
	if len(found) > 1 || arn != "" && !slices.Equal(found, []string{arn}) {
		u.c.t.Errorf("after %s: the task acknowledged as %q is %q", after, arn, found)
	}
	if arn == "" {
		u.live = append(u.live, found...)
	}
}

func (u *user) summary() string {
	u.mu.Lock()
	defer u.mu.Unlock()
	var codes []string
	for _, code := range slices.Sorted(maps.Keys(u.refused)) {
		codes = append(codes, fmt.Sprintf("%s %d", code, u.refused[code]))
	}
	return fmt.Sprintf("calls acknowledged: %d; unanswered: %d; refused: %s", u.tally.acknowledged, u.tally.unanswered, strings.Join(codes, ", "))
}

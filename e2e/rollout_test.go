//go:build e2e

package e2e

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// rollouts is how many deployments TestRollout makes, at least four. CI has no time for
// more; make rollouts has.
var rollouts = flag.Int("rollouts", 5, "make this `number` of rolling deployments")

const (
	leastRequests = 20_000 // of a deployment
	kills         = 3
)

// TestRollout makes one rolling deployment of a service after another, with more tasks
// and fewer in between, while requests come through its load balancer. Meanwhile it
// kills the control plane and the node, and replaces all processes of Fargo, load
// balancers included, by others with another speed: no request fails.
//
// Then containers are killed, one after another, and replaced. Requests to one that
// was killed fail until its target is deregistered; no other does.
func TestRollout(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Fatal("this test makes namespaces, mounts and control groups: run it as root")
	}
	s := newRollout(t)
	s.shell(`. "$LIB/roles.sh"; . "$LIB/image.sh"; aws ecs create-cluster --cluster-name kubedojo-exercise >/dev/null`)
	name := s.shell(`. "$LIB/balancer.sh"`)
	s.shell(`. "$LIB/revision.sh"`, "v1")
	s.shell(`. "$LIB/service.sh"`, "2")
	s.eventually("ecs-exercise:1 COMPLETED 1 2")

	load := startLoad(t, s.in, name, loadRate)
	count := 2
	for n := range *rollouts {
		revision := s.shell(`. "$LIB/revision.sh"`, fmt.Sprintf("v%d", n+2))
		s.update("--task-definition", revision)
		switch n {
		case 1:
			s.kill("node")
		case 2:
			s.kill("control")
			s.up("10")
		case 3:
			s.replace("9")
		}
		s.eventually(fmt.Sprintf("%s COMPLETED 1 %d", revision, count))
		count = []int{3, 2, 4, 2}[n%4] // on its way when the next revision comes
		s.update("--desired-count", strconv.Itoa(count))
	}
	s.eventually(fmt.Sprintf("ecs-exercise:%d COMPLETED 1 %d", *rollouts+1, count))
	if failed := load.stop(int64(*rollouts) * leastRequests); len(failed) > 0 {
		t.Errorf("failed: %v", failed)
	}

	s.update("--desired-count", "3")
	s.healthy(3)
	s.killContainers(name)

	s.shell(`aws ecs delete-service --cluster kubedojo-exercise --service api-service --force >/dev/null`)
	s.await("INACTIVE", `aws ecs describe-services --cluster kubedojo-exercise --services api-service \
		--query 'services[0].status' --output text`)
}

// rollout is a service in an installation of its own.
type rollout struct {
	t   *testing.T
	in  *installation
	env []string
	dir string
}

func newRollout(t *testing.T) *rollout {
	data, err := os.MkdirTemp("", "fargo-e2e-")
	if err != nil {
		t.Fatal(err)
	}
	return newRolloutIn(t, data)
}

// newRolloutIn starts an installation in data, which is empty or does not exist.
func newRolloutIn(t *testing.T, data string) *rollout {
	paths := map[string]string{}
	for _, file := range []string{binary, exampleImage, library} {
		path, err := filepath.Abs(file)
		if err != nil {
			t.Fatal(err)
		}
		paths[file] = path
	}
	before, err := listMachine()
	if err != nil {
		t.Fatal(err)
	}
	s := &rollout{t: t, dir: t.TempDir(), in: &installation{binary: paths[binary], data: data, logs: t.TempDir()}}
	s.env = append(os.Environ(), "FARGO="+paths[binary], "FARGO_DATA_DIR="+data, "AWS_PAGER=",
		"PATH="+filepath.Dir(clients(t)[0].path)+":"+os.Getenv("PATH"),
		"WORK="+s.dir, "IMAGE="+paths[exampleImage], "LIB="+paths[library])
	t.Cleanup(func() { tearDown(t, s.in, before) })
	if err := s.in.up("--listen", "127.0.0.1:0", "--speed", "10"); err != nil {
		t.Fatal(err)
	}
	return s
}

// shell runs a script as a user would, after eval "$(fargo env)".
func (s *rollout) shell(script string, args ...string) string {
	s.t.Helper()
	out, err := s.try(script, args...)
	if err != nil {
		s.t.Fatal(err)
	}
	return out
}

func (s *rollout) try(script string, args ...string) (string, error) {
	cmd := exec.Command("bash", append([]string{"-euo", "pipefail", "-c", `eval "$("$FARGO" env)"; ` + script, "bash"}, args...)...)
	cmd.Dir, cmd.Env = s.dir, s.env
	out, err := cmd.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		err = fmt.Errorf("%s %v: %w: %s", script, args, err, exit.Stderr)
	}
	return strings.TrimSpace(string(out)), err
}

func (s *rollout) update(args ...string) {
	s.t.Helper()
	s.shell(`aws ecs update-service --cluster kubedojo-exercise --service api-service "$@" >/dev/null`, args...)
}

// eventually waits until the service is as given: the newest deployment's task
// definition and state, how many deployments there are, and how many tasks run.
func (s *rollout) eventually(want string) {
	s.t.Helper()
	s.await(want, `aws ecs describe-services --cluster kubedojo-exercise --services api-service --output text --query '
		services[0].[deployments[0].taskDefinition, deployments[0].rolloutState, length(deployments), runningCount]' |
		sed 's|.*task-definition/||; s/\t/ /g'`)
}

func (s *rollout) await(want, script string) {
	s.t.Helper()
	s.wait(func() error {
		got, err := s.try(script)
		if err == nil && got != want {
			err = fmt.Errorf("%q; want %q", got, want)
		}
		return err
	})
}

// wait repeats a function until it succeeds, for at most two minutes.
func (s *rollout) wait(try func() error) {
	s.t.Helper()
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	deadline := time.After(2 * time.Minute)
	for {
		err := try()
		if err == nil {
			return
		}
		select {
		case <-ticker.C:
		case <-deadline:
			s.t.Fatalf("within two minutes: %v", err)
		}
	}
}

// healthy waits until n targets are, and no more tasks than that run.
func (s *rollout) healthy(n int) {
	s.t.Helper()
	s.await(fmt.Sprintf("%d %d", n, n), `. ./balancer.env
		aws ecs describe-services --cluster kubedojo-exercise --services api-service --query 'services[0].runningCount' | tr '\n' ' '
		aws elbv2 describe-target-health --target-group-arn "$TG_ARN" \
			--query "length(TargetHealthDescriptions[?TargetHealth.State=='healthy'])"`)
}

func (s *rollout) kill(process string) {
	s.t.Helper()
	if err := s.in.kill(process); err != nil {
		s.t.Fatal(err)
	}
}

func (s *rollout) up(speed string) {
	s.t.Helper()
	if err := s.in.up("--speed", speed); err != nil {
		s.t.Fatal(err)
	}
}

// replace replaces every process of Fargo, as an upgrade does.
func (s *rollout) replace(speed string) {
	s.t.Helper()
	before, err := s.in.balancers()
	if err != nil {
		s.t.Fatal(err)
	}
	if err := s.in.signal(syscall.SIGTERM); err != nil {
		s.t.Fatal(err)
	}
	s.up(speed)
	s.wait(func() error {
		now, err := s.in.balancers()
		if err == nil && slices.ContainsFunc(now, func(pid int) bool { return slices.Contains(before, pid) }) {
			err = fmt.Errorf("load balancers are %v and were %v", now, before)
		}
		return err
	})
}

// killContainers kills containers one after another while requests come in, and
// waits each time until another has replaced it. The access log has the target of
// each request that failed.
func (s *rollout) killContainers(name string) {
	s.shell(`aws s3api create-bucket --bucket killed >/dev/null && aws s3api put-bucket-policy --bucket killed --policy '{"Statement": {
		"Effect": "Allow", "Principal": {"Service": "logdelivery.elasticloadbalancing.amazonaws.com"},
		"Action": "s3:PutObject", "Resource": "arn:aws:s3:::killed/AWSLogs/123456789012/*"}}'`)
	s.shell(`. ./balancer.env; aws elbv2 modify-load-balancer-attributes --load-balancer-arn "$ALB_ARN" \
		--attributes Key=access_logs.s3.enabled,Value=true Key=access_logs.s3.bucket,Value=killed >/dev/null`)
	load := startLoad(s.t, s.in, name, loadRate)
	killed := map[string]bool{}
	for range kills {
		killed[s.killContainer()] = true
		s.healthy(3)
	}
	failures := 0
	for what, n := range load.stop(0) {
		if !strings.HasPrefix(what, "502 ") {
			s.t.Errorf("%d requests failed with %s", n, what)
		}
		failures += n
	}
	s.t.Logf("%d requests went to %d containers that had been killed", failures, kills)
	logged := s.badGateways(failures)
	if len(logged) > failures {
		s.t.Errorf("the access log has %d failures, of %d", len(logged), failures)
	}
	for _, address := range logged {
		if !killed[address] {
			s.t.Errorf("a request to %s failed; killed were %v", address, killed)
		}
	}
}

// killContainer kills the processes of a task, which must be replaced, and
// returns the address of its target.
func (s *rollout) killContainer() (target string) {
	task := s.shell(`aws ecs list-tasks --cluster kubedojo-exercise --service-name api-service --query 'taskArns[0]' --output text`)
	target = s.shell(`aws ecs describe-tasks --cluster kubedojo-exercise --tasks "$1" --output text \
		--query 'tasks[0].containers[0].networkInterfaces[0].privateIpv4Address'`, task) + ":8080"
	pids, err := s.in.inTask(task[strings.LastIndex(task, "/")+1:])
	if err != nil || len(pids) == 0 {
		s.t.Fatalf("processes of %s: %v, %v", task, pids, err)
	}
	for _, pid := range pids {
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
			s.t.Fatal(err)
		}
	}
	s.await("STOPPED EssentialContainerExited 137", `aws ecs describe-tasks --cluster kubedojo-exercise --tasks `+task+`\
		--query 'tasks[0].[lastStatus, stopCode, to_string(containers[0].exitCode)] | join('"'"' '"'"', @)' --output text`)
	return target
}

// badGateways waits until the access log in S3 has n failed requests, and returns the
// target of each.
func (s *rollout) badGateways(n int) []string {
	s.t.Helper()
	const target, status = 4, 8 // the fields of an entry
	dir := s.t.TempDir()
	var targets []string
	s.wait(func() error {
		targets = nil
		s.shell(`aws s3 cp --recursive --quiet s3://killed "$1"`, dir)
		lines := s.shell(`find "$1" -name '*.log.gz' -exec zcat {} +`, dir)
		for line := range strings.Lines(lines) {
			if fields := strings.Fields(line); len(fields) > status && fields[status] == "502" {
				targets = append(targets, fields[target])
			}
		}
		if len(targets) < n {
			return fmt.Errorf("the access log has %d failures of %d", len(targets), n)
		}
		return nil
	})
	return targets
}

// inTask finds the processes of a task by their control group, which is below
// the installation's.
func (in *installation) inTask(id string) ([]int, error) {
	paths, err := filepath.Glob("/proc/[0-9]*/cgroup")
	if err != nil {
		return nil, err
	}
	var pids []int
	for _, path := range paths {
		b, err := os.ReadFile(path)
		if err != nil || !strings.Contains(string(b), "/fargo-"+in.id+"/") || !strings.Contains(string(b), id) {
			continue // gone, or not ours
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		if err != nil {
			return nil, err
		}
		pids = append(pids, pid)
	}
	return pids, nil
}

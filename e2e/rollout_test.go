//go:build e2e

package e2e

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"
)

// The load is steady, and ends by itself if nothing else ends it.
var (
	loadRate = vegeta.Rate{Freq: 500, Per: time.Second}
	loadTime = time.Minute
)

// TestRollout changes a service in every ordinary way while requests come in
// through its load balancer, and kills the control plane meanwhile: no request
// fails.
func TestRollout(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Fatal("this test makes namespaces, mounts and control groups: run it as root")
	}
	s := newRollout(t)
	s.shell(`. "$LIB/roles.sh"; . "$LIB/image.sh"; aws ecs create-cluster --cluster-name kubedojo-exercise >/dev/null`)
	name := s.shell(`. "$LIB/balancer.sh"`)
	for _, version := range []string{"v1", "v2", "v3"} {
		s.shell(`. "$LIB/revision.sh"`, version)
	}
	s.shell(`. "$LIB/service.sh"`, "2")
	s.eventually("ecs-exercise:1 COMPLETED 1 2")

	load := startLoad(t, s.in, name)
	s.update("--task-definition", "ecs-exercise:2")
	s.eventually("ecs-exercise:2 COMPLETED 1 2")
	s.update("--desired-count", "3")
	s.eventually("ecs-exercise:2 COMPLETED 1 3")
	s.update("--task-definition", "ecs-exercise:3")
	if err := s.in.kill("control"); err != nil {
		t.Fatal(err)
	}
	if err := s.in.up("--speed", "10"); err != nil {
		t.Fatal(err)
	}
	s.eventually("ecs-exercise:3 COMPLETED 1 3")
	s.update("--desired-count", "2")
	s.eventually("ecs-exercise:3 COMPLETED 1 2")
	load.stop(t)

	s.healsKilledContainer()

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
	paths := map[string]string{}
	for _, file := range []string{binary, exampleImage, library} {
		path, err := filepath.Abs(file)
		if err != nil {
			t.Fatal(err)
		}
		paths[file] = path
	}
	before, err := lookAtMachine()
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.MkdirTemp("", "fargo-e2e-")
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

// eventually waits until the service is as wanted: the newest deployment's task
// definition and state, how many deployments there are, and how many tasks run.
func (s *rollout) eventually(want string) {
	s.t.Helper()
	s.await(want, `aws ecs describe-services --cluster kubedojo-exercise --services api-service --output text --query '
		services[0].[deployments[0].taskDefinition, deployments[0].rolloutState, length(deployments), runningCount]' |
		sed 's|.*task-definition/||; s/\t/ /g'`)
}

func (s *rollout) await(want, script string) {
	s.t.Helper()
	var got string
	var err error
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); {
		if got, err = s.try(script); err == nil && got == want {
			return
		}
	}
	s.t.Fatalf("within a minute: %q, %v; want %q", got, err, want)
}

// healsKilledContainer kills the processes of one task, which must be replaced.
func (s *rollout) healsKilledContainer() {
	const list = `aws ecs list-tasks --cluster kubedojo-exercise --service-name api-service --query 'taskArns[]' --output text`
	before := strings.Fields(s.shell(list))
	pids, err := s.in.inTask(before[0][strings.LastIndex(before[0], "/")+1:])
	if err != nil || len(pids) == 0 {
		s.t.Fatalf("processes of %s: %v, %v", before[0], pids, err)
	}
	for _, pid := range pids {
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
			s.t.Fatal(err)
		}
	}
	s.await("STOPPED EssentialContainerExited 137", `aws ecs describe-tasks --cluster kubedojo-exercise --tasks `+before[0]+`\
		--query 'tasks[0].[lastStatus, stopCode, to_string(containers[0].exitCode)] | join('"'"' '"'"', @)' --output text`)
	s.eventually("ecs-exercise:3 COMPLETED 1 2")
	if after := strings.Fields(s.shell(list)); slices.Contains(after, before[0]) || !slices.Contains(after, before[1]) {
		s.t.Errorf("tasks %v after %s was killed, before %v", after, before[0], before)
	}
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

// load asks for the service's page until it is stopped.
type load struct {
	attacker *vegeta.Attacker
	metrics  vegeta.Metrics
	failed   map[string]int // by what went wrong
	done     chan struct{}
}

// startLoad sends requests to every address of the load balancer called name.
func startLoad(t *testing.T, in *installation, name string) *load {
	addresses, err := net.LookupHost(name)
	if err != nil {
		t.Fatal(err)
	}
	var targets []vegeta.Target
	for _, address := range addresses {
		route, err := exec.Command("ip", "route", "get", address).Output()
		if err != nil || !strings.Contains(string(route), "dev fg"+in.id) {
			t.Fatalf("%s does not lead to %s: %s, %v", address, in.id, route, err)
		}
		targets = append(targets, vegeta.Target{Method: "GET", URL: "http://" + address + "/", Header: http.Header{"Host": {name}}})
	}
	l := &load{
		attacker: vegeta.NewAttacker(vegeta.Timeout(10*time.Second), vegeta.MaxWorkers(100)),
		failed:   map[string]int{}, done: make(chan struct{}),
	}
	results := l.attacker.Attack(vegeta.NewStaticTargeter(targets...), loadRate, loadTime, t.Name())
	go func() {
		defer close(l.done)
		for r := range results {
			l.metrics.Add(r)
			if r.Code != http.StatusOK {
				l.failed[fmt.Sprintf("%d %s", r.Code, r.Error)]++
			}
		}
	}()
	t.Cleanup(func() { l.attacker.Stop(); <-l.done })
	return l
}

// stop ends the load and says how it went.
func (l *load) stop(t *testing.T) {
	t.Helper()
	select {
	case <-l.done:
		t.Errorf("the load ended after %v, before the changes did", loadTime)
	default:
	}
	l.attacker.Stop()
	<-l.done
	l.metrics.Close()
	t.Logf("%d requests in %v, 99%% within %v", l.metrics.Requests, l.metrics.Duration.Round(time.Second), l.metrics.Latencies.P99)
	if l.metrics.Requests == 0 || len(l.failed) > 0 {
		t.Errorf("failed, of %d requests: %v", l.metrics.Requests, l.failed)
	}
}

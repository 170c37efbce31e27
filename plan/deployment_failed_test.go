package plan

import (
	"slices"
	"testing"
	"time"

	"fargo"
	"fargo/aws/ecs"
)

// A deployment that has failed, without a rollback, and has tasks of which nobody
// knows yet whether they are healthy: what the one before lost is replaced, and not
// stopped again at once as more than desired. It was, in turns without an end.
func TestReplacementsOutliveAFailedDeployment(t *testing.T) {
	r := newServiceSim(3, 100, 200, true)
	r.service.Service.DeploymentConfiguration.DeploymentCircuitBreaker.Rollback = new(false)
	r.deploy("a")
	for range 5 {
		r.settle(t)
		r.now = r.now.Add(time.Minute)
		for _, task := range slices.Clone(r.tasks) {
			r.advance(task)
		}
	}
	r.settle(t)
	if r.count(r.healthy) != 3 {
		t.Fatalf("no beginning:\n%s", r)
	}

	r.copyService()
	r.service.Service.DesiredCount = new(int32(6))
	r.deploy("b")
	r.settle(t)
	r.now = r.now.Add(6 * time.Second) // a breaker waits so long
	running, failed := 0, 0
	for _, task := range slices.Clone(r.tasks) {
		switch {
		case *task.Intent.TaskDefinitionArn != "b":
		case running < 3:
			running++
			r.report(task, fargo.TaskRunning)
		default:
			failed++
			r.report(task, fargo.TaskStopped)
		}
	}
	r.settle(t)
	if d := r.current()[0]; d.Rollout != ecs.DeploymentRolloutStateFailed || failed != 3 {
		t.Fatalf("%d tasks failed, and the deployment is %s:\n%s", failed, d.Rollout, r)
	}
	if c := r.plan(); len(c.Launch) > 0 || len(c.Update) > 0 {
		t.Errorf("nothing happened, and %d tasks are started and %d changed:\n%s", len(c.Launch), len(c.Update), r)
	}
}

package plan

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"fargo"
	"fargo/aws/ecs"
	"fargo/desired"
	"fargo/record"
)

// ECS API, DeploymentConfiguration: running tasks never exceed maximumPercent,
// healthy ones never fall below minimumHealthyPercent by the scheduler's doing;
// and whatever was done to it, a service left alone becomes steady, its tasks
// spread over its zones when the user wants that.
func TestServiceProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := newServiceSim(rapid.IntRange(0, 8).Draw(t, "desired"), rapid.SampledFrom([]int{0, 50, 100}).Draw(t, "minimum"),
			rapid.SampledFrom([]int{100, 120, 150, 200}).Draw(t, "maximum"), rapid.Bool().Draw(t, "breaker"))
		r.checked = rapid.Bool().Draw(t, "checked")
		if rapid.Bool().Draw(t, "balanced") {
			r.group = "group"
		}
		r.drawBreaker(t)
		breaker := r.service.Service.DeploymentConfiguration.DeploymentCircuitBreaker
		breaker.Rollback = new(*breaker.Enable && rapid.Bool().Draw(t, "rollback"))
		if rapid.Bool().Draw(t, "rebalance") {
			r.service.Service.AvailabilityZoneRebalancing = ecs.AvailabilityZoneRebalancingEnabled
		}
		r.deploy("v1")
		for range rapid.IntRange(1, 80).Draw(t, "steps") {
			r.disturb(t)
			r.checkedPlan(t)
		}
		r.broken, r.full, r.lost = map[string]bool{}, map[string]bool{}, false
		r.converge(t)
	})
}

func (r *serviceSim) disturb(t *rapid.T) {
	switch rapid.IntRange(0, 14).Draw(t, "what") {
	case 0:
		r.copyService()
		r.service.Service.DesiredCount = new(int32(rapid.IntRange(0, 8).Draw(t, "desired")))
	case 1:
		definition := fmt.Sprintf("v%d", rapid.IntRange(1, 4).Draw(t, "version"))
		r.broken[definition] = rapid.IntRange(0, 2).Draw(t, "broken") == 0
		r.deploy(definition)
	case 2:
		r.draw1(t, func(task *record.Task) { r.report(task, fargo.TaskStopped) })
	case 3:
		r.draw1(t, func(task *record.Task) { r.health(task, false) })
	case 4:
		z := rapid.SampledFrom(r.zones).Draw(t, "zone")
		r.full[z] = !r.full[z]
	case 5:
		until := r.now.Add(time.Duration(rapid.IntRange(0, 120).Draw(t, "minutes")) * time.Minute)
		r.draw1(t, func(task *record.Task) { r.edit(task, func(c *record.Task) { c.ProtectedUntil = until }) })
	case 6:
		if r.current()[0].Rollout == ecs.DeploymentRolloutStateInProgress {
			r.abandon()
		}
	case 7:
		r.lost = rapid.IntRange(0, 3).Draw(t, "lost") == 0
	case 8, 9:
		r.now = r.now.Add(time.Minute)
		for _, task := range slices.Clone(r.tasks) {
			r.advance(task)
		}
	default:
		r.now = r.now.Add(time.Duration(rapid.IntRange(0, 60).Draw(t, "seconds")) * time.Second)
		r.draw1(t, r.advance)
	}
}

// draw1 does something to a task that has not ended, if there is one.
func (r *serviceSim) draw1(t *rapid.T, do func(*record.Task)) {
	left := slices.DeleteFunc(slices.Clone(r.tasks), (*record.Task).Stopped)
	if len(left) > 0 {
		do(left[rapid.IntRange(0, len(left)-1).Draw(t, "task")])
	}
}

// checkedPlan plans once and holds the scheduler to its bounds.
func (r *serviceSim) checkedPlan(t interface{ Fatalf(string, ...any) }) ServiceChanges {
	before, healthy, working := r.count(all), r.count(r.healthy), r.count(r.working)
	shielded := map[string]bool{}
	for _, task := range r.tasks {
		shielded[task.ID] = task.Desired == fargo.TaskRunning && r.now.Before(task.ProtectedUntil)
	}
	c := r.plan()
	lower, upper := Bounds(r.service, r.service.DesiredCount())
	after := r.count(all)
	if len(c.Launch) > 0 && after > upper {
		t.Fatalf("%d tasks wanted, at most %d allowed (%d before):\n%s", after, upper, before, r)
	}
	if left := r.count(r.healthy); left < healthy && left < lower {
		t.Fatalf("%d healthy tasks left of %d, at least %d needed:\n%s", left, healthy, lower, r)
	}
	if left := r.count(r.working); left < working && left < lower {
		t.Fatalf("%d working tasks left of %d, at least %d needed:\n%s", left, working, lower, r)
	}
	for _, u := range c.Update {
		if shielded[u.ID] && u.Desired == fargo.TaskStopped && !strings.HasPrefix(u.StoppedReason, "Task failed ") {
			t.Fatalf("%s is protected and was stopped: %s", u.ID, u.StoppedReason)
		}
	}
	r.place()
	return c
}

// converge lets everything go well and demands that the service becomes steady
// with healthy tasks of its newest deployment only, evenly spread.
func (r *serviceSim) converge(t interface{ Fatalf(string, ...any) }) {
	if lower, upper := Bounds(r.service, r.service.DesiredCount()); lower >= upper {
		// Nothing can move: the user does what the event says.
		r.copyService()
		r.service.Service.DeploymentConfiguration = &ecs.DeploymentConfiguration{}
	}
	for range 600 {
		r.now = r.now.Add(time.Minute)
		for _, task := range slices.Clone(r.tasks) {
			r.advance(task)
		}
		r.settle(t)
		if r.current()[0].Rollout == ecs.DeploymentRolloutStateFailed {
			r.deploy("fixed") // tasks that had failed before were counted
		}
		if r.isSteady() && r.isEven() {
			return
		}
	}
	t.Fatalf("not steady or not even:\n%s", r)
}

func (r *serviceSim) isSteady() bool {
	d := r.current()[0]
	fresh := r.count(func(task *record.Task) bool { return *task.Intent.StartedBy == d.ID && r.healthy(task) })
	return !r.service.SteadyAt.IsZero() && len(r.current()) == 1 && fresh == r.service.DesiredCount() &&
		r.count(all) == fresh && d.Rollout == ecs.DeploymentRolloutStateCompleted
}

// isEven reports whether no zone has two tasks more than another, when that is
// wanted and can be.
func (r *serviceSim) isEven() bool {
	_, upper := Bounds(r.service, r.service.DesiredCount())
	if r.service.Service.AvailabilityZoneRebalancing != ecs.AvailabilityZoneRebalancingEnabled || upper <= r.service.DesiredCount() {
		return true
	}
	least, most := len(r.tasks), 0
	for _, z := range r.zones {
		n := r.count(func(task *record.Task) bool { return zoneOf(task) == z })
		least, most = min(least, n), max(most, n)
	}
	return most-least < 2 && r.service.Rebalance.Since.IsZero()
}

// ECS developer guide, circuit breaker: a deployment whose tasks never run, or
// never become healthy, ends FAILED, and the one that was completed before comes
// back: without a new task and without one healthy task less on the way.
func TestBreakerEnds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		desired := rapid.IntRange(1, 30).Draw(t, "desired")
		r := newServiceSim(desired, 100, 200, true)
		r.checked = rapid.Bool().Draw(t, "checked")
		r.drawBreaker(t)
		sick := r.checked && rapid.Bool().Draw(t, "sick")
		r.deploy("v1")
		r.settle(t)
		r.converge(t)
		r.broken["v2"] = !sick
		r.deploy("v2")
		for range 300 {
			c := r.checkedPlan(t)
			if n := r.count(r.healthy); n < desired {
				t.Fatalf("%d of %d healthy:\n%s", n, desired, r)
			}
			if r.isSteady() {
				break
			}
			if c.Service == nil && len(c.Deployments)+len(c.Launch)+len(c.Update) == 0 {
				r.now = r.now.Add(time.Hour)
				for _, task := range slices.Clone(r.tasks) {
					if sick && *task.Intent.TaskDefinitionArn == "v2" && task.LastStatus() == fargo.TaskRunning && task.Desired == fargo.TaskRunning {
						r.health(task, false)
					} else {
						r.advance(task)
					}
				}
			}
		}
		d, h := r.current()[0], r.history()[1]
		if !r.isSteady() || d.ID != "ecs-svc/1" || r.made["v1"] != desired || h.Status != ecs.ServiceDeploymentStatusRollbackSuccessful {
			t.Fatalf("%s, %d tasks of v1 were made:\n%s", h.Status, r.made["v1"], r)
		}
	})
}

// ECS developer guide, "Balancing an Amazon ECS service across Availability
// Zones": from any spread, moves end in an even one, with not one move too many,
// and with what was wanted healthy all the time.
func TestRebalanceEnds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		spread := rapid.SliceOfN(rapid.IntRange(0, 6), 2, 5).Draw(t, "spread")
		r := newUneven(spread, rapid.SampledFrom([]int{110, 150, 200}).Draw(t, "maximum"))
		desired := r.service.DesiredCount()
		for range 200 {
			c := r.checkedPlan(t)
			if n := r.count(r.healthy); n < desired {
				t.Fatalf("%d of %d healthy:\n%s", n, desired, r)
			}
			if len(c.Launch)+len(c.Update) == 0 {
				r.now = r.now.Add(15 * time.Second)
				r.draw1(t, r.advance)
				r.draw1(t, r.advance)
			}
		}
		r.converge(t)
		need := movesNeeded(spread)
		if _, upper := Bounds(r.service, desired); upper == desired {
			need = 0 // there is no room
		}
		if moves := r.made["v1"] - desired; moves != need {
			t.Fatalf("%d moves from %v, %d needed:\n%s", moves, spread, need, r)
		}
	})
}

// newUneven is a steady service with as many tasks in each zone as spread says.
func newUneven(spread []int, maximum int) *serviceSim {
	r := newServiceSim(0, 100, maximum, false)
	r.zones = nil
	for i := range spread {
		r.zones = append(r.zones, string(rune('a'+i)))
	}
	d := r.deploy("v1")
	d.Rollout = ecs.DeploymentRolloutStateCompleted
	r.service.Completed = d.ID
	r.service.Service.AvailabilityZoneRebalancing = ecs.AvailabilityZoneRebalancingEnabled
	for i, n := range spread {
		for range n {
			task, _ := r.make(d, "")
			task.Node, task.Status, task.Intent.AvailabilityZone = "node", fargo.TaskPending, &r.zones[i]
			task.Report = &desired.TaskReport{Status: fargo.TaskRunning, StartedAt: r.now.Add(-time.Hour)}
			r.tasks = append(r.tasks, task)
		}
	}
	r.service.Service.DesiredCount = new(int32(len(r.tasks)))
	return r
}

// movesNeeded is how many tasks must change their zone so that no zone has two
// more than another.
func movesNeeded(spread []int) int {
	s, moves := slices.Clone(spread), 0
	for {
		slices.Sort(s)
		if s[len(s)-1]-s[0] < 2 {
			return moves
		}
		s[0]++
		s[len(s)-1]--
		moves++
	}
}

// A move that can never succeed does not go on for ever: it is tried once an
// hour, and what the user wanted runs all the time.
func TestRebalanceRests(t *testing.T) {
	r := newUneven([]int{3, 0}, 200)
	r.settle(t)
	launches := 0
	for range 24 * 60 {
		launches += len(r.checkedPlan(t).Launch)
		r.now = r.now.Add(time.Minute)
		for _, task := range slices.Clone(r.tasks) {
			if zoneOf(task) == "b" && !task.Stopped() {
				r.report(task, fargo.TaskStopped)
			}
		}
		if n := r.count(r.healthy); n != 3 {
			t.Fatalf("%d healthy", n)
		}
	}
	if launches < 20 || launches > 24 {
		t.Errorf("%d tasks started in a day", launches)
	}
}

// A task runs until its targets have drained, though it shows DEACTIVATING.
func TestDrainingTasksAreCounted(t *testing.T) {
	task := &record.Task{
		Desired: fargo.TaskStopped, Status: fargo.TaskRunning,
		LoadBalancers: make([]ecs.LoadBalancer, 1), Targets: []record.TargetRef{{Group: "g"}},
	}
	if running, pending := TaskCounts("", []ServiceTask{{Task: task}}); task.LastStatus() != fargo.TaskDeactivating || running != 1 || pending != 0 {
		t.Errorf("%s: %d running, %d pending", task.LastStatus(), running, pending)
	}
	task.Targets, task.Status = nil, fargo.TaskStopping
	if running, _ := TaskCounts("", []ServiceTask{{Task: task}}); running != 0 {
		t.Errorf("%s: %d running", task.LastStatus(), running)
	}
}

// A deployment is remembered for 90 days, and as long as the service needs its
// revision.
func TestHistoryExpires(t *testing.T) {
	r := newServiceSim(1, 100, 200, false)
	created := r.now
	deployments := []*record.Deployment{
		{ID: "gone", CreatedAt: created, Retired: true},
		{ID: "running", CreatedAt: created},
		{ID: "good", CreatedAt: created, Retired: true},
	}
	r.service.Completed = "good"
	for days, want := range map[int][]bool{90: {false, false, false}, 91: {true, false, false}} {
		for i, d := range deployments {
			if got := HistoryExpired(r.service, d, created.AddDate(0, 0, days)); got != want[i] {
				t.Errorf("after %d days the deployment that is %s expires: %v", days, d.ID, got)
			}
		}
	}
}

// A service of 5,000 tasks is scaled in by half.
func BenchmarkScaleIn(b *testing.B) {
	r := newUneven([]int{2000, 1700, 1300}, 200)
	r.service.Service.DesiredCount = new(int32(2500))
	v := r.view()
	for b.Loop() {
		if c := PlanService(v, r.now); len(c.Update) < 2500 {
			b.Fatalf("%d tasks are to stop", len(c.Update))
		}
	}
}

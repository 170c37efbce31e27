package main

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"fargo"
)

// whyFacts are what the APIs say of a service, as far as it explains how the service is.
type whyFacts struct {
	Service watchedService
	Tasks   []watchedTask
	scalingFacts
}

// scalingFacts are what scales a service: nothing without a target.
type scalingFacts struct {
	Target     *scalableTarget
	Policies   []scalingPolicy
	Activities []scalingActivity // the newest first, with those that did not scale
	Alarms     []scalingAlarm
}

type scalableTarget struct {
	MinCapacity, MaxCapacity int
	SuspendedState           struct{ DynamicScalingInSuspended, DynamicScalingOutSuspended, ScheduledScalingSuspended bool }
}

type scalingPolicy struct {
	PolicyName string
	Alarms     []struct{ AlarmName string }
}

type scalingActivity struct {
	Description, Cause, StatusCode, StatusMessage string

	StartTime        float64
	NotScaledReasons []struct{ Code string }
}

type scalingAlarm struct{ AlarmName, StateValue, StateReason string }

// whyRecent is how far back what has happened explains how a service is now.
const whyRecent = 15 * time.Minute

// explain says how the service is, and why: a sentence or two in each line, the most
// telling first.
func (f *whyFacts) explain(now time.Time) []string {
	lines := []string{f.counts()}
	lines = append(lines, f.deployments()...)
	lines = append(lines, f.waiting()...)
	lines = append(lines, f.stopped()...)
	lines = append(lines, f.events(now)...)
	for _, hosts := range unreachable(f.Tasks) {
		lines = append(lines, "On Fargate its tasks would not start: their subnets have no way to "+hosts+".")
	}
	return append(lines, f.scaling(now)...)
}

func (f *whyFacts) counts() string {
	s := &f.Service
	switch {
	case s.Status == "DRAINING":
		return fmt.Sprintf("%s is being deleted, and has %s still.", s.ServiceName, tasksText(s.RunningCount))
	case s.Status != "ACTIVE":
		return s.ServiceName + " is deleted."
	case s.DesiredCount == 0 && s.RunningCount == 0:
		return s.ServiceName + " has no tasks, for its desired count is 0."
	case s.RunningCount == s.DesiredCount:
		return fmt.Sprintf("%s has the %s that it is to have.", s.ServiceName, tasksText(s.DesiredCount))
	}
	return fmt.Sprintf("%s is to have %s: running %d, being started %d.", s.ServiceName, tasksText(s.DesiredCount), s.RunningCount, s.PendingCount)
}

func tasksText(n int) string {
	if n == 1 {
		return "1 task"
	}
	return fmt.Sprint(n, " tasks")
}

// deployments tells of those that are under way or have failed.
func (f *whyFacts) deployments() (lines []string) {
	for _, d := range f.Service.Deployments {
		what := fmt.Sprintf("The deployment of %s (%s)", definitionName(d.TaskDefinition), d.ID)
		switch {
		case d.RolloutState == "FAILED":
			lines = append(lines, what+" has failed: "+d.RolloutStateReason)
		case d.Status == "PRIMARY" && d.RolloutState == "IN_PROGRESS":
			line := fmt.Sprintf("%s goes on: running %d, being started %d", what, d.RunningCount, d.PendingCount)
			if d.FailedTasks > 0 {
				line += fmt.Sprintf(", failed %d", d.FailedTasks)
			}
			lines = append(lines, line+".")
		}
	}
	return lines
}

// waitsFor is what a task waits for in a state. Source: ECS developer guide, "Amazon ECS
// task lifecycle".
var waitsFor = map[fargo.TaskStatus]string{
	fargo.TaskProvisioning:   "a network interface",
	fargo.TaskPending:        "images, secrets and containers",
	fargo.TaskActivating:     "registration with target groups",
	fargo.TaskDeactivating:   "connections to end: the load balancer drains the target",
	fargo.TaskStopping:       "containers to end: they have had SIGTERM, and get SIGKILL after stopTimeout",
	fargo.TaskDeprovisioning: "the network interface to be removed",
}

// waiting tells what tasks wait for that are neither running nor stopped, and of those that
// are not healthy.
func (f *whyFacts) waiting() (lines []string) {
	waiting := map[fargo.TaskStatus][]string{}
	var unhealthy []string
	for _, t := range f.Tasks {
		status := fargo.TaskStatus(t.LastStatus)
		if waitsFor[status] != "" {
			waiting[status] = append(waiting[status], taskName(t.TaskArn))
		}
		if status == fargo.TaskRunning && t.HealthStatus == "UNHEALTHY" {
			unhealthy = append(unhealthy, taskName(t.TaskArn))
		}
	}
	for _, status := range slices.SortedFunc(maps.Keys(waiting), func(a, b fargo.TaskStatus) int {
		if a.Before(b) {
			return -1
		}
		return 1
	}) {
		lines = append(lines, fmt.Sprintf("In %s, waiting for %s: %s.", status, waitsFor[status], names(waiting[status])))
	}
	if len(unhealthy) > 0 {
		lines = append(lines, "Failing their containers' health checks: "+names(unhealthy)+".")
	}
	return lines
}

// names lists some, and says how many more there are.
func names(all []string) string {
	slices.Sort(all)
	const most = 3
	text := strings.Join(all[:min(len(all), most)], ", ")
	if len(all) > most {
		text += fmt.Sprintf(" (and %d more)", len(all)-most)
	}
	return text
}

// stopped tells why tasks have stopped of late that nobody has asked to, each reason once.
func (f *whyFacts) stopped() (lines []string) {
	ends := map[string]int{}
	for _, t := range f.Tasks {
		if t.LastStatus == string(fargo.TaskStopped) && !t.wanted() {
			ends[t.end()]++
		}
	}
	for _, end := range slices.SortedFunc(maps.Keys(ends), func(a, b string) int { return cmp.Or(cmp.Compare(ends[b], ends[a]), cmp.Compare(a, b)) }) {
		lines = append(lines, fmt.Sprintf("Stopped within the last hour, %s: %s", tasksText(ends[end]), end))
	}
	return lines
}

// wanted reports whether a task was stopped because it was not to run any more.
func (t *watchedTask) wanted() bool {
	return t.StopCode == "UserInitiated" || t.StopCode == "ServiceSchedulerInitiated" && !strings.Contains(t.StoppedReason, "failed")
}

// end is why a task has ended, and what that means.
func (t *watchedTask) end() string {
	text := strings.TrimSuffix(t.StoppedReason, ".") + "."
	for _, c := range t.Containers {
		switch {
		case c.Reason != "":
			text += fmt.Sprintf(" %s: %s.", c.Name, strings.TrimSuffix(c.Reason, "."))
		case c.ExitCode != nil && *c.ExitCode != 0:
			text += fmt.Sprintf(" %s exited with %d%s.", c.Name, *c.ExitCode, exitText(*c.ExitCode))
		}
	}
	for _, h := range stopHints {
		if strings.Contains(text, h.of) {
			return text + " " + h.hint
		}
	}
	return text
}

// exitText is what an exit status means, if it is one of those that shells and the kernel
// give. Source: POSIX, "Exit Status for Commands"; signal(7).
func exitText(code int) string {
	return map[int]string{
		126: " (its command cannot be executed)", 127: " (its command is not in the image)", 134: " (SIGABRT)", 137: " (SIGKILL)",
		139: " (SIGSEGV)", 143: " (SIGTERM)",
	}[code]
}

// stopHints are what to do about reasons, the first that is part of one.
var stopHints = []struct{ of, hint string }{
	{"OutOfMemory", "Give the container or the task more memory."},
	{"CannotPullContainerError", "The image, its tag or the execution role's rights are not what they must be."},
	{"unable to retrieve secret", "The execution role must be allowed to read the secrets that the task definition names."},
	{"ResourceInitializationError", "The execution role's rights, or what the task definition names, are not what they must be."},
	{"failed ELB health checks", "See what its health check path answers, and whether the task's security group lets the load balancer in."},
	{"failed container health checks", "Run the health check's command in a task with fargo exec."},
	{"Essential container in task exited", "Its log says more."},
}

// routine are beginnings of what services tell when all goes well.
// What scaling has done is told with it.
var routine = []string{
	"has started", "has stopped", "has reached a steady state", "registered", "deregistered", "has begun draining", "deployment ecs-svc",
	"Successfully set desired count",
}

// events are the newest of late that are not routine, each once.
func (f *whyFacts) events(now time.Time) (lines []string) {
	told := map[string]bool{}
	for _, e := range f.Service.Events {
		at := time.UnixMilli(int64(e.CreatedAt * 1e3))
		rest := e.Message
		if _, after, ok := strings.Cut(rest, ") "); ok && rest[0] == '(' {
			rest = after
		}
		if now.Sub(at) > whyRecent || slices.ContainsFunc(routine, func(r string) bool { return strings.Contains(rest, r) }) || told[rest] {
			continue
		}
		told[rest] = true
		lines = append(lines, fmt.Sprintf("ECS said %s ago: %s", now.Sub(at).Round(time.Second), e.Message))
	}
	return lines[:min(len(lines), watchedEvents)]
}

// scaling tells what scales the service, and why it does not.
func (f *whyFacts) scaling(now time.Time) (lines []string) {
	t := f.Target
	if t == nil {
		return nil
	}
	lines = append(lines, fmt.Sprintf("It is scaled between %d and %s, by %s.", t.MinCapacity, tasksText(t.MaxCapacity), f.policies()))
	if n := f.Service.DesiredCount; n < t.MinCapacity || n > t.MaxCapacity {
		lines = append(lines, fmt.Sprintf("The desired count %d was set by hand: it stays until a policy's alarm fires.", n))
	}
	lines = append(lines, t.suspended()...)
	for _, p := range f.Policies {
		for _, a := range p.Alarms {
			lines = append(lines, f.alarm(p.PolicyName, a.AlarmName)...)
		}
	}
	if f.deploys() {
		lines = append(lines, "While its deployment goes on it is not scaled in.")
	}
	if len(f.Activities) > 0 {
		lines = append(lines, f.Activities[0].text(now))
	}
	return lines
}

func (f *whyFacts) policies() string {
	if len(f.Policies) == 0 {
		return "no policy"
	}
	var all []string
	for _, p := range f.Policies {
		all = append(all, p.PolicyName)
	}
	return strings.Join(all, ", ")
}

func (f *whyFacts) deploys() bool {
	return slices.ContainsFunc(f.Service.Deployments, func(d watchedDeployment) bool { return d.RolloutState == "IN_PROGRESS" })
}

func (t *scalableTarget) suspended() (lines []string) {
	for _, s := range []struct {
		is   bool
		what string
	}{
		{t.SuspendedState.DynamicScalingInSuspended, "Scaling in by policies"},
		{t.SuspendedState.DynamicScalingOutSuspended, "Scaling out by policies"},
		{t.SuspendedState.ScheduledScalingSuspended, "Scheduled scaling"},
	} {
		if s.is {
			lines = append(lines, s.what+" is suspended.")
		}
	}
	return lines
}

// alarm tells of a policy's alarm that calls for scaling, or cannot for want of data.
func (f *whyFacts) alarm(policy, name string) []string {
	i := slices.IndexFunc(f.Alarms, func(a scalingAlarm) bool { return a.AlarmName == name })
	switch {
	case i < 0:
		return []string{fmt.Sprintf("The alarm %s of policy %s is gone: put the policy again.", name, policy)}
	case f.Alarms[i].StateValue == "ALARM":
		return []string{fmt.Sprintf("Policy %s wants to scale: %s", policy, f.Alarms[i].StateReason)}
	case f.Alarms[i].StateValue == "INSUFFICIENT_DATA":
		return []string{fmt.Sprintf("Policy %s has too little data: %s", policy, f.Alarms[i].StateReason)}
	}
	return nil
}

// notScaled is what the codes of reasons mean. Source: Application Auto Scaling user guide,
// "Scaling activities", reason codes.
var notScaled = map[string]string{
	"AlreadyAtMaxCapacity": "it has its maximum", "AlreadyAtMinCapacity": "it has its minimum", "AlreadyAtDesiredCapacity": "it has what the policy asks for",
	"AutoScalingAnticipatedFlapping": "it would be scaled back at once", "TargetServicePutResourceAsUnscalable": "the service cannot be scaled now",
}

func (a *scalingActivity) text(now time.Time) string {
	ago := now.Sub(time.UnixMilli(int64(a.StartTime * 1e3))).Round(time.Second)
	if len(a.NotScaledReasons) > 0 {
		code := a.NotScaledReasons[0].Code
		return fmt.Sprintf("It was not scaled %s ago, for %s: %s.", ago, cmp.Or(notScaled[code], code), a.Cause)
	}
	return fmt.Sprintf("%s ago: %s %s. The cause: %s.", ago, a.Description, a.StatusCode, a.Cause)
}

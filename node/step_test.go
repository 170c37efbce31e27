package node

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/containerd/errdefs"

	"fargo"
	"fargo/desired"
	"fargo/host"
)

var rewrite = flag.Bool("rewrite", false, "write what the scenarios in testdata answer")

// TestStep walks the scenarios in testdata/step. Each is a row of blocks: a
// command, a line of dashes, and what the planner says after it. The commands:
//
//	task                    a new task; a line for each container (see container)
//	ok VERB OF              an action went well
//	fail VERB OF TEXT       an action failed with this text
//	see CONTAINER STATE     what the runtime has: created, running, "stopped CODE [oom]", missing
//	check CONTAINER CODE    a health check ended
//	wait DURATION           time passes
//	stop CODE REASON        the control plane wants the task stopped
//	leave                   the control plane no longer lists the task
//	restart [ID=STATE …]    the node was away; the runtime has these
func TestStep(t *testing.T) {
	files, err := filepath.Glob("testdata/step/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scenarios: %v", err)
	}
	for _, path := range files {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txt"), func(t *testing.T) { walk(t, path) })
	}
}

func walk(t *testing.T, path string) {
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	s := &scenario{now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	var out []string
	for block := range strings.SplitSeq(strings.TrimSpace(string(text)), "\n\n") {
		command, want, _ := strings.Cut(block+"\n", "----\n")
		if strings.HasPrefix(block, "#") {
			out = append(out, strings.TrimSpace(block))
			continue
		}
		got := s.do(t, strings.TrimSpace(command))
		if got != strings.TrimSpace(want) && !*rewrite {
			t.Errorf("%s:\n%s\nsays\n%s\nwant\n%s", path, command, got, want)
		}
		out = append(out, strings.TrimSpace(command)+"\n----\n"+got)
	}
	if *rewrite {
		if err := os.WriteFile(path, []byte(strings.Join(out, "\n\n")+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

type scenario struct {
	task Task
	now  time.Time
}

func (s *scenario) do(t *testing.T, command string) string {
	first, rest, _ := strings.Cut(command, "\n")
	words := strings.Fields(first)
	switch words[0] {
	case "task":
		s.task = NewTask(assignment(t, strings.Split(rest, "\n")))
	case "ok":
		r := Result{}
		if words[1] == string(Pull) {
			r.Image = host.Image{Name: words[2], Digest: "sha256:" + words[2]}
		}
		s.task = s.task.withResult(Action{Verb(words[1]), words[2]}, r, s.now)
	case "fail":
		s.task = s.task.withResult(Action{Verb(words[1]), words[2]}, Result{Err: errors.New(strings.Join(words[3:], " "))}, s.now)
	case "see":
		state, found := s.state(t, words[2:])
		r := Result{State: state}
		if !found {
			r.Err = errdefs.ErrNotFound
		}
		s.task = s.task.withResult(Action{Inspect, words[1]}, r, s.now)
	case "check":
		code, err := strconv.Atoi(words[2])
		if err != nil {
			t.Fatal(err)
		}
		s.task = s.task.withResult(Action{Check, words[1]}, Result{Exit: code}, s.now)
	case "wait":
		s.now = s.now.Add(duration(t, words[1]))
	case "stop":
		a := &s.task.Assignment
		a.DesiredStatus, a.StopCode, a.StoppedReason = fargo.TaskStopped, fargo.StopCode(words[1]), strings.Join(words[2:], " ")
	case "leave":
		s.task.Left = true
	case "restart":
		states := map[string]host.ContainerState{}
		for _, w := range words[1:] {
			id, state, _ := strings.Cut(w, "=")
			states[id], _ = s.state(t, strings.Split(state, ":"))
		}
		s.task = recovered(s.task, states, s.now)
	default:
		t.Fatalf("unknown command %q", first)
	}
	return s.say(t)
}

func (s *scenario) state(t *testing.T, words []string) (host.ContainerState, bool) {
	state := host.ContainerState{State: host.RunState(words[0]), StartedAt: s.now, FinishedAt: s.now}
	if len(words) > 1 {
		code, err := strconv.Atoi(words[1])
		if err != nil {
			t.Fatal(err)
		}
		state.ExitCode = code
		state.StartedAt = time.Time{} // as known before
	}
	state.OOMKilled = len(words) > 2
	return state, words[0] != "missing"
}

// say steps the task and tells what came of it. One step is all that can be
// decided without something new: a second one changes nothing and says the same.
func (s *scenario) say(t *testing.T) string {
	next, do, wake := Step(s.task, s.now)
	again, doAgain, wakeAgain := Step(next, s.now)
	if !reflect.DeepEqual(next, again) || !slices.Equal(do, doAgain) || !wake.Equal(wakeAgain) {
		t.Errorf("a second step says %v %v %v after %v %v %v", again, doAgain, wakeAgain, next, do, wake)
	}
	s.task = next
	r := next.report()
	var b strings.Builder
	fmt.Fprintf(&b, "%s", r.Status)
	if r.StopCode != "" || r.StoppedReason != "" {
		fmt.Fprintf(&b, " (%s: %s)", r.StopCode, r.StoppedReason)
	}
	for _, c := range r.Containers {
		fmt.Fprintf(&b, "\n  %s %s", c.Name, c.Status)
		if c.ExitCode != nil {
			fmt.Fprintf(&b, " exit %d", *c.ExitCode)
		}
		if c.Health != desired.HealthUnknown {
			fmt.Fprintf(&b, " %s", c.Health)
		}
		if c.Restarts > 0 {
			fmt.Fprintf(&b, " restarts %d", c.Restarts)
		}
		if c.Reason != "" {
			fmt.Fprintf(&b, " (%s)", c.Reason)
		}
	}
	for _, a := range do {
		fmt.Fprintf(&b, "\n> %s %s", a.Verb, a.Of)
	}
	if !wake.IsZero() {
		fmt.Fprintf(&b, "\nagain in %s", wake.Sub(s.now))
	}
	return b.String()
}

// assignment reads containers, one per line: a name, then of "essential",
// "log", "route", "router", "depends=NAME:CONDITION,…", "stop=DURATION", "start=DURATION",
// "health=INTERVAL/TIMEOUT/RETRIES/START", "restart=PERIOD[/IGNORED]".
func assignment(t *testing.T, lines []string) desired.Assignment {
	a := desired.Assignment{TaskARN: "arn", ID: "t", DesiredStatus: fargo.TaskRunning, Interface: &desired.Interface{ID: "eni-t"}}
	for _, text := range lines {
		words := strings.Fields(text)
		if words[0] == "pidmode" {
			a.PIDMode = words[1]
			continue
		}
		c := desired.ContainerAssignment{Name: words[0], RuntimeID: "t-" + words[0], StopTimeout: 30 * time.Second}
		for _, w := range words[1:] {
			configure(t, &c, w)
		}
		a.Containers = append(a.Containers, c)
	}
	return a
}

func configure(t *testing.T, c *desired.ContainerAssignment, word string) {
	name, value, _ := strings.Cut(word, "=")
	parts := strings.Split(value, "/")
	switch name {
	case "essential":
		c.Essential = true
	case "log":
		c.Log = &desired.LogTarget{Group: "g", Stream: c.Name}
	case "route":
		c.Route = &desired.LogRoute{Tag: c.Name + "-firelens-t"}
	case "router":
		c.Router = &desired.LogRouter{ConfigPath: "/conf"}
	case "depends":
		for d := range strings.SplitSeq(value, ",") {
			on, condition, _ := strings.Cut(d, ":")
			c.DependsOn = append(c.DependsOn, desired.Dependency{Container: on, Condition: condition})
		}
	case "stop":
		c.StopTimeout = duration(t, value)
	case "start":
		c.StartTimeout = duration(t, value)
	case "health":
		retries, err := strconv.Atoi(parts[2])
		if err != nil {
			t.Fatal(err)
		}
		c.HealthCheck = &desired.HealthCheck{
			Command: []string{"CMD", "true"}, Interval: duration(t, parts[0]), Timeout: duration(t, parts[1]),
			Retries: retries, StartPeriod: duration(t, parts[3]),
		}
	case "restart":
		c.Restart = &desired.RestartPolicy{AttemptPeriod: duration(t, parts[0])}
		for _, p := range parts[1:] {
			code, err := strconv.Atoi(p)
			if err != nil {
				t.Fatal(err)
			}
			c.Restart.IgnoredExitCodes = append(c.Restart.IgnoredExitCodes, code)
		}
	default:
		t.Fatalf("unknown property %q", word)
	}
}

func duration(t *testing.T, s string) time.Duration {
	d, err := time.ParseDuration(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

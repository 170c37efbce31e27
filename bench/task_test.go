package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"fargo/aws/sigv4"
)

// fakeECS has tasks that run as soon as somebody describes them, and stop as soon
// as they are told to.
type fakeECS struct {
	mu     sync.Mutex
	tasks  map[string]*task
	broken bool // its tasks stop instead of running
}

func (f *fakeECS) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var in struct {
		Task  string
		Tasks []string
		Count int
	}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil || r.Header.Get("Authorization") == "" {
		http.Error(w, "not a signed request", http.StatusForbidden)
		return
	}
	var answer tasksAnswer
	switch strings.TrimPrefix(r.Header.Get("X-Amz-Target"), ecsTarget) {
	case "RunTask":
		for range in.Count {
			t := &task{ARN: fmt.Sprint("arn:task/", len(f.tasks)), LastStatus: "PROVISIONING", CreatedAt: 1}
			f.tasks[t.ARN] = t
			answer.Tasks = append(answer.Tasks, *t)
		}
	case "DescribeTasks":
		for _, arn := range in.Tasks {
			f.run(f.tasks[arn])
			answer.Tasks = append(answer.Tasks, *f.tasks[arn])
		}
	case "StopTask":
		f.tasks[in.Task].LastStatus = "STOPPED"
	default:
		http.Error(w, "unknown operation", http.StatusBadRequest)
		return
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"tasks": answer.Tasks})
}

func (f *fakeECS) run(t *task) {
	switch {
	case t.LastStatus != "PROVISIONING":
	case f.broken:
		t.LastStatus, t.StoppedReason = "STOPPED", "CannotPullContainerError"
	default:
		t.LastStatus, t.StartedAt = "RUNNING", t.CreatedAt+0.25
		t.Attachments = []struct {
			Details []struct{ Name, Value string }
		}{{Details: []struct{ Name, Value string }{{"privateIPv4Address", "127.0.0.1"}}}}
	}
}

// fakePeer counts the containers that it has.
type fakePeer struct {
	running, started atomic.Int64
	failsAt          int64 // the start that fails, if not 0
}

func (p *fakePeer) name() string                { return "fake peer" }
func (p *fakePeer) close(context.Context) error { return nil }

func (p *fakePeer) start(context.Context) (func(context.Context) error, error) {
	if p.started.Add(1) == p.failsAt {
		return nil, errors.New("no such image")
	}
	p.running.Add(1)
	return func(ctx context.Context) error {
		p.running.Add(-1)
		return ctx.Err()
	}, nil
}

// fakeFixture is a fixture whose Fargo and peer are fakes, in few runs.
func fakeFixture(t *testing.T, ecs *fakeECS, p *fakePeer) *fixture {
	ecs.tasks = map[string]*task{}
	server := httptest.NewServer(ecs)
	t.Cleanup(server.Close)
	service, err := net.Listen("tcp4", "127.0.0.1:0") // that of all tasks
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { service.Close() })
	_, port, err := net.SplitHostPort(service.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return &fixture{
		apiClient: &apiClient{url: server.URL, region: "us-east-1", key: sigv4.Credentials{AccessKeyID: "AKID", Secret: "secret"}},
		port:      port,
		peers:     []peer{p},
		counts:    counts{warmups: 1, single: 3, least: 2, bursts: 2, calls: 2, perCall: 3},
	}
}

// TestMeasureTasks takes the measurements of tasks of a fake Fargo and a fake peer.
func TestMeasureTasks(t *testing.T) {
	var ecs fakeECS
	var p fakePeer
	f := fakeFixture(t, &ecs, &p)
	r := new(report)
	s := &suite[*fixture]{
		name:      "fakes",
		open:      func(context.Context, *report) (*fixture, error) { return f, nil },
		close:     func(context.Context, *fixture) error { return nil },
		openLimit: cleanupLimit, closeLimit: cleanupLimit,
		measurements: []measurement[*fixture]{
			{"one task after the other", cleanupLimit, measureSingle},
			{"many tasks at once", cleanupLimit, measureBurst},
		},
	}
	if err := s.run(t.Context(), r); err != nil || len(r.Failed) > 0 {
		t.Fatalf("%v, %v", err, r.Failed)
	}
	runs := map[string]int{}
	for _, s := range r.latencies {
		runs[s.name] = len(s.samples)
	}
	for name, want := range map[string]int{
		"RunTask answered":                                                   3,
		"RunTask → RUNNING, as the client sees it":                           3,
		"StopTask → STOPPED":                                                 3,
		"fake peer, container started":                                       3,
		"2 × RunTask count=3 at once → all RUNNING":                          2,
		"the same, each task's createdAt → startedAt":                        12,
		"fake peer, 6 containers at once":                                    2,
		"createdAt → startedAt, as the task says":                            3,
		"RunTask → the task's service accepts a connection on its interface": 3,
	} {
		if runs[name] != want {
			t.Errorf("%s: %d runs, want %d", name, runs[name], want)
		}
	}
	for _, s := range r.latencies {
		if strings.Contains(s.name, "createdAt") && inMillis(s.percentile(99)) != 250 {
			t.Errorf("%s: %s", s.name, millis(s.percentile(99)))
		}
	}
	if len(r.Budgets) != 2 || len(r.Ratios) != 2 {
		t.Errorf("%d budgets and %d ratios, want two of each", len(r.Budgets), len(r.Ratios))
	}
	if n, all := p.running.Load(), p.started.Load(); n != 0 || all != 4+2*6 {
		t.Errorf("the peer has started %d containers and has %d left", all, n)
	}
	for _, task := range ecs.tasks {
		if task.LastStatus != "STOPPED" {
			t.Errorf("%s is %s", task.ARN, task.LastStatus)
		}
	}
}

func TestMeasureTasksThatStop(t *testing.T) {
	err := measureSingle(t.Context(), fakeFixture(t, &fakeECS{broken: true}, new(fakePeer)), new(report))
	checkError(t, err, "a task stopped: CannotPullContainerError")
}

// TestPeerThatFails removes the containers that did start.
func TestPeerThatFails(t *testing.T) {
	p := &fakePeer{failsAt: 3}
	r := new(report)
	err := measureBurst(t.Context(), fakeFixture(t, new(fakeECS), p), r)
	checkError(t, err, "fake peer: no such image")
	if n := p.running.Load(); n != 0 || len(r.Budgets) != 0 {
		t.Errorf("%d containers are left, the report has %v", n, r.Budgets)
	}
}

package taskmetadata

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"fargo"
	"fargo/desired"
	"fargo/host"
	"fargo/secret"
)

var rewrite = flag.Bool("rewrite", false, "write the answers into testdata")

const (
	theTask       = "arn:aws:ecs:us-east-1:123456789012:task/production/0123456789abcdef0123456789abcdef"
	theID         = "0123456789abcdef0123456789abcdef-1"
	sidecarID     = "0123456789abcdef0123456789abcdef-2"
	credentialsID = "3a4c5cf4-7d60-4d4e-9c6e-2f0f6a1f2a10"
)

// machine is a node with two tasks in vpc-1, at 10.0.0.7 and, without a role, 10.0.0.8;
// and its kernel, that counts.
type machine struct {
	tasks       map[netip.Addr]*host.Task
	credentials func() (desired.RoleCredentials, error)
	tags        error
	reads       int // of statistics
	gone        bool
	result      desired.InvocationResult // the last
}

func (m *machine) TaskAt(vpc string, a netip.Addr) (*host.Task, bool) {
	t, ok := m.tasks[a]
	return t, ok && vpc == "vpc-1"
}

func (m *machine) Credentials(context.Context, *host.Task) (desired.RoleCredentials, error) {
	return m.credentials()
}

func (m *machine) Tags(context.Context, *host.Task) (map[string]string, error) {
	return map[string]string{"team": "red"}, m.tags
}

func (m *machine) InterfaceStatistics(string) (host.InterfaceStatistics, error) {
	n := uint64(m.reads)
	return host.InterfaceStatistics{Received: host.PacketStatistics{Bytes: 1000 * n, Packets: n}, Sent: host.PacketStatistics{Bytes: 500 * n, Dropped: 1}}, nil
}

func (m *machine) Statistics(_, containerID string) (host.Statistics, error) {
	if m.gone || containerID == sidecarID {
		return host.Statistics{}, os.ErrNotExist
	}
	m.reads++
	n := time.Duration(m.reads)
	return host.Statistics{
		Read:   time.Now(),
		CPU:    host.CPUStatistics{Total: n * time.Second, User: n * 700 * time.Millisecond, System: n * 300 * time.Millisecond, Machine: 2 * n * time.Minute, CPUs: 2},
		Memory: host.MemoryStatistics{Usage: 6504448, Limit: 512 << 20, Parts: map[string]int64{"inactive_file": 4096}},
		PIDs:   3, Blocks: []host.BlockStatistics{{Major: 8, Operation: "read", Bytes: 4096, Operations: 1}},
	}, nil
}

func newMachine() *machine {
	at := time.Date(2026, 11, 30, 12, 0, 0, 123456789, time.UTC)
	labels := map[string]string{"com.amazonaws.ecs.container-name": "web"}
	t := &host.Task{
		Assignment: &desired.Assignment{
			TaskARN: theTask, ID: theTask[len(theTask)-32:], Cluster: "arn:aws:ecs:us-east-1:123456789012:cluster/production",
			Family: "web", Revision: 3, Service: "web", LaunchType: "FARGATE", AvailabilityZone: "us-east-1a",
			DesiredStatus: fargo.TaskRunning, CPU: 256, Memory: 512, TaskRole: "arn:aws:iam::123456789012:role/web",
			Interface: &desired.Interface{
				ID: "eni-1", VPC: "vpc-1", MAC: "0a:00:00:00:00:07",
				Address: netip.MustParseAddr("10.0.0.7"), Prefix: netip.MustParsePrefix("10.0.0.0/24"),
				IPv6: netip.MustParseAddr("2001:db8::7"), IPv6Prefix: netip.MustParsePrefix("2001:db8::/64"),
			},
			Containers: []desired.ContainerAssignment{
				{
					Name: "web", RuntimeID: theID, ARN: "arn:aws:ecs:us-east-1:123456789012:container/production/0123456789abcdef0123456789abcdef/1", Image: "web:1",
					CPU: 128, Memory: 256, Labels: labels, HealthCheck: &desired.HealthCheck{},
					Log: &desired.LogTarget{Group: "/ecs/web", Region: "us-east-1", Stream: "web/web/0123456789abcdef0123456789abcdef", Create: true},
				},
				{Name: "sidecar", RuntimeID: sidecarID, Image: "sidecar:1", Restart: &desired.RestartPolicy{}},
			},
		},
		Report: desired.TaskReport{
			Status: fargo.TaskActivating, PullStartedAt: at, PullStoppedAt: at.Add(time.Second),
			Containers: []desired.ContainerReport{
				{Status: fargo.ContainerRunning, ImageDigest: "sha256:1", Health: desired.Healthy},
				{Status: fargo.ContainerPending, ImageDigest: "sha256:2", Restarts: 2},
			},
		},
		Containers:    []host.ContainerTimes{{CreatedAt: at, StartedAt: at, HealthSince: at}, {}},
		CredentialsID: credentialsID,
	}
	without := *t
	a := *t.Assignment
	a.TaskARN, a.TaskRole, a.Containers = theTask[:len(theTask)-1]+"0", "", slices.Clone(a.Containers)
	a.Containers[0].RuntimeID, a.Containers[1].RuntimeID = "other-1", "other-2"
	without.Assignment, without.CredentialsID = &a, ""
	return &machine{
		tasks: map[netip.Addr]*host.Task{netip.MustParseAddr("10.0.0.7"): t, netip.MustParseAddr("10.0.0.8"): &without},
		credentials: func() (desired.RoleCredentials, error) {
			return desired.RoleCredentials{
				RoleARN: "arn:aws:iam::123456789012:role/web", AccessKeyID: "ASIAEXAMPLE", SecretAccessKey: secret.Exposed{Text: secret.New("secret")},
				Token: secret.Exposed{Text: secret.New("token")}, Expiration: at.Truncate(time.Second),
			}, nil
		},
	}
}

func newServer(m *machine) *Server {
	return New(Config{
		Containers: m, Network: network1{m}, Tasks: m, Logger: slog.New(slog.DiscardHandler),
		Clock: func() (time.Duration, bool, error) { return 446931 * time.Nanosecond, true, nil },
	})
}

// ask is a request from an address in vpc-1, and its answer.
func ask(h http.Handler, from, method, path, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "http://169.254.170.2"+path, strings.NewReader(body))
	r.RemoteAddr = from + ":4711"
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// The answers are those of testdata/answers.txt: an address and a path, the status, and
// what is answered.
func TestAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMachine()
		h := newServer(m).handler("vpc-1")
		file, err := os.ReadFile("testdata/answers.txt")
		if err != nil {
			t.Fatal(err)
		}
		var got strings.Builder
		for block := range strings.SplitSeq(string(file), "\n\n") {
			command, _, _ := strings.Cut(strings.TrimSpace(block), "\n")
			var from, path string
			if n, _ := fmt.Sscan(command, &from, &path); n != 2 {
				t.Fatalf("%q is no request", command)
			}
			w := ask(h, from, "GET", path, "")
			var indented strings.Builder
			var body any
			if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil {
				t.Errorf("%s answers with %q: %v", path, w.Body, err)
			}
			e := json.NewEncoder(&indented)
			e.SetIndent("", "  ")
			if err := e.Encode(body); err != nil {
				t.Error(err)
			}
			fmt.Fprintf(&got, "%s\n%d\n%s\n", command, w.Code, &indented)
			time.Sleep(2 * time.Second)
		}
		if *rewrite {
			if err := os.WriteFile("testdata/answers.txt", []byte(strings.TrimSuffix(got.String(), "\n")), 0o644); err != nil {
				t.Fatal(err)
			}
			return
		}
		if d := cmp.Diff(string(file)+"\n", got.String()); d != "" {
			t.Errorf("run with -rewrite and read the difference: %s", d)
		}
	})
}

// Statistics are read at most once a second, and are unknown when they cannot be read.
func TestStatisticsAreRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMachine()
		h := newServer(m).handler("vpc-1")
		stats := func() string { return ask(h, "10.0.0.7", "GET", "/v4/"+theID+"/stats", "").Body.String() }
		first := stats()
		time.Sleep(sampleAge / 2)
		if second := stats(); second != first || m.reads != 1 {
			t.Errorf("read %d times", m.reads)
		}
		time.Sleep(sampleAge)
		if third := stats(); third == first || m.reads != 2 {
			t.Errorf("read %d times", m.reads)
		}
		m.gone = true
		time.Sleep(sampleAge)
		if gone := stats(); gone != "null" {
			t.Errorf("of no control group: %s", gone)
		}
	})
}

// Credentials are for the task that knows where they are, and nobody else; and refused for
// a while when there are none.
func TestCredentialsAreRefused(t *testing.T) {
	m := newMachine()
	h := newServer(m).handler("vpc-1")
	elsewhere := newServer(m).handler("vpc-2")
	path := "/v2/credentials/" + credentialsID
	for name, test := range map[string]struct {
		from, path string
		in         http.Handler
		status     int
		code       string
	}{
		"the task":       {"10.0.0.7", path, h, 200, ""},
		"version 1":      {"10.0.0.7", "/v1/credentials?id=" + credentialsID, h, 200, ""},
		"another id":     {"10.0.0.7", path + "0", h, 400, "InvalidIdInRequest"},
		"no id":          {"10.0.0.7", "/v2/credentials/", h, 400, "NoIdInRequest"},
		"another task":   {"10.0.0.8", path, h, 400, "InvalidIdInRequest"},
		"an empty id":    {"10.0.0.8", "/v1/credentials?id=", h, 400, "NoIdInRequest"},
		"nobody":         {"10.0.0.9", path, h, 400, "InvalidIdInRequest"},
		"in another VPC": {"10.0.0.7", path, elsewhere, 400, "InvalidIdInRequest"},
	} {
		w := ask(test.in, test.from, "GET", test.path, "")
		if w.Code != test.status || !strings.Contains(w.Body.String(), `"code":"`+test.code) && test.code != "" || test.code != "" && strings.Contains(w.Body.String(), "secret") {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
	m.credentials = func() (desired.RoleCredentials, error) { return desired.RoleCredentials{}, errors.New("away") }
	if w := ask(h, "10.0.0.7", "GET", path, ""); w.Code != 503 || !strings.Contains(w.Body.String(), `"CredentialsUninitialized"`) {
		t.Errorf("without any: %d %s", w.Code, w.Body)
	}
}

// Version 2 says the same, by the address alone.
func TestVersion2(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newServer(newMachine()).handler("vpc-1")
		for path, same := range map[string]string{
			"/v2/metadata":                  "/v4/" + theID + "/task",
			"/v2/metadata/" + sidecarID:     "/v4/" + sidecarID,
			"/v2/metadataWithTags":          "/v4/" + theID + "/taskWithTags",
			"/v2/metadataWithTags/" + theID: "/v4/" + theID,
			"/v2/stats":                     "/v4/" + theID + "/task/stats",
			"/v2/stats/" + theID:            "/v4/" + theID + "/stats",
		} {
			got, want := ask(h, "10.0.0.7", "GET", path, ""), ask(h, "10.0.0.7", "GET", same, "")
			if got.Code != 200 || got.Body.String() != want.Body.String() {
				t.Errorf("%s: %d %s", path, got.Code, got.Body)
			}
		}
		for path, from := range map[string]string{"/v2/metadata": "10.0.0.9", "/v2/stats/" + theID: "10.0.0.8", "/v2/metadata/other-1": "10.0.0.7"} {
			if w := ask(h, from, "GET", path, ""); w.Code != 400 {
				t.Errorf("%s from %s: %d %s", path, from, w.Code, w.Body)
			}
		}
	})
}

// Tags that cannot be had are said to be missing.
func TestTagsAreMissing(t *testing.T) {
	m := newMachine()
	m.tags = errors.New("away")
	w := ask(newServer(m).handler("vpc-1"), "10.0.0.7", "GET", "/v4/"+theID+"/taskWithTags", "")
	if w.Code != 200 || !strings.Contains(w.Body.String(), `"Errors":[{"ErrorField":"TaskTags","ErrorCode":"ServerException","ErrorMessage":"away","ResourceARN":"`+theTask+`"}]`) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// The budget is 100 µs a request on one processor, with HTTP around it.
func BenchmarkRequests(b *testing.B) {
	m := newMachine()
	h := newServer(m).handler("vpc-1")
	for name, path := range map[string]string{
		"task": "/v4/" + theID + "/task", "container": "/v4/" + theID, "stats": "/v4/" + theID + "/task/stats", "credentials": "/v2/credentials/" + credentialsID,
	} {
		b.Run(name, func(b *testing.B) {
			r := httptest.NewRequest("GET", "http://169.254.170.2"+path, nil)
			r.RemoteAddr = "10.0.0.7:4711"
			for b.Loop() {
				w := httptest.NewRecorder()
				if h.ServeHTTP(w, r); w.Code != 200 {
					b.Fatal(w.Body)
				}
			}
		})
	}
}

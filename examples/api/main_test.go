package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func newService(t *testing.T) (*service, *bytes.Buffer, string) {
	lines := new(bytes.Buffer)
	s := &service{version: "v1.3.0", logger: slog.New(slog.NewJSONHandler(lines, nil)), exit: func(int) {}}
	server := httptest.NewServer(s.handler())
	t.Cleanup(server.Close)
	return s, lines, server.URL
}

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

func TestAnswers(t *testing.T) {
	s, _, url := newService(t)
	code := -1
	s.exit = func(c int) { code = c }
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		path   string
		status int
		want   string
	}{
		{"/", 200, "api v1.3.0 on " + host + "\n"},
		{"/health", 200, `{"status":"healthy"}` + "\n"},
		{"/none", 404, "404 page not found\n"},
		{"/alloc?mb=2", 200, `{"mb":2}` + "\n"},
		{"/alloc?mb=1", 200, `{"mb":3}` + "\n"},
		{"/alloc?mb=0", 200, `{"mb":0}` + "\n"},
		{"/alloc?mb=x", 400, "mb must be a natural number\n"},
		{"/burn?ms=-1", 400, "ms must be a natural number\n"},
		{"/crash?code=3", 200, ""},
	} {
		if status, got := get(t, url+c.path); status != c.status || got != c.want {
			t.Errorf("%s: %d %q, want %d %q", c.path, status, got, c.status, c.want)
		}
	}
	if code != 3 {
		t.Errorf("crashed with %d", code)
	}
	if status, got := get(t, url+"/burn?ms=1"); status != 200 || strings.Contains(got, `"rounds":0`) {
		t.Errorf("burn: %d %q", status, got)
	}
}

func TestLogsOneLinePerRequest(t *testing.T) {
	_, lines, url := newService(t)
	get(t, url+"/health?x=1")
	var line struct {
		Msg, Method, Path string
		Status            int
	}
	if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
		t.Fatal(err)
	}
	if line.Msg != "request" || line.Method != "GET" || line.Path != "/health?x=1" || line.Status != 200 {
		t.Errorf("%+v", line)
	}
}

// A request that is under way when the service is asked to end is answered.
func TestDrains(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	asked := make(chan struct{})
	handler := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		close(asked)
		<-ctx.Done()
	})
	ended := make(chan error, 1)
	go func() { ended <- run(ctx, listener, handler, slog.New(slog.DiscardHandler)) }()
	go func() {
		<-asked
		stop()
	}()
	if status, _ := get(t, "http://"+listener.Addr().String()); status != http.StatusOK {
		t.Errorf("answered %d", status)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestHealthcheck(t *testing.T) {
	_, _, url := newService(t)
	if code := healthcheck(url + "/health"); code != 0 {
		t.Errorf("healthy: %d", code)
	}
	if code := healthcheck(url + "/none"); code != 1 {
		t.Errorf("not healthy: %d", code)
	}
	if code := healthcheck("http://127.0.0.1:1/health"); code != 1 {
		t.Errorf("not there: %d", code)
	}
}

func TestCurl(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/slow":
			<-r.Context().Done()
		case "/bad":
			http.Error(w, "bad", http.StatusServiceUnavailable)
		default:
			b, _ := io.ReadAll(r.Body)
			w.Write([]byte(r.Method + " " + r.Header.Get("X-A") + " " + string(b)))
		}
	}))
	defer server.Close()
	file := filepath.Join(t.TempDir(), "out")
	for _, c := range []struct {
		args           string
		code           int
		stdout, stderr string
	}{
		{"-f URL/", 0, "GET  ", ""},
		{strings.TrimPrefix("URL/", "http://"), 0, "GET  ", ""},
		{"-sf URL/bad", 22, "", ""},
		{"-sSf URL/bad", 22, "", "curl: (22) The requested URL returned error: 503\n"},
		{"-f URL/bad", 22, "", "curl: (22) The requested URL returned error: 503\n"},
		{"URL/bad", 0, "bad\n", ""},
		{"-X PUT -H X-A:1 -d a=b URL/", 0, "PUT 1 a=b", ""},
		{"-d a=b -d c=d URL/", 0, "POST  a=b&c=d", ""},
		{"-s -o " + file + " URL/", 0, "", ""},
		{"-s --max-time 0.01 URL/slow", 28, "", ""},
		{"-m0.01 URL/slow", 28, "", "curl: (28) Operation timed out\n"},
		{"http://127.0.0.1:1/", 7, "", "curl: (7) Failed to connect to 127.0.0.1:1\n"},
		{"--none URL/", 2, "", "curl: (2) option --none: is unknown\n"},
		{"-Z x URL/", 2, "", "curl: (2) option -Z: is unknown\n"},
		{"-o", 2, "", "curl: (2) option -o: requires parameter\n"},
		{"", 2, "", "curl: (2) no URL specified\n"},
		{"http://", 3, "", "curl: (3) URL using bad/illegal format or missing URL\n"},
	} {
		var stdout, stderr bytes.Buffer
		args := strings.Fields(strings.ReplaceAll(c.args, "URL", server.URL))
		if code := curl(args, &stdout, &stderr); code != c.code || stdout.String() != c.stdout || stderr.String() != c.stderr {
			t.Errorf("curl %s: %d %q %q; want %d %q %q", c.args, code, stdout.String(), stderr.String(), c.code, c.stdout, c.stderr)
		}
	}
	if b, err := os.ReadFile(file); err != nil || string(b) != "GET  " {
		t.Errorf("the file: %q %v", b, err)
	}
}

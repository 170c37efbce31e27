package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/alecthomas/kong"
	"github.com/google/go-cmp/cmp"

	"fargo/instance"
	"fargo/secret"
	"fargo/session"
)

// execServer is what a client of ECS Exec talks to. Its only task runs commands as
// functions of the test.
type execServer struct {
	*httptest.Server
	t       *testing.T
	command func(in io.Reader, out, err io.Writer) int
	lose    bool // the first connection, at once
	encrypt *session.Encryption
	sizes   chan session.Size // of its terminal; nil to ignore them

	mu     sync.Mutex
	agent  *session.Agent
	calls  []string
	asked  map[string]any // by ExecuteCommand
	served int
}

const testSession = "ecs-execute-command-0123456789abcdef0"

func newExecServer(t *testing.T, command func(in io.Reader, out, err io.Writer) int) *execServer {
	t.Helper()
	s := &execServer{t: t, command: command}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *execServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, operation, called := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	if !called {
		s.connect(w, r)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls = append(s.calls, operation)
	var in map[string]any
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		s.t.Error(err)
	}
	opened := map[string]any{"sessionId": testSession, "streamUrl": "ws" + strings.TrimPrefix(s.URL, "http"), "tokenValue": "token"}
	var out any = opened
	switch operation {
	case "ExecuteCommand":
		s.asked = in
		s.start()
		out = map[string]any{"clusterArn": "arn:aws:ecs:us-east-1:1:cluster/c", "taskArn": "arn:aws:ecs:us-east-1:1:task/c/t", "containerName": "app", "session": opened}
	case "DescribeTasks":
		out = map[string]any{"tasks": []any{map[string]any{"containers": []any{map[string]any{"name": "app", "runtimeId": "r"}}}}}
	case "GenerateDataKey":
		out = map[string]any{"CiphertextBlob": []byte(fmt.Sprint(in["EncryptionContext"])), "Plaintext": make([]byte, dataKeySize)}
	}
	if err := json.NewEncoder(w).Encode(out); err != nil {
		s.t.Error(err)
	}
}

// start makes the session.
func (s *execServer) start() {
	var agent *session.Agent
	agent = session.NewAgent(session.AgentConfig{
		SessionID: testSession, TargetID: "ecs:c_t_r", Encryption: s.encrypt, Logger: discardLog,
		Start: func(_ context.Context, terminal bool) (*session.Command, error) {
			in, inW := io.Pipe()
			out, outW := io.Pipe()
			errors, errorsW := io.Pipe()
			go func() {
				code := s.command(in, outW, errorsW)
				outW.Close()
				errorsW.Close()
				agent.Exit(code)
			}()
			c := &session.Command{Input: inW, Output: out, ErrorOutput: errors, Terminate: func() { inW.Close() }, Close: out.Close}
			if terminal {
				c.ErrorOutput = nil
			}
			if s.sizes != nil {
				c.Resize = func(size session.Size) error { s.sizes <- size; return nil }
			}
			return c, nil
		},
	})
	s.agent = agent
	go agent.Run(s.t.Context())
}

func (s *execServer) connect(w http.ResponseWriter, r *http.Request) {
	conn, opening, err := session.Accept(w, r)
	if err != nil || !opening.Token.Equal(secret.New("token")) {
		s.t.Error(opening, err)
		return
	}
	s.mu.Lock()
	s.served++
	lost := s.lose && s.served == 1
	s.mu.Unlock()
	if lost {
		conn.Close()
		return
	}
	_ = s.agent.Serve(context.Background(), conn)
}

// at makes the server that of an instance, and is its data directory.
func (s *execServer) at() dataDir {
	s.t.Helper()
	dir := s.t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "instance"), []byte("0123\n"), 0o600); err != nil {
		s.t.Fatal(err)
	}
	inst, err := instance.Find(dir)
	if err == nil {
		err = errors.Join(inst.SetEndpoint(s.URL), inst.SetAdminKey(instance.AccessKey{ID: "AKIAIOSFODNN7EXAMPLE", Secret: strings.Repeat("x", 40)}))
	}
	if err != nil {
		s.t.Fatal(err)
	}
	return dataDir{DataDir: inst.Dir}
}

func TestExec(t *testing.T) {
	s := newExecServer(t, func(in io.Reader, out, errors io.Writer) int {
		rest, err := io.ReadAll(in) // the test's input has an end
		fmt.Fprintf(out, "out %d %v\n", len(rest), err)
		fmt.Fprint(errors, "err")
		return 3
	})
	var out, errs bytes.Buffer
	c := execCommand{dataDir: s.at(), Region: "us-east-1", Cluster: "c", Task: "t", Container: "app", Command: []string{"--", "sh", "-c", "it's"}}
	err := c.Run(t.Context(), &stdio{out: &out, err: &errs}, discardLog)
	if !errors.Is(err, exitStatus(3)) {
		t.Errorf("it ends with %v", err)
	}
	if out.String() != "out 0 <nil>\n" || errs.String() != "err" {
		t.Errorf("output %q, errors %q", &out, &errs)
	}
	want := map[string]any{"cluster": "c", "task": "t", "container": "app", "interactive": true, "command": `sh -c 'it'"'"'s'`}
	if d := cmp.Diff(want, s.asked); d != "" {
		t.Error(d)
	}
}

// TestExecWithoutReader ends a session whose output nobody reads.
func TestExecWithoutReader(t *testing.T) {
	s := newExecServer(t, func(_ io.Reader, out, _ io.Writer) int {
		for {
			if _, err := out.Write([]byte("y\n")); err != nil {
				return 1
			}
		}
	})
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer write.Close()
	read.Close()
	c := execCommand{dataDir: s.at(), Task: "t", Command: []string{"yes"}}
	if err := c.Run(t.Context(), &stdio{out: write, err: io.Discard}, discardLog); !errors.Is(err, syscall.EPIPE) {
		t.Errorf("it ends with %v", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if want := []string{"ExecuteCommand", "DescribeTasks", "TerminateSession"}; !slices.Equal(s.calls, want) {
		t.Errorf("calls: %q", s.calls)
	}
}

// TestExecTakesAnyCommand has the flags of the command that is run after its name.
func TestExecTakesAnyCommand(t *testing.T) {
	for line, want := range map[string]execCommand{
		"exec t ls -l":                {Task: "t", Command: []string{"ls", "-l"}},
		"exec t -- ls -c":             {Task: "t", Command: []string{"--", "ls", "-c"}},
		"exec t -c app -- ls":         {Task: "t", Container: "app", Command: []string{"--", "ls"}},
		"exec -t -c app t sh -c true": {Task: "t", Container: "app", Terminal: true, Command: []string{"sh", "-c", "true"}},
	} {
		var c cli
		parser, err := kong.New(&c, kong.Vars{"listen": defaultListen, "region": "us-east-1"})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := parser.Parse(strings.Fields(line)); err != nil {
			t.Errorf("%s: %v", line, err)
			continue
		}
		got := execCommand{Task: c.Exec.Task, Container: c.Exec.Container, Terminal: c.Exec.Terminal, Command: c.Exec.Command}
		if d := cmp.Diff(want, got, cmp.AllowUnexported(execCommand{})); d != "" {
			t.Errorf("%s: %s", line, d)
		}
	}
}

func TestExecRefused(t *testing.T) {
	s := newExecServer(t, nil)
	s.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprint(w, `{"__type":"InvalidParameterException","message":"The referenced task was not found."}`)
	})
	c := execCommand{dataDir: s.at(), Command: []string{"ls"}}
	err := c.Run(t.Context(), &stdio{out: io.Discard, err: io.Discard}, discardLog)
	if want := "ExecuteCommand: The referenced task was not found."; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}

var discardLog = slog.New(slog.DiscardHandler)

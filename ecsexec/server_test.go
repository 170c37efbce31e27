package ecsexec

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"fargo/desired"
	"fargo/host"
	"fargo/secret"
	"fargo/session"
)

// machine is a runtime whose processes give back what they read, or end with their
// container, and a control plane that remembers.
type machine struct {
	mu          sync.Mutex
	ended       []string // processes that EndExec was asked for
	reports     map[string]desired.ExecSessionReport
	transcripts map[string]string
	container   chan struct{} // closed when the container ends
}

func (m *machine) Exec(ctx context.Context, container string, spec host.ExecSpec) (int, error) {
	if spec.Args[0] == "nonesuch" {
		_, _ = io.Copy(spec.Stdout, source{strings.NewReader("")}) // as of a pipe that is closed
		return 0, errors.New(`OCI runtime exec failed: unable to start container process: exec: "nonesuch": executable file not found in $PATH`)
	}
	spec.Started()
	text := fmt.Sprintf("%s in %s as %s\n", strings.Join(spec.Args, " "), container, spec.User)
	if spec.Args[0] == "print" {
		_, err := io.Copy(spec.Stdout, source{strings.NewReader(text)})
		return 7, err
	}
	fmt.Fprint(spec.Stdout, text)
	switch spec.Args[0] {
	case "killed":
		<-m.container
		return 137, nil
	case "lost":
		<-m.container
		return 0, errors.New("there is no such container")
	}
	context.AfterFunc(ctx, func() { _ = spec.Stdin.(io.Closer).Close() })
	_, err := io.Copy(struct{ io.Writer }{spec.Stdout}, spec.Stdin) // it was written to: nobody reads at a source
	if ctx.Err() != nil {
		return 0, ctx.Err()
	}
	return 0, err
}

// source is a reader that is copied from as a pipe is.
type source struct{ io.Reader }

func (m *machine) EndExec(_ context.Context, container, id string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.ended = append(m.ended, container+" "+id)
	return nil
}

func (m *machine) ReportExecSession(_ context.Context, r desired.ExecSessionReport) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.reports[r.ID] = r
	return nil
}

func (m *machine) PutExecTranscript(_ context.Context, t desired.ExecTranscript) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.transcripts[t.ID] = string(t.Content)
	return nil
}

func (m *machine) DecryptExecKey(context.Context, desired.ExecKey) (secret.Text, error) {
	return secret.Text{}, errors.New("there is no key")
}

// report waits for a session's end.
func (m *machine) report(t *testing.T, id string) desired.ExecSessionReport {
	t.Helper()
	for begin := time.Now(); time.Since(begin) < 20*time.Second; time.Sleep(time.Millisecond) {
		m.mu.Lock()
		r := m.reports[id]
		m.mu.Unlock()
		if !r.EndedAt.IsZero() {
			return r
		}
	}
	t.Fatalf("the end of %s is not reported", id)
	return desired.ExecSessionReport{}
}

func (m *machine) transcript(t *testing.T, id string) string {
	t.Helper()
	for begin := time.Now(); time.Since(begin) < 20*time.Second; time.Sleep(time.Millisecond) {
		m.mu.Lock()
		text, ok := m.transcripts[id]
		m.mu.Unlock()
		if ok {
			return text
		}
	}
	t.Fatalf("there is no transcript of %s", id)
	return ""
}

func newMachine() *machine {
	return &machine{reports: map[string]desired.ExecSessionReport{}, transcripts: map[string]string{}}
}

// serve runs a server on a machine, and gives its URL.
func serve(t *testing.T, m *machine, dir string) (s *Server, url string, stop func()) {
	s = New(Config{Runtime: m, Link: m, Dir: dir, Logger: slog.New(slog.DiscardHandler)})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	mux := http.NewServeMux()
	mux.Handle("GET /v1/data-channel/{session}", s)
	web := httptest.NewServer(mux)
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		web.CloseClientConnections()
		web.Close()
	})
	t.Cleanup(stop)
	return s, "ws" + strings.TrimPrefix(web.URL, "http") + "/v1/data-channel/", stop
}

func wanted(id string, command ...string) desired.ExecSession {
	return desired.ExecSession{
		ID: id, ContainerID: "c", Command: command, TokenHash: desired.ExecTokenHash("token of " + id), TokenExpires: time.Now().Add(time.Hour),
	}
}

// run runs a session's client, which types input, to its end, and gives what it was shown.
func run(t *testing.T, url, id, token string, input io.Reader) (string, error) {
	conn, err := session.Dial(t.Context(), nil, url+id, secret.New(token))
	if err != nil {
		return "", err
	}
	var output bytes.Buffer
	c := session.NewClient(session.ClientConfig{
		SessionID: id, Input: input, Output: &output, Logger: slog.New(slog.DiscardHandler),
		Resume: func(context.Context) (session.Conn, error) { return nil, session.ErrGone },
	})
	_, err = c.Run(t.Context(), conn)
	return output.String(), err
}

func TestSession(t *testing.T) {
	m := newMachine()
	s, url, _ := serve(t, m, t.TempDir())
	one := wanted("one", "print", "it")
	one.Transcript = true
	refused := wanted("refused", "print")
	refused.Refusal = "It is not encrypted."
	s.Set([]desired.ExecSession{one, refused, wanted("none", "nonesuch")})

	output, err := run(t, url, "one", "token of one", strings.NewReader(""))
	if err != nil || !strings.Contains(output, "print it in c as 0") {
		t.Errorf("%q, %v", output, err)
	}
	if r := m.report(t, "one"); r.ExitCode == nil || *r.ExitCode != 7 || r.StartedAt.IsZero() || r.Reason != "" {
		t.Errorf("reported %+v", r)
	}
	if text := m.transcript(t, "one"); !strings.Contains(text, "print it in c as 0") {
		t.Errorf("the transcript is %q", text)
	}
	for id, reason := range map[string]string{
		"refused": "It is not encrypted.",
		"none":    "\n----------ERROR-------\nUnable to start command: Failed to start pty: exec: \"nonesuch\": executable file not found in $PATH\n",
	} {
		if _, err := run(t, url, id, "token of "+id, strings.NewReader("")); err != nil {
			t.Errorf("%s: %v", id, err)
		}
		if r := m.report(t, id); r.Reason != reason || !r.StartedAt.IsZero() || r.ExitCode != nil {
			t.Errorf("%s: reported %+v", id, r)
		}
	}
}

// A token opens one connection, and no other one.
func TestToken(t *testing.T) {
	m := newMachine()
	s, _, _ := serve(t, m, t.TempDir())
	old := wanted("old", "print")
	old.TokenExpires = time.Now().Add(-time.Second)
	lost := wanted("lost", "print")
	lost.Begun = true
	s.Set([]desired.ExecSession{wanted("one", "print"), old, lost})
	ctx, cancel := context.WithCancel(t.Context())
	cancel() // do not wait for another token
	for id, token := range map[string]string{"one": "another", "old": "token of old", "lost": "token of lost", "none": "token of none"} {
		if _, err := s.admit(ctx, id, token); err == nil {
			t.Errorf("%s is opened by %q", id, token)
		}
	}
	if _, err := s.admit(t.Context(), "one", "token of one"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.admit(ctx, "one", "token of one"); err == nil {
		t.Error("a token opens twice")
	}
	renewed := wanted("one", "print")
	renewed.TokenHash, renewed.Begun = desired.ExecTokenHash("second"), true
	go s.Set([]desired.ExecSession{renewed}) // the client may be faster
	if _, err := s.admit(t.Context(), "one", "second"); err != nil {
		t.Errorf("the second token: %v", err)
	}
}

// A session that is not desired any more ends, and so does each when the node does; the
// next process ends what that has left behind, and reports it.
func TestSessionEnds(t *testing.T) {
	m, dir := newMachine(), t.TempDir()
	s, url, stop := serve(t, m, dir)
	s.Set([]desired.ExecSession{wanted("one", "cat"), wanted("two", "cat")})
	shown := make(chan string, 2)
	for _, id := range []string{"one", "two"} {
		input, typing := io.Pipe()
		t.Cleanup(func() { typing.Close() })
		go func() {
			output, _ := run(t, url, id, "token of "+id, input)
			shown <- output
		}()
	}
	for begin := time.Now(); time.Since(begin) < 20*time.Second; time.Sleep(time.Millisecond) {
		m.mu.Lock()
		begun := len(m.reports)
		m.mu.Unlock()
		if begun == 2 {
			break
		}
	}
	s.Set([]desired.ExecSession{wanted("two", "cat")})
	if r := m.report(t, "one"); r.Reason != endedElsewhere || r.ExitCode != nil {
		t.Errorf("reported %+v", r)
	}
	<-shown
	stop()
	<-shown
	_, _, _ = serve(t, m, dir)
	if r := m.report(t, "two"); r.Reason != restarted || r.StartedAt.IsZero() {
		t.Errorf("reported %+v", r)
	}
	if !slices.Equal(m.ended, []string{"c two"}) {
		t.Errorf("ended %q", m.ended)
	}
	for begin := time.Now(); ; time.Sleep(time.Millisecond) {
		left, err := os.ReadDir(dir)
		if err == nil && len(left) == 0 {
			break
		}
		if time.Since(begin) > 20*time.Second {
			t.Fatalf("left are %v, %v", left, err)
		}
	}
}

func TestManySessionsAtOnce(t *testing.T) {
	m := newMachine()
	s, url, _ := serve(t, m, t.TempDir())
	var all []desired.ExecSession
	for i := range 50 {
		all = append(all, wanted(fmt.Sprint("s", i), "print", fmt.Sprint(i)))
	}
	s.Set(all)
	var clients sync.WaitGroup
	for i := range all {
		clients.Go(func() {
			output, err := run(t, url, all[i].ID, "token of "+all[i].ID, strings.NewReader(""))
			if err != nil || !strings.Contains(output, fmt.Sprintf("print %d in c", i)) {
				t.Errorf("%q, %v", output, err)
			}
		})
	}
	clients.Wait()
}

func TestTranscriptIsBounded(t *testing.T) {
	path := t.TempDir() + "/log"
	tr := newTranscript(path)
	chunk := bytes.Repeat([]byte("x"), 1<<20)
	for range 9 {
		if n, err := tr.Write(chunk); n != len(chunk) || err != nil {
			t.Fatal(n, err)
		}
	}
	if err := tr.Close(); err != nil {
		t.Fatal(err)
	}
	kept, err := os.ReadFile(path)
	if err != nil || len(kept) > desired.MaxTranscript || !bytes.HasSuffix(kept, []byte("x\n[1048704 bytes more were not kept]\n")) {
		t.Errorf("%d bytes are kept, the last of them %q, %v", len(kept), kept[len(kept)-60:], err)
	}
}

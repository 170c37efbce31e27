package ecsexec

import (
	"context"
	"io"
	"log/slog"
	"strings"
	"testing"

	"fargo/desired"
	"fargo/secret"
	"fargo/session"
)

// screen passes on the lines that a client is shown, but for empty ones: a terminal sends a
// carriage return for the end of a line.
func screen(t *testing.T) (lines <-chan string, w io.Writer) {
	r, w := io.Pipe()
	shown := make(chan string, 100)
	go func() {
		defer close(shown)
		var line strings.Builder
		for one := make([]byte, 1); ; {
			if _, err := r.Read(one); err != nil {
				return
			}
			if one[0] != '\n' && one[0] != '\r' {
				line.WriteByte(one[0])
			} else if line.Len() > 0 {
				shown <- line.String()
				line.Reset()
			}
		}
	}()
	t.Cleanup(func() { r.Close() })
	return shown, w
}

// A client whose connection is lost comes back with the next token, the old one opens
// nothing more, and the command has noticed nothing: nothing is lost or said twice.
func TestClientComesBack(t *testing.T) {
	m := newMachine()
	s, url, _ := serve(t, m, t.TempDir())
	s.Set([]desired.ExecSession{wanted("one", "cat")})
	conn, err := session.Dial(t.Context(), nil, url+"one", secret.New("token of one"))
	if err != nil {
		t.Fatal(err)
	}
	input, typing := io.Pipe()
	defer typing.Close()
	shown, output := screen(t)
	resumed := 0
	client := session.NewClient(session.ClientConfig{
		SessionID: "one", Input: input, Output: output, Logger: slog.New(slog.DiscardHandler),
		Resume: func(ctx context.Context) (session.Conn, error) { // what ResumeSession does, and a node is then told
			resumed++
			next := wanted("one", "cat")
			next.TokenHash, next.Begun = desired.ExecTokenHash("second"), true
			s.Set([]desired.ExecSession{next})
			return session.Dial(ctx, nil, url+"one", secret.New("second"))
		},
	})
	ended := make(chan error, 1)
	go func() { _, err := client.Run(t.Context(), conn); ended <- err }()
	say := func(line string) {
		t.Helper()
		if _, err := io.WriteString(typing, line+"\n"); err != nil {
			t.Fatal(err)
		}
		if got := <-shown; got != line {
			t.Fatalf("after %q comes %q", line, got)
		}
	}
	if got := <-shown; !strings.Contains(got, "cat in c as 0") {
		t.Fatalf("the command says %q", got)
	}
	say("before")
	if err := conn.Close(); err != nil {
		t.Fatal(err)
	}
	say("after")
	gone, cancel := context.WithCancel(t.Context())
	cancel() // do not wait for another token
	if _, err := s.admit(gone, "one", "token of one"); err == nil {
		t.Error("the first token opens the session again")
	}
	s.Set(nil)
	if err := <-ended; err != nil || resumed != 1 {
		t.Errorf("%v, resumed %d times", err, resumed)
	}
	if r := m.report(t, "one"); r.Reason != endedElsewhere || r.StartedAt.IsZero() {
		t.Errorf("reported %+v", r)
	}
}

// A session ends with its container, whose end the runtime tells of by the command's exit
// code, or not at all.
func TestSessionEndsWithItsContainer(t *testing.T) {
	m := newMachine()
	m.container = make(chan struct{})
	s, url, _ := serve(t, m, t.TempDir())
	s.Set([]desired.ExecSession{wanted("killed", "killed"), wanted("lost", "lost")})
	ended := make(chan error, 2)
	for _, id := range []string{"killed", "lost"} {
		conn, err := session.Dial(t.Context(), nil, url+id, secret.New("token of "+id))
		if err != nil {
			t.Fatal(err)
		}
		input, typing := io.Pipe()
		defer typing.Close()
		shown, output := screen(t)
		client := session.NewClient(session.ClientConfig{SessionID: id, Input: input, Output: output, Logger: slog.New(slog.DiscardHandler)})
		go func() { _, err := client.Run(t.Context(), conn); ended <- err }()
		if got := <-shown; !strings.Contains(got, id+" in c as 0") {
			t.Fatalf("the command says %q", got)
		}
	}
	close(m.container)
	for range 2 {
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
	if r := m.report(t, "killed"); r.ExitCode == nil || *r.ExitCode != 137 || r.Reason != "" {
		t.Errorf("reported %+v", r)
	}
	if r := m.report(t, "lost"); r.ExitCode != nil || r.Reason != commandLost {
		t.Errorf("reported %+v", r)
	}
}

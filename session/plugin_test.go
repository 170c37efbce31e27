//go:build e2e

package session

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"fargo/secret"
)

// plugin is AWS's session-manager-plugin, which make bin/session-manager-plugin builds.
const plugin = "../bin/session-manager-plugin"

// service is what the plugin talks to: the stream of one session, ResumeSession, and
// KMS.
type service struct {
	t     *testing.T
	agent *Agent
	url   string
	keys  *keys
	// drop is after how many messages to the client its first connection is lost; 0: not.
	drop int

	mu      sync.Mutex
	token   string // the one that works
	resumed int
}

func newService(t *testing.T, k *keys, c AgentConfig, run func(p *program) int) (s *service, ended chan End) {
	t.Helper()
	s = &service{t: t, keys: k, token: "token-0"}
	if c.Start == nil {
		c.Start = running(run, &s.agent)
	}
	c.SessionID, c.TargetID, c.Logger = "ecs-execute-command-0123456789abcdef0", "ecs:c_t_r", discard
	s.agent = NewAgent(c)
	ended = make(chan End, 1)
	go func() { ended <- s.agent.Run(context.WithoutCancel(t.Context())) }()
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	s.url = server.URL
	return s, ended
}

func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.Header.Get("X-Amz-Target") {
	case "AmazonSSM.ResumeSession":
		s.mu.Lock()
		defer s.mu.Unlock()
		s.resumed++
		s.token = fmt.Sprint("token-", s.resumed)
		_, _ = w.Write(mustJSON(map[string]string{"SessionId": s.agent.c.SessionID, "TokenValue": s.token, "StreamUrl": s.stream()}))
	case "TrentService.GenerateDataKey":
		var in struct{ EncryptionContext map[string]string }
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
			s.t.Error(err)
		}
		key, _ := s.keys.generate(r.Context(), "", in.EncryptionContext)
		_, _ = w.Write(mustJSON(map[string]any{"KeyId": "key", "CiphertextBlob": key.Ciphertext, "Plaintext": key.Plaintext}))
	case "":
		s.connect(w, r)
	default:
		s.t.Errorf("a call of %s", r.Header.Get("X-Amz-Target"))
	}
}

func (s *service) stream() string {
	return "ws" + strings.TrimPrefix(s.url, "http") + "/v1/data-channel/" + s.agent.c.SessionID + "?role=publish_subscribe"
}

func (s *service) connect(w http.ResponseWriter, r *http.Request) {
	conn, opening, err := Accept(w, r)
	if err != nil {
		s.t.Error(err)
		return
	}
	s.mu.Lock()
	valid := opening.Token.Equal(secret.New(s.token))
	if s.drop > 0 {
		conn = &dropping{Conn: conn, left: s.drop}
		s.drop = 0
	}
	s.mu.Unlock()
	if !valid {
		s.t.Errorf("the opening is %+v", opening)
	}
	_ = s.agent.Serve(context.Background(), conn)
}

// dropping is a connection that is lost after some messages.
type dropping struct {
	Conn
	left int
}

func (d *dropping) Write(ctx context.Context, b []byte) error {
	if d.left--; d.left < 0 {
		return errors.Join(errLost, d.Close())
	}
	return d.Conn.Write(ctx, b)
}

// command is the plugin, called as the aws command calls it.
func (s *service) command() *exec.Cmd {
	response := mustJSON(map[string]string{"SessionId": s.agent.c.SessionID, "TokenValue": s.token, "StreamUrl": s.stream()})
	ctx, cancel := context.WithTimeout(s.t.Context(), time.Minute) // then it hangs
	s.t.Cleanup(cancel)
	c := exec.CommandContext(ctx, plugin, string(response), "eu-west-1", "StartSession", "", `{"Target":"ecs:c_t_r"}`, s.url)
	c.Env = append(os.Environ(),
		"AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY=secret", "AWS_ENDPOINT_URL="+s.url,
		"AWS_CONFIG_FILE=/dev/null", "AWS_SHARED_CREDENTIALS_FILE=/dev/null")
	return c
}

// begins and ends are what the plugin itself prints.
const (
	begins = "\nStarting session with SessionId: ecs-execute-command-0123456789abcdef0\n"
	exits  = "\n\nExiting session with sessionId: ecs-execute-command-0123456789abcdef0.\n\n"
)

// run runs the plugin with nothing typed, and is its output.
func (s *service) run() string {
	s.t.Helper()
	c := s.command()
	var out bytes.Buffer
	c.Stdout = &out
	stdin, err := c.StdinPipe() // its end would end the plugin
	if err != nil {
		s.t.Fatal(err)
	}
	defer stdin.Close()
	if err := c.Run(); err != nil {
		s.t.Errorf("the plugin: %v\n%.1000s", err, &out)
	}
	return out.String()
}

func TestPlugin(t *testing.T) {
	s, ended := newService(t, nil, AgentConfig{Message: "Welcome."}, func(p *program) int {
		fmt.Fprint(p.output, "hello\r\n")
		return 3
	})
	if out, want := s.run(), begins+"Welcome.\nhello\r\n"+exits; out != want {
		t.Errorf("it has printed %q, want %q", out, want)
	}
	if e, want := <-ended, (End{ExitCode: 3, Exited: true}); e != want {
		t.Errorf("the agent ends with %+v", e)
	}
}

// TestPluginIsTold prints why a session has ended.
func TestPluginIsTold(t *testing.T) {
	const reason = "We couldn't start the session."
	s, _ := newService(t, nil, AgentConfig{Start: func(context.Context, bool) (*Command, error) { return nil, errors.New(reason) }}, nil)
	if out, want := s.run(), begins+"\n\nSessionId: ecs-execute-command-0123456789abcdef0 : "+reason+"\n\n"; out != want {
		t.Errorf("it has printed %q, want %q", out, want)
	}
}

// TestPluginOutput takes ten mebibytes, intact and in order, over two connections.
func TestPluginOutput(t *testing.T) {
	for name, drop := range map[string]int{"on one connection": 0, "on two": 100} {
		t.Run(name, func(t *testing.T) {
			data := make([]byte, 10<<20)
			_, _ = rand.NewChaCha8([32]byte{}).Read(data)
			s, _ := newService(t, nil, AgentConfig{}, func(p *program) int {
				_, _ = p.output.Write(data)
				return 0
			})
			s.mu.Lock()
			s.drop = drop
			s.mu.Unlock()
			start := time.Now()
			out := s.run()
			t.Logf("%.1f MB/s", float64(len(data))/1e6/time.Since(start).Seconds())
			out = strings.TrimSuffix(strings.TrimPrefix(out, begins), exits)
			if sha256.Sum256([]byte(out)) != sha256.Sum256(data) {
				t.Errorf("%d of %d bytes are not those sent", len(out), len(data))
			}
			s.mu.Lock()
			defer s.mu.Unlock()
			if (s.resumed > 0) != (drop > 0) {
				t.Errorf("resumed %d times", s.resumed)
			}
		})
	}
}

func TestPluginEncrypts(t *testing.T) {
	k := &keys{}
	s, _ := newService(t, k, AgentConfig{Encryption: &Encryption{KeyID: "key", Decrypt: k.decrypt}}, func(p *program) int {
		fmt.Fprint(p.output, "hello\r\n")
		return 0
	})
	if out, want := s.run(), begins+"hello\r\n"+exits; out != want {
		t.Errorf("it has printed %q, want %q", out, want)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if want := map[string]string{"aws:ssm:SessionId": s.agent.c.SessionID, "aws:ssm:TargetId": "ecs:c_t_r"}; !maps.Equal(k.context, want) {
		t.Errorf("the encryption context is %v", k.context)
	}
}

// TestPluginAtTerminal types at the plugin's terminal and changes its size.
func TestPluginAtTerminal(t *testing.T) {
	sizes := make(chan Size, 2)
	s, ended := newService(t, nil, AgentConfig{}, func(p *program) int {
		sizes <- <-p.sized
		b := make([]byte, 16)
		for {
			n, err := p.input.Read(b)
			if err != nil {
				return 1
			}
			fmt.Fprintf(p.output, "% x ", b[:n]) // of a key, in one or more parts
			switch b[0] {
			case 'r':
				sizes <- <-p.sized
			case 'q':
				return 0
			}
		}
	})
	terminal, c := openTerminal(t, s.command())
	resize(t, terminal, 80, 24)
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	if got, want := <-sizes, (Size{Columns: 80, Rows: 24}); got != want {
		t.Errorf("the size is %v", got)
	}
	screen := &screen{t: t, r: terminal}
	for _, key := range []struct{ typed, seen string }{{"a", "61 "}, {"\x03", "03 "}, {"\x1c", "1c "}, {"\x1a", "1a "}, {"é", "c3 a9 "}, {"\r", "0d "}} {
		if _, err := terminal.WriteString(key.typed); err != nil {
			t.Fatal(err)
		}
		screen.await(key.seen)
	}
	resize(t, terminal, 132, 50)
	if _, err := terminal.WriteString("r"); err != nil {
		t.Fatal(err)
	}
	if got, want := <-sizes, (Size{Columns: 132, Rows: 50}); got != want {
		t.Errorf("the size is %v", got)
	}
	if _, err := terminal.WriteString("q"); err != nil {
		t.Fatal(err)
	}
	screen.await("Exiting session with sessionId")
	if err := c.Wait(); err != nil {
		t.Error(err)
	}
	<-ended
}

// screen is what a terminal shows.
type screen struct {
	t    *testing.T
	r    io.Reader
	text string
}

// await reads until a text is shown.
func (s *screen) await(text string) {
	s.t.Helper()
	b := make([]byte, 4096)
	for !strings.Contains(s.text, text) {
		n, err := s.r.Read(b)
		if err != nil {
			s.t.Fatalf("%v; %q is not in %q", err, text, s.text)
		}
		s.text += string(b[:n])
	}
	_, s.text, _ = strings.Cut(s.text, text)
}

// openTerminal gives a command a terminal, and is its other end.
func openTerminal(t *testing.T, c *exec.Cmd) (*os.File, *exec.Cmd) {
	t.Helper()
	terminal, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { terminal.Close() })
	if err := unix.IoctlSetPointerInt(int(terminal.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(terminal.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	tty, err := os.OpenFile(fmt.Sprint("/dev/pts/", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tty.Close() })
	c.Stdin, c.Stdout, c.Stderr = tty, tty, tty
	c.SysProcAttr = &unix.SysProcAttr{Setsid: true, Setctty: true}
	return terminal, c
}

func resize(t *testing.T, terminal *os.File, columns, rows uint16) {
	t.Helper()
	if err := unix.IoctlSetWinsize(int(terminal.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Col: columns, Row: rows}); err != nil {
		t.Fatal(err)
	}
}

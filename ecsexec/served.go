package ecsexec

import (
	"context"
	"encoding/base64"
	"errors"
	"io"
	"sync"
	"time"

	"fargo/desired"
	"fargo/host"
	"fargo/session"
)

// served is a session to which a client has come.
type served struct {
	server  *Server
	session desired.ExecSession
	agent   *session.Agent

	// token is the hash of the one that was used last, and over says that the session has
	// ended. They are guarded by the server's mutex.
	token string
	over  bool

	mu struct {
		sync.Mutex
		report     desired.ExecSessionReport
		transcript *transcript
	}
	started chan struct{} // gets one value when the command has begun
}

func newServed(server *Server, d desired.ExecSession) *served {
	s := &served{server: server, session: d, started: make(chan struct{}, 1)}
	s.mu.report.ID = d.ID
	config := session.AgentConfig{SessionID: d.ID, TargetID: d.Target, Start: s.start, Logger: server.cfg.Logger}
	if d.KMSKeyID != "" {
		config.Encryption = &session.Encryption{KeyID: d.KMSKeyID, Decrypt: s.decrypt}
		config.Message = encryptedMessage
	}
	if d.Transcript {
		s.mu.transcript = newTranscript(server.disk.transcript(d.ID))
		config.Transcript = s.mu.transcript
	}
	s.agent = session.NewAgent(config)
	return s
}

// run serves the session to its end, and reports it.
func (s *served) run(ctx context.Context) {
	defer s.server.ended(s.session.ID)
	reporting, stop := context.WithCancel(ctx)
	reported := make(chan struct{})
	go func() { defer close(reported); s.reportStart(reporting) }()
	end := s.agent.Run(ctx)
	stop() // the last report has all that the first one has
	<-reported
	if ctx.Err() != nil {
		return // the next process reports it
	}
	k := kept{Session: s.session, Report: s.finish(end)}
	s.server.conclude(ctx, k)
}

// finish completes the report.
func (s *served) finish(end session.End) desired.ExecSessionReport {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.mu.transcript != nil {
		if err := s.mu.transcript.Close(); err != nil {
			s.server.cfg.Logger.Error("the transcript of a session is not whole", "session", s.session.ID, "err", err)
		}
	}
	s.mu.report.EndedAt, s.mu.report.Reason = time.Now().UTC(), end.Reason
	if end.Exited {
		s.mu.report.ExitCode = &end.ExitCode
	}
	return s.mu.report
}

// reportStart tells the control plane that the command has begun.
func (s *served) reportStart(ctx context.Context) {
	select {
	case <-s.started:
	case <-ctx.Done():
		return
	}
	s.mu.Lock()
	report := s.mu.report
	s.mu.Unlock()
	if err := s.server.cfg.Link.ReportExecSession(ctx, report); err != nil && ctx.Err() == nil {
		s.server.cfg.Logger.Warn("the start of a session is not reported", "session", s.session.ID, "err", err)
	}
}

// decrypt gives the data key of the channel.
func (s *served) decrypt(ctx context.Context, ciphertext []byte, context map[string]string) ([]byte, error) {
	key, err := s.server.cfg.Link.DecryptExecKey(ctx, desired.ExecKey{ID: s.session.ID, Ciphertext: ciphertext, Context: context})
	if err != nil {
		return nil, err
	}
	return base64.StdEncoding.DecodeString(key.Reveal())
}

// What commands know of their terminal and of the encoding, which a container may know
// better. The values are those of AWS's agent.
// Source: amazon-ssm-agent, session/shell/shell_unix.go.
const (
	terminalVariable = "TERM=xterm-256color"
	languageVariable = "LANG=C.UTF-8"
)

// start begins the command. AWS's agent runs it as root, in the environment and the
// working directory of the container. The text of an error is what the client is told.
func (s *served) start(ctx context.Context, terminal bool) (*session.Command, error) {
	if s.session.Refusal != "" {
		return nil, errors.New(s.session.Refusal)
	}
	if err := s.begin(); err != nil {
		return nil, err
	}
	ctx, kill := context.WithCancel(ctx)
	input, toInput := io.Pipe()
	output, errorOutput, sizes := newOutput(), newOutput(), newSizes()
	begun, failed := make(chan struct{}), make(chan error, 1)
	spec := host.ExecSpec{
		ID: s.session.ID, Args: s.session.Command, Defaults: []string{languageVariable}, User: "0", Started: func() { close(begun) }, Stdin: input, Stdout: output,
	}
	command := &session.Command{Input: toInput, Output: output, Terminate: kill}
	if terminal {
		spec.Tty, spec.Env, spec.Resize = true, []string{terminalVariable}, sizes.changes
		command.Resize = sizes.set
	} else {
		spec.Stderr, command.ErrorOutput = errorOutput, errorOutput
	}
	command.Close = func() error {
		kill()
		return errors.Join(input.Close(), output.Close(), errorOutput.Close())
	}
	go func() {
		code, err := s.server.cfg.Runtime.Exec(ctx, s.session.ContainerID, spec)
		kill()
		failed <- err
		output.written()
		errorOutput.written()
		select {
		case <-begun:
		default:
			return // start tells of it
		}
		if err != nil {
			s.agent.End(commandLost)
			return
		}
		s.agent.Exit(code)
	}()
	select {
	case <-begun:
		s.started <- struct{}{}
		return command, nil
	case err := <-failed:
		s.neverBegan()
		return nil, errors.Join(notStarted(err), command.Close())
	}
}

// commandLost is the end of a session whose command has ended in an unknown way: with its
// container, or with the runtime.
const commandLost = "The command was ended, and its exit code is not known."

// begin notes that the command may run from now on.
func (s *served) begin() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mu.report.StartedAt = time.Now().UTC()
	return s.server.disk.save(kept{Session: s.session, Report: s.mu.report})
}

// neverBegan takes back what begin has noted.
func (s *served) neverBegan() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mu.report.StartedAt = time.Time{}
}

// sizes passes on the newest size of a terminal.
type sizes struct{ changes chan host.WindowSize }

func newSizes() sizes { return sizes{make(chan host.WindowSize, 1)} }

// set replaces a size that nobody has taken yet. It is called by one at a time.
func (s sizes) set(size session.Size) error {
	select {
	case <-s.changes:
	default:
	}
	s.changes <- host.WindowSize{Width: size.Columns, Height: size.Rows}
	return nil
}

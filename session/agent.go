package session

import (
	"context"
	"io"
	"log/slog"
	"sync"
	"time"
)

// AgentConfig is what an agent needs to know and to do.
type AgentConfig struct {
	SessionID string
	// TargetID is ecs:<cluster>_<task>_<runtime id>, of the encryption context.
	TargetID string
	// Start starts the command, once, when the first client has finished the handshake.
	// An error's text is what the client is told as the session ends. terminal is true
	// for AWS's plugin; a client of ours asks for none when its output is no terminal.
	Start func(ctx context.Context, terminal bool) (*Command, error)
	// Transcript gets all output before it is sent, as plain text; nil for none.
	Transcript io.Writer
	// Encryption is nil for a channel that is only as secret as its connection.
	Encryption *Encryption
	// Message is printed by the client when the handshake is done.
	Message string
	// IdleTimeout is after what time without input or output the session ends; 0 is
	// AWS's 20 minutes. So long a client may be gone and come back.
	IdleTimeout time.Duration
	Logger      *slog.Logger
}

// Command is a command that runs, as its agent uses it.
type Command struct {
	// Input is closed at the end of the client's input, which AWS's plugin never sends.
	Input io.WriteCloser
	// Output is the terminal's, or the standard output. Any error is its end.
	Output io.Reader
	// ErrorOutput is nil with a terminal.
	ErrorOutput io.Reader
	// Resize is nil without a terminal.
	Resize func(Size) error
	// Terminate makes the command end, whatever it does: the client has asked for it, or
	// has been idle for too long.
	Terminate func()
	// Close lets go of the terminal or the pipes, so that reads and writes end. It is
	// called once, when the session has ended.
	Close func() error
}

// End is how a session ended.
type End struct {
	// Reason is what the client is told; "" when the command ended by itself.
	Reason string
	// ExitCode is the command's, if Exited.
	ExitCode int
	Exited   bool
}

// idleTimeout is AWS's for ECS Exec, which cannot be changed there.
const idleTimeout = 20 * time.Minute

// What a client is told.
const (
	// reasonIdle is as reported in https://github.com/aws/amazon-ssm-agent/issues/261.
	reasonIdle = "Your session timed out due to inactivity and has been terminated."
	// reasonHandshake is amazon-ssm-agent's.
	reasonHandshake = "Handshake timed out. Please ensure that you have the latest version of the session manager plugin."
	// reasonStopping is ours: the agent itself is stopped.
	reasonStopping = "The agent is stopping."
)

// handshakeTimeout is how long a client may take for the handshake; amazon-ssm-agent's.
const handshakeTimeout = 15 * time.Second

// lingering is how long a session whose command has ended waits for a client that is gone
// to come back for the rest of the output.
const lingering = 30 * time.Second

// stoppingTime is how long one waits for the rest of the output of a command that is
// terminated, and for a client that is gone to come back for it; and to get the end to
// its client when the agent itself is stopping.
const stoppingTime = 2 * time.Second

// Agent is the agent's end of one session. It outlives its connections.
type Agent struct {
	c AgentConfig
	*endpoint
	handshake handshake // of the goroutine that receives
	output    *output

	starting sync.Mutex // guards over, and who writes command
	command  *Command   // of the goroutine that receives; nil before it is started
	over     bool       // it is not started any more

	state   sync.Mutex // guards what is below
	end     *End       // nil before it is known
	endedAt time.Time
}

// NewAgent makes the agent's end of a session. It does nothing before Run.
func NewAgent(c AgentConfig) *Agent {
	if c.IdleTimeout == 0 {
		c.IdleTimeout = idleTimeout
	}
	e := newEndpoint(outputStreamData, inputStreamData, c.Logger.With("session", c.SessionID))
	return &Agent{c: c, endpoint: e, output: newOutput(e, c.Transcript), handshake: handshake{isReady: make(chan struct{})}}
}

// startCommand starts the command, unless the session ends already.
func (a *Agent) startCommand(ctx context.Context) error {
	a.starting.Lock()
	defer a.starting.Unlock()
	if a.over {
		return nil
	}
	command, err := a.c.Start(ctx, a.handshake.terminal)
	if err != nil {
		return err
	}
	a.send(payloadHandshakeComplete, a.handshake.complete(a.c.Message))
	if !a.handshake.terminal {
		a.handshake.ready()
	}
	if a.handshake.wantsExitCode.Load() {
		a.output.chunk = largeChunk
	}
	a.output.pump(command.Output, payloadOutput, a.handshake.isReady)
	if command.ErrorOutput != nil {
		a.output.pump(command.ErrorOutput, payloadStandardError, a.handshake.isReady)
	}
	a.command = command
	a.handshake.done.Store(true)
	return nil
}

// startedCommand is the command that was started; nil when there is none and there will
// be none any more.
func (a *Agent) startedCommand() *Command {
	a.starting.Lock()
	defer a.starting.Unlock()
	a.over = true
	return a.command
}

// Serve uses a connection until it is lost, the next one replaces it, or the session
// ends: nil only then. It closes the connection. The messages go on from where the last
// connection was lost.
func (a *Agent) Serve(ctx context.Context, c Conn) error { return a.serve(ctx, c) }

// Exit says that the command has ended: after the rest of its output the session does.
func (a *Agent) Exit(code int) { a.setEnd(End{ExitCode: code, Exited: true}) }

// End ends the session and tells the client why. The command is terminated.
func (a *Agent) End(reason string) { a.setEnd(End{Reason: reason}) }

// setEnd notes how the session ends. The first is right.
func (a *Agent) setEnd(e End) {
	a.state.Lock()
	defer a.state.Unlock()
	if a.end == nil {
		a.end, a.endedAt = &e, time.Now()
	}
	a.settled.notify()
}

// Run is the session. It returns when that has ended and the client has the rest of the
// output, or does not come for it. When ctx ends, so does the session.
func (a *Agent) Run(ctx context.Context) End {
	receiving, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	defer context.AfterFunc(ctx, a.settled.notify)()
	var receiver sync.WaitGroup
	a.send(payloadHandshakeRequest, a.handshake.request(a.c.Encryption))
	receiver.Go(func() { a.receive(receiving) })
	end := a.awaitEnd(ctx)
	a.finishCommand(ctx, end)
	a.close(closing{SessionID: a.c.SessionID, DestinationID: a.c.SessionID, Output: end.Reason})
	a.await(func() bool { return a.delivered() || a.givesUp(ctx) })
	stop()
	receiver.Wait()
	return end
}

// look is how often one looks at what only time changes.
const look = 100 * time.Millisecond

// await waits until something is so.
func (a *Agent) await(so func() bool) {
	tick := time.NewTicker(look)
	defer tick.Stop()
	for !so() {
		select {
		case <-tick.C:
		case <-a.settled:
		}
	}
}

// awaitEnd waits until the session is to end.
func (a *Agent) awaitEnd(ctx context.Context) (end End) {
	a.await(func() bool {
		if ctx.Err() != nil {
			a.End(reasonStopping)
		} else if reason := a.expired(time.Now()); reason != "" {
			a.End(reason)
		}
		a.state.Lock()
		defer a.state.Unlock()
		if a.end != nil {
			end = *a.end
		}
		return a.end != nil
	})
	return end
}

// expired is why the session ends without anything else having happened; "" while it
// does not.
func (a *Agent) expired(now time.Time) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case now.Sub(a.used) >= a.c.IdleTimeout:
		return reasonIdle
	case !a.first.IsZero() && !a.handshake.done.Load() && now.Sub(a.first) >= handshakeTimeout:
		return reasonHandshake
	}
	return ""
}

// givesUp reports whether the client will not get the rest.
func (a *Agent) givesUp(ctx context.Context) bool {
	a.state.Lock()
	ended, wait := a.endedAt, stoppingTime
	if a.end.Exited {
		wait = lingering
	}
	a.state.Unlock()
	now := time.Now()
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case a.closed != nil || now.Sub(a.used) >= a.c.IdleTimeout && now.Sub(ended) >= a.c.IdleTimeout:
		return true
	case ctx.Err() != nil && now.Sub(ended) >= stoppingTime:
		return true
	case !a.gone.IsZero():
		return now.Sub(a.gone) >= wait && now.Sub(ended) >= wait
	}
	return false
}

// finishCommand takes the rest of the command's output and lets go of it.
func (a *Agent) finishCommand(ctx context.Context, end End) {
	command := a.startedCommand()
	if command == nil {
		return
	}
	if !end.Exited {
		command.Terminate()
	}
	a.output.end(time.Now())
	a.await(func() bool {
		return a.output.finished(time.Now()) || !end.Exited && a.sinceEnd() >= stoppingTime || a.givesUp(ctx)
	})
	a.output.stop()
	if err := command.Close(); err != nil {
		a.log.Debug("closing the command's streams", "error", err)
	}
	a.output.pumps.Wait()
	if end.Exited && a.handshake.wantsExitCode.Load() {
		a.send(payloadExitCode, exitCodePayload(end.ExitCode))
	}
}

func (a *Agent) sinceEnd() time.Duration {
	a.state.Lock()
	defer a.state.Unlock()
	return time.Since(a.endedAt)
}

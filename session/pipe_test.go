package session

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"sync"
	"testing"
)

// pipe is a connection in memory; each end is a Conn. What is written is not changed
// between, but a test may lose, repeat and reorder it.
type pipe struct {
	out, in chan []byte
	closed  chan struct{}
	close   *sync.Once
	// mangle is what becomes of a message on its way; nil: itself.
	mangle func([]byte) [][]byte
}

var errLost = errors.New("the connection is lost")

func newPipe(buffered int, mangle func([]byte) [][]byte) (a, b *pipe) {
	x, y, closed, once := make(chan []byte, buffered), make(chan []byte, buffered), make(chan struct{}), &sync.Once{}
	return &pipe{out: x, in: y, closed: closed, close: once, mangle: mangle},
		&pipe{out: y, in: x, closed: closed, close: once, mangle: mangle}
}

func (p *pipe) Read(ctx context.Context) ([]byte, error) {
	select {
	case b := <-p.in:
		return b, nil
	default:
	}
	select {
	case b := <-p.in:
		return b, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-p.closed:
		select { // what was written before comes first
		case b := <-p.in:
			return b, nil
		default:
			return nil, errLost
		}
	}
}

func (p *pipe) Write(ctx context.Context, b []byte) error {
	messages := [][]byte{b}
	if p.mangle != nil {
		messages = p.mangle(b)
	}
	for _, m := range messages {
		select {
		case p.out <- bytes.Clone(m):
		case <-ctx.Done():
			return ctx.Err()
		case <-p.closed:
			return errLost
		}
	}
	return nil
}

func (p *pipe) Close() error {
	p.close.Do(func() { close(p.closed) })
	return nil
}

// program is a command of a test: it runs as a function.
type program struct {
	input  *io.PipeReader
	output *io.PipeWriter
	errors *io.PipeWriter
	sized  chan Size
}

// running starts a program when the agent does.
func running(run func(p *program) int, a **Agent) func(context.Context, bool) (*Command, error) {
	return func(_ context.Context, terminal bool) (*Command, error) {
		inR, inW := io.Pipe()
		outR, outW := io.Pipe()
		errR, errW := io.Pipe()
		p := &program{input: inR, output: outW, errors: errW, sized: make(chan Size, 16)}
		c := &Command{
			Input: inW, Output: outR,
			Terminate: func() { inW.CloseWithError(io.EOF) },
			Close:     func() error { return errors.Join(inW.Close(), outR.Close(), errR.Close()) },
		}
		if terminal {
			c.Resize = func(s Size) error { p.sized <- s; return nil }
		} else {
			c.ErrorOutput = errR
		}
		go func() {
			code := run(p)
			outW.Close()
			errW.Close()
			(*a).Exit(code)
		}()
		return c, nil
	}
}

// ends are an agent and a client of a test, and how they have ended.
type ends struct {
	agent  *Agent
	client *Client

	act func(e *ends) // what happens meanwhile; nil for nothing

	output, errors bytes.Buffer
	agentEnd       End
	clientEnd      End
	clientErr      error
}

// session runs both ends to the end of the session. connect makes each connection.
func runSession(t *testing.T, e *ends, agent AgentConfig, client ClientConfig, run func(p *program) int, connect func() (a, b *pipe)) {
	t.Helper()
	agent.Logger, client.Logger = discard, discard
	agent.SessionID, client.SessionID = "ecs-execute-command-0123456789abcdef0", "ecs-execute-command-0123456789abcdef0"
	if agent.Start == nil {
		agent.Start = running(run, &e.agent)
	}
	if client.Input == nil {
		client.Input = &blocked{t.Context()}
	}
	if client.Output == nil {
		client.Output, client.ErrorOutput = &e.output, &e.errors
	}
	var serving sync.WaitGroup
	dial := func() Conn {
		a, b := connect()
		serving.Go(func() { _ = e.agent.Serve(t.Context(), a) })
		return b
	}
	client.Resume = func(context.Context) (Conn, error) { return dial(), nil }
	e.agent, e.client = NewAgent(agent), NewClient(client)
	var agentRuns sync.WaitGroup
	agentRuns.Go(func() { e.agentEnd = e.agent.Run(t.Context()) })
	if e.act != nil {
		go e.act(e)
	}
	e.clientEnd, e.clientErr = e.client.Run(t.Context(), dial())
	agentRuns.Wait()
	serving.Wait()
}

// blocked is a terminal at which nobody types.
type blocked struct{ ctx context.Context }

func (b *blocked) Read([]byte) (int, error) {
	<-b.ctx.Done()
	return 0, io.EOF
}

var discard = slog.New(slog.DiscardHandler)

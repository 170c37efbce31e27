package session

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"
)

// ClientConfig is what a client needs to know and to do.
type ClientConfig struct {
	SessionID string
	// TargetID is the target of the session, of the encryption context.
	TargetID string
	// Input is sent to the command. With NoTerminal its end is, too.
	Input io.Reader
	// Output gets what the command writes, and ErrorOutput what it writes to the
	// standard error; a terminal has only one of the two.
	Output, ErrorOutput io.Writer
	// NoTerminal asks for pipes, so that output stays as the command has written it.
	NoTerminal bool
	// Size is the size of the terminal, if it is known; nil without one.
	Size func() (Size, bool)
	// Resume opens another connection after one was lost. ErrGone says that the session
	// has ended; nil, that nothing can.
	Resume func(ctx context.Context) (Conn, error)
	// DataKey is KMS's GenerateDataKey: of 64 bytes, by the user's own rights.
	DataKey func(ctx context.Context, keyID string, encryptionContext map[string]string) (DataKey, error)
	// Message shows what the agent says after the handshake.
	Message func(string)
	Logger  *slog.Logger
}

// DataKey is one as KMS has made it.
type DataKey struct{ Plaintext, Ciphertext []byte }

// ErrGone says that there is no such session any more.
var ErrGone = errors.New("the session has ended")

// Client is the client's end of one session.
type Client struct {
	c ClientConfig
	*endpoint
	begun chan struct{} // closed when the handshake is done
	end   End
}

// NewClient makes the client's end of a session. It does nothing before Run.
func NewClient(c ClientConfig) *Client {
	return &Client{
		c:        c,
		endpoint: newEndpoint(inputStreamData, outputStreamData, c.Logger.With("session", c.SessionID)),
		begun:    make(chan struct{}),
	}
}

// Run is the session, which begins on a connection. It returns how the agent has ended it.
// An error is that it goes on, or has ended, without this client.
func (c *Client) Run(ctx context.Context, conn Conn) (End, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	served := make(chan struct{})
	go func() {
		defer close(served)
		if err := c.connections(ctx, conn); err != nil {
			cancel(err)
		}
	}()
	go c.readInput(ctx)
	var polling sync.WaitGroup
	polling.Go(func() { c.pollSize(ctx) })
	err := c.receive(ctx)
	cancel(err)
	polling.Wait() // nobody is asked for a size after Run
	<-served
	if errors.Is(err, errClosed) || c.end.Exited && errors.Is(context.Cause(ctx), ErrGone) {
		return c.end, nil // or all of it has come but that
	}
	return End{}, context.Cause(ctx)
}

// Terminate asks the agent to end the session.
func (c *Client) Terminate() {
	c.send(payloadFlag, binary.BigEndian.AppendUint32(nil, flagTerminateSession))
}

// Type sends what was not read from the input, like the character of a signal.
func (c *Client) Type(b []byte) { c.send(payloadOutput, b) }

// Resumption: as AWS's plugin does it, which however gives up after the fifth time.
const (
	resumeTime     = time.Minute
	resumeDelay    = 100 * time.Millisecond
	maxResumeDelay = 5 * time.Second
)

// connections uses one connection after the other until the session has ended.
func (c *Client) connections(ctx context.Context, conn Conn) error {
	for {
		lost := c.serve(ctx, conn)
		if lost == nil {
			return nil
		}
		if ctx.Err() != nil || c.c.Resume == nil {
			return fmt.Errorf("the connection was lost: %w", lost)
		}
		c.log.Debug("the connection was lost", "error", lost)
		var err error
		if conn, err = c.resume(ctx); err != nil {
			return err
		}
	}
}

// resume opens the next connection.
func (c *Client) resume(ctx context.Context) (conn Conn, err error) {
	delay := resumeDelay
	for begun := time.Now(); time.Since(begun) < resumeTime; {
		if conn, err = c.c.Resume(ctx); err == nil || errors.Is(err, ErrGone) {
			return conn, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(delay):
		}
		delay = min(2*delay, maxResumeDelay)
	}
	return nil, fmt.Errorf("the connection was lost, and there is no other: %w", err)
}

// readInput sends what is typed. It ends with the input; a read that waits for a terminal
// ends with the process.
func (c *Client) readInput(ctx context.Context) {
	select {
	case <-ctx.Done():
		return
	case <-c.begun:
	}
	buffer := make([]byte, chunk)
	for c.room(ctx) == nil {
		n, err := c.c.Input.Read(buffer)
		if n > 0 {
			c.send(payloadOutput, buffer[:n])
		}
		if err != nil {
			if c.c.NoTerminal {
				c.send(payloadOutput, nil)
			}
			return
		}
	}
}

// sizeInterval is how often the terminal's size is looked at; AWS's plugin's.
const sizeInterval = 500 * time.Millisecond

// pollSize sends the terminal's size, and each other one that it has later.
func (c *Client) pollSize(ctx context.Context) {
	if c.c.Size == nil {
		return
	}
	select {
	case <-ctx.Done():
		return
	case <-c.begun:
	}
	tick := time.NewTicker(sizeInterval)
	defer tick.Stop()
	var last Size
	for {
		if size, known := c.c.Size(); known && size != last {
			c.send(payloadSize, mustJSON(size))
			last = size
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

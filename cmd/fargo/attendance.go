package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"golang.org/x/term"

	"fargo/aws/kms"
	"fargo/aws/ssm"
	"fargo/secret"
	"fargo/session"
)

// openedSession is a session that a client may connect to.
type openedSession struct {
	SessionID string         `json:"sessionId"`
	StreamURL string         `json:"streamUrl"`
	Token     secret.Exposed `json:"tokenValue"`
	target    string
}

// attendance is the client's end of a session at our own input and output.
type attendance struct {
	opened openedSession
	// api is asked only when the connection is lost, for an encrypted channel, and to end
	// a session without its connection.
	api func(context.Context) (*client, error)
	// by is what the connection is made with; nil is the default.
	by       *http.Client
	in       *os.File
	out, err io.Writer
	log      *slog.Logger
	// noTerminal asks for a command without one.
	noTerminal bool
}

// run attends to the session until it has ended.
func (a *attendance) run(ctx context.Context) (session.End, error) {
	conn, err := a.dial(ctx)
	if err != nil {
		return session.End{}, fmt.Errorf("connecting to the session: %w", err)
	}
	client := session.NewClient(session.ClientConfig{
		SessionID: a.opened.SessionID, TargetID: a.opened.target, NoTerminal: a.noTerminal,
		Input: a.in, Output: a.out, ErrorOutput: a.err, Size: a.size,
		Resume: a.resume, DataKey: a.dataKey, Message: a.message, Logger: a.log,
	})
	if !a.noTerminal && term.IsTerminal(int(a.in.Fd())) {
		before, err := term.MakeRaw(int(a.in.Fd()))
		if err != nil {
			return session.End{}, err
		}
		defer func() { _ = term.Restore(int(a.in.Fd()), before) }() // the terminal may be gone
	}
	defer a.forwardSignals(client)()
	end, err := client.Run(ctx, conn)
	if err != nil && !errors.Is(err, session.ErrGone) {
		err = errors.Join(err, a.terminate(ctx))
	}
	return end, err
}

// How often and when it is tried to connect first, as AWS's plugin does.
const (
	dialAttempts = 6
	dialDelay    = 100 * time.Millisecond
)

// dial opens the first connection.
func (a *attendance) dial(ctx context.Context) (conn session.Conn, err error) {
	for attempt := range dialAttempts {
		if conn, err = session.Dial(ctx, a.by, a.opened.StreamURL, a.opened.Token.Text); err == nil {
			return conn, nil
		}
		time.Sleep(dialDelay << attempt)
	}
	return nil, err
}

// resume opens the next connection, with a token that SSM gives.
func (a *attendance) resume(ctx context.Context) (session.Conn, error) {
	api, err := a.api(ctx)
	if err != nil {
		return nil, err
	}
	var out struct {
		TokenValue secret.Exposed
		StreamURL  string
	}
	if err := api.call(ctx, &ssm.API, "ResumeSession", map[string]string{"SessionId": a.opened.SessionID}, &out); err != nil {
		var refused *callError
		if errors.As(err, &refused) && refused.code == "DoesNotExistException" {
			return nil, session.ErrGone
		}
		return nil, err
	}
	if out.TokenValue.IsZero() {
		return nil, session.ErrGone
	}
	return session.Dial(ctx, a.by, out.StreamURL, out.TokenValue.Text)
}

// terminate ends a session that we cannot attend to.
func (a *attendance) terminate(ctx context.Context) error {
	api, err := a.api(ctx)
	if err != nil {
		return err
	}
	var out struct{}
	return api.call(ctx, &ssm.API, "TerminateSession", map[string]string{"SessionId": a.opened.SessionID}, &out)
}

// dataKeySize is the length of the key of an encrypted channel, in bytes.
const dataKeySize = 64

// dataKey has KMS make the key of an encrypted channel.
func (a *attendance) dataKey(ctx context.Context, keyID string, encryptionContext map[string]string) (session.DataKey, error) {
	api, err := a.api(ctx)
	if err != nil {
		return session.DataKey{}, err
	}
	var out struct{ Plaintext, CiphertextBlob []byte }
	in := map[string]any{"KeyId": keyID, "NumberOfBytes": dataKeySize, "EncryptionContext": encryptionContext}
	if err := api.call(ctx, &kms.API, "GenerateDataKey", in, &out); err != nil {
		return session.DataKey{}, fmt.Errorf("Error calling KMS GenerateDataKey API: %w", err) // AWS's plugin's
	}
	return session.DataKey{Plaintext: out.Plaintext, Ciphertext: out.CiphertextBlob}, nil
}

// unknownSize is the size of a terminal where we have none, AWS's plugin's.
var unknownSize = session.Size{Columns: 300, Rows: 100}

// size is the size of the terminal, if the command has one.
func (a *attendance) size() (size session.Size, has bool) {
	if f, ok := a.out.(*os.File); ok {
		if columns, rows, err := term.GetSize(int(f.Fd())); err == nil {
			return session.Size{Columns: uint16(columns), Rows: uint16(rows)}, !a.noTerminal
		}
	}
	return unknownSize, !a.noTerminal
}

// message shows what the agent says, on a terminal that is raw by then.
func (a *attendance) message(text string) {
	fmt.Fprint(a.err, strings.ReplaceAll(text, "\n", "\r\n")+"\r\n")
}

// typed are the signals that a terminal makes of characters, when it is not raw, or that
// somebody sends us.
var typed = map[os.Signal]byte{syscall.SIGINT: 0x03, syscall.SIGQUIT: 0x1c, syscall.SIGTSTP: 0x1a}

// forwardSignals gives the command the signals of a terminal as their characters. All
// else that would end us ends the session; a broken pipe does so as an error of writing.
// The result undoes it.
func (a *attendance) forwardSignals(client *session.Client) (undo func()) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGTSTP, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGPIPE)
	go func() {
		for s := range signals {
			b, ok := typed[s]
			switch {
			case s == syscall.SIGPIPE:
			case ok && !a.noTerminal:
				client.Type([]byte{b})
			default:
				client.Terminate()
			}
		}
	}()
	return func() { signal.Stop(signals); close(signals) }
}

package session

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/coder/websocket"

	"fargo/secret"
)

// Conn carries the messages of a session, each whole and in order, until it is lost.
// One goroutine may read while one other writes; Close may be called at any time, and
// ends both. A message that was read is the reader's.
type Conn interface {
	Read(ctx context.Context) ([]byte, error)
	Write(ctx context.Context, message []byte) error
	Close() error
}

// Opening is the first frame of a client's connection: who it is.
type Opening struct {
	MessageSchemaVersion string
	RequestID            string         `json:"RequestId"`
	Token                secret.Exposed `json:"TokenValue"`
	ClientID             string         `json:"ClientId"`
	ClientVersion        string
}

// openingTimeout is how long a client may take for its opening frame.
const openingTimeout = 10 * time.Second

// maxOpening is how long that frame may be, in bytes.
const maxOpening = 64 << 10

// Accept makes a WebSocket of a request and reads the opening frame. Whether the token is
// the session's is for the caller to check, once, in constant time (secret.Text.Equal).
// After an error the request is answered already. The connection outlives the handler's
// request.
func Accept(w http.ResponseWriter, r *http.Request) (Conn, Opening, error) {
	ws, err := websocket.Accept(w, r, &websocket.AcceptOptions{CompressionMode: websocket.CompressionDisabled})
	if err != nil {
		return nil, Opening{}, fmt.Errorf("making a WebSocket: %w", err)
	}
	opening, err := readOpening(r.Context(), ws)
	if err != nil {
		_ = ws.Close(websocket.StatusPolicyViolation, "the first frame is not an opening") // the client may be gone
		return nil, Opening{}, fmt.Errorf("reading the opening frame: %w", err)
	}
	return newWebSocket(ws), opening, nil
}

func readOpening(ctx context.Context, ws *websocket.Conn) (o Opening, err error) {
	ctx, cancel := context.WithTimeout(ctx, openingTimeout)
	defer cancel()
	ws.SetReadLimit(maxOpening)
	kind, frame, err := ws.Read(ctx)
	if err != nil {
		return o, err
	}
	if kind != websocket.MessageText {
		return o, errors.New("it is not text")
	}
	return o, json.Unmarshal(frame, &o)
}

// Dial connects to a session's stream URL and sends the opening frame. by may be nil, which
// means [http.DefaultClient].
func Dial(ctx context.Context, by *http.Client, url string, token secret.Text) (Conn, error) {
	ws, response, err := websocket.Dial(ctx, url, &websocket.DialOptions{HTTPClient: by, CompressionMode: websocket.CompressionDisabled})
	if response != nil && response.Body != nil {
		response.Body.Close()
	}
	if err != nil {
		return nil, err
	}
	opening := mustJSON(Opening{
		MessageSchemaVersion: "1.0",
		RequestID:            newMessageID().String(),
		Token:                secret.Exposed{Text: token},
		ClientID:             newMessageID().String(),
		ClientVersion:        clientVersion,
	})
	if err := ws.Write(ctx, websocket.MessageText, opening); err != nil {
		_ = ws.CloseNow() // it failed already
		return nil, fmt.Errorf("sending the opening frame: %w", err)
	}
	c := newWebSocket(ws)
	c.keepAlive()
	return c, nil
}

// webSocket is a Conn over WebSocket.
type webSocket struct {
	ws     *websocket.Conn
	buffer []byte // of the reader
	closed context.Context
	close  context.CancelFunc
}

func newWebSocket(ws *websocket.Conn) *webSocket {
	ws.SetReadLimit(maxMessage)
	c := &webSocket{ws: ws, buffer: make([]byte, maxMessage)}
	c.closed, c.close = context.WithCancel(context.Background())
	return c
}

// pingInterval is how often a client shows what is between it and the agent that the
// connection is used, as AWS's plugin does.
const pingInterval = 5 * time.Minute

// keepAlive pings until the connection is closed. A lost connection is noticed by TCP.
func (c *webSocket) keepAlive() {
	go func() {
		tick := time.NewTicker(pingInterval)
		defer tick.Stop()
		for {
			select {
			case <-c.closed.Done():
				return
			case <-tick.C:
				if c.ws.Ping(c.closed) != nil {
					return
				}
			}
		}
	}()
}

func (c *webSocket) Read(ctx context.Context) ([]byte, error) {
	_, r, err := c.ws.Reader(ctx)
	if err != nil {
		return nil, err
	}
	n, err := io.ReadFull(r, c.buffer)
	switch {
	case err == nil:
		return nil, errLong
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		return append([]byte(nil), c.buffer[:n]...), nil
	}
	return nil, err
}

func (c *webSocket) Write(ctx context.Context, message []byte) error {
	return c.ws.Write(ctx, websocket.MessageBinary, message)
}

func (c *webSocket) Close() error {
	c.close()
	return c.ws.Close(websocket.StatusNormalClosure, "")
}

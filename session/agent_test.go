package session

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestSessionEnds(t *testing.T) {
	const setUp = "We couldn't start the session"
	for name, test := range map[string]struct {
		start  func(context.Context, bool) (*Command, error)
		act    func(e *ends)
		reason string
	}{
		"by the agent":                    {act: func(e *ends) { time.Sleep(time.Second); e.agent.End("because") }, reason: "because"},
		"by the client":                   {act: func(e *ends) { time.Sleep(time.Second); e.client.Terminate() }},
		"for want of use":                 {reason: reasonIdle},
		"because it could not be started": {start: func(context.Context, bool) (*Command, error) { return nil, errors.New(setUp) }, reason: setUp},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := ends{act: test.act}
				var left int // what the program can still write when it is told to end
				runSession(t, &e, AgentConfig{Start: test.start}, ClientConfig{}, func(p *program) int {
					_, _ = io.Copy(io.Discard, p.input)
					left, _ = fmt.Fprint(p.output, "bye")
					return 0
				}, plain)
				want := End{Reason: test.reason}
				if e.clientErr != nil || e.clientEnd != want || e.agentEnd != want {
					t.Errorf("the client ends with %+v, %v, the agent with %+v", e.clientEnd, e.clientErr, e.agentEnd)
				}
				if test.start == nil && (left != 3 || e.output.String() != "bye") {
					t.Errorf("the last output is %q", &e.output)
				}
			})
		})
	}
}

// TestStopping ends a session with its agent, soon.
func TestStopping(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		a := NewAgent(AgentConfig{Logger: discard})
		stop()
		start := time.Now()
		if e := a.Run(ctx); e != (End{Reason: reasonStopping}) || time.Since(start) > stoppingTime+look {
			t.Errorf("it ends with %+v after %v", e, time.Since(start))
		}
	})
}

// TestGoneClient waits for a client that is gone: for long only when there is something
// to come back for.
func TestGoneClient(t *testing.T) {
	for name, test := range map[string]struct {
		end  func(a *Agent)
		wait time.Duration
	}{
		"the command has ended": {func(a *Agent) { a.Exit(0) }, lingering},
		"the session is ended":  {func(a *Agent) { a.End("because") }, stoppingTime},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := NewAgent(AgentConfig{Logger: discard})
				test.end(a)
				start := time.Now()
				a.Run(t.Context())
				if took := time.Since(start); took < test.wait || took > test.wait+look {
					t.Errorf("it waits %v", took)
				}
			})
		})
	}
}

// TestHandshakeTimesOut ends a session whose client says nothing.
func TestHandshakeTimesOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := NewAgent(AgentConfig{Logger: discard})
		agent, client := plain()
		var running sync.WaitGroup
		running.Go(func() {
			if e := a.Run(t.Context()); e != (End{Reason: reasonHandshake}) {
				t.Errorf("it ends with %+v", e)
			}
		})
		running.Go(func() { _ = a.Serve(t.Context(), agent) })
		time.Sleep(handshakeTimeout + lingering + time.Second)
		client.Close()
		running.Wait()
	})
}

func TestResize(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sizes := []Size{{Columns: 80, Rows: 24}, {Columns: 132, Rows: 50}}
		var e ends
		i := -1
		size := func() (Size, bool) { i++; return sizes[min(i/3, 1)], true }
		runSession(t, &e, AgentConfig{}, ClientConfig{Size: size}, func(p *program) int {
			for _, want := range sizes {
				if got := <-p.sized; got != want {
					return 1
				}
			}
			return 0
		}, plain)
		if want := (End{Exited: true}); e.clientEnd != want {
			t.Errorf("it ends with %+v, %v", e.clientEnd, e.clientErr)
		}
	})
}

func TestTranscript(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var transcript bytes.Buffer
		var e ends
		runSession(t, &e, AgentConfig{Transcript: &transcript}, ClientConfig{NoTerminal: true, Input: bytes.NewReader(make([]byte, 1<<20))}, echoAll, plain)
		if !bytes.Equal(transcript.Bytes(), e.output.Bytes()) || transcript.Len() != 1<<20 {
			t.Errorf("the transcript has %d bytes, the output %d", transcript.Len(), e.output.Len())
		}
	})
}

// keys is a KMS of a test.
type keys struct {
	mu      sync.Mutex
	made    map[string][]byte // by ciphertext
	context map[string]string
}

func (k *keys) generate(_ context.Context, _ string, c map[string]string) (DataKey, error) {
	d := DataKey{Plaintext: make([]byte, dataKeySize), Ciphertext: []byte("sealed")}
	_, _ = rand.Read(d.Plaintext)
	k.mu.Lock()
	defer k.mu.Unlock()
	k.made, k.context = map[string][]byte{"sealed": d.Plaintext}, c
	return d, nil
}

func (k *keys) decrypt(_ context.Context, ciphertext []byte, c map[string]string) ([]byte, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if fmt.Sprint(c) != fmt.Sprint(k.context) || len(c) != 2 {
		return nil, fmt.Errorf("the context is %v, not %v", c, k.context)
	}
	return k.made[string(ciphertext)], nil
}

func TestEncryption(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var k keys
		var e ends
		var on bytes.Buffer // what goes over the connection
		var mu sync.Mutex
		connect := func() (a, b *pipe) {
			return newPipe(16, func(m []byte) [][]byte {
				mu.Lock()
				defer mu.Unlock()
				on.Write(m)
				return [][]byte{m}
			})
		}
		const said = "a secret that is only said here\r"
		runSession(t, &e,
			AgentConfig{Encryption: &Encryption{KeyID: "key", Decrypt: k.decrypt}, TargetID: "ecs:c_t_r"},
			ClientConfig{DataKey: k.generate, TargetID: "ecs:c_t_r", Input: io.MultiReader(bytes.NewReader([]byte(said)), &blocked{t.Context()})},
			echoLine, connect)
		if want := (End{Exited: true}); e.clientErr != nil || e.clientEnd != want || e.output.String() != said {
			t.Errorf("it ends with %+v, %v; output %q", e.clientEnd, e.clientErr, &e.output)
		}
		if bytes.Contains(on.Bytes(), []byte(said)) || bytes.Contains(on.Bytes(), []byte(exitCodePrefix)) {
			t.Error("the connection has it in plain text")
		}
	})
}

// TestEncryptionIsDemanded starts nothing when the client has not got the right key.
func TestEncryptionIsDemanded(t *testing.T) {
	for name, test := range map[string]struct {
		generate func(context.Context, string, map[string]string) (DataKey, error)
		reason   string
	}{
		"no right": {func(context.Context, string, map[string]string) (DataKey, error) {
			return DataKey{}, errors.New("denied")
		}, "KMSEncryption failed on client with status 2 error: Failed to process action KMSEncryption: denied"},
		"another key": {func(context.Context, string, map[string]string) (DataKey, error) {
			return DataKey{Plaintext: make([]byte, dataKeySize), Ciphertext: []byte("x")}, nil
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var e ends
				decrypt := func(context.Context, []byte, map[string]string) ([]byte, error) {
					return bytes.Repeat([]byte{1}, dataKeySize), nil
				}
				start := func(context.Context, bool) (*Command, error) {
					t.Error("the command was started")
					return nil, errLost
				}
				runSession(t, &e, AgentConfig{Start: start, Encryption: &Encryption{KeyID: "key", Decrypt: decrypt}}, ClientConfig{DataKey: test.generate}, nil, plain)
				if e.agentEnd.Exited || test.reason != "" && e.agentEnd.Reason != test.reason {
					t.Errorf("it ends with %+v, the client with %v", e.agentEnd, e.clientErr)
				}
			})
		})
	}
}

// TestPause sends no stream data while the other end wants none.
func TestPause(t *testing.T) {
	e := newEndpoint(outputStreamData, inputStreamData, discard)
	a := &attachment{cancel: func() {}}
	e.attach(a)
	now := time.Now()
	e.take(a, message{kind: pausePublication}, now)
	e.send(payloadOutput, []byte("x"))
	if frame, _, _, err := e.toSend(a, now); frame != nil || err != nil {
		t.Errorf("%d bytes are sent, %v", len(frame), err)
	}
	e.take(a, message{kind: startPublication}, now)
	if frame, _, _, err := e.toSend(a, now); frame == nil || err != nil {
		t.Errorf("nothing is sent, %v", err)
	}
}

// TestReplaced uses the newer of two connections.
func TestReplaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := NewAgent(AgentConfig{Logger: discard})
		ctx, stop := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { a.Run(ctx) })
		first, _ := plain()
		second, client := plain()
		replaced := make(chan error)
		go func() { replaced <- a.Serve(t.Context(), first) }()
		synctest.Wait()
		running.Go(func() { _ = a.Serve(t.Context(), second) })
		if err := <-replaced; !errors.Is(err, errReplaced) {
			t.Errorf("the first ends with %v", err)
		}
		frame, err := client.Read(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if m, err := parseMessage(frame); err != nil || m.payload != payloadHandshakeRequest {
			t.Errorf("%+v, %v comes first", m, err)
		}
		stop()
		time.Sleep(2 * stoppingTime)
		client.Close()
		running.Wait()
	})
}

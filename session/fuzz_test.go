package session

import (
	"bytes"
	"context"
	"encoding/json"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// The steps of a script, in which a fuzzer says what the other end of a session does. Each
// is five bytes and a content: what it is, the sequence number less the one that is due,
// the payload's type, whether it is encrypted, and the content's length.
const (
	stepReceived  = iota // stream data of the right direction
	stepSent             // stream data of the wrong one
	stepAck              // the acknowledgement of the sequence number
	stepClosed           // channel_closed
	stepPause            // pause_publication
	stepStart            // start_publication
	stepFrame            // the content is the whole frame
	stepChallenge        // the right answer to the last challenge
	stepLost             // the connection is lost, and there is another
	stepWait             // nothing, for as many seconds as the content is long
	steps

	stepHeader = 5
)

// fuzzSession is a session in which one end is real and the other a script.
type fuzzSession struct {
	receives, sends messageType // of the real end
	cipher          *channelCipher
	due             int64 // the sequence number of the script's next message
	connect         func() *pipe
	conn            *pipe

	mu        sync.Mutex
	sequences map[string]int64 // of the messages of the script, by their ids
	challenge []byte           // of the last challenge
}

// run does what a script says.
func (s *fuzzSession) run(t *testing.T, script []byte) {
	s.sequences = map[string]int64{}
	s.conn = s.connect()
	var draining sync.WaitGroup
	draining.Go(func() { s.drain(t, s.conn) })
	for len(script) >= stepHeader {
		head := script[:stepHeader]
		n := min(int(head[4]), len(script)-stepHeader)
		content := script[stepHeader : stepHeader+n]
		script = script[stepHeader+n:]
		switch head[0] % steps {
		case stepLost:
			s.conn.Close()
			synctest.Wait()
			if s.conn = s.connect(); s.conn == nil {
				draining.Wait()
				return
			}
			conn := s.conn
			draining.Go(func() { s.drain(t, conn) })
		case stepWait:
			time.Sleep(time.Duration(n) * time.Second)
		default:
			_ = s.conn.Write(t.Context(), s.frame(head, content)) // it may be closed by now
		}
		synctest.Wait()
	}
	s.conn.Close()
	draining.Wait()
}

// frame is what a step writes.
func (s *fuzzSession) frame(head, content []byte) []byte {
	m := message{created: time.Now(), id: newMessageID(), sequence: max(s.due+int64(int8(head[1])), 0), payload: payloadType(head[2]), content: content}
	switch head[0] % steps {
	case stepReceived:
		m.kind = s.receives
	case stepSent:
		m.kind = s.sends
	case stepAck:
		m.kind, m.content = acknowledge, mustJSON(acknowledgement{Type: s.sends, Sequence: int64(head[1]), Sequential: true})
	case stepClosed:
		m.kind = channelClosed
	case stepPause:
		m.kind = pausePublication
	case stepStart:
		m.kind = startPublication
	case stepFrame:
		return content
	case stepChallenge:
		m.kind, m.payload, m.content = s.receives, payloadChallengeResponse, s.answered()
	}
	if head[3]&1 == 1 {
		m.content = s.cipher.seal(m.content)
	}
	if m.kind == s.receives {
		if m.sequence == s.due {
			s.due++
		}
		s.mu.Lock()
		s.sequences[m.id.String()] = m.sequence
		s.mu.Unlock()
	}
	return m.encode()
}

// answered is the answer to the last challenge.
func (s *fuzzSession) answered() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	var asked challenge
	if json.Unmarshal(s.challenge, &asked) != nil {
		return nil
	}
	plain, err := s.cipher.open(asked.Challenge)
	if err != nil {
		return nil
	}
	return mustJSON(challenge{Challenge: s.cipher.seal(plain)})
}

// drain reads what the real end writes, and looks at it.
func (s *fuzzSession) drain(t *testing.T, conn *pipe) {
	for {
		frame, err := conn.Read(context.Background())
		if err != nil {
			return
		}
		m, err := parseMessage(frame)
		if err != nil {
			t.Errorf("%x: %v", frame, err)
			return
		}
		s.mu.Lock()
		switch m.kind {
		case s.sends:
			if m.payload == payloadChallengeRequest {
				s.challenge = bytes.Clone(m.content)
			}
		case acknowledge:
			var ack acknowledgement
			if err := json.Unmarshal(m.content, &ack); err != nil {
				t.Errorf("%q: %v", m.content, err)
			}
			if sent, known := s.sequences[ack.ID]; ack.Type == s.receives && known && sent != ack.Sequence {
				t.Errorf("%d is acknowledged as %d", sent, ack.Sequence)
			}
		case channelClosed:
		default:
			t.Errorf("a message of the type %q", m.kind)
		}
		s.mu.Unlock()
	}
}

// step writes a step of a script.
func step(kind byte, payload payloadType, encrypted bool, content []byte) []byte {
	b := []byte{kind, 0, byte(payload), 0, byte(len(content))}
	if encrypted {
		b[3] = 1
	}
	return append(b, content...)
}

func scripts(steps ...[]byte) []byte { return bytes.Join(steps, nil) }

// maxScript bounds a script, in bytes: what comes later is like what came before.
const maxScript = 4 << 10

// handshakes are the answers of clients, of the kinds that there are.
var handshakes = map[string][]byte{
	"plugin": mustJSON(handshakeResponse{Actions: []processedAction{{Type: actionSessionType, Status: actionSucceeded}}}),
	"ours":   mustJSON(handshakeResponse{Actions: []processedAction{{Type: actionExitCode, Status: 1}, {Type: actionNoTerminal, Status: 1}}}),
	"key": mustJSON(handshakeResponse{Actions: []processedAction{{
		Type: actionKMSEncryption, Status: actionSucceeded, Result: mustJSON(encryptionResult{Ciphertext: []byte("key")}),
	}}}),
	"refused": mustJSON(handshakeResponse{Actions: []processedAction{{Type: actionSessionType, Status: actionFailed, Error: "no"}}}),
}

// FuzzAgent has a client do anything. However that ends, the session ends: the command is
// let go of once, and its terminal or its pipes are closed.
func FuzzAgent(f *testing.F) {
	typed, flag := []byte("abc\r"), []byte{0, 0, 0, byte(flagTerminateSession)}
	for _, client := range []string{"plugin", "ours", "refused"} {
		f.Add(false, scripts(step(stepReceived, payloadHandshakeResponse, false, handshakes[client]),
			step(stepReceived, payloadSize, false, mustJSON(Size{Columns: 80, Rows: 24})), step(stepReceived, payloadOutput, false, typed),
			step(stepLost, 0, false, nil), step(stepReceived, payloadOutput, false, nil), step(stepReceived, payloadFlag, false, flag)))
	}
	f.Add(true, scripts(step(stepReceived, payloadHandshakeResponse, false, handshakes["key"]), step(stepChallenge, 0, false, nil),
		step(stepReceived, payloadOutput, true, typed), step(stepPause, 0, false, nil), step(stepWait, 0, false, make([]byte, 30)),
		step(stepStart, 0, false, nil), step(stepClosed, 0, false, mustJSON(closing{Output: "bye"}))))
	f.Fuzz(func(t *testing.T, encrypted bool, script []byte) {
		if len(script) > maxScript {
			t.Skip()
		}
		synctest.Test(t, func(t *testing.T) { fuzzAgent(t, encrypted, script) })
	})
}

func fuzzAgent(t *testing.T, encrypted bool, script []byte) {
	var agent *Agent
	var started, closed atomic.Int32
	config := AgentConfig{SessionID: "s", Logger: discard, IdleTimeout: time.Minute}
	start := running(echoAll, &agent)
	config.Start = func(ctx context.Context, terminal bool) (*Command, error) {
		started.Add(1)
		command, err := start(ctx, terminal)
		release := command.Close
		command.Close = func() error { closed.Add(1); return release() }
		return command, err
	}
	if encrypted {
		config.Encryption = &Encryption{KeyID: "key", Decrypt: func(context.Context, []byte, map[string]string) ([]byte, error) {
			return make([]byte, dataKeySize), nil
		}}
	}
	agent = NewAgent(config)
	var all sync.WaitGroup
	all.Go(func() { agent.Run(t.Context()) })
	s := &fuzzSession{receives: inputStreamData, sends: outputStreamData, cipher: fuzzCipher(clientCipher), connect: func() *pipe {
		a, b := plain()
		all.Go(func() { _ = agent.Serve(t.Context(), a) })
		return b
	}}
	s.run(t, script)
	all.Wait()
	if n := started.Load(); n > 1 || closed.Load() != n {
		t.Errorf("the command was started %d times, and let go of %d times", n, closed.Load())
	}
}

// FuzzClient has an agent do anything. However that ends, the client ends.
func FuzzClient(f *testing.F) {
	var h handshake
	request, encrypted := h.request(nil), h.request(&Encryption{KeyID: "key"})
	asked := mustJSON(challenge{Challenge: make([]byte, challengeSize)})
	f.Add(scripts(step(stepReceived, payloadHandshakeRequest, false, request), step(stepAck, 0, false, nil),
		step(stepReceived, payloadHandshakeComplete, false, h.complete("welcome")), step(stepReceived, payloadOutput, false, []byte("out")),
		step(stepReceived, payloadStandardError, false, []byte("err")), step(stepReceived, payloadExitCode, false, exitCodePayload(3)),
		step(stepClosed, 0, false, mustJSON(closing{Output: "bye"}))))
	f.Add(scripts(step(stepReceived, payloadHandshakeRequest, false, encrypted), step(stepReceived, payloadChallengeRequest, false, asked),
		step(stepLost, 0, false, nil), step(stepReceived, payloadHandshakeComplete, false, h.complete("")),
		step(stepReceived, payloadOutput, true, []byte("out")), step(stepReceived, payloadExitCode, true, exitCodePayload(0))))
	f.Add(scripts(step(stepReceived, payloadOutput, false, []byte("no handshake")), step(stepPause, 0, false, nil), step(stepWait, 0, false, []byte("ab"))))
	f.Fuzz(func(t *testing.T, script []byte) {
		if len(script) > maxScript {
			t.Skip()
		}
		synctest.Test(t, func(t *testing.T) { fuzzClient(t, script) })
	})
}

func fuzzClient(t *testing.T, script []byte) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	connections := make(chan *pipe, 1)
	client := NewClient(ClientConfig{
		SessionID: "s", TargetID: "t", Logger: discard, Input: &blocked{ctx}, Output: &bytes.Buffer{}, ErrorOutput: &bytes.Buffer{},
		Size: func() (Size, bool) { return Size{Columns: 80, Rows: 24}, true },
		Resume: func(context.Context) (Conn, error) {
			if next, open := <-connections; open {
				return next, nil
			}
			return nil, ErrGone
		},
		DataKey: func(context.Context, string, map[string]string) (DataKey, error) {
			return DataKey{Plaintext: make([]byte, dataKeySize), Ciphertext: []byte("key")}, nil
		},
	})
	ended := make(chan struct{})
	var begin sync.Once
	s := &fuzzSession{receives: outputStreamData, sends: inputStreamData, cipher: fuzzCipher(agentCipher), connect: func() *pipe {
		a, b := plain()
		first := false
		begin.Do(func() {
			first = true
			go func() {
				defer close(ended)
				_, _ = client.Run(ctx, b) // any end is one
			}()
		})
		if first {
			return a
		}
		select {
		case <-ended:
			return nil
		case connections <- b:
			return a
		}
	}}
	s.run(t, script)
	close(connections)
	<-ended
}

func fuzzCipher(of func([]byte) (*channelCipher, error)) *channelCipher {
	c, err := of(make([]byte, dataKeySize))
	if err != nil {
		panic(err)
	}
	return c
}

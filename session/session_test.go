package session

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// plain makes connections that lose nothing.
func plain() (a, b *pipe) { return newPipe(16, nil) }

func TestCommandEnds(t *testing.T) {
	for name, test := range map[string]struct {
		noTerminal bool
		run        func(p *program) int
		input      string
		output     string
		errors     string
		code       int
	}{
		"with output":    {run: func(p *program) int { fmt.Fprint(p.output, "hello\r\n"); return 0 }, output: "hello\r\n"},
		"with a code":    {run: func(*program) int { return 42 }, code: 42},
		"with an answer": {run: echoLine, input: "abc\r", output: "abc\r"},
		"with its input": {noTerminal: true, run: echoAll, input: strings.Repeat("abc\n", 100_000), output: strings.Repeat("abc\n", 100_000)},
		"with errors": {noTerminal: true, run: func(p *program) int {
			fmt.Fprint(p.output, "out")
			fmt.Fprint(p.errors, "err")
			return 1
		}, output: "out", errors: "err", code: 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var e ends
				input := io.MultiReader(strings.NewReader(test.input), &blocked{t.Context()})
				if test.noTerminal {
					input = strings.NewReader(test.input)
				}
				runSession(t, &e, AgentConfig{}, ClientConfig{NoTerminal: test.noTerminal, Input: input}, test.run, plain)
				want := End{ExitCode: test.code, Exited: true}
				if e.clientErr != nil || e.clientEnd != want || e.agentEnd != want {
					t.Errorf("the client ends with %+v, %v, the agent with %+v", e.clientEnd, e.clientErr, e.agentEnd)
				}
				if e.output.String() != test.output || e.errors.String() != test.errors {
					t.Errorf("output %d %.80q, errors %q", e.output.Len(), &e.output, &e.errors)
				}
			})
		})
	}
}

func echoLine(p *program) int {
	var line []byte
	for b := make([]byte, 1); !bytes.HasSuffix(line, []byte("\r")); line = append(line, b...) {
		if _, err := p.input.Read(b); err != nil {
			return 1
		}
	}
	_, _ = p.output.Write(line)
	return 0
}

func echoAll(p *program) int {
	if _, err := io.Copy(p.output, p.input); err != nil {
		return 1
	}
	return 0
}

// TestUnreliableConnections sends ten mebibytes both ways over connections that lose,
// repeat, reorder and damage messages, and are themselves lost.
func TestUnreliableConnections(t *testing.T) {
	for seed, size := range []int{10 << 20, 1 << 20, 1 << 20, 1 << 20} {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				data := make([]byte, size)
				_, _ = rand.NewChaCha8([32]byte{byte(seed)}).Read(data)
				var e ends
				line := &unreliable{random: rand.New(rand.NewPCG(uint64(seed), 1)), lost: 0.02}
				runSession(t, &e, AgentConfig{}, ClientConfig{NoTerminal: true, Input: bytes.NewReader(data)}, echoAll, line.connect)
				if want := (End{Exited: true}); e.clientErr != nil || e.clientEnd != want {
					t.Errorf("the client ends with %+v, %v", e.clientEnd, e.clientErr)
				}
				if sha256.Sum256(e.output.Bytes()) != sha256.Sum256(data) {
					t.Errorf("%d of %d bytes are not those sent", e.output.Len(), size)
				}
				if line.connections < 2 {
					t.Errorf("%d connections", line.connections)
				}
			})
		})
	}
}

// unreliable makes connections that lose messages with a probability, and as often
// repeat, delay or damage them, and each carries some thousand.
type unreliable struct {
	mu          sync.Mutex
	random      *rand.Rand
	lost        float64
	connections int
}

func (u *unreliable) connect() (a, b *pipe) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.connections++
	left := 20 + u.random.IntN(200)
	var held []byte
	a, b = newPipe(16, func(m []byte) (out [][]byte) {
		u.mu.Lock()
		defer u.mu.Unlock()
		if left--; left == 0 {
			_ = a.Close()
		}
		switch chance := u.random.Float64(); {
		case chance < u.lost:
			return nil
		case chance < 2*u.lost:
			return [][]byte{m, m}
		case chance < 3*u.lost && held == nil:
			held = bytes.Clone(m)
			return nil
		case chance < 4*u.lost:
			damaged := bytes.Clone(m) // where the digest is, and what it is of
			if i := offsetPayload - sha256.Size + u.random.IntN(len(m)-offsetPayload+sha256.Size); i >= offsetPayload || i < offsetPayloadType {
				damaged[i] ^= 1 << u.random.IntN(8)
			}
			return [][]byte{damaged}
		case held != nil && chance > 0.8:
			out, held = [][]byte{m, held}, nil
			return out
		}
		return [][]byte{m}
	})
	return a, b
}

// TestSlowReader holds back a command whose client does not read: what is on its way and
// kept is bounded.
func TestSlowReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var written atomic.Int64
		reader := &gate{open: make(chan struct{})}
		var e ends
		done := make(chan struct{})
		go func() {
			defer close(done)
			runSession(t, &e, AgentConfig{}, ClientConfig{Output: reader}, func(p *program) int {
				for range 64 {
					n, _ := p.output.Write(make([]byte, 1<<20))
					written.Add(int64(n))
				}
				return 0
			}, plain)
		}()
		time.Sleep(10 * time.Minute)
		if n := written.Load(); n > 2<<20 {
			t.Errorf("%d bytes were written that nobody has read", n)
		}
		close(reader.open)
		<-done
		if e.clientErr != nil || reader.n != 64<<20 {
			t.Errorf("%d bytes have come, %v", reader.n, e.clientErr)
		}
	})
}

// gate is a writer that takes nothing before it is open.
type gate struct {
	open chan struct{}
	n    int
}

func (g *gate) Write(b []byte) (int, error) {
	<-g.open
	g.n += len(b)
	return len(b), nil
}

// TestLostClient ends a client that gets no other connection, after a while, and at once
// when the session has ended.
func TestLostClient(t *testing.T) {
	for name, test := range map[string]struct {
		err   error
		after time.Duration
	}{"nothing answers": {errLost, resumeTime}, "it has ended": {ErrGone, 0}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, conn := plain()
				conn.Close()
				start := time.Now()
				c := NewClient(ClientConfig{Logger: discard, Input: &blocked{t.Context()}, Resume: func(context.Context) (Conn, error) { return nil, test.err }})
				_, err := c.Run(t.Context(), conn)
				if took := time.Since(start); !errors.Is(err, test.err) || took < test.after || took > test.after+maxResumeDelay {
					t.Errorf("it ends with %v after %v", err, took)
				}
			})
		})
	}
}

// TestVanishedClient ends a session whose client does not come back.
func TestVanishedClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var terminated atomic.Bool
		a := NewAgent(AgentConfig{Logger: discard, Start: func(_ context.Context, _ bool) (*Command, error) {
			r, w := io.Pipe()
			return &Command{Input: w, Output: r, Terminate: func() { terminated.Store(true) }, Close: r.Close}, nil
		}})
		ended := make(chan End)
		go func() { ended <- a.Run(t.Context()) }()
		agent, client := plain()
		served := make(chan error)
		go func() { served <- a.Serve(t.Context(), agent) }()
		c := NewClient(ClientConfig{Logger: discard, Input: &blocked{t.Context()}, Output: io.Discard})
		gone := make(chan error)
		go func() { _, err := c.Run(t.Context(), client); gone <- err }()
		time.Sleep(time.Second)
		client.Close()
		if err := <-served; !errors.Is(err, errLost) {
			t.Errorf("the connection ends with %v", err)
		}
		if err := <-gone; !errors.Is(err, errLost) {
			t.Errorf("the client ends with %v", err)
		}
		start := time.Now()
		if e := <-ended; e != (End{Reason: reasonIdle}) || !terminated.Load() {
			t.Errorf("the session ends with %+v; its command was terminated: %t", e, terminated.Load())
		}
		if d := time.Since(start); d < idleTimeout-time.Minute || d > idleTimeout+time.Minute {
			t.Errorf("it has ended after %v", d)
		}
	})
}

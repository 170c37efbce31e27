package main

import (
	"bufio"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// pipes is a listener of connections that exist in this process only, so that
// their deadlines are those of simulated time.
type pipes chan net.Conn

func (p pipes) Accept() (net.Conn, error) {
	c, open := <-p
	if !open {
		return nil, net.ErrClosed
	}
	return c, nil
}
func (p pipes) Close() error { return nil }
func (p pipes) Addr() net.Addr {
	return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)}
}

// lasting is a request head, of a request that brings 10 bytes.
const lasting = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n"

var slowClients = []struct {
	name    string
	send    []string // a piece every 20 s
	handler http.HandlerFunc
	answer  string
	within  time.Duration // until the connection ends or the answer comes
}{
	{name: "no head", within: headTimeout},
	{name: "half a head", send: []string{"GET / HTTP/1.1\r\nHost:"}, within: headTimeout},
	{name: "no body", send: []string{lasting}, handler: drainBody, answer: "400", within: bodyStall},
	{name: "no body, which nobody wants", send: []string{lasting}, handler: refuse, answer: "401", within: bodyStall},
	{name: "a body that stalls", send: []string{lasting, "12345"}, handler: drainBody, answer: "400", within: 20*time.Second + bodyStall},
	{name: "a slow body", send: []string{lasting, "12345", "6789", "0"}, handler: drainBody, answer: "200", within: time.Minute},
	{name: "a slow answer", send: []string{lasting + "1234567890"}, handler: answerLate, answer: "200", within: time.Hour},
	{name: "a head that is too long", send: []string{"GET / HTTP/1.1\r\nX: " + strings.Repeat("x", 2*maxRequestHead) + "\r\n\r\n"}, answer: "431", within: 0},
}

func drainBody(w http.ResponseWriter, r *http.Request) {
	if _, err := io.ReadAll(r.Body); err != nil {
		w.WriteHeader(http.StatusBadRequest)
	}
}

func refuse(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) }

func answerLate(w http.ResponseWriter, r *http.Request) {
	drainBody(w, r)
	select {
	case <-r.Context().Done():
		w.WriteHeader(http.StatusBadGateway)
	case <-time.After(time.Hour):
	}
}

func TestSlowClientsAreDisconnected(t *testing.T) {
	for _, c := range slowClients {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				listener := make(pipes)
				server := newHTTPServer(c.handler, slog.New(slog.DiscardHandler))
				ended := make(chan error)
				go func() { ended <- server.Serve(listener) }()
				client, far := net.Pipe()
				listener <- far
				began := time.Now()
				go func() {
					for i, piece := range c.send {
						if i > 0 {
							time.Sleep(20 * time.Second)
						}
						if _, err := io.WriteString(client, piece); err != nil {
							return // the server has had enough
						}
					}
				}()
				answer, err := bufio.NewReader(client).ReadString('\n')
				if err != nil && !errors.Is(err, io.EOF) {
					t.Fatal(err)
				}
				if took := time.Since(began); took != c.within {
					t.Errorf("it took %v, not %v", took, c.within)
				}
				if !strings.Contains(answer, c.answer) {
					t.Errorf("answer %q, not %q", answer, c.answer)
				}
				client.Close()
				close(listener)
				server.Shutdown(context.Background())
				<-ended
			})
		})
	}
}

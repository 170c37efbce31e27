package balancer

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"fargo/balancer/http1"
)

// maxStreams is how many requests a client may have open on one connection.
// Source: ALB user guide, "Listener configuration".
const maxStreams = 128

// serveTLS encrypts a client's connection and serves the protocol agreed on.
func (s *Server) serveTLS(k *socket, conn net.Conn, l *listener) {
	encrypted := tls.Server(quicken(conn), l.tls)
	if !s.handshake(k, encrypted, l) {
		return
	}
	if encrypted.ConnectionState().NegotiatedProtocol == "h2" {
		k.http2.give(encrypted)
		return
	}
	s.serveHTTP1(k, encrypted, l)
}

// handshake shakes hands with a client. After false, conn is closed.
func (s *Server) handshake(k *socket, conn *tls.Conn, l *listener) bool {
	if !k.conns.add(conn) {
		conn.Close()
		return false
	}
	defer k.conns.remove(conn)
	ctx, cancel := context.WithTimeout(s.ctx, handshakeTimeout)
	defer cancel()
	if err := conn.HandshakeContext(ctx); err != nil {
		l.balancer.metrics.tlsErrors.Add(1)
		conn.Close()
		return false
	}
	return true
}

// serveHTTP2 serves the connections handed over to k until it is closed, and
// the requests on them until they are done.
func (s *Server) serveHTTP2(k *socket) {
	protocols := new(http.Protocols)
	protocols.SetHTTP2(true)
	idle := time.Minute
	if l := k.listener.Load(); l != nil {
		idle = l.idle
	}
	server := &http.Server{
		Handler:        http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.serveStream(k, w, r) }),
		Protocols:      protocols,
		HTTP2:          &http.HTTP2Config{MaxConcurrentStreams: maxStreams},
		IdleTimeout:    idle,
		MaxHeaderBytes: http1.MaxHead,
		ErrorLog:       slog.NewLogLogger(s.logger.Handler(), slog.LevelDebug),
		ConnState: func(c net.Conn, state http.ConnState) {
			l := k.listener.Load()
			switch {
			case l == nil:
			case state == http.StateNew:
				k.conns.add(c)
				l.balancer.metrics.active.Add(1)
			case state == http.StateClosed:
				k.conns.remove(c)
				l.balancer.metrics.active.Add(-1)
			}
		},
	}
	if err := server.Serve(k.http2); !errors.Is(err, net.ErrClosed) {
		s.logger.Error("HTTP/2 ended", "socket", k.socketKey, "error", err)
	}
	// the sooner of: all requests done, all cut
	if err := server.Shutdown(s.ctx); err != nil {
		server.Close()
	}
	k.streams.Lock() // for good: none comes, and those under way have ended
}

// stream is one request of HTTP/2 from a client.
type stream struct {
	exchange
	server   *Server
	socket   *socket
	listener *listener
	from     origin
	w        http.ResponseWriter
	r        *http.Request
	// bodyReceived is counted by the target's transport, which may go on reading
	// for a while after its answer.
	bodyReceived atomic.Int64
}

func (s *Server) serveStream(k *socket, w http.ResponseWriter, r *http.Request) {
	l := k.listener.Load()
	if l == nil || !l.isHTTP() || !k.streams.TryRLock() {
		panic(http.ErrAbortHandler)
	}
	defer k.streams.RUnlock()
	x := &stream{server: s, socket: k, listener: l, w: w, r: r}
	defer func() {
		x.received = x.bodyReceived.Load()
		l.finish(&x.exchange)
	}()
	x.read()
	if status := l.admit(&x.exchange); status != 0 {
		x.page(status)
		return
	}
	x.act()
}

// read makes of the request what rules look at.
func (x *stream) read() {
	x.began = time.Now()
	r := x.r
	x.Method, x.Authority, x.Host = r.Method, r.Host, hostOf(r.Host)
	x.Path, x.Query, _ = strings.Cut(r.RequestURI, "?")
	x.protocol, x.uri = "HTTP/2.0", r.RequestURI
	for _, name := range sortedNames(r.Header) {
		for _, v := range r.Header[name] {
			x.Fields = append(x.Fields, http1.Field{Name: name, Value: v, Kind: http1.KindOf(name)})
		}
	}
	x.grpc = isGRPC(x.Fields)
	x.Client, _ = netip.ParseAddrPort(r.RemoteAddr)
	x.Client = netip.AddrPortFrom(x.Client.Addr().Unmap(), x.Client.Port())
	x.from = originOf(x.Client, r.TLS)
	x.noteTLS(&x.from)
}

func sortedNames(h http.Header) []string {
	names := make([]string, 0, len(h))
	for name := range h {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// act does what the rule says.
func (x *stream) act() {
	x.rule = x.listener.route(&x.exchange)
	if x.rule == nil {
		x.page(http.StatusServiceUnavailable)
		return
	}
	switch a := &x.rule.action; {
	case a.forward != nil:
		x.forward(a.forward)
	case a.redirect != nil:
		x.location = a.redirect.location(&x.request, x.listener.port)
		x.page(a.redirect.status)
	case a.fixed != nil:
		x.reply(a.fixed.status, a.fixed.contentType, a.fixed.body)
	default:
		x.reason = a.refused + " is not supported"
		x.page(http.StatusInternalServerError)
	}
}

func (x *stream) page(status int) { x.reply(status, "text/html", page(status)) }

// reply writes an answer of the balancer's own.
func (x *stream) reply(status int, contentType, body string) {
	x.status = status
	h := x.w.Header()
	if x.listener.serverField {
		h.Set("Server", serverName)
	}
	h.Set("Content-Type", contentType)
	if x.location != "" {
		h.Set("Location", x.location)
	}
	for _, f := range x.listener.answerFields {
		h.Set(f.Name, f.Value)
	}
	x.w.WriteHeader(status)
	if x.Method != http.MethodHead {
		n, _ := io.WriteString(x.w, body)
		x.written = int64(n)
	}
}

// compatible reports whether a group's targets understand the request.
// Source: ALB user guide, "HTTP 464".
func (x *stream) compatible(version string) bool {
	switch version {
	case versionGRPC:
		return x.Method == http.MethodPost
	case versionHTTP2:
		return true
	}
	return !x.grpc
}

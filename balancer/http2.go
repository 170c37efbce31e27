package balancer

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"fargo/balancer/http1"
)

// maxStreams is how many requests a client may have open on one connection.
// Source: ALB user guide, "Listener configuration".
const maxStreams = 128

// serveTLS encrypts a client's connection and serves the protocol agreed on.
func (s *Server) serveTLS(k *socket, conn net.Conn, l *listener) {
	began := time.Now()
	encrypted := tls.Server(conn, l.tls)
	shaken := s.handshake(k, encrypted, l)
	if l.connections != nil {
		l.logConnection(encrypted, shaken, began)
	}
	if !shaken {
		return
	}
	state := encrypted.ConnectionState()
	switch {
	case state.NegotiatedProtocol != "h2":
		s.serveHTTP1(k, encrypted, l)
	case !fitForHTTP2(&state):
		encrypted.Close()
	default:
		gathered := gather(encrypted, l.idle, &s.tasks)
		c := &streamConn{floodConn: newFloodConn(gathered, len(http2Preface)), from: originOf(addrPortOf(conn.RemoteAddr()), &state)}
		c.from.connection = nameOf(conn)
		k.http2.give(c)
	}
}

// streamConn is a client's connection of HTTP/2. To net/http, which serves it, it
// is one without TLS: in net/http's own there would be nothing to gather.
type streamConn struct {
	*floodConn
	from origin
}

// http2Preface is what a client says first. Source: RFC 9113 section 3.4.
const http2Preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

// fitForHTTP2 reports whether what was agreed on is enough for HTTP/2.
// Source: RFC 9113 section 9.2.
func fitForHTTP2(state *tls.ConnectionState) bool {
	switch state.CipherSuite {
	case tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
		tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256:
		return true // which TLS 1.2 has first
	}
	return state.Version >= tls.VersionTLS13
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
	protocols.SetUnencryptedHTTP2(true)
	idle := time.Minute
	if l := k.listener.Load(); l != nil {
		idle = l.idle
	}
	server := &http.Server{
		Handler:           http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.serveStream(k, w, r) }),
		Protocols:         protocols,
		HTTP2:             &http.HTTP2Config{MaxConcurrentStreams: maxStreams},
		IdleTimeout:       idle,
		ReadHeaderTimeout: handshakeTimeout, // of a connection's first words
		MaxHeaderBytes:    http1.MaxHead,
		ErrorLog:          slog.NewLogLogger(s.logger.Handler(), slog.LevelDebug),
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			return context.WithValue(ctx, originKey{}, &c.(*streamConn).from)
		},
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

// originKey is the key under which a request's context has the *origin of its
// connection.
type originKey struct{}

// stream is one request of HTTP/2 from a client.
type stream struct {
	exchange
	server   *Server
	socket   *socket
	listener *listener
	from     *origin
	w        http.ResponseWriter
	r        *http.Request
	body     interface{ Taken() int64 } // nil when there is none
	way      passage
}

// streams are kept for the next requests, which then need no memory of their own
// for what one of them has.
var streams = sync.Pool{New: func() any { return new(stream) }}

func (s *Server) serveStream(k *socket, w http.ResponseWriter, r *http.Request) {
	l := k.listener.Load()
	if l == nil || !l.isHTTP() || !k.streams.TryRLock() {
		panic(http.ErrAbortHandler)
	}
	defer k.streams.RUnlock()
	x := streams.Get().(*stream)
	x.server, x.socket, x.listener, x.w, x.r = s, k, l, w, r
	defer func() {
		if x.body != nil {
			x.received += x.body.Taken()
		}
		l.finish(&x.exchange)
		x.clear()
		streams.Put(x)
	}()
	x.answer()
	x.linger()
}

// answer answers the request.
func (x *stream) answer() {
	if err := x.read(); err != nil {
		x.refuse(err)
		return
	}
	if status := x.listener.admit(&x.exchange); status != 0 {
		x.page(status)
		return
	}
	x.act()
}

// linger lets a client that is still sending see its answer first, and go on for
// a little. When a stream is over and its request is not, the library resets it,
// and curl, for one, forgets an answer that comes together with that.
func (x *stream) linger() {
	if x.r.ContentLength == 0 || x.way.body != nil && x.way.body.Done() {
		return
	}
	if _, ok := x.body.(*watchedBody); ok { // which the transport reads
		return
	}
	control := http.NewResponseController(x.w)
	if x.flush() == nil && control.SetReadDeadline(time.Now().Add(lingerFor)) == nil {
		n, _ := io.CopyN(io.Discard, x.r.Body, maxLinger) // however it ends
		x.received += n
	}
}

// clear forgets a request, but for the room it took.
func (x *stream) clear() {
	fields, own, answer := x.Fields[:0], x.way.fields[:0], x.way.answer.Fields[:0]
	*x = stream{}
	x.Fields, x.way.fields, x.way.answer.Fields = fields, own, answer
}

// read makes of the request what rules look at.
func (x *stream) read() error {
	x.began = time.Now()
	x.beganAt = x.began.Sub(start)
	r := x.r
	x.Fields = appendFields(x.Fields, r.Header)
	x.Method, x.Authority, x.Host = r.Method, r.Host, hostOf(r.Host)
	x.protocol, x.uri = protocolHTTP2, r.RequestURI
	x.grpc = isGRPC(x.Fields)
	x.from = r.Context().Value(originKey{}).(*origin)
	x.Client = x.from.peer
	x.noteTLS(x.from)
	head := http1.Request{Method: r.Method, Target: r.RequestURI, Authority: r.Host, Fields: x.Fields}
	err := head.Vet()
	x.Path, x.Query, x.finding = head.Path, head.Query, head.Finding
	return err
}

// refuse answers what must not be passed on.
func (x *stream) refuse(err error) {
	x.reason = err.Error()
	x.page(statusOf(&clientError{err}))
}

// appendFields appends a header's fields, in the order of their names.
func appendFields(to []http1.Field, h http.Header) []http1.Field {
	before := len(to)
	for name, values := range h {
		kind := http1.KindOf(name)
		for _, v := range values {
			to = append(to, http1.Field{Name: name, Value: v, Kind: kind})
		}
	}
	slices.SortStableFunc(to[before:], func(a, b http1.Field) int { return strings.Compare(a.Name, b.Name) })
	return to
}

// act does what the rule says.
func (x *stream) act() {
	x.rule = x.listener.route(&x.exchange)
	if x.rule == nil {
		x.page(http.StatusServiceUnavailable)
		return
	}
	switch a := &x.rule.action; {
	case a.forward != nil && !x.rule.transform.apply(&x.exchange):
		x.page(http.StatusInternalServerError)
	case a.forward != nil:
		x.forward(a.forward)
	case a.redirect != nil:
		status := a.redirect.status
		if x.location = a.redirect.location(&x.request, x.listener.port); len(x.location) > maxLocation {
			x.location, status = "", statusRedirectTooLong
		}
		x.page(status)
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

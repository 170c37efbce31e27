package layer7

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"fargo/balancer/exchange"
	"fargo/balancer/http1"
	"fargo/balancer/listener"
	"fargo/balancer/routing"
)

// originKey is the key under which a request's context has the *exchange.Origin of its
// connection.
type originKey struct{}

// stream is one request of HTTP/2 from a client.
type stream struct {
	transaction
	server   *Server
	listener *listener.Listener
	from     *exchange.Origin
	w        http.ResponseWriter
	r        *http.Request
	body     interface{ Taken() int64 } // nil when there is none
	headSent int64                      // bytes of the answer's head, before compression
	trip     roundTrip
}

// streams are kept for the next requests, which then need no memory of their own
// for what one of them has.
var streams = sync.Pool{New: func() any { return new(stream) }}

func (s *Server) serveStream(w http.ResponseWriter, r *http.Request) {
	l := s.port.Listener.Load()
	if l == nil || !l.IsHTTP() || !s.streams.TryRLock() {
		panic(http.ErrAbortHandler)
	}
	defer s.streams.RUnlock()
	x := streams.Get().(*stream)
	x.server, x.listener, x.w, x.r = s, l, w, r
	defer func() {
		if x.body != nil {
			x.Received += x.body.Taken()
		}
		x.Written += x.headSent
		x.finish(l, s.port, s.logger)
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
	if status := x.admit(x.listener); status != 0 {
		x.page(status)
		return
	}
	x.act()
}

// linger lets a client that is still sending see its answer first, and go on for a
// short time. When a stream is over and its request is not, the library resets it,
// and curl, for one, forgets an answer that comes together with that.
func (x *stream) linger() {
	if x.r.ContentLength == 0 || x.trip.body != nil && x.trip.body.Done() {
		return
	}
	if _, ok := x.body.(*watchedBody); ok { // which the transport reads
		return
	}
	control := http.NewResponseController(x.w)
	if x.flush() == nil && control.SetReadDeadline(time.Now().Add(lingerFor)) == nil {
		n, _ := io.CopyN(io.Discard, x.r.Body, maxLinger) // however it ends
		x.Received += n
	}
}

// clear forgets a request, but for the room it took.
func (x *stream) clear() {
	fields, own, answer := x.Fields[:0], x.trip.fields[:0], x.trip.answer.Fields[:0]
	*x = stream{}
	x.Fields, x.trip.fields, x.trip.answer.Fields = fields, own, answer
}

// read fills in what rules look at.
func (x *stream) read() error {
	r := x.r
	x.from = r.Context().Value(originKey{}).(*exchange.Origin)
	x.begin(x.from)
	x.Fields = appendFields(x.Fields, r.Header)
	x.Method, x.Authority, x.Host = r.Method, r.Host, routing.HostOf(r.Host)
	x.Protocol, x.URI = exchange.HTTP2, r.RequestURI
	x.GRPC = exchange.IsGRPC(x.Fields)
	x.Received = int64(len(r.Method)+len(r.RequestURI)+len(r.Host)) + headerSize(r.Header)
	head := http1.Request{Method: r.Method, Target: r.RequestURI, Authority: r.Host, Fields: x.Fields}
	err := head.Check()
	x.Path, x.Query, x.Finding = head.Path, head.Query, head.Finding
	return err
}

// headerSize is how many bytes names and values of a header are.
func headerSize(h http.Header) (size int64) {
	for name, values := range h {
		for _, v := range values {
			size += int64(len(name) + len(v))
		}
	}
	return size
}

// refuse answers what must not be passed on.
func (x *stream) refuse(err error) {
	x.Reason = err.Error()
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
	r := x.route(x.listener)
	if r == nil {
		x.page(http.StatusServiceUnavailable)
		return
	}
	switch a := &r.Action; {
	case a.Forward != nil && !x.transform():
		x.page(http.StatusInternalServerError)
	case a.Forward != nil:
		x.forward(r)
	case a.Redirect != nil:
		status := a.Redirect.Status
		if x.Location = a.Redirect.Location(&x.Request, x.listener.Port); len(x.Location) > maxLocation {
			x.Location, status = "", statusRedirectTooLong
		}
		x.page(status)
	case a.Fixed != nil:
		x.reply(a.Fixed.Status, a.Fixed.ContentType, a.Fixed.Body)
	default:
		x.Reason = a.Unsupported + " is not supported"
		x.page(http.StatusInternalServerError)
	}
}

func (x *stream) page(status int) { x.reply(status, "text/html", page(status)) }

// reply writes an answer of the balancer's own.
func (x *stream) reply(status int, contentType, body string) {
	x.Status = status
	h := x.w.Header()
	if x.listener.ServerField {
		h.Set("Server", serverName)
	}
	h.Set("Content-Type", contentType)
	if x.Location != "" {
		h.Set("Location", x.Location)
	}
	for _, f := range x.listener.AnswerFields {
		h.Set(f.Name, f.Value)
	}
	x.headSent = headerSize(h)
	x.w.WriteHeader(status)
	if x.Method != http.MethodHead {
		n, _ := io.WriteString(x.w, body)
		x.Written = int64(n)
	}
}

package api

import (
	"cmp"
	"errors"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"runtime/debug"
	"strconv"
	"sync"
	"time"

	"github.com/google/uuid"

	"fargo"
	"fargo/aws/protocol"
	"fargo/aws/sigv4"
	"fargo/desired"
	"fargo/store"
)

// Config is what New needs.
type Config struct {
	Services   []Mounted
	Keys       Keys
	Authorizer Authorizer
	Observers  []Observer
	// Origin reads what a node says in [desired.OriginHeader] of where in a VPC a request
	// comes from; ok is false for what no node has said. nil: no requests come from VPCs.
	Origin func(header string) (o desired.Origin, ok bool)
	// Forwards are the services that something else serves, by the names that they are
	// signed for.
	Forwards map[string]Forward
	Logger   *slog.Logger
	// AcceptAnyCredentials turns authentication off: signatures are not checked, and
	// a caller without a known key is the root user of Account, in Region if the
	// request names none. For machines that nobody else can reach.
	AcceptAnyCredentials bool
	Account, Region      string
	// Throttle has the rates of services kept.
	Throttle bool
}

// Mounted is a service and its implementation: a value with a method for each
// operation that is implemented.
type Mounted struct {
	Service *protocol.Service
	Server  any
	MaxBody int64  // the largest request in bytes; 0 means 10 MiB
	Gaps    []Gap  // for the coverage page
	Rates   []Rate // kept where Config.Throttle says so
	// Locate is for a REST service that is known by the host of a request too: it gives
	// the URL by which the operation is found, and whether the host is the service's,
	// whoever has signed. nil for others.
	Locate func(r *http.Request) (u *url.URL, ours bool)
	// CheckBody is for a REST service whose clients send digests of bodies in headers. It
	// is called with the bodies that handlers do not read themselves. nil for others.
	CheckBody func(operation string, h http.Header, body []byte) error
}

const defaultMaxBody = 10 << 20

// New makes the handler of all API requests.
func New(c Config) http.Handler {
	return &chain{
		Config: c, routes: newRouter(c.Services),
		unknownCallers: newBudget(unknownCallerBodies), unverified: newBudget(unverifiedBodies),
	}
}

type chain struct {
	Config
	routes   *router
	verifier sigv4.Verifier
	// Memory for the bodies of callers that are not authenticated.
	unknownCallers, unverified *budget
	callers                    callers
	rates                      rates
}

// steps are what is done with every request, in order. The input is decoded before
// the caller is authorized, because policies are about resources that the input
// names. It is validated afterwards, so that a caller without permission learns
// nothing from the errors.
var steps = [...]func(*exchange) error{
	(*exchange).parse,
	(*exchange).authenticate,
	(*exchange).throttle,
	(*exchange).decode,
	(*exchange).authorize,
	(*exchange).validate,
	(*exchange).handle,
	(*exchange).encode,
}

// exchange is one request and its answer.
type exchange struct {
	*chain
	http    *http.Request
	w       http.ResponseWriter
	started time.Time

	request   protocol.Request // what the codec sees
	raw       []byte           // the body as it was signed
	sig       *sigv4.Signature // nil if there is none
	sigErr    error
	key       Key // of the access key id in the signature
	keyKnown  bool
	body      bodyReader
	codec     protocol.Codec
	operation *operation
	forward   *Forward // nil for a service of ours
	call      Call
	origin    string          // the header that only nodes may send
	from      *desired.Origin // what it says; nil for requests from outside VPCs
	// callerKnown is whether authentication has succeeded.
	callerKnown bool
	admitted    bool // by throttle
	in, out     any
	refused     *protocol.Error // nil of a success
	answer      protocol.Answer
	written     bool

	buffers *buffers
}

// buffers are reused by later exchanges: one for the request's body, one for the
// answer's.
type buffers struct{ in, out []byte }

var pool = sync.Pool{New: func() any { return new(buffers) }}

// maxKept is the size, in bytes, of the largest buffer that is reused: of the largest answers,
// those of GetMetricData.
const maxKept = 4 << 20

func (c *chain) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := &exchange{chain: c, http: r, w: w, started: time.Now(), buffers: pool.Get().(*buffers)}
	x.call.RequestID, x.call.Host = uuid.NewString(), r.Host
	x.origin = r.Header.Get(desired.OriginHeader)
	r.Header.Del(desired.OriginHeader) // what is forwarded does not have it
	x.request = protocol.Request{ID: x.call.RequestID, HTTP: r}
	x.answer = protocol.Answer{Header: w.Header(), Body: x.buffers.out[:0]}
	defer x.finish()
	for _, step := range x.steps() {
		if err := step(x); err != nil {
			x.fail(err)
			break
		}
	}
	x.observe()
	x.write()
}

// steps are those of the service that the request is signed for.
func (x *exchange) steps() []func(*exchange) error {
	if x.sig, x.sigErr = sigv4.Parse(x.http); x.sig == nil {
		return steps[:]
	}
	x.key, x.keyKnown = x.Keys.Key(x.sig.AccessKeyID)
	if f, ok := x.Forwards[x.sig.Service]; ok {
		x.forward = &f
		return forwardSteps[:]
	}
	return steps[:]
}

// finish answers a panic with an internal failure, logs the request, and returns
// the buffers to the pool.
func (x *exchange) finish() {
	x.body.release()
	x.leave()
	if p := recover(); p != nil {
		if err, ok := p.(error); ok && errors.Is(err, http.ErrAbortHandler) {
			panic(p)
		}
		x.Logger.Error("request panicked", "service", x.call.Service, "operation", x.call.Operation,
			"request", x.call.RequestID, "panic", p, "stack", string(debug.Stack()))
		if x.written {
			panic(http.ErrAbortHandler)
		}
		x.refuse(internalFailure)
		x.observe()
		x.write()
	}
	x.log()
	if cap(x.answer.Body) <= maxKept && cap(x.raw) <= maxKept {
		x.buffers.in, x.buffers.out = x.raw, x.answer.Body
		pool.Put(x.buffers)
	}
}

func (x *exchange) log() {
	ctx := x.http.Context()
	if !x.Logger.Enabled(ctx, slog.LevelDebug) {
		return
	}
	x.Logger.LogAttrs(ctx, slog.LevelDebug, "request",
		slog.String("service", x.call.Service), slog.String("operation", x.call.Operation), slog.Int("status", x.answer.Status),
		slog.String("principal", x.call.PrincipalARN), slog.String("region", x.call.Region),
		slog.Duration("took", time.Since(x.started)), slog.String("request", x.call.RequestID))
}

func (x *exchange) decode() error {
	if x.operation.handler == nil {
		return notImplemented("The operation %s is not implemented by Fargo.", x.operation.name)
	}
	x.in = x.operation.Input()
	return x.codec.Decode(&x.request, x.in)
}

func (x *exchange) authorize() error {
	return x.Authorizer.Authorize(x.http.Context(), &x.call, x.in)
}

func (x *exchange) validate() error {
	if violations := protocol.Validate(x.in); violations != nil {
		return x.operation.service.Refusal(x.operation.Name, violations)
	}
	return nil
}

func (x *exchange) handle() (err error) {
	x.out, err = x.operation.handler(WithCall(x.http.Context(), &x.call), x.in)
	if err != nil && x.operation.streams {
		// A body that is read by the handler is checked while it is.
		return x.refusals().streamed(err)
	}
	return err
}

func (x *exchange) encode() error {
	if err := x.codec.Encode(&x.request, x.out, &x.answer); err != nil {
		return err
	}
	x.answer.Status = cmp.Or(x.call.Reply.Status, x.answer.Status)
	x.addHeaders()
	return nil
}

// addHeaders adds the headers that the handler has set.
func (x *exchange) addHeaders() { maps.Copy(x.answer.Header, x.call.Reply.Header) }

// internalFailure is the answer to errors that are not the client's. What happened
// is only logged.
var internalFailure = &protocol.Error{
	Code: "InternalFailure", Status: http.StatusInternalServerError, Fault: true,
	Message: "The request processing has failed because of an unknown error, exception or failure.",
}

// fail makes a step's error the answer.
func (x *exchange) fail(err error) {
	var e *protocol.Error
	switch {
	case errors.As(err, &e):
	case errors.Is(err, fargo.ErrNotWritable):
		e = x.unavailable(err) // already logged where it was noticed
	case errors.Is(err, store.ErrTooLarge):
		e = x.tooLarge(err)
	default:
		e = internalFailure
		if x.http.Context().Err() == nil { // a client that left is no failure of ours
			x.Logger.Error("request failed", "service", x.call.Service, "operation", x.call.Operation, "request", x.call.RequestID, "err", err)
		}
	}
	x.refuse(e)
}

// unavailable is AWS's error for a temporary failure: the service's own, if it has
// one, or else the one that all services share. The text after AWS's sentence is
// ours, since the client is the one who can make room.
// Source: "Common Errors" in each service's API reference.
func (x *exchange) unavailable(err error) *protocol.Error {
	e := protocol.Errorf("ServiceUnavailable", "The request has failed due to a temporary failure of the server. Fargo: %v.", err).WithStatus(http.StatusServiceUnavailable)
	e.Fault = true
	if x.operation == nil {
		return e
	}
	const own = "ServiceUnavailableException"
	for _, known := range x.operation.service.Errors {
		if known.Name == own {
			e.Code = own
		}
	}
	return e
}

// tooLarge is the answer to a request that changes more than can be written at once:
// the service's error for a limit, if it has one, or else what every service says
// of input that it cannot take. The message is ours: AWS has no such limit.
// Source: "Common Errors" in each service's API reference.
func (x *exchange) tooLarge(err error) *protocol.Error {
	e := protocol.Errorf("ValidationError", "The request changes more than can be written at once. Fargo: %v.", err)
	if x.operation == nil {
		return e
	}
	for _, known := range x.operation.service.Errors {
		if known.Name == "LimitExceededException" {
			e.Code = known.Code
			return e.WithStatus(known.Status)
		}
	}
	return e
}

func (x *exchange) refuse(e *protocol.Error) {
	if x.codec == nil {
		x.guessCodec()
	}
	x.refused, x.out = e, nil
	x.answer.Body, x.answer.Events = x.answer.Body[:0], nil
	x.codec.EncodeError(&x.request, e, &x.answer)
	x.addHeaders()
}

func notImplemented(format string, args ...any) error {
	return protocol.Errorf("NotImplementedException", format, args...).WithStatus(http.StatusNotImplemented)
}

// write sends the answer.
func (x *exchange) write() {
	if x.answer.Events == nil && (x.answer.Header["Content-Length"] == nil || x.http.Method != http.MethodHead) {
		x.answer.Header["Content-Length"] = []string{strconv.Itoa(len(x.answer.Body))}
	}
	x.written = true
	x.w.WriteHeader(x.answer.Status)
	x.w.Write(x.answer.Body) // a client that left is told nothing
	if x.answer.Events == nil {
		return
	}
	if err := x.answer.Events(x.http.Context(), x.w); err != nil {
		x.Logger.Error("event stream failed", "service", x.call.Service, "operation", x.call.Operation, "request", x.call.RequestID, "err", err)
		panic(http.ErrAbortHandler) // a stream cut short must not look like one that ended
	}
}

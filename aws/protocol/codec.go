package protocol

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
)

// A Codec is one of the encodings. Codecs have no state and may be shared.
type Codec interface {
	// Decode fills in, which the operation's Input made, from a request. Its
	// error is an *Error as the service gives it.
	Decode(r *Request, in any) error
	// Encode writes an operation's output, a pointer to a structure. It fails
	// only when the output cannot travel, which is a bug of the operation.
	Encode(r *Request, out any, a *Answer) error
	// EncodeError writes an error.
	EncodeError(r *Request, e *Error, a *Answer)
}

// Request is what a codec needs to know of a request.
type Request struct {
	ID        string // goes back to the client
	Service   *Service
	Operation *Operation // nil in an error about a request that names none
	HTTP      *http.Request
	Body      []byte            // the whole body; decoded values share nothing with it
	Stream    io.ReadCloser     // REST: the body of an operation that [Operation.Streams], in place of Body
	Labels    map[string]string // REST: what the path template's labels matched, unescaped
}

// Answer is what goes back. The caller supplies Header, and may supply an empty
// Body with capacity to append to.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
	// Events, if set, writes the rest of the answer: each event as it comes, until
	// there are no more or ctx is done; or a streaming blob.
	Events func(ctx context.Context, w http.ResponseWriter) error
}

// For gives the codec of a protocol by its name in Service.Protocols, or nil.
func For(name string) Codec {
	switch name {
	case "json":
		return awsJSON{}
	case "query":
		return awsQuery{}
	case "ec2":
		return ec2Query{}
	case "rest-json":
		return restJSON{}
	case "rest-xml":
		return restXML{}
	case "smithy-rpc-v2-cbor":
		return rpcCBOR{}
	}
	return nil
}

// Speaks tells whether the service offers a protocol.
func (s *Service) Speaks(name string) bool {
	for _, p := range s.Protocols {
		if p == name {
			return true
		}
	}
	return false
}

// What a request may make us build: how deeply its values may nest, and how many
// items its lists, or parameters or elements its body, may have. Without the
// second, ten megabytes of "{}," would become gigabytes of structures.
const (
	maxDepth = 100
	maxItems = 100_000
)

// status is the error's HTTP status.
func (e *Error) status() int {
	switch {
	case e.Status != 0:
		return e.Status
	case e.Fault:
		return http.StatusInternalServerError
	}
	return http.StatusBadRequest
}

// names gives an error's shape name and its code in the query protocols, which
// some models tell apart. An error may carry either; several shapes may have one code, of
// which that is meant whose name it is too.
func (s *Service) names(code string) (shape, query string) {
	for i := range s.Errors {
		if e := &s.Errors[i]; e.Name == code {
			return e.Name, cmp.Or(e.Code, e.Name)
		}
	}
	for i := range s.Errors {
		if e := &s.Errors[i]; e.Code == code {
			return e.Name, e.Code
		}
	}
	if shape := commonErrors[code]; shape != "" && s.QueryCompatible {
		return shape, code
	}
	return code, code
}

// commonErrors are the shapes of errors that no model has, by their codes in the query
// protocols. That of ValidationError is recorded of CloudWatch, the others are inferred.
var commonErrors = map[string]string{
	"AccessDenied":    "AccessDeniedException",
	"Throttling":      "ThrottlingException",
	"ValidationError": "ValidationException",
}

// side says whose fault an error is, in the query protocols' words.
func (e *Error) side() string {
	if e.Fault || e.status() >= 500 {
		return "Receiver"
	}
	return "Sender"
}

// serialization is the error of a body that cannot be read.
func serialization(format string, args ...any) *Error {
	return Errorf("SerializationException", format, args...)
}

// errSyntax is the error of a body that is no JSON, or CBOR. AWS gives it no message.
var errSyntax = &Error{Code: "SerializationException", Status: 400}

// outOfRange is the error of a number that its shape cannot hold.
func outOfRange(number any) *Error {
	return serialization("%.100s is out of range", fmt.Sprint(number))
}

package api

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"

	"fargo/aws/protocol"
)

// Forward is a service that something other than Fargo serves. A request for it is
// authenticated and authorized as any other, and sent on.
type Forward struct {
	Service *protocol.Service // without operations
	// Send sends a request on, for a region, with its body as the client has signed it.
	Send func(r *http.Request, region string, body []byte) (*http.Response, error)
}

// Forwarded is what is known of a forwarded request: the input of rows in [Actions].
type Forwarded struct {
	Header http.Header
	Path   string
	// Body is the text of the parameters: JSON, or a form.
	Body []byte
}

// forwardSteps take the place of steps for what is sent on.
var forwardSteps = [...]func(*exchange) error{
	(*exchange).parseForwarded,
	(*exchange).authenticate,
	(*exchange).throttle,
	(*exchange).authorize,
	(*exchange).relay,
}

// parseForwarded reads the body and finds the operation's name.
func (x *exchange) parseForwarded() error {
	if err := x.read(); err != nil {
		return err
	}
	service, proto, name := x.forward.Service, "json", ""
	if target := x.http.Header.Get("X-Amz-Target"); target != "" {
		name = target[strings.LastIndexByte(target, '.')+1:]
	} else if form := x.form(); form != nil {
		proto, name = "query", formValue(form, "Action")
	}
	x.codec, x.request.Service, x.call.Service = protocol.For(proto), service, service.Name
	if name == "" {
		return unknownOperation
	}
	x.operation = &operation{Operation: &protocol.Operation{Name: name}, service: service, name: service.Name + ":" + name}
	x.request.Operation, x.call.Operation = x.operation.Operation, name
	body := x.request.Body
	if form := x.form(); form != nil {
		body = form
	}
	x.in = &Forwarded{Header: x.http.Header, Path: x.http.URL.Path, Body: body}
	return nil
}

// ofConnection are the headers that are of one connection only.
// Source: RFC 9110, section 7.6.1.
var ofConnection = []string{"Connection", "Keep-Alive", "Proxy-Connection", "Te", "Trailer", "Transfer-Encoding", "Upgrade"}

// relay sends the request on and gives its answer as it comes.
func (x *exchange) relay() error {
	answer, err := x.forward.Send(x.http, x.call.Region, x.raw)
	if err != nil {
		x.Logger.Error("a request was not forwarded", "service", x.call.Service, "operation", x.call.Operation, "request", x.call.RequestID, "err", err)
		e := protocol.Errorf("ServiceUnavailable", "The request has failed due to a temporary failure of the server. Fargo: the service %s is forwarded, and does not answer.", x.call.Service).WithStatus(http.StatusServiceUnavailable)
		e.Fault = true
		return e
	}
	maps.Copy(x.answer.Header, answer.Header)
	for _, name := range ofConnection {
		x.answer.Header.Del(name)
	}
	x.answer.Status = answer.StatusCode
	x.answer.Events = func(_ context.Context, w http.ResponseWriter) error {
		defer answer.Body.Close()
		if _, err := io.Copy(w, answer.Body); err != nil {
			return fmt.Errorf("forwarded answer: %w", err)
		}
		return nil
	}
	return nil
}

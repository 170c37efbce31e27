package layer7

import (
	"errors"
	"net/http"

	"fargo/balancer/http1"
	"fargo/balancer/netconn"
	"fargo/balancer/tlsconfig"
)

// errClientGone says that the client closed its connection.
var errClientGone = errors.New("client is gone")

// clientError is an error of the client's sending.
type clientError struct{ cause error }

func (e *clientError) Error() string { return "client: " + e.cause.Error() }
func (e *clientError) Unwrap() error { return e.cause }

// statusOf is what a client gets in place of an answer that did not come, whoever
// is to blame, and whatever part of the request or answer it was in.
// statusClientGone says that there is nobody to get it.
func statusOf(err error) int {
	var fault *clientError
	var malformed *http1.Error
	switch {
	case errors.Is(err, errClientGone):
		return statusClientGone
	case errors.As(err, &fault) && errors.As(err, &malformed):
		return malformed.Status
	case errors.As(err, &fault) && netconn.IsTimeout(err):
		return http.StatusRequestTimeout
	case errors.As(err, &fault):
		return statusClientGone
	case netconn.IsTimeout(err) && !tlsconfig.IsHandshakeError(err):
		return http.StatusGatewayTimeout
	}
	return http.StatusBadGateway
}

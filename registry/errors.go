package registry

import (
	"encoding/json"
	"errors"
	"net/http"

	"fargo"
	"fargo/aws/protocol"
)

// apiError is one error as registry clients read it.
// Source: OCI Distribution Specification, "Error Codes".
type apiError struct {
	status  int
	Code    string `json:"code"`
	Message string `json:"message"`
}

// Error gives the code and the message.
func (e *apiError) Error() string { return e.Code + ": " + e.Message }

var (
	errUnauthorized = &apiError{status: http.StatusUnauthorized, Code: "UNAUTHORIZED", Message: "authentication required"}
	errUnsupported  = &apiError{status: http.StatusMethodNotAllowed, Code: "UNSUPPORTED", Message: "The operation is unsupported."}
	errNotFound     = &apiError{status: http.StatusNotFound, Code: "UNSUPPORTED", Message: "The operation is unsupported."}
	errUnavailable  = &apiError{status: http.StatusServiceUnavailable, Code: "UNAVAILABLE", Message: "service unavailable"}
	errInternal     = &apiError{status: http.StatusInternalServerError, Code: "UNKNOWN", Message: "internal error"}
)

// codes are the errors of the registry's protocol for AWS errors.
// Source: ECR user guide, "Common error messages for Docker commands when using
// Amazon ECR", and what ECR answers.
var codes = map[string]struct {
	status int
	code   string
}{
	"AccessDeniedException":             {http.StatusForbidden, "DENIED"},
	"RepositoryNotFoundException":       {http.StatusNotFound, "NAME_UNKNOWN"},
	"ImageNotFoundException":            {http.StatusNotFound, "MANIFEST_UNKNOWN"},
	"ImageTagAlreadyExistsException":    {http.StatusBadRequest, "TAG_INVALID"},
	"ReferencedImagesNotFoundException": {http.StatusNotFound, "MANIFEST_BLOB_UNKNOWN"},
	"LayersNotFoundException":           {http.StatusNotFound, "BLOB_UNKNOWN"},
	"InvalidParameterException":         {http.StatusMethodNotAllowed, "UNSUPPORTED"},
	"LimitExceededException":            {http.StatusTooManyRequests, "TOOMANYREQUESTS"},
}

// translate returns the error for a client; ok is false when err is an internal
// failure, of which the client gets no details.
func translate(err error) (e *apiError, ok bool) {
	if errors.As(err, &e) {
		return e, true
	}
	var aws *protocol.Error
	if errors.As(err, &aws) {
		if c, ok := codes[aws.Code]; ok {
			return &apiError{c.status, c.code, aws.Message}, true
		}
	}
	if errors.Is(err, fargo.ErrNotWritable) {
		e := *errUnavailable
		e.Message += ": " + err.Error() // the client may be able to free space
		return &e, true
	}
	return errInternal, false
}

// fail answers a request with an error.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, err error) {
	e, ok := translate(err)
	if !ok && r.Context().Err() == nil {
		s.Logger.Error("registry: request failed", "method", r.Method, "path", r.URL.Path, "err", err)
	}
	if e.status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Basic realm="https://`+r.Host+`/",service="ecr.amazonaws.com"`)
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(e.status)
	if err := json.NewEncoder(w).Encode(map[string][]*apiError{"errors": {e}}); err != nil {
		s.Logger.Debug("registry: cannot answer", "err", err)
	}
}

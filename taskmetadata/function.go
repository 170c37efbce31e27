package taskmetadata

import (
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/containerd/errdefs"

	"fargo/desired"
	"fargo/host"
)

// The runtime API of Lambda, by which a task that runs a function gets the event and says
// how it has ended. AWS's runtime interface clients find it by AWS_LAMBDA_RUNTIME_API.
// Source: Lambda developer guide, "Using the Lambda runtime API for custom runtimes".

const (
	// maxResponse is the size, in bytes, of the largest response of a function.
	// Source: Lambda developer guide, "Lambda quotas".
	maxResponse = 6 << 20
	// maxErrorKept is how much, in bytes, of what a function says of its error is kept.
	maxErrorKept = 4 << 10
	// responseTimeout is how long a response may take to come.
	responseTimeout = time.Minute
)

const runtimePath = "/2018-06-01/runtime"

// runtimeError is how the runtime API refuses.
type runtimeError struct {
	ErrorMessage string `json:"errorMessage"`
	ErrorType    string `json:"errorType"`
}

// handleRuntime answers what runtimes ask in a VPC.
func (s *Server) handleRuntime(mux *http.ServeMux, vpc string) {
	mux.HandleFunc("GET "+runtimePath+"/invocation/next", func(w http.ResponseWriter, r *http.Request) {
		s.nextInvocation(w, r, s.asking(vpc, r))
	})
	mux.HandleFunc("POST "+runtimePath+"/invocation/{id}/response", func(w http.ResponseWriter, r *http.Request) {
		s.invocationResponse(w, r, s.asking(vpc, r))
	})
	for _, path := range []string{"/invocation/{id}/error", "/init/error"} {
		mux.HandleFunc("POST "+runtimePath+path, func(w http.ResponseWriter, r *http.Request) {
			s.invocationError(w, r, s.asking(vpc, r))
		})
	}
}

// nextInvocation waits for the task's invocation for as long as the runtime does.
func (s *Server) nextInvocation(w http.ResponseWriter, r *http.Request, t *host.Task) {
	if t == nil {
		refuseRuntime(w, errdefs.ErrNotFound)
		return
	}
	if err := http.NewResponseController(w).SetReadDeadline(time.Time{}); err != nil { // it would end the wait
		refuseRuntime(w, err)
		return
	}
	invocation, err := s.cfg.Tasks.NextInvocation(r.Context(), t)
	if err != nil {
		s.cfg.Logger.Debug("no invocation", "task", t.Assignment.TaskARN, "err", err)
		refuseRuntime(w, err)
		return
	}
	h := w.Header()
	h.Set("Lambda-Runtime-Aws-Request-Id", invocation.RequestID)
	h.Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(invocation.Deadline.UnixMilli(), 10))
	h.Set("Lambda-Runtime-Invoked-Function-Arn", invocation.FunctionARN)
	write(w, http.StatusOK, invocation.Event)
}

// invocationResponse takes the end of an invocation. What the function answers is read
// and dropped: those that functions are run for here do not ask for it.
func (s *Server) invocationResponse(w http.ResponseWriter, r *http.Request, t *host.Task) {
	result := desired.InvocationResult{RequestID: r.PathValue("id")}
	size, err := readWithin(w, r, io.Discard, maxResponse+1)
	switch {
	case err != nil:
		refuseRuntime(w, err)
		return
	case size > maxResponse:
		const kind = "Function.ResponseSizeTooLarge"
		result.ErrorType, result.Error = kind, "the response is larger than "+strconv.Itoa(maxResponse)+" bytes"
		if s.putResult(w, r, t, result) {
			write(w, http.StatusRequestEntityTooLarge, runtimeError{result.Error, kind})
		}
		return
	}
	// A response that is streamed says after its end that it has failed.
	if kind := r.Trailer.Get("Lambda-Runtime-Function-Error-Type"); kind != "" {
		result.ErrorType, result.Error = kind, r.Trailer.Get("Lambda-Runtime-Function-Error-Body")
	}
	if s.putResult(w, r, t, result) {
		accept(w)
	}
}

// invocationError takes the failure of an invocation, or of the runtime before there was
// one.
func (s *Server) invocationError(w http.ResponseWriter, r *http.Request, t *host.Task) {
	var kept beginning
	if _, err := readWithin(w, r, &kept, maxResponse); err != nil {
		refuseRuntime(w, err)
		return
	}
	kind := r.Header.Get("Lambda-Runtime-Function-Error-Type")
	if kind == "" {
		kind = "Unhandled"
	}
	if s.putResult(w, r, t, desired.InvocationResult{RequestID: r.PathValue("id"), ErrorType: kind, Error: string(kept)}) {
		accept(w)
	}
}

// putResult hands a result on, and waits until the control plane has it. It answers when
// that cannot be.
func (s *Server) putResult(w http.ResponseWriter, r *http.Request, t *host.Task, result desired.InvocationResult) (put bool) {
	err := error(errdefs.ErrNotFound)
	if t != nil {
		result.TaskARN = t.Assignment.TaskARN
		err = s.cfg.Tasks.PutInvocationResult(r.Context(), t, result)
	}
	if err != nil {
		refuseRuntime(w, err)
	}
	return err == nil
}

func accept(w http.ResponseWriter) {
	write(w, http.StatusAccepted, map[string]string{"status": "OK"})
}

// refuseRuntime answers that there is no such invocation, or that it could not be asked for.
func refuseRuntime(w http.ResponseWriter, err error) {
	status, kind := http.StatusInternalServerError, "InternalServerError"
	if errdefs.IsNotFound(err) {
		status, kind = http.StatusNotFound, "InvalidRequestID"
		err = errors.New("the task runs no such invocation of a function")
	}
	write(w, status, runtimeError{err.Error(), kind})
}

// readWithin reads a body, and no more than most bytes of it.
func readWithin(w http.ResponseWriter, r *http.Request, to io.Writer, most int64) (size int64, err error) {
	control := http.NewResponseController(w)
	if err := control.SetReadDeadline(time.Now().Add(responseTimeout)); err != nil {
		return 0, err
	}
	if size, err = io.Copy(to, io.LimitReader(r.Body, most)); err != nil {
		return size, err
	}
	return size, control.SetReadDeadline(time.Time{}) // it would end the wait for the control plane
}

// beginning keeps the beginning of what is written to it.
type beginning []byte

func (b *beginning) Write(p []byte) (int, error) {
	*b = append(*b, p[:min(len(p), maxErrorKept-len(*b))]...)
	return len(p), nil
}

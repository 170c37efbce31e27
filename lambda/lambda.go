// Package lambda calls functions in the place of AWS Lambda: by HTTP, at the URLs that the
// operator of the machine has given for their names, or as tasks, one for each invocation,
// whose containers get the event by Lambda's runtime API. It knows how a function is called
// and when that has failed. It refuses to know what functions are for, and how tasks run.
package lambda

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"fargo"
)

// timeout is the longest that a function runs.
// Source: Lambda developer guide, "Lambda quotas".
const timeout = 15 * time.Minute

// maxReason is how much of a failed call's answer is told, in bytes.
const maxReason = 1 << 10

// ErrNoFunction holds for the error of calling a function that nothing is given for.
var ErrNoFunction = errors.New("no such function")

// Functions are the functions that can be called. A nil *Functions has none.
type Functions struct {
	mappings Mappings
	tasks    *Tasks
	client   *http.Client
}

// New makes the functions of mappings. tasks runs those that are tasks.
func New(m Mappings, tasks *Tasks) *Functions {
	return &Functions{mappings: m, tasks: tasks, client: &http.Client{Timeout: timeout}}
}

// Callable reports whether a function can be called, by its name or ARN.
func (f *Functions) Callable(function string) bool {
	_, ok := f.find(function)
	return ok
}

// find finds what is given for a function: for its ARN as it is, without the version or
// alias, or for its name.
func (f *Functions) find(function string) (mapping, bool) {
	if f == nil {
		return mapping{}, false
	}
	known := []string{function}
	if a, ok := fargo.ParseARN(function); ok && a.Service == "lambda" {
		name := nameOf(function)
		known = append(known, a.Scope().ARN("lambda", "function:"+name), name)
	}
	for _, k := range known {
		if m, ok := f.mappings[k]; ok {
			return m, true
		}
	}
	return mapping{}, false
}

// nameOf is a function's name, of a name or an ARN.
func nameOf(function string) string {
	a, ok := fargo.ParseARN(function)
	if !ok {
		return function
	}
	name, _, _ := strings.Cut(strings.TrimPrefix(a.Resource, "function:"), ":")
	return name
}

// Invoke calls a function with an event in JSON and waits until it has ended. id stands for
// the call: one that is made again with the same id, by the next process, goes on waiting
// for the task that the first has started. The task is in scope. The error says why the
// call failed: [ErrNoFunction], an answer other than 2xx, or an error of the function's.
func (f *Functions) Invoke(ctx context.Context, scope fargo.Scope, id, function string, event []byte) error {
	m, ok := f.find(function)
	var err error
	switch {
	case !ok:
		err = ErrNoFunction
	case m.url != "":
		err = f.post(ctx, m.url, event)
	default:
		err = f.tasks.invoke(ctx, call{scope: scope, id: id, function: function, event: event}, m.task)
	}
	if err != nil {
		return fmt.Errorf("call %s: %w", function, err)
	}
	return nil
}

// post calls a function at a URL. One that says X-Amz-Function-Error has raised an error,
// as in the answers of Lambda's own API.
// Source: Lambda API, Invoke.
func (f *Functions) post(ctx context.Context, url string, event []byte) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(event))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	answer, err := f.client.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxReason))
	kind := answer.Header.Get("X-Amz-Function-Error")
	switch {
	case err != nil:
		return err
	case answer.StatusCode < 200 || answer.StatusCode > 299:
		return fmt.Errorf("%s: %s", answer.Status, bytes.TrimSpace(body))
	case kind != "":
		return functionError(kind, body)
	}
	return nil
}

// functionError is an error that a function has raised, with what it says of it.
func functionError(kind string, payload []byte) error {
	return fmt.Errorf("%s error: %s", kind, bytes.TrimSpace(payload[:min(len(payload), maxReason)]))
}

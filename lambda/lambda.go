// Package lambda calls functions in the place of AWS Lambda: by HTTP, at the URLs that the
// operator of the machine has given for their names. It knows how a function is called
// and when that has failed. It refuses to know what functions are for, and runs none.
package lambda

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"fargo"
)

// timeout is the longest that a function runs.
// Source: Lambda developer guide, "Lambda quotas".
const timeout = 15 * time.Minute

// maxReason is how much of a failed call's answer is told, in bytes.
const maxReason = 1 << 10

// ErrNoFunction holds for the error of calling a function that has no URL.
var ErrNoFunction = errors.New("no such function")

// Functions are the functions that can be called. A nil *Functions has none.
type Functions struct {
	urls   map[string]string // by name or ARN
	client *http.Client
}

// New makes the functions of mappings such as "rotate=http://10.0.0.5:8080/": a function's
// name or ARN, "=", and the URL that it is called at.
func New(mappings []string) (*Functions, error) {
	f := &Functions{urls: map[string]string{}, client: &http.Client{Timeout: timeout}}
	for _, m := range mappings {
		name, target, ok := strings.Cut(m, "=")
		switch u, err := url.Parse(target); {
		case !ok || name == "":
			return nil, fmt.Errorf("function %q: not NAME=URL", m)
		case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
			return nil, fmt.Errorf("function %s: %q is not a URL of http or https; task definitions as functions are not implemented", name, target)
		case f.urls[name] != "":
			return nil, fmt.Errorf("function %s is given twice", name)
		}
		f.urls[name] = target
	}
	return f, nil
}

// Callable reports whether a function can be called, by its name or ARN.
func (f *Functions) Callable(function string) bool {
	_, ok := f.find(function)
	return ok
}

// find finds a function's URL: that of its ARN as it is, without the version or alias, or
// that of its name.
func (f *Functions) find(function string) (string, bool) {
	if f == nil {
		return "", false
	}
	known := []string{function}
	if a, ok := fargo.ParseARN(function); ok && a.Service == "lambda" {
		name, _, _ := strings.Cut(strings.TrimPrefix(a.Resource, "function:"), ":")
		known = append(known, a.Scope().ARN("lambda", "function:"+name), name)
	}
	for _, k := range known {
		if target, ok := f.urls[k]; ok {
			return target, true
		}
	}
	return "", false
}

// Invoke calls a function with an event in JSON and waits until it has ended. The error
// says why it failed: [ErrNoFunction], an answer other than 2xx, or one that says
// X-Amz-Function-Error, as Lambda's own API does of a function that has raised an error.
// Source: Lambda API, Invoke.
func (f *Functions) Invoke(ctx context.Context, function string, event []byte) error {
	target, ok := f.find(function)
	if !ok {
		return fmt.Errorf("call %s: %w", function, ErrNoFunction)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, target, bytes.NewReader(event))
	if err != nil {
		return fmt.Errorf("call %s: %w", function, err)
	}
	request.Header.Set("Content-Type", "application/json")
	answer, err := f.client.Do(request)
	if err != nil {
		return fmt.Errorf("call %s: %w", function, err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxReason))
	kind := answer.Header.Get("X-Amz-Function-Error")
	switch {
	case err != nil:
		return fmt.Errorf("call %s: %w", function, err)
	case answer.StatusCode < 200 || answer.StatusCode > 299:
		return fmt.Errorf("call %s: %s: %s", function, answer.Status, bytes.TrimSpace(body))
	case kind != "":
		return fmt.Errorf("call %s: %s error: %s", function, kind, bytes.TrimSpace(body))
	}
	return nil
}

package main

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	api "github.com/containerd/containerd/api/runtime/task/v3"
)

const value = "hunter2 \"correct\"\nhorse=1"

// bundleWith is a bundle whose specification leads to variables.
func bundleWith(t *testing.T, variables string) (bundle, config string) {
	bundle = t.TempDir()
	environment := filepath.Join(t.TempDir(), "c1")
	if err := os.WriteFile(environment, []byte(variables), 0o600); err != nil {
		t.Fatal(err)
	}
	config = `{"ociVersion":"1.2.0","process":{"env":["PATH=/bin","A=image"],"args":["sh"],"new":{"b":1.50}},"annotations":{"fargo.environment":"` +
		environment + `"},"linux":{"x":[1]}}`
	if err := os.WriteFile(filepath.Join(bundle, "config.json"), []byte(config), 0o666); err != nil {
		t.Fatal(err)
	}
	return bundle, config
}

// reader stands for containerd's service, which has runc read the specification.
type reader struct {
	api.TTRPCTaskService
	read string
	err  error
}

func (r *reader) Create(_ context.Context, q *api.CreateTaskRequest) (*api.CreateTaskResponse, error) {
	whole, err := os.ReadFile(filepath.Join(q.Bundle, "config.json"))
	r.read = string(whole)
	return nil, errors.Join(err, r.err)
}

// runc is given all variables, and the bundle never has the secret ones.
func TestEnvironmentIsAdded(t *testing.T) {
	variables, err := json.Marshal([]string{"A=" + value, "B=2"})
	if err != nil {
		t.Fatal(err)
	}
	for _, failure := range []error{nil, errors.New("runc create failed")} {
		bundle, config := bundleWith(t, string(variables))
		r := &reader{err: failure}
		if _, err := newService(r).Create(t.Context(), &api.CreateTaskRequest{Bundle: bundle}); (err == nil) != (failure == nil) {
			t.Fatal(err)
		}
		var spec struct {
			Process struct {
				Env []string
				New json.RawMessage
			}
			Linux json.RawMessage
		}
		if err := json.Unmarshal([]byte(r.read), &spec); err != nil {
			t.Fatal(err)
		}
		if want := []string{"PATH=/bin", "A=" + value, "B=2"}; !slices.Equal(spec.Process.Env, want) {
			t.Errorf("environment: %q", spec.Process.Env)
		}
		if string(spec.Process.New) != `{"b":1.50}` || string(spec.Linux) != `{"x":[1]}` {
			t.Errorf("the rest has changed: %s", r.read)
		}
		entries, err := os.ReadDir(bundle)
		if err != nil || len(entries) != 1 || !entries[0].Type().IsRegular() {
			t.Fatalf("left in the bundle: %v, %v", entries, err)
		}
		if after, err := os.ReadFile(filepath.Join(bundle, "config.json")); err != nil || string(after) != config {
			t.Errorf("afterwards: %s, %v", after, err)
		}
	}
}

// A shim that dies in the middle leaves no value; the next attempt begins anew, with the
// specification that containerd writes.
func TestNoValueIsLeft(t *testing.T) {
	bundle, config := bundleWith(t, `["A=hunter2"]`)
	if _, err := completeSpec(bundle); err != nil { // and no restore
		t.Fatal(err)
	}
	link, err := os.Readlink(filepath.Join(bundle, "config.json"))
	if err != nil || !strings.HasPrefix(link, "/proc/") {
		t.Errorf("%s, %v", link, err)
	}
	if aside, err := os.ReadFile(filepath.Join(bundle, "config.json.stored")); err != nil || string(aside) != config {
		t.Errorf("%s, %v", aside, err)
	}
}

// A container is not made without its variables, and no error shows one.
func TestEnvironmentThatCannotBeRead(t *testing.T) {
	bundle, _ := bundleWith(t, `{"A":"hunter2"}`)
	r := &reader{}
	if _, err := newService(r).Create(t.Context(), &api.CreateTaskRequest{Bundle: bundle}); err == nil || strings.Contains(err.Error(), "hunter2") || r.read != "" {
		t.Errorf("%v, runc read %q", err, r.read)
	}
	gone := `{"annotations":{"fargo.environment":"/nonexistent/c1"}}`
	if err := os.WriteFile(filepath.Join(bundle, "config.json"), []byte(gone), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := newService(r).Create(t.Context(), &api.CreateTaskRequest{Bundle: bundle}); !errors.Is(err, os.ErrNotExist) || r.read != "" {
		t.Errorf("%v, runc read %q", err, r.read)
	}
}

// Specifications without such variables stay untouched.
func TestNoEnvironmentToAdd(t *testing.T) {
	for _, config := range []string{`{}`, `{"annotations":{"a":"b"}}`, `{"process":{"env":["X=fargo.environment"]}}`} {
		if whole, err := withEnvironment([]byte(config)); whole != nil || err != nil {
			t.Errorf("%s: %s, %v", config, whole, err)
		}
	}
}

//go:build e2e

package containerd_test

import (
	"context"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"fargo/desired"
	"fargo/host"
	"fargo/secret"
)

// A counted registry holds one image "app:latest", and counts who asks.
type counted struct {
	*httptest.Server
	requests  atomic.Int64
	manifests atomic.Int64
}

func newRegistry(t *testing.T, wrap func(http.Handler) http.Handler) *counted {
	t.Helper()
	inner := registry.New(registry.Logger(log.New(io.Discard, "", 0)))
	// Filled before anything wraps it.
	plain := httptest.NewServer(inner)
	defer plain.Close()
	app := []byte("not really a program, of " + plain.URL)
	if err := push(strings.TrimPrefix(plain.URL, "http://")+"/app:latest", app, v1.Config{Entrypoint: []string{"/app"}}); err != nil {
		t.Fatal(err)
	}
	handler := inner
	if wrap != nil {
		handler = wrap(inner)
	}
	c := &counted{}
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.requests.Add(1)
		if r.Method == http.MethodGet && strings.Contains(r.URL.Path, "/manifests/") {
			c.manifests.Add(1)
		}
		handler.ServeHTTP(w, r)
	}))
	t.Cleanup(c.Close)
	return c
}

func (c *counted) image() string { return strings.TrimPrefix(c.URL, "http://") + "/app" }

func TestPullByDigestNeedsNoNetwork(t *testing.T) {
	reg := newRegistry(t, nil)
	first, err := tests.runtime.Pull(t.Context(), reg.image(), desired.PullSource{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	reg.Close()
	asked := reg.requests.Load()
	for _, again := range []struct{ name, digest string }{
		{reg.image(), first.Digest}, {reg.image() + "@" + first.Digest, ""}, {reg.image() + ":latest@" + first.Digest, ""},
	} {
		got, err := tests.runtime.Pull(t.Context(), again.name, desired.PullSource{Digest: again.digest}, nil)
		if err != nil || got.Digest != first.Digest {
			t.Errorf("%v: %+v, %v", again, got, err)
		}
	}
	if reg.requests.Load() != asked {
		t.Error("asked the registry")
	}
}

func TestTagIsCachedWhileItsRegistryIsAway(t *testing.T) {
	reg := newRegistry(t, nil)
	first, err := tests.runtime.Pull(t.Context(), reg.image(), desired.PullSource{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	asked := reg.requests.Load()
	if _, err := tests.runtime.Pull(t.Context(), reg.image(), desired.PullSource{}, nil); err != nil {
		t.Fatal(err)
	}
	if reg.requests.Load() == asked {
		t.Error("the tag was not resolved again")
	}
	reg.Close()
	got, err := tests.runtime.Pull(t.Context(), reg.image(), desired.PullSource{}, nil)
	if err != nil || got.Digest != first.Digest {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestPullsOfOneImageShareOne(t *testing.T) {
	reg := newRegistry(t, nil)
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			if _, err := tests.runtime.Pull(t.Context(), reg.image(), desired.PullSource{}, nil); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	if n := reg.manifests.Load(); n != 1 {
		t.Errorf("%d transfers of the manifest", n)
	}
}

func TestPullWithPasswordFromAnotherEndpoint(t *testing.T) {
	reg := newRegistry(t, func(inner http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if user, password, _ := r.BasicAuth(); user != "AWS" || password != "secret" {
				w.Header().Set("WWW-Authenticate", `Basic realm="here"`)
				w.WriteHeader(http.StatusUnauthorized)
				return
			}
			inner.ServeHTTP(w, r)
		})
	})
	const name = "123456789012.dkr.ecr.us-east-1.amazonaws.com/app:latest"
	src := desired.PullSource{Endpoint: reg.URL, Username: "AWS", PasswordID: "password"}
	_, err := tests.runtime.Pull(t.Context(), name, src, passwordIs("wrong"))
	if err == nil || !strings.HasPrefix(err.Error(), "CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve ref "+name) {
		t.Errorf("error = %v", err)
	}
	unavailable := &host.SecretError{Reason: "ResourceInitializationError: not now"}
	if _, err := tests.runtime.Pull(t.Context(), name, src, func(context.Context) (string, secret.Text, error) { return "", secret.Text{}, unavailable }); !errors.Is(err, unavailable) || err.Error() != unavailable.Reason {
		t.Errorf("without its password: %v", err)
	}
	if got, err := tests.runtime.Pull(t.Context(), name, src, passwordIs("secret")); err != nil || got.Name != name {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestPullOfWhatIsNotThere(t *testing.T) {
	reg := newRegistry(t, nil)
	name := reg.image() + ":nonesuch"
	_, err := tests.runtime.Pull(t.Context(), name, desired.PullSource{}, nil)
	want := "CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve ref " + name + ": " + name + ": not found"
	if err == nil || err.Error() != want {
		t.Errorf("error = %v\nwant    %s", err, want)
	}
	_, err = tests.runtime.Pull(t.Context(), "Not A Name", desired.PullSource{}, nil)
	if err == nil || !strings.HasPrefix(err.Error(), "CannotPullContainerError: invalid reference format") {
		t.Errorf("error = %v", err)
	}
}

func TestPullThatNobodyWaitsForEnds(t *testing.T) {
	ended := make(chan struct{}, 16)
	reg := newRegistry(t, func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			<-r.Context().Done() // a registry that hangs
			ended <- struct{}{}
		})
	})
	ctx, cancel := context.WithCancel(t.Context())
	failed := make(chan error)
	go func() {
		_, err := tests.runtime.Pull(ctx, reg.image(), desired.PullSource{}, nil)
		failed <- err
	}()
	for reg.requests.Load() == 0 {
		select {
		case err := <-failed:
			t.Fatal(err)
		default:
		}
	}
	cancel()
	if err := <-failed; !errors.Is(err, context.Canceled) {
		t.Errorf("error = %v", err)
	}
	<-ended
}

func TestUnfinishedPullIsNoImage(t *testing.T) {
	reg := newRegistry(t, func(inner http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.Contains(r.URL.Path, "/blobs/") {
				w.WriteHeader(http.StatusForbidden)
				return
			}
			inner.ServeHTTP(w, r)
		})
	})
	for range 2 {
		_, err := tests.runtime.Pull(t.Context(), reg.image(), desired.PullSource{}, nil)
		if err == nil || !strings.HasPrefix(err.Error(), "CannotPullContainerError: ref pull has been retried ") {
			t.Errorf("error = %v", err)
		}
	}
}

// passwordIs is a password that is at hand.
func passwordIs(value string) host.Login {
	return func(context.Context) (string, secret.Text, error) { return "AWS", secret.New(value), nil }
}

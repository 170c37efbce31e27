package containerd

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/containerd/errdefs"

	"fargo/desired"
	"fargo/host"
)

func TestNormalize(t *testing.T) {
	const sum = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	for _, c := range []struct{ name, digest, want string }{
		{"nginx", "", "docker.io/library/nginx:latest"},
		{"me/app:v1", "", "docker.io/me/app:v1"},
		{"public.ecr.aws/docker/library/httpd:2.4", "", "public.ecr.aws/docker/library/httpd:2.4"},
		{"localhost:5000/x", "", "localhost:5000/x:latest"},
		{"nginx@" + sum, "", "docker.io/library/nginx@" + sum},
		{"nginx:1@" + sum, "", "docker.io/library/nginx@" + sum},
		{"nginx:1", sum, "docker.io/library/nginx@" + sum},
	} {
		got, err := normalize(c.name, desired.PullSource{Digest: c.digest})
		if err != nil || got.String() != c.want {
			t.Errorf("%s: %v, %v, want %s", c.name, got, err, c.want)
		}
	}
	for _, c := range []struct{ name, digest string }{{"", ""}, {"nginx/UPPER", ""}, {"nginx", "sha256:short"}} {
		if got, err := normalize(c.name, desired.PullSource{Digest: c.digest}); err == nil {
			t.Errorf("%q: %v", c.name, got)
		}
	}
}

// A server is a transport that answers as the function does.
type server func(*http.Request) (*http.Response, error)

func (s server) RoundTrip(r *http.Request) (*http.Response, error) { return s(r) }

// A registry that says nothing for a minute has failed.
// Source: ECS_IMAGE_PULL_INACTIVITY_TIMEOUT.
func TestSilentServerFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		transport := &idleTimeout{base: server(func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		}), idle: registryIdle}
		begin := time.Now()
		_, err := transport.RoundTrip(request(t))
		if !errors.Is(err, errRegistryIdle) || time.Since(begin) != registryIdle {
			t.Errorf("%v after %v", err, time.Since(begin))
		}
	})
}

// A slow one that keeps talking has not, however long it takes; when it falls
// silent in the middle of a body, it has.
func TestTalkingServerIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		transport := &idleTimeout{base: server(func(r *http.Request) (*http.Response, error) {
			return &http.Response{Body: io.NopCloser(&drip{ctx: r.Context(), left: 10})}, nil
		}), idle: registryIdle}
		response, err := transport.RoundTrip(request(t))
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		got, err := io.ReadAll(response.Body)
		if string(got) != strings.Repeat(".", 10) || !errors.Is(err, errRegistryIdle) {
			t.Errorf("%q, %v", got, err)
		}
	})
}

// drip gives one byte in 50 s, and after some of them nothing.
type drip struct {
	ctx  context.Context
	left int
}

func (d *drip) Read(p []byte) (int, error) {
	if d.left == 0 {
		<-d.ctx.Done()
		return 0, d.ctx.Err()
	}
	time.Sleep(50 * time.Second)
	d.left--
	p[0] = '.'
	return 1, nil
}

func request(t *testing.T) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://registry.test/v2/", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestPersist(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var r Runtime
		attempts, err := r.retry(t.Context(), pulling, func() error { return errdefs.ErrNotFound })
		if attempts != 1 || !errdefs.IsNotFound(err) {
			t.Errorf("final answer: %d, %v", attempts, err)
		}
		attempts, err = r.retry(t.Context(), pulling, func() error { return io.ErrUnexpectedEOF })
		if attempts != pulling.attempts || err == nil {
			t.Errorf("no answer: %d, %v", attempts, err)
		}
		left := 100
		attempts, err = r.retry(t.Context(), pulling, func() error {
			if left--; left == 0 {
				return nil
			}
			r.connections.Add(1) // containerd died and is back
			return io.ErrUnexpectedEOF
		})
		if attempts != 1 || err != nil {
			t.Errorf("while containerd comes and goes: %d, %v", attempts, err)
		}
	})
}

func TestFlightsShareAndCancel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var f pullGroup
		land := make(chan struct{})
		began, cancelled := 0, 0
		pull := func(ctx context.Context) (host.Image, error) {
			began++
			select {
			case <-land:
				return host.Image{Name: "landed"}, nil
			case <-ctx.Done():
				cancelled++
				return host.Image{}, ctx.Err()
			}
		}
		ctx, cancel := context.WithCancel(t.Context())
		results := make(chan error, 3)
		for range 2 {
			go func() { _, err := f.join(ctx, pullKey{name: "a"}, pull); results <- err }()
		}
		synctest.Wait()
		if began != 1 {
			t.Errorf("%d pulls for two callers", began)
		}
		cancel() // nobody waits any more
		for range 2 {
			if err := <-results; !errors.Is(err, context.Canceled) {
				t.Errorf("error = %v", err)
			}
		}
		synctest.Wait()
		if cancelled != 1 {
			t.Error("the pull goes on for nobody")
		}
		go func() { _, err := f.join(t.Context(), pullKey{name: "a"}, pull); results <- err }()
		synctest.Wait()
		close(land)
		if err := <-results; err != nil || began != 2 {
			t.Errorf("the next caller: %v, %d pulls", err, began)
		}
	})
}

func TestErrorReadsAsECSWritesIt(t *testing.T) {
	inner := &Error{Kind: CannotStart, Err: errors.New("no such thing")}
	outer := &Error{Kind: CannotCreate, Err: errors.Join(inner, errors.New("and no cleaning up"))}
	if got := outer.Error(); got != "CannotStartContainerError: no such thing" {
		t.Error(got)
	}
}

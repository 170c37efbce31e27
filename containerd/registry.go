package containerd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/containerd/containerd/v2/core/remotes"
	"github.com/containerd/containerd/v2/core/remotes/docker"

	"fargo/desired"
	"fargo/host"
)

// registryIdle is how long a registry may send nothing before it counts as
// hanging. Source: ECS_IMAGE_PULL_INACTIVITY_TIMEOUT, whose default is 1 minute.
const registryIdle = time.Minute

var errRegistryIdle = fmt.Errorf("no progress for %s", registryIdle)

// resolver speaks to the registry in an image's name, or to src.Endpoint in its
// place, which gets the name by the query "ns". It asks login, when there is one,
// each time that a registry wants credentials. Plain HTTP is spoken to this
// machine's own addresses, and where Endpoint says so.
func (g *transports) resolver(ctx context.Context, src desired.PullSource, login host.Login) (remotes.Resolver, error) {
	through := &pullTransport{transports: g}
	httpClient := &http.Client{Transport: bounded{&idleTimeout{base: through, idle: registryIdle}}}
	authorizer := docker.NewDockerAuthorizer(
		docker.WithAuthClient(httpClient),
		docker.WithAuthCreds(func(string) (string, string, error) {
			if login == nil {
				return src.Username, "", nil
			}
			username, password, err := login(ctx)
			return username, password.Reveal(), err
		}),
	)
	hosts := docker.ConfigureDefaultRegistries(
		docker.WithClient(httpClient),
		docker.WithAuthorizer(authorizer),
		docker.WithPlainHTTP(docker.MatchLocalhost),
	)
	if src.Endpoint != "" {
		endpoint, err := url.Parse(src.Endpoint)
		if err != nil || endpoint.Host == "" {
			return nil, errors.Join(fmt.Errorf("registry endpoint %q is not a URL", src.Endpoint), err)
		}
		through.endpoint = hostPort(endpoint)
		hosts = func(string) ([]docker.RegistryHost, error) {
			return []docker.RegistryHost{{
				Client:       httpClient,
				Authorizer:   authorizer,
				Scheme:       endpoint.Scheme,
				Host:         endpoint.Host,
				Path:         strings.TrimSuffix(endpoint.Path, "/") + "/v2",
				Capabilities: docker.HostCapabilityPull | docker.HostCapabilityResolve,
			}}, nil
		}
	}
	return docker.NewResolver(docker.ResolverOptions{Hosts: hosts}), nil
}

// idleTimeout is a transport that gives up on a server that goes silent, in the
// headers or in the middle of a body, and waits as long as one talks.
type idleTimeout struct {
	base http.RoundTripper
	idle time.Duration
}

func (p *idleTimeout) RoundTrip(request *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancelCause(request.Context())
	timer := time.AfterFunc(p.idle, func() { cancel(errRegistryIdle) })
	response, err := p.base.RoundTrip(request.WithContext(ctx))
	timer.Stop()
	if err != nil {
		err = idleError(ctx, err)
		cancel(nil)
		return nil, err
	}
	response.Body = &idleTimeoutBody{ReadCloser: response.Body, ctx: ctx, cancel: cancel, timer: timer, idle: p.idle}
	return response, nil
}

// idleTimeoutBody counts only the time that a read waits: a slow reader is not the
// server's fault.
type idleTimeoutBody struct {
	io.ReadCloser
	ctx    context.Context
	cancel context.CancelCauseFunc
	timer  *time.Timer
	idle   time.Duration
	closed sync.Once
}

func (b *idleTimeoutBody) Read(buffer []byte) (int, error) {
	b.timer.Reset(b.idle)
	n, err := b.ReadCloser.Read(buffer)
	b.timer.Stop()
	if err != nil && !errors.Is(err, io.EOF) {
		err = idleError(b.ctx, err)
	}
	return n, err
}

func (b *idleTimeoutBody) Close() error {
	err := b.ReadCloser.Close()
	b.closed.Do(func() { b.timer.Stop(); b.cancel(nil) })
	return err
}

// idleError tells why ctx was cancelled, when it was for silence.
func idleError(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); errors.Is(cause, errRegistryIdle) {
		return cause
	}
	return err
}

package containerd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/containerd/log"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"fargo/desired"
	"fargo/host"
	"fargo/secret"
)

const someDigest = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

// A forbidden server counts who comes: nobody may.
func forbidden(t *testing.T) (server *httptest.Server, came *atomic.Int64) {
	t.Helper()
	came = new(atomic.Int64)
	server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		came.Add(1)
		fmt.Fprintln(w, "what only this machine may see")
	}))
	t.Cleanup(server.Close)
	return server, came
}

func hostOf(s *httptest.Server) string { return strings.TrimPrefix(s.URL, "http://") }

// allowing gives ways to the hosts alone.
func allowing(t *testing.T, hosts ...string) *transports {
	t.Helper()
	g := newTransports(Config{Registries: Registries{Allow: patterns(t, hosts...)}})
	g.proxy = func(*http.Request) (*url.URL, error) { return nil, nil }
	t.Cleanup(func() {
		g.trusted.CloseIdleConnections()
		g.guarded.CloseIdleConnections()
		g.own.CloseIdleConnections()
	})
	return g
}

// resolve asks a registry for an image as a pull does, and gives the error that a
// user reads.
func resolve(t *testing.T, g *transports, ref string, src desired.PullSource) error {
	t.Helper()
	return resolveWith(t, g, ref, src, nil)
}

func resolveWith(t *testing.T, g *transports, ref string, src desired.PullSource, login host.Login) error {
	t.Helper()
	resolver, err := g.resolver(t.Context(), src, login)
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = resolver.Resolve(log.WithLogger(t.Context(), silence), ref)
	if err != nil {
		return explained(ref, err)
	}
	fetcher, err := resolver.Fetcher(t.Context(), ref)
	if err != nil {
		t.Fatal(err)
	}
	return fetch(t.Context(), fetcher, ocispec.Descriptor{MediaType: ocispec.MediaTypeImageLayerGzip, Digest: someDigest, Size: 4})
}

func fetch(ctx context.Context, f interface {
	Fetch(context.Context, ocispec.Descriptor) (io.ReadCloser, error)
}, of ocispec.Descriptor,
) error {
	body, err := f.Fetch(ctx, of)
	if err != nil {
		return explained("layer", err)
	}
	defer body.Close()
	if _, err = io.ReadAll(body); err != nil {
		return explained("layer", err)
	}
	return nil
}

// Neither the name of an image nor what a registry answers leads to a place where
// registries may not be: by address, by a name that stands for one, by a redirect
// of the manifest or of a layer, by the realm of its tokens.
func TestNothingLeadsToThisMachine(t *testing.T) {
	inside, came := forbidden(t)
	secret := inside.URL + "/latest/meta-data/"
	byName := "http://localhost:" + inside.URL[strings.LastIndex(inside.URL, ":")+1:] + "/secret"
	for name, answer := range map[string]http.HandlerFunc{
		"manifest redirected": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, secret, http.StatusTemporaryRedirect)
		},
		"redirected to a name": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, byName, http.StatusTemporaryRedirect)
		},
		"realm of tokens": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("WWW-Authenticate", `Bearer realm="`+secret+`",service="x",scope="repository:app:pull"`)
			w.WriteHeader(http.StatusUnauthorized)
		},
		"layer redirected": func(w http.ResponseWriter, r *http.Request) {
			if strings.Contains(r.URL.Path, "/blobs/") {
				http.Redirect(w, r, secret, http.StatusTemporaryRedirect)
				return
			}
			manifest(w)
		},
	} {
		t.Run(name, func(t *testing.T) {
			outside := httptest.NewServer(answer)
			defer outside.Close()
			err := resolve(t, allowing(t, hostOf(outside)), hostOf(outside)+"/app:latest", desired.PullSource{})
			if !isRefusal(err) || !strings.Contains(err.Error(), "--allow-registry") {
				t.Errorf("error = %v", err)
			}
		})
	}
	for _, name := range []string{hostOf(inside), strings.TrimSuffix(strings.TrimPrefix(byName, "http://"), "/secret")} {
		err := resolve(t, allowing(t), name+"/app:latest", desired.PullSource{})
		if !isRefusal(err) || !final(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n := came.Load(); n != 0 {
		t.Errorf("%d requests came to a forbidden place", n)
	}
}

func manifest(w http.ResponseWriter) {
	w.Header().Set("Content-Type", ocispec.MediaTypeImageManifest)
	w.Header().Set("Docker-Content-Digest", someDigest)
	w.Header().Set("Content-Length", "2")
	fmt.Fprint(w, "{}")
}

// A manifest may say that a layer is elsewhere; we do not look there, not even
// where registries may be.
func TestURLsOfLayersAreNotFollowed(t *testing.T) {
	elsewhere, came := forbidden(t)
	registry := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "here") }))
	defer registry.Close()
	ref := hostOf(registry) + "/app:latest"
	resolver, err := allowing(t, hostOf(registry), hostOf(elsewhere)).resolver(t.Context(), desired.PullSource{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	asked, err := resolver.Fetcher(t.Context(), ref)
	if err != nil {
		t.Fatal(err)
	}
	fetcher := registryOnly{asked}
	layer := ocispec.Descriptor{MediaType: ocispec.MediaTypeImageLayerGzip, Digest: someDigest, Size: 4, URLs: []string{elsewhere.URL + "/layer"}}
	if err := fetch(t.Context(), fetcher, layer); err != nil || came.Load() != 0 {
		t.Errorf("%v; %d requests came", err, came.Load())
	}
}

// Fargo's own registry is on this machine, and only pulls that the control plane
// sends there come to it.
func TestOwnRegistryIsForItsOwnNames(t *testing.T) {
	own := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user, password, _ := r.BasicAuth(); user != "AWS" || password != "secret" {
			w.Header().Set("WWW-Authenticate", `Basic realm="here"`)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		if strings.Contains(r.URL.Path, "/blobs/") {
			fmt.Fprint(w, "blob")
			return
		}
		manifest(w)
	}))
	defer own.Close()
	g := allowing(t)
	const name = "123456789012.dkr.ecr.us-east-1.amazonaws.com/app:latest"
	src := desired.PullSource{Endpoint: own.URL, Username: "AWS", PasswordID: "password"}
	if err := resolveWith(t, g, name, src, passwordIs("secret")); err != nil {
		t.Error(err)
	}
	unavailable := &host.SecretError{Reason: "ResourceInitializationError: not now"}
	err := resolveWith(t, g, name, src, func(context.Context) (string, secret.Text, error) { return "", secret.Text{}, unavailable })
	if !errors.Is(err, unavailable) || !final(err) {
		t.Errorf("without its password: %v", err)
	}
	if err := resolve(t, g, hostOf(own)+"/app:latest", desired.PullSource{}); !isRefusal(err) {
		t.Errorf("by its address: %v", err)
	}
}

// passwordIs is a password that is at hand.
func passwordIs(value string) host.Login {
	return func(context.Context) (string, secret.Text, error) { return "AWS", secret.New(value), nil }
}

// A proxy looks up names itself. It is not asked for what must not be asked.
func TestProxyIsNoWayAround(t *testing.T) {
	var asked atomic.Int64
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		manifest(w)
	}))
	defer proxy.Close()
	at, err := url.Parse(proxy.URL)
	if err != nil {
		t.Fatal(err)
	}
	g := allowing(t)
	g.proxy = func(*http.Request) (*url.URL, error) { return at, nil }
	for address, want := range map[string]bool{"http://registry.test/v2/": true, "http://169.254.169.254/v2/": false, "http://[fe80::1]/": false} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		response, err := (&pullTransport{transports: g}).RoundTrip(r)
		if err == nil {
			response.Body.Close()
		}
		if (err == nil) != want || !want && !isRefusal(err) {
			t.Errorf("%s: %v", address, err)
		}
	}
	if asked.Load() != 1 {
		t.Errorf("the proxy was asked %d times", asked.Load())
	}
}

// What a registry answers is not what a user reads, whatever it is.
func TestAnswersAreNotRepeated(t *testing.T) {
	const loud = "LOUD\x1b[31m\u202e"
	for name, test := range map[string]struct {
		answer http.HandlerFunc
		want   string
	}{
		"errors in the body": {
			func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(http.StatusForbidden)
				fmt.Fprintf(w, `{"errors":[{"code":"DENIED","message":"%s"}]}`, strings.Repeat("LOUD", 5000))
			},
			"unexpected status from HEAD request to http://HOST/v2/app/manifests/latest: 403 Forbidden",
		},
		"a reason of its own": {
			func(w http.ResponseWriter, _ *http.Request) {
				conn, buffer, err := w.(http.Hijacker).Hijack()
				if err == nil {
					fmt.Fprintf(buffer, "HTTP/1.1 418 %s\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", loud)
					buffer.Flush()
					conn.Close()
				}
			},
			"unexpected status from HEAD request to http://HOST/v2/app/manifests/latest: 418 I'm a teapot",
		},
		"no HTTP": {
			func(w http.ResponseWriter, _ *http.Request) {
				conn, buffer, err := w.(http.Hijacker).Hijack()
				if err == nil {
					fmt.Fprint(buffer, strings.Repeat(loud, 100)+"\r\n\r\n")
					buffer.Flush()
					conn.Close()
				}
			},
			`failed to do request: Head "http://HOST/v2/app/manifests/latest": no valid answer`,
		},
		"a refused token": {
			func(w http.ResponseWriter, r *http.Request) {
				if strings.HasPrefix(r.URL.Path, "/token") {
					fmt.Fprint(w, `{"token":"x"}`)
					return
				}
				w.Header().Set("WWW-Authenticate", `Bearer realm="http://`+r.Host+`/token",service="x",scope="repository:app:pull",error="LOUD"`)
				w.WriteHeader(http.StatusUnauthorized)
			},
			"pull access denied, repository does not exist or may require authorization: authorization failed",
		},
	} {
		t.Run(name, func(t *testing.T) {
			registry := httptest.NewServer(test.answer)
			defer registry.Close()
			err := resolve(t, allowing(t, hostOf(registry)), hostOf(registry)+"/app:latest", desired.PullSource{})
			want := strings.ReplaceAll(test.want, "HOST", hostOf(registry))
			if err == nil || err.Error() != want {
				t.Errorf("got  %v\nwant %s", err, want)
			}
		})
	}
}

// Any other cause is one line that can be read, and of bounded length.
func FuzzPlain(f *testing.F) {
	f.Add("failed to extract layer: no space left on device")
	f.Add("two\nlines\x00\x1b[31m and \u202e\xff")
	f.Add(strings.Repeat("é", 600))
	f.Fuzz(func(t *testing.T, text string) {
		got := plain(text)
		if len(got) > mostReason {
			t.Errorf("%d bytes", len(got))
		}
		if strings.ContainsFunc(got, func(r rune) bool { return r < ' ' || r == 0x7f || r == '\u202e' || r == '\ufffd' }) {
			t.Errorf("%q", got)
		}
	})
}

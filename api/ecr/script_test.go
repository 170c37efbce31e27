package ecr_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"fargo"
	"fargo/api"
	"fargo/api/ecr"
	wire "fargo/aws/ecr"
	"fargo/record"
	"fargo/registry"
	"fargo/store"
)

// rewriting is apitest's flag -rewrite: what was answered is written into testdata.
func rewriting() bool { return flag.Lookup("rewrite").Value.String() == "true" }

func TestMain(m *testing.M) {
	registry.RouteLogs(slog.New(slog.DiscardHandler))
	if dir := os.Getenv(victimDir); dir != "" {
		if err := serveVictim(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// fixture is the API and the registry on loopback, at one address as in Fargo.
type fixture struct {
	t       *testing.T
	host    string
	journal store.Journal
	dir     string
	server  *ecr.Server
}

func newFixture(t *testing.T) *fixture {
	return openSite(t, store.NewMemory(), t.TempDir(), api.AllowAuthenticated{})
}

func openSite(t *testing.T, journal store.Journal, dir string, authorizer api.Authorizer) *fixture {
	logger := slog.New(slog.NewTextHandler(t.Output(), nil))
	handler, server, err := assemble(t.Context(), journal, dir, authorizer, logger)
	must(t, err)
	http := httptest.NewServer(handler)
	t.Cleanup(http.Close)
	return &fixture{t, strings.TrimPrefix(http.URL, "http://"), journal, dir, server}
}

// assemble puts the API and the registry together as Fargo does.
func assemble(ctx context.Context, journal store.Journal, dir string, authorizer api.Authorizer, logger *slog.Logger) (http.Handler, *ecr.Server, error) {
	db, err := store.Open(ctx, journal)
	if err != nil {
		return nil, nil, err
	}
	key, err := ecr.LoadKey(ctx, db)
	if err != nil {
		return nil, nil, err
	}
	storage, err := registry.OpenStorage(ctx, registry.StorageConfig{Dir: filepath.Join(dir, "registry"), Grace: time.Hour, Logger: logger})
	if err != nil {
		return nil, nil, err
	}
	server := ecr.New(ecr.Config{DB: db, Blobs: storage, Key: key, Calls: api.Calls{Authorizer: authorizer}})
	mux := http.NewServeMux()
	mux.Handle("/v2/", registry.New(ctx, registry.Config{Storage: storage, Catalog: server, Secret: key, Logger: logger}))
	mux.Handle("/", api.New(api.Config{
		Services: []api.Mounted{{Service: &wire.API, Server: server}}, Authorizer: authorizer, Logger: logger,
		Keys: noKeys{}, AcceptAnyCredentials: true, Account: fargo.DefaultAccount, Region: fargo.DefaultRegion,
	}))
	return mux, server, nil
}

// noKeys knows no access key.
type noKeys struct{}

func (noKeys) Key(string) (api.Key, bool) { return api.Key{}, false }

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// call sends one request to the API and gives the answer's status and body.
func (s *fixture) call(operation, body string) (int, []byte) {
	r, err := http.NewRequestWithContext(s.t.Context(), "POST", "http://"+s.host+"/", strings.NewReader(body))
	must(s.t, err)
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	r.Header.Set("X-Amz-Target", wire.API.TargetPrefix+"."+operation)
	resp, err := http.DefaultClient.Do(r)
	must(s.t, err)
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	must(s.t, err)
	return resp.StatusCode, b
}

// image makes an image of one layer; the same content makes the same digest.
func image(t *testing.T, content string) v1.Image {
	i, err := mutate.AppendLayers(empty.Image, static.NewLayer([]byte(content), types.DockerLayer))
	must(t, err)
	return i
}

func (s *fixture) push(ref string, image v1.Image) error { return s.pushAs(s.auth(), ref, image) }

func (s *fixture) pushAs(login remote.Option, ref string, image v1.Image) error {
	r, err := name.ParseReference(s.host + "/" + ref)
	if err != nil {
		return err
	}
	return remote.Write(r, image, login, remote.WithRetryBackoff(remote.Backoff{Steps: 1}))
}

// auth is Ann's login.
func (s *fixture) auth() remote.Option {
	password, _ := s.server.Password(record.RegistryGrant{Scope: home, PrincipalARN: "arn:aws:iam::123456789012:user/ann"}, time.Now())
	return basic(password)
}

func basic(password string) remote.Option {
	return remote.WithAuth(&authn.Basic{Username: "AWS", Password: password})
}

// TestScripts runs the scripts in testdata. A line that begins with "> " is a
// command, and what follows is its answer:
//
//	> Operation {"its": "input"}    an answer of the API, or its error
//	> push ref content              an image of one layer, through the registry
//	> pull ref                      the digest of a manifest, through the registry
//	> index ref ref …               an index of images that are there
//	> refer ref type                an artifact that refers to an image
//	> lifecycle repository policy   puts a lifecycle policy, and what is wrong with it
//	> delete ref                    deletes through the registry
//
// <digest of ref> in an input stands for a digest.
func TestScripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	must(t, err)
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			script, err := os.ReadFile(file)
			must(t, err)
			got := newFixture(t).run(string(script))
			if rewriting() {
				must(t, os.WriteFile(file, []byte(got), 0o644))
			} else if diff := cmp.Diff(string(script), got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// run carries out a script's commands and gives it with their answers.
func (s *fixture) run(script string) string {
	var out strings.Builder
	answering := false
	for line := range strings.Lines(script) {
		command, ok := strings.CutPrefix(line, "> ")
		switch {
		case ok:
			fmt.Fprintf(&out, "%s%s\n", line, s.do(strings.TrimSpace(command)))
			answering = true
		case answering && strings.TrimSpace(line) == "":
			answering = false
			fallthrough
		case !answering:
			out.WriteString(line)
		}
	}
	return out.String()
}

func (s *fixture) do(command string) string {
	verb, rest, _ := strings.Cut(command, " ")
	switch verb {
	case "push":
		ref, content, _ := strings.Cut(rest, " ")
		i := image(s.t, content)
		if err := s.push(ref, i); err != nil {
			return refusal(err)
		}
		h, err := i.Digest()
		must(s.t, err)
		return h.String()
	case "pull":
		d, err := remote.Get(s.ref(rest), s.auth())
		if err != nil {
			return refusal(err)
		}
		return d.Digest.String()
	case "index":
		return s.index(strings.Fields(rest))
	case "refer":
		ref, kind, _ := strings.Cut(rest, " ")
		return s.refer(ref, kind)
	case "mount":
		ref, to, _ := strings.Cut(rest, " ")
		return s.mount(ref, to)
	case "lifecycle":
		repository, policy, _ := strings.Cut(rest, " ")
		return s.lifecycle(repository, policy)
	case "delete":
		if err := remote.Delete(s.ref(rest), s.auth()); err != nil {
			return refusal(err)
		}
		return "deleted"
	}
	status, body := s.call(verb, digests.ReplaceAllStringFunc(rest, func(of string) string {
		d, err := remote.Head(s.ref(digests.FindStringSubmatch(of)[1]), s.auth())
		must(s.t, err)
		return d.Digest.String()
	}))
	if status != http.StatusOK {
		var e struct {
			Type    string `json:"__type"`
			Message string `json:"message"`
		}
		must(s.t, json.Unmarshal(body, &e))
		return e.Type + ": " + e.Message
	}
	var pretty bytes.Buffer
	must(s.t, json.Indent(&pretty, body, "", "  "))
	return moments.ReplaceAllString(pretty.String(), `"$1": TIME`)
}

var (
	moments = regexp.MustCompile(`"(createdAt|imagePushedAt|lastRecordedPullTime|lastArchivedAt|lastActivatedAt|lastEvaluatedAt)": [1-9][0-9.]*`)
	digests = regexp.MustCompile(`<digest of ([^>]+)>`)
)

func refusal(err error) string {
	var e *transport.Error
	if !errors.As(err, &e) || len(e.Errors) == 0 {
		return err.Error()
	}
	return fmt.Sprintf("%d %s: %s", e.StatusCode, e.Errors[0].Code, e.Errors[0].Message)
}

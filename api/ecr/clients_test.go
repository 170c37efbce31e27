package ecr_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/containerd/containerd/v2/core/remotes/docker"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"fargo"
	"fargo/api"
	"fargo/aws/protocol"
	"fargo/record"
	"fargo/store"
)

var home = fargo.Scope{Account: fargo.DefaultAccount, Region: fargo.DefaultRegion}

// password asks the API for a password, as aws ecr get-login-password does.
func (s *fixture) password() (password, endpoint string, expires time.Time) {
	status, body := s.call("GetAuthorizationToken", "{}")
	var out struct {
		AuthorizationData []struct {
			AuthorizationToken, ProxyEndpoint string
			ExpiresAt                         float64
		}
	}
	must(s.t, json.Unmarshal(body, &out))
	if status != http.StatusOK || len(out.AuthorizationData) != 1 {
		s.t.Fatalf("GetAuthorizationToken: %d %s", status, body)
	}
	d := out.AuthorizationData[0]
	b, err := base64.StdEncoding.DecodeString(d.AuthorizationToken)
	must(s.t, err)
	user, password, _ := strings.Cut(string(b), ":")
	if user != "AWS" || strings.Contains(password, ":") {
		s.t.Fatalf("token %q", b)
	}
	return password, d.ProxyEndpoint, time.Unix(int64(d.ExpiresAt), 0)
}

func (s *fixture) loginAs(password string) int {
	r, err := http.NewRequestWithContext(s.t.Context(), "GET", "http://"+s.host+"/v2/", nil)
	must(s.t, err)
	r.SetBasicAuth("AWS", password)
	resp, err := http.DefaultClient.Do(r)
	must(s.t, err)
	resp.Body.Close()
	return resp.StatusCode
}

func TestPassword(t *testing.T) {
	s := newFixture(t)
	password, endpoint, expires := s.password()
	if endpoint != "https://123456789012.dkr.ecr.us-east-1.amazonaws.com" {
		t.Errorf("endpoint %q", endpoint)
	}
	if life := time.Until(expires); life > 12*time.Hour || life < 11*time.Hour {
		t.Errorf("expires in %v", life)
	}
	grant := record.RegistryGrant{Scope: home, PrincipalARN: "arn:aws:iam::123456789012:user/ann"}
	old, _ := s.server.Password(grant, time.Now().Add(-12*time.Hour))
	other, _, _ := newFixture(t).password()
	said, signature, _ := strings.Cut(password, ".")
	claims, err := base64.RawURLEncoding.DecodeString(said)
	must(t, err)
	forged := base64.RawURLEncoding.EncodeToString([]byte(strings.Replace(string(claims), home.Account, "999999999999", 1))) + "." + signature
	for name, c := range map[string]struct {
		password string
		status   int
	}{
		"good":                    {password, 200},
		"expired":                 {old, 403},
		"of another installation": {other, 403},
		"forged":                  {forged, 403},
		"cut":                     {said, 403},
		"empty":                   {"", 403},
	} {
		if got := s.loginAs(c.password); got != c.status {
			t.Errorf("%s: %d, want %d", name, got, c.status)
		}
	}
	again := openSite(t, s.journal, s.dir, api.AllowAuthenticated{})
	if got := again.loginAs(password); got != http.StatusOK {
		t.Errorf("after a restart: %d", got)
	}
}

// Images and what they lead to are there after a restart, and a tag resolves
// by the records alone.
func TestRestart(t *testing.T) {
	s := newFixture(t)
	s.call("CreateRepository", `{"repositoryName":"app"}`)
	i := image(t, "content")
	must(t, s.push("app:v1", i))
	want, err := i.Digest()
	must(t, err)

	s = openSite(t, s.journal, s.dir, api.AllowAuthenticated{})
	if got := s.do("pull app:v1"); got != want.String() {
		t.Errorf("pulled %s", got)
	}
	db, err := store.Open(t.Context(), s.journal)
	must(t, err)
	n, ok := fargo.ParseImageName(fargo.RegistryHost(home) + "/app:v1")
	if !ok {
		t.Fatal("the name is not understood")
	}
	if i, ok := store.ResolveImage(db.View(), n.Scope(), n.Repository, n.Reference); !ok || i.Digest() != want.String() {
		t.Errorf("resolved %+v", i)
	}
}

// containerd asks for an image by its name on AWS and is sent here.
func TestContainerdResolves(t *testing.T) {
	s := newFixture(t)
	s.call("CreateRepository", `{"repositoryName":"myapp/api"}`)
	i := image(t, "content")
	must(t, s.push("myapp/api:v1", i))
	want, err := i.Digest()
	must(t, err)
	password, _, _ := s.password()
	resolver := docker.NewResolver(docker.ResolverOptions{Hosts: func(string) ([]docker.RegistryHost, error) {
		return []docker.RegistryHost{{
			Client: http.DefaultClient, Host: s.host, Scheme: "http", Path: "/v2",
			Capabilities: docker.HostCapabilityPull | docker.HostCapabilityResolve,
			Authorizer: docker.NewDockerAuthorizer(docker.WithAuthCreds(func(string) (string, string, error) {
				return "AWS", password, nil
			})),
		}}, nil
	}})
	name, descriptor, err := resolver.Resolve(t.Context(), fargo.RegistryHost(home)+"/myapp/api:v1")
	must(t, err)
	if descriptor.Digest.String() != want.String() {
		t.Errorf("resolved %v, want %v", descriptor.Digest, want)
	}
	fetcher, err := resolver.Fetcher(t.Context(), name)
	must(t, err)
	r, err := fetcher.Fetch(t.Context(), descriptor)
	must(t, err)
	defer r.Close()
	got, err := io.ReadAll(r)
	must(t, err)
	if text, _ := i.RawManifest(); string(got) != string(text) {
		t.Errorf("fetched %s", got)
	}
}

// puller may read, and nothing else.
type puller struct{}

func (puller) Authorize(_ context.Context, call *api.Call, in any) error {
	switch call.Operation {
	case "InitiateLayerUpload", "UploadLayerPart", "CompleteLayerUpload", "PutImage":
		return protocol.Errorf("AccessDeniedException", "User: %s is not authorized to perform: ecr:%s", call.PrincipalARN, call.Operation)
	}
	return nil
}

func TestPolicyDecidesInTheRegistry(t *testing.T) {
	s := openSite(t, store.NewMemory(), t.TempDir(), puller{})
	s.call("CreateRepository", `{"repositoryName":"app"}`)
	if got, want := s.do("push app:v1 content"), "403 DENIED: User: arn:aws:iam::123456789012:user/ann is not authorized to perform: ecr:InitiateLayerUpload"; got != want {
		t.Errorf("push: %s, want %s", got, want)
	}
	if got := s.do("pull app:v1"); got != "404 MANIFEST_UNKNOWN: Requested image not found" {
		t.Errorf("pull: %s", got)
	}
}

// Nobody gets into another account's registry, named by its host.
func TestForeignRegistry(t *testing.T) {
	s := newFixture(t)
	password, _, _ := s.password()
	r, err := http.NewRequestWithContext(t.Context(), "GET", "http://"+s.host+"/v2/app/manifests/v1?ns=999999999999.dkr.ecr.us-east-1.amazonaws.com", nil)
	must(t, err)
	r.SetBasicAuth("AWS", password)
	resp, err := http.DefaultClient.Do(r)
	must(t, err)
	defer resp.Body.Close()
	if b, _ := io.ReadAll(resp.Body); resp.StatusCode != http.StatusForbidden || !strings.Contains(string(b), "because no resource-based policy allows the ecr:BatchGetImage action") {
		t.Errorf("%s %s", resp.Status, b)
	}
}

func TestPutImageThroughAPI(t *testing.T) {
	s := newFixture(t)
	s.call("CreateRepository", `{"repositoryName":"app","imageTagMutability":"IMMUTABLE"}`)
	i := image(t, "content")
	must(t, s.push("app:v1", i))
	text, err := i.RawManifest()
	must(t, err)
	put := func(tag string, manifest string) string {
		in, err := json.Marshal(map[string]string{"repositoryName": "app", "imageManifest": manifest, "imageTag": tag})
		must(t, err)
		return s.do("PutImage " + string(in))
	}
	if got := put("v2", string(text)); strings.Contains(got, "Exception") {
		t.Errorf("a new tag: %s", got)
	}
	h, _ := i.Digest()
	if got, want := put("v2", string(text)), "ImageAlreadyExistsException: Image with digest '"+h.String()+"' and tag 'v2' already exists in the repository with name 'app' in registry with id '123456789012'"; got != want {
		t.Errorf("the same again: %s", got)
	}
	strange, _ := image(t, "not pushed").RawManifest()
	if got := put("v3", string(strange)); !strings.HasPrefix(got, "LayersNotFoundException: ") {
		t.Errorf("layers are not there: %s", got)
	}
	if got := put("v3", "{}"); !strings.HasPrefix(got, "InvalidParameterException: ") {
		t.Errorf("no manifest: %s", got)
	}
	m, _ := i.Manifest()
	got := s.do(`BatchCheckLayerAvailability {"repositoryName":"app","layerDigests":["` + m.Layers[0].Digest.String() + `","sha256:` + strings.Repeat("0", 64) + `","x"]}`)
	for _, want := range []string{`"layerAvailability": "AVAILABLE"`, `"layerSize": 7`, `"layerAvailability": "UNAVAILABLE"`, `"failureCode": "InvalidLayerDigest"`} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s in %s", want, got)
		}
	}
}

// An index has the size of its largest child, and its children cannot be
// deleted before it.
func TestIndex(t *testing.T) {
	s := newFixture(t)
	s.call("CreateRepository", `{"repositoryName":"app"}`)
	small, large := image(t, "a"), image(t, strings.Repeat("large", 100))
	index := mutate.AppendManifests(empty.Index, mutate.IndexAddendum{Add: small}, mutate.IndexAddendum{Add: large})
	ref, err := name.ParseReference(s.host + "/app:multi")
	must(t, err)
	must(t, remote.WriteIndex(ref, index, s.auth()))

	v := s.do(`DescribeImages {"repositoryName":"app","imageIds":[{"imageTag":"multi"}]}`)
	m, _ := large.Manifest()
	size, err := json.Marshal(m.Config.Size + m.Layers[0].Size)
	must(t, err)
	if !strings.Contains(v, `"imageSizeInBytes": `+string(size)) {
		t.Errorf("the index is %s; its largest child has %s bytes", v, size)
	}
	child, _ := small.Digest()
	remove := func(id string) string {
		return s.do(`BatchDeleteImage {"repositoryName":"app","imageIds":[` + id + `]}`)
	}
	if got := remove(`{"imageDigest":"` + child.String() + `"}`); !strings.Contains(got, `"failureCode": "ImageReferencedByManifestList"`) {
		t.Errorf("deleted a child: %s", got)
	}
	remove(`{"imageTag":"multi"}`)
	if got := remove(`{"imageDigest":"` + child.String() + `"}`); strings.Contains(got, "failureCode") {
		t.Errorf("after its index: %s", got)
	}
}

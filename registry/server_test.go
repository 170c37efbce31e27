package registry_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
	"github.com/opencontainers/go-digest"

	"fargo"
	"fargo/record"
	"fargo/registry"
)

func TestMain(m *testing.M) {
	registry.RouteLogs(slog.New(slog.DiscardHandler))
	os.Exit(m.Run())
}

// site is a registry that listens on loopback.
type site struct {
	t       testing.TB
	dir     string
	catalog *catalog
	storage *registry.Storage
	host    string
}

func newSite(t testing.TB, repositories ...string) *site {
	return openSite(t, t.TempDir(), newCatalog(repositories...))
}

// openSite starts a registry on what another may have left in dir.
func openSite(t testing.TB, dir string, c *catalog) *site {
	logger := slog.New(slog.NewTextHandler(t.Output(), nil))
	storage, err := registry.OpenStorage(t.Context(), registry.StorageConfig{
		Dir: filepath.Join(dir, "registry"), Grace: time.Hour, Logger: logger,
	})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(registry.New(t.Context(), registry.Config{
		Storage: storage, Catalog: c, Secret: []byte("a secret that survives restarts"), Logger: logger,
	}))
	t.Cleanup(server.Close)
	return &site{t, dir, c, storage, strings.TrimPrefix(server.URL, "http://")}
}

func (s *site) ref(image string) name.Reference {
	s.t.Helper()
	ref, err := name.ParseReference(s.host + "/" + image)
	if err != nil {
		s.t.Fatal(err)
	}
	return ref
}

var asAnn = remote.WithAuth(&authn.Basic{Username: "AWS", Password: "open"})

func (s *site) push(ref string, image v1.Image) v1.Hash {
	s.t.Helper()
	if err := remote.Write(s.ref(ref), image, asAnn); err != nil {
		s.t.Fatalf("push %s: %v", ref, err)
	}
	h, err := image.Digest()
	if err != nil {
		s.t.Fatal(err)
	}
	return h
}

// pull reads the whole of an image and gives its digest.
func (s *site) pull(ref string) (h v1.Hash, err error) {
	image, err := remote.Image(s.ref(ref), asAnn)
	if err != nil {
		return h, err
	}
	layers, err := image.Layers()
	if err != nil {
		return h, err
	}
	for _, l := range layers {
		r, err := l.Compressed() // verifies the digest
		if err != nil {
			return h, err
		}
		if _, err := io.Copy(io.Discard, r); err != nil {
			return h, err
		}
	}
	if _, err := image.RawConfigFile(); err != nil {
		return h, err
	}
	return image.Digest()
}

func (s *site) mustPull(ref string, want v1.Hash) {
	s.t.Helper()
	got, err := s.pull(ref)
	if err != nil {
		s.t.Fatalf("pull %s: %v", ref, err)
	}
	if got != want {
		s.t.Fatalf("pull %s: got %v, want %v", ref, got, want)
	}
}

// do sends one request as Ann and gives the answer with its body read.
func (s *site) do(method, path string, body string, header ...string) (*http.Response, string) {
	s.t.Helper()
	if !strings.HasPrefix(path, "http") {
		path = "http://" + s.host + path
	}
	r, err := http.NewRequestWithContext(s.t.Context(), method, path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	r.SetBasicAuth("AWS", "open")
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	return resp, read(s.t, resp)
}

// read gives the whole body of an answer.
func read(t testing.TB, resp *http.Response) string {
	t.Helper()
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// get begins to read something as Ann.
func (s *site) get(path string) (*http.Response, error) {
	r, err := http.NewRequestWithContext(s.t.Context(), "GET", "http://"+s.host+path, nil)
	if err != nil {
		return nil, err
	}
	r.SetBasicAuth("AWS", "open")
	return http.DefaultClient.Do(r)
}

func (s *site) blobs() int {
	n := 0
	err := filepath.WalkDir(filepath.Join(s.dir, "registry/docker/registry/v2/blobs"), func(_ string, e fs.DirEntry, err error) error {
		if err == nil && e.Name() == "data" {
			n++
		}
		return err
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return n
}

// age makes every file look as if it was last needed two days ago.
func (s *site) age() {
	then := time.Now().Add(-48 * time.Hour)
	err := filepath.WalkDir(s.dir, func(path string, e fs.DirEntry, err error) error {
		return errors.Join(err, os.Chtimes(path, then, then))
	})
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *site) collect() registry.Collected {
	s.t.Helper()
	done, err := s.storage.Collect(s.t.Context(), s.catalog.AllImages())
	if err != nil {
		s.t.Fatal(err)
	}
	return done
}

func randomImage(t *testing.T) v1.Image {
	image, err := random.Image(4096, 3)
	if err != nil {
		t.Fatal(err)
	}
	return image
}

// code is the registry's error code in what a client returned.
func code(err error) string {
	var e *transport.Error
	if !errors.As(err, &e) || len(e.Errors) == 0 {
		return fmt.Sprint(err)
	}
	return string(e.Errors[0].Code)
}

func TestPushAndPull(t *testing.T) {
	s := newSite(t, "myapp/api")
	image := randomImage(t)
	h := s.push("myapp/api:v1", image)
	s.mustPull("myapp/api:v1", h)
	s.mustPull("myapp/api@"+h.String(), h)
	s.push("myapp/api:v2", image)
	s.mustPull("myapp/api:v2", h)

	tags, err := remote.List(s.ref("myapp/api:x").Context(), asAnn)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"v1", "v2"}, tags); diff != "" {
		t.Error(diff)
	}
	record, err := s.catalog.FindImage(t.Context(), home, "myapp/api", "v1")
	if err != nil {
		t.Fatal(err)
	}
	manifest, _ := image.Manifest()
	size := manifest.Config.Size
	for _, l := range manifest.Layers {
		size += l.Size
	}
	if *record.Image.ImageSizeInBytes != size || *record.Image.ImageManifestMediaType != string(manifest.MediaType) || *record.Image.ArtifactMediaType != string(manifest.Config.MediaType) {
		t.Errorf("the record says %d bytes of %s, %s", *record.Image.ImageSizeInBytes, *record.Image.ImageManifestMediaType, *record.Image.ArtifactMediaType)
	}
	if s.catalog.pulls == 0 {
		t.Error("no pull was recorded")
	}
}

func TestTagMoves(t *testing.T) {
	s := newSite(t, "app")
	first := s.push("app:latest", randomImage(t))
	second := s.push("app:latest", randomImage(t))
	s.mustPull("app:latest", second)
	s.mustPull("app@"+first.String(), first)
}

func TestImmutableTag(t *testing.T) {
	s := newSite(t, "app")
	s.catalog.immutable = true
	image := randomImage(t)
	h := s.push("app:v1", image)
	s.push("app:v1", image) // the same again is no change
	err := remote.Write(s.ref("app:v1"), randomImage(t), asAnn)
	if code(err) != "TAG_INVALID" || !strings.Contains(err.Error(), "cannot be overwritten because the tag is immutable.") {
		t.Errorf("got %v", err)
	}
	s.mustPull("app:v1", h)
}

func TestIndex(t *testing.T) {
	s := newSite(t, "multi")
	index, err := random.Index(1024, 2, 3)
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.WriteIndex(s.ref("multi:v1"), index, asAnn); err != nil {
		t.Fatal(err)
	}
	got, err := remote.Index(s.ref("multi:v1"), asAnn)
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := got.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	for _, child := range manifest.Manifests {
		s.mustPull("multi@"+child.Digest.String(), child.Digest)
	}
	record, err := s.catalog.FindImage(t.Context(), home, "multi", "v1")
	if err != nil || len(record.Children) != 3 {
		t.Errorf("record %+v, %v", record, err)
	}

	other := mutate.AppendManifests(index, mutate.IndexAddendum{Add: randomImage(t)})
	text, err := other.RawManifest()
	if err != nil {
		t.Fatal(err)
	}
	resp, body := s.do("PUT", "/v2/multi/manifests/v2", string(text), "Content-Type", "application/vnd.oci.image.index.v1+json")
	if resp.StatusCode != http.StatusNotFound || !strings.Contains(body, "MANIFEST_BLOB_UNKNOWN") {
		t.Errorf("an index with an unknown child: %s %s", resp.Status, body)
	}
}

func TestMountAcrossRepositories(t *testing.T) {
	s := newSite(t, "base", "app")
	image := randomImage(t)
	s.push("base:v1", image)
	layers, _ := image.Layers()
	h, _ := layers[0].Digest()
	resp, _ := s.do("POST", "/v2/app/blobs/uploads/?mount="+h.String()+"&from=base", "")
	if resp.StatusCode != http.StatusCreated {
		t.Fatalf("mount: %s", resp.Status)
	}
	if got, want := resp.Header.Get("Location"), "/v2/app/blobs/"+h.String(); got != want {
		t.Errorf("location %q, want %q", got, want)
	}
	if resp, _ := s.do("HEAD", "/v2/app/blobs/"+h.String(), ""); resp.StatusCode != http.StatusOK {
		t.Errorf("the mounted blob: %s", resp.Status)
	}
	resp, _ = s.do("POST", "/v2/app/blobs/uploads/?mount="+h.String()+"&from=unknown", "")
	if resp.StatusCode != http.StatusAccepted {
		t.Errorf("mount from nowhere is an upload: %s", resp.Status)
	}
	s.catalog.noMounts = true
	resp, _ = s.do("POST", "/v2/app/blobs/uploads/?mount="+h.String()+"&from=base", "")
	if resp.StatusCode != http.StatusAccepted {
		t.Errorf("mount where it is not enabled is an upload: %s", resp.Status)
	}
}

func TestAuthentication(t *testing.T) {
	s := newSite(t, "app")
	for _, c := range []struct {
		user, password string
		status         int
	}{{"", "", 401}, {"ann", "open", 401}, {"AWS", "wrong", 403}, {"AWS", "open", 200}} {
		r, _ := http.NewRequestWithContext(t.Context(), "GET", "http://"+s.host+"/v2/", nil)
		if c.user != "" {
			r.SetBasicAuth(c.user, c.password)
		}
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != c.status {
			t.Errorf("%s:%s: %s, want %d", c.user, c.password, resp.Status, c.status)
		}
		want := ""
		if c.status == 401 {
			want = `Basic realm="https://` + s.host + `/",service="ecr.amazonaws.com"`
		}
		if got := resp.Header.Get("WWW-Authenticate"); got != want {
			t.Errorf("challenge %q, want %q", got, want)
		}
	}
	s.catalog.denied["ecr:PutImage"] = true
	if err := remote.Write(s.ref("app:v1"), randomImage(t), asAnn); code(err) != "DENIED" {
		t.Errorf("push without the right: %v", err)
	}
}

func TestErrors(t *testing.T) {
	s := newSite(t, "app")
	image := randomImage(t)
	if err := remote.Write(s.ref("none:v1"), image, asAnn); code(err) != "NAME_UNKNOWN" || !strings.Contains(err.Error(), "The repository with name 'none' does not exist in the registry with id '123456789012'") {
		t.Errorf("push to no repository: %v", err)
	}
	if _, err := s.pull("app:none"); code(err) != "MANIFEST_UNKNOWN" || !strings.Contains(err.Error(), "Requested image not found") {
		t.Errorf("pull of no image: %v", err)
	}
	manifest, _ := image.RawManifest()
	mediaType := "application/vnd.docker.distribution.manifest.v2+json"
	for _, c := range []struct {
		name, method, path, body, mediaType string
		status                              int
		code                                string
	}{
		{"layers missing", "PUT", "/v2/app/manifests/v1", string(manifest), mediaType, 404, "MANIFEST_BLOB_UNKNOWN"},
		{"not JSON", "PUT", "/v2/app/manifests/v1", "no", mediaType, 405, "UNSUPPORTED"},
		{"no media type", "PUT", "/v2/app/manifests/v1", "{}", "", 405, "UNSUPPORTED"},
		{"strange media type", "PUT", "/v2/app/manifests/v1", "{}", "text/plain", 405, "UNSUPPORTED"},
		{"wrong digest", "PUT", "/v2/app/manifests/sha256:" + strings.Repeat("0", 64), string(manifest), mediaType, 400, "DIGEST_INVALID"},
		{"bad tag", "PUT", "/v2/app/manifests/-v1", string(manifest), mediaType, 400, "TAG_INVALID"},
		{"huge", "PUT", "/v2/app/manifests/v1", strings.Repeat(" ", 5<<20), mediaType, 413, "MANIFEST_INVALID"},
		{"delete", "DELETE", "/v2/app/manifests/v1", "", "", 404, "MANIFEST_UNKNOWN"},
		{"referrers of no digest", "GET", "/v2/app/referrers/v1", "", "", 400, "DIGEST_INVALID"},
		{"delete layer", "DELETE", "/v2/app/blobs/sha256:" + strings.Repeat("0", 64), "", "", 405, "UNSUPPORTED"},
		{"no layer", "GET", "/v2/app/blobs/sha256:" + strings.Repeat("0", 64), "", "", 404, "BLOB_UNKNOWN"},
		{"no digest", "GET", "/v2/app/blobs/x", "", "", 404, "BLOB_UNKNOWN"},
		{"no upload", "GET", "/v2/app/blobs/uploads/x", "", "", 404, "BLOB_UPLOAD_UNKNOWN"},
		{"no such thing", "GET", "/v2/app/other/x", "", "", 404, "UNSUPPORTED"},
		{"page", "GET", "/v2/app/tags/list?n=x", "", "", 400, "PAGINATION_NUMBER_INVALID"},
	} {
		resp, body := s.do(c.method, c.path, c.body, "Content-Type", c.mediaType)
		if resp.StatusCode != c.status || !strings.Contains(body, `"code":"`+c.code+`"`) {
			t.Errorf("%s: %s %s; want %d %s", c.name, resp.Status, body, c.status, c.code)
		}
	}
}

func TestTagPages(t *testing.T) {
	s := newSite(t, "app")
	image := randomImage(t)
	for _, tag := range []string{"a", "b", "c"} {
		s.push("app:"+tag, image)
	}
	path, pages := "/v2/app/tags/list?n=2", []string(nil)
	for path != "" {
		resp, body := s.do("GET", path, "")
		pages = append(pages, strings.TrimSpace(body))
		path, _, _ = strings.Cut(strings.TrimPrefix(resp.Header.Get("Link"), "<"), ">")
	}
	if diff := cmp.Diff([]string{`{"name":"app","tags":["a","b"]}`, `{"name":"app","tags":["c"]}`}, pages); diff != "" {
		t.Error(diff)
	}
}

// An upload goes on in chunks, survives a restart, and can be asked how far it is.
func TestResumeUpload(t *testing.T) {
	s := newSite(t, "app")
	content := bytes.Repeat([]byte("0123456789"), 1000)
	resp, _ := s.do("POST", "/v2/app/blobs/uploads/", "")
	if resp.StatusCode != http.StatusAccepted {
		t.Fatal(resp.Status)
	}
	location := resp.Header.Get("Location")
	if !strings.HasPrefix(location, "/v2/app/blobs/uploads/") {
		t.Fatalf("location %q", location)
	}
	resp, body := s.do("PATCH", location, string(content[:3000]), "Content-Range", "0-2999")
	if resp.StatusCode != http.StatusAccepted {
		t.Fatal(resp.Status, body)
	}
	location = resp.Header.Get("Location")

	s = openSite(t, s.dir, s.catalog)
	resp, _ = s.do("GET", location, "")
	if resp.StatusCode != http.StatusNoContent || resp.Header.Get("Range") != "0-2999" {
		t.Fatalf("%s, range %q", resp.Status, resp.Header.Get("Range"))
	}
	resp, _ = s.do("PATCH", location, "x", "Content-Range", "17-17")
	if resp.StatusCode != http.StatusRequestedRangeNotSatisfiable {
		t.Fatalf("a chunk in the wrong place: %s", resp.Status)
	}
	for _, wrong := range []string{"0-99999999999999999999", "99999999999999999999-99999999999999999999", "9223372036854775808-9223372036854775808", "-1-1", "+0-0", "0", "a-b", "bytes 0-0/1"} {
		for _, method := range []string{"PATCH", "PUT"} {
			resp, body = s.do(method, location, "x", "Content-Range", wrong)
			if resp.StatusCode != http.StatusRequestedRangeNotSatisfiable || !strings.Contains(body, "RANGE_INVALID") {
				t.Errorf("%s with Content-Range %s: %s %s", method, wrong, resp.Status, body)
			}
		}
	}
	resp, body = s.do("PATCH", location, "x", "Content-Type", "text/plain")
	if resp.StatusCode != http.StatusUnsupportedMediaType {
		t.Errorf("a chunk that is text: %s %s", resp.Status, body)
	}
	resp, body = s.do("PATCH", location, string(content[3000:]), "Content-Range", "3000-9999")
	if resp.StatusCode != http.StatusAccepted {
		t.Fatal(resp.Status, body)
	}
	d := digest.FromBytes(content)
	resp, body = s.do("PUT", resp.Header.Get("Location")+"&digest="+d.String(), "")
	if resp.StatusCode != http.StatusCreated {
		t.Fatal(resp.Status, body)
	}
	resp, body = s.do("GET", "/v2/app/blobs/"+d.String(), "", "Range", "bytes=10-19")
	if resp.StatusCode != http.StatusPartialContent || body != "0123456789" {
		t.Errorf("%s %q", resp.Status, body)
	}
}

func TestUploadWithWrongDigest(t *testing.T) {
	s := newSite(t, "app")
	resp, _ := s.do("POST", "/v2/app/blobs/uploads/", "")
	resp, body := s.do("PUT", resp.Header.Get("Location")+"&digest="+digest.FromString("other").String(), "content")
	if resp.StatusCode != http.StatusBadRequest || !strings.Contains(body, "DIGEST_INVALID") {
		t.Errorf("%s %s", resp.Status, body)
	}
}

func TestRestart(t *testing.T) {
	s := newSite(t, "app")
	h := s.push("app:v1", randomImage(t))
	s = openSite(t, s.dir, s.catalog)
	s.mustPull("app:v1", h)
}

// Two accounts, or two regions, may use the same names and do not see each
// other's images.
func TestScopes(t *testing.T) {
	s := newSite(t, "app")
	other := fargo.Scope{Account: home.Account, Region: "eu-west-1"}
	s.catalog.create(other, "app")
	s.catalog.grants["west"] = record.RegistryGrant{Scope: other, PrincipalARN: "arn:aws:iam::123456789012:user/bob"}
	h := s.push("app:v1", randomImage(t))

	asBob := remote.WithAuth(&authn.Basic{Username: "AWS", Password: "west"})
	if _, err := remote.Image(s.ref("app:v1"), asBob); code(err) != "MANIFEST_UNKNOWN" {
		t.Errorf("Bob sees %v", err)
	}
	// Bob names Ann's registry, as containerd does for a redirected host.
	r, _ := http.NewRequestWithContext(t.Context(), "GET", "http://"+s.host+"/v2/app/manifests/v1?ns="+fargo.RegistryHost(home), nil)
	r.SetBasicAuth("AWS", "west")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK || resp.Header.Get("Docker-Content-Digest") != h.String() {
		t.Errorf("%s %s", resp.Status, resp.Header.Get("Docker-Content-Digest"))
	}
}

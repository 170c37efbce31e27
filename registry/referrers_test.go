package registry_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"
)

func digestOf(content string) string { return digest.FromString(content).String() }

// putBlob uploads a blob.
func (s *site) putBlob(repository, content string) {
	s.t.Helper()
	resp, _ := s.do("POST", repository+"/blobs/uploads/", "")
	to := resp.Header.Get("Location")
	if !strings.Contains(to, "?") {
		to += "?"
	}
	resp, body := s.do("PUT", to+"&digest="+digestOf(content), content)
	if resp.StatusCode != http.StatusCreated {
		s.t.Fatalf("upload: %s %s", resp.Status, body)
	}
}

// putArtifact pushes a manifest without layers that refers to subject.
func (s *site) putArtifact(subject, artifactType, note string) string {
	s.t.Helper()
	s.putBlob("/v2/app", "{}")
	manifest := fmt.Sprintf(`{"schemaVersion":2,"mediaType":%q,"artifactType":%q,"config":{"mediaType":%q,"digest":%q,"size":2},"layers":[],"subject":{"mediaType":%q,"digest":%q,"size":7},"annotations":{"note":%q}}`,
		v1.MediaTypeImageManifest, artifactType, v1.MediaTypeEmptyJSON, digestOf("{}"), v1.MediaTypeImageManifest, subject, note)
	resp, body := s.do("PUT", "/v2/app/manifests/"+digestOf(manifest), manifest, "Content-Type", v1.MediaTypeImageManifest)
	if resp.StatusCode != http.StatusCreated {
		s.t.Fatalf("push: %s %s", resp.Status, body)
	}
	if got := resp.Header.Get("OCI-Subject"); got != subject {
		s.t.Errorf("OCI-Subject %q, want %q", got, subject)
	}
	return digestOf(manifest)
}

// referrers reads all pages of referrers and gives their digests.
func (s *site) referrers(query string) (digests []string) {
	s.t.Helper()
	for path := query; path != ""; {
		resp, body := s.do("GET", path, "")
		var index v1.Index
		if err := json.Unmarshal([]byte(body), &index); err != nil || resp.StatusCode != http.StatusOK {
			s.t.Fatalf("%s: %s %s", path, resp.Status, body)
		}
		if index.MediaType != v1.MediaTypeImageIndex || resp.Header.Get("Content-Type") != v1.MediaTypeImageIndex || index.SchemaVersion != 2 || index.Manifests == nil {
			s.t.Fatalf("not an index: %v %s", resp.Header, body)
		}
		for _, d := range index.Manifests {
			digests = append(digests, d.Digest.String())
		}
		path, _, _ = strings.Cut(strings.TrimPrefix(resp.Header.Get("Link"), "<"), ">")
	}
	return digests
}

// What refers to a manifest is listed, also before that is there.
func TestReferrers(t *testing.T) {
	s := newSite(t, "app")
	subject := digestOf("not there yet")
	list := "/v2/app/referrers/" + subject
	if got := s.referrers(list); got != nil {
		t.Errorf("nothing refers to it: %v", got)
	}
	signature, report := s.putArtifact(subject, "application/signature", "a"), s.putArtifact(subject, "application/sbom", "b")
	want := []string{signature, report}
	if signature > report {
		want = []string{report, signature}
	}
	if diff := cmp.Diff(want, s.referrers(list)); diff != "" {
		t.Error(diff)
	}
	resp, body := s.do("GET", list+"?artifactType=application/sbom", "")
	if got := resp.Header.Get("OCI-Filters-Applied"); got != "artifactType" {
		t.Errorf("OCI-Filters-Applied %q", got)
	}
	var index v1.Index
	if err := json.Unmarshal([]byte(body), &index); err != nil || len(index.Manifests) != 1 {
		t.Fatalf("%v: %s", err, body)
	}
	d := index.Manifests[0]
	if d.Digest.String() != report || d.ArtifactType != "application/sbom" || d.Annotations["note"] != "b" || d.MediaType != v1.MediaTypeImageManifest || d.Size == 0 {
		t.Errorf("descriptor %+v", d)
	}
}

// Referrers with many annotations come in pages.
func TestReferrersInPages(t *testing.T) {
	s := newSite(t, "app")
	subject := digestOf("subject")
	want := map[string]bool{}
	for i := range 4 {
		want[s.putArtifact(subject, "application/note", fmt.Sprint(i)+strings.Repeat("x", 600<<10))] = true
	}
	resp, _ := s.do("GET", "/v2/app/referrers/"+subject, "")
	if !strings.Contains(resp.Header.Get("Link"), `rel="next"`) {
		t.Errorf("one page: %v", resp.Header)
	}
	got := s.referrers("/v2/app/referrers/" + subject + "?artifactType=application/note")
	for _, d := range got {
		if !want[d] {
			t.Errorf("unknown or twice: %s", d)
		}
		delete(want, d)
	}
	if len(want) > 0 {
		t.Errorf("missing: %v", want)
	}
}

// The media type of a manifest is what the client says or what it says itself.
func TestMediaTypeOfManifest(t *testing.T) {
	s := newSite(t, "app")
	s.putBlob("/v2/app", "{}")
	const other = "application/vnd.docker.distribution.manifest.v2+json"
	for _, c := range []struct {
		header, inside string
		status         int
	}{
		{v1.MediaTypeImageManifest, v1.MediaTypeImageManifest, 201},
		{v1.MediaTypeImageManifest, "", 201},
		{v1.MediaTypeImageManifest + "; charset=utf-8", "", 201},
		{"", v1.MediaTypeImageManifest, 201},
		{"application/json", v1.MediaTypeImageManifest, 201},
		{"", "", 405},
		{";", "", 405},
		{";", v1.MediaTypeImageManifest, 201},
		{"text/plain", "", 405},
		{"", "text/plain", 405},
		{v1.MediaTypeImageManifest, other, 405},
		{other, v1.MediaTypeImageManifest, 405},
		{v1.MediaTypeImageManifest, "text/plain", 405},
	} {
		manifest := fmt.Sprintf(`{"schemaVersion":2,"mediaType":%q,"config":{"mediaType":"a/b","digest":%q,"size":2},"layers":[]}`, c.inside, digestOf("{}"))
		if c.inside == "" {
			manifest = strings.Replace(manifest, `"mediaType":"",`, "", 1)
		}
		resp, body := s.do("PUT", "/v2/app/manifests/v1", manifest, "Content-Type", c.header)
		if resp.StatusCode != c.status {
			t.Errorf("%q with %q inside: %s %s", c.header, c.inside, resp.Status, body)
		}
		if c.status != 201 {
			continue
		}
		if resp, _ := s.do("GET", "/v2/app/manifests/v1", ""); resp.Header.Get("Content-Type") != v1.MediaTypeImageManifest {
			t.Errorf("%q with %q inside: pulled as %s", c.header, c.inside, resp.Header.Get("Content-Type"))
		}
	}
}

// A form in the body does not name what to mount.
func TestMountByForm(t *testing.T) {
	s := newSite(t, "app")
	s.putBlob("/v2/app", "secret")
	stolen := digestOf("secret")
	s.catalog.create(home, "thief")
	resp, body := s.do("POST", "/v2/thief/blobs/uploads/", "mount="+stolen+"&from="+home.Key("app"), "Content-Type", "application/x-www-form-urlencoded")
	if resp.StatusCode != http.StatusAccepted {
		t.Errorf("mounted: %s %s", resp.Status, body)
	}
	if resp, _ := s.do("HEAD", "/v2/thief/blobs/"+stolen, ""); resp.StatusCode != http.StatusNotFound {
		t.Errorf("the blob is there: %s", resp.Status)
	}
}

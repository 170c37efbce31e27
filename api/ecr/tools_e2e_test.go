//go:build e2e

package ecr_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// tool runs a program and gives what it said, on both its outputs.
func (s *fixture) tool(input string, args ...string) (string, error) {
	cmd := exec.CommandContext(s.t.Context(), args[0], args[1:]...)
	cmd.Stdin = strings.NewReader(input)
	cmd.Env = append(os.Environ(),
		"AWS_DEFAULT_REGION=us-east-1", "AWS_ACCESS_KEY_ID=AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY=secret", "AWS_PAGER=",
		"REGISTRY_AUTH_FILE="+filepath.Join(s.dir, "auth.json"))
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	return strings.TrimSpace(out.String()), err
}

func (s *fixture) mustTool(input string, args ...string) string {
	s.t.Helper()
	out, err := s.tool(input, args...)
	if err != nil {
		s.t.Fatalf("%v: %v\n%s", args, err, out)
	}
	return out
}

// The official aws and skopeo push and pull with no other configuration than
// the endpoint.
func TestTools(t *testing.T) {
	s := newFixture(t)
	uri := s.mustTool("", "aws", "--endpoint-url", "http://"+s.host, "ecr", "create-repository", "--repository-name", "myapp/api", "--image-tag-mutability", "IMMUTABLE",
		"--query", "repository.repositoryUri", "--output", "text")
	if uri != "123456789012.dkr.ecr.us-east-1.amazonaws.com/myapp/api" {
		t.Errorf("uri %q", uri)
	}
	password := s.mustTool("", "aws", "--endpoint-url", "http://"+s.host, "ecr", "get-login-password")
	s.mustTool(password, "skopeo", "login", "--tls-verify=false", "--username", "AWS", "--password-stdin", s.host)

	i := mutate.ConfigMediaType(mutate.MediaType(image(t, "content"), types.OCIManifestSchema1), types.OCIConfigJSON)
	dir := filepath.Join(s.dir, "layout")
	index, err := layout.Write(dir, empty.Index)
	must(t, err)
	must(t, index.AppendImage(i))
	want, err := i.Digest()
	must(t, err)
	remote := "docker://" + s.host + "/myapp/api:v1.3.0"
	s.mustTool("", "skopeo", "--insecure-policy", "copy", "--dest-tls-verify=false", "oci:"+dir, remote)
	s.mustTool("", "skopeo", "--insecure-policy", "copy", "--src-tls-verify=false", remote, "dir:"+filepath.Join(s.dir, "pulled"))
	if got := s.mustTool("", "skopeo", "inspect", "--tls-verify=false", "--format", "{{.Digest}}", remote); got != want.String() {
		t.Errorf("inspect: %s, want %s", got, want)
	}
	if got := s.mustTool("", "skopeo", "list-tags", "--tls-verify=false", "docker://"+s.host+"/myapp/api"); !strings.Contains(got, `"v1.3.0"`) {
		t.Errorf("tags: %s", got)
	}
	if got := s.mustTool("", "aws", "--endpoint-url", "http://"+s.host, "ecr", "describe-images", "--repository-name", "myapp/api", "--query", "imageDetails[0].imageDigest", "--output", "text"); got != want.String() {
		t.Errorf("describe-images: %s, want %s", got, want)
	}
	out, err := s.tool("", "skopeo", "--insecure-policy", "copy", "--dest-tls-verify=false", "oci:"+otherLayout(s), remote)
	if err == nil || !strings.Contains(out, "cannot be overwritten because the tag is immutable.") {
		t.Errorf("moved an immutable tag: %v %s", err, out)
	}
	out, err = s.tool("", "skopeo", "inspect", "--tls-verify=false", "docker://"+s.host+"/none:v1")
	if err == nil || !strings.Contains(out, "The repository with name 'none' does not exist in the registry with id '123456789012'") {
		t.Errorf("no repository: %v %s", err, out)
	}
}

func otherLayout(s *fixture) string {
	dir := filepath.Join(s.dir, "other")
	index, err := layout.Write(dir, empty.Index)
	must(s.t, err)
	must(s.t, index.AppendImage(mutate.ConfigMediaType(mutate.MediaType(image(s.t, "other"), types.OCIManifestSchema1), types.OCIConfigJSON)))
	return dir
}

package ecr_test

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

func (s *fixture) ref(ref string) name.Reference {
	s.t.Helper()
	r, err := name.ParseReference(s.host + "/" + ref)
	must(s.t, err)
	return r
}

// index pushes an index of images that are there.
func (s *fixture) index(refs []string) string {
	var index v1.ImageIndex = empty.Index
	for _, ref := range refs[1:] {
		i, err := remote.Image(s.ref(ref), s.auth())
		must(s.t, err)
		index = mutate.AppendManifests(index, mutate.IndexAddendum{Add: i})
	}
	if err := remote.WriteIndex(s.ref(refs[0]), index, s.auth()); err != nil {
		return refusal(err)
	}
	h, err := index.Digest()
	must(s.t, err)
	return h.String()
}

// mount asks for the first layer of an image to become one of another repository.
func (s *fixture) mount(from, to string) string {
	s.t.Helper()
	i, err := remote.Image(s.ref(from), s.auth())
	must(s.t, err)
	layers, err := i.Layers()
	must(s.t, err)
	h, err := layers[0].Digest()
	must(s.t, err)
	repository, _, _ := strings.Cut(from, ":")
	url := "http://" + s.host + "/v2/" + to + "/blobs/uploads/?mount=" + h.String() + "&from=" + repository
	r, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, url, nil)
	must(s.t, err)
	password, _, _ := s.password()
	r.SetBasicAuth("AWS", password)
	resp, err := http.DefaultClient.Do(r)
	must(s.t, err)
	must(s.t, resp.Body.Close())
	return resp.Status
}

// refer pushes an artifact of a kind that refers to an image.
func (s *fixture) refer(ref, kind string) string {
	subject, err := remote.Get(s.ref(ref), s.auth())
	must(s.t, err)
	artifact := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.MediaType(kind))
	artifact = mutate.Annotations(artifact, map[string]string{"by": "ann"}).(v1.Image)
	artifact = mutate.Subject(artifact, subject.Descriptor).(v1.Image)
	h, err := artifact.Digest()
	must(s.t, err)
	to := s.ref(ref).Context().Digest(h.String())
	if err := remote.Write(to, artifact, s.auth()); err != nil {
		return refusal(err)
	}
	return h.String()
}

// lifecycle puts a lifecycle policy, with as many spaces before it as ECR wants.
func (s *fixture) lifecycle(repository, policy string) string {
	in, err := json.Marshal(map[string]string{"repositoryName": repository, "lifecyclePolicyText": strings.Repeat(" ", 100) + policy})
	must(s.t, err)
	if answer := s.do("PutLifecyclePolicy " + string(in)); !strings.HasPrefix(answer, "{") {
		return strings.TrimPrefix(answer, "InvalidParameterException: Invalid parameter at 'LifecyclePolicyText' failed to satisfy constraint: 'Lifecycle policy validation failure: ")
	}
	return "put"
}

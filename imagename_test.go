package fargo_test

import (
	"testing"

	"fargo"
)

func TestParseImageName(t *testing.T) {
	const host = "123456789012.dkr.ecr.us-east-1.amazonaws.com"
	for image, want := range map[string]fargo.ImageName{
		host + "/myapp/api:v1.3.0":                {Host: host, Repository: "myapp/api", Reference: "v1.3.0"},
		host + "/api":                             {Host: host, Repository: "api", Reference: "latest"},
		host + "/api@sha256:00":                   {Host: host, Repository: "api", Reference: "sha256:00"},
		host + "/api:v1@sha256:00":                {Host: host, Repository: "api", Reference: "sha256:00"},
		"123456789012.dkr-ecr.eu-west-1.on.aws/a": {Host: "123456789012.dkr-ecr.eu-west-1.on.aws", Repository: "a", Reference: "latest"},
		host:                             {},
		host + "/":                       {},
		host + "/a:":                     {},
		host + "/@sha256:00":             {},
		"nginx":                          {},
		"docker.io/library/nginx:latest": {},
		"public.ecr.aws/nginx/nginx:1":   {},
		"12345678901.dkr.ecr.us-east-1.amazonaws.com/a":    {},
		"12345678901x.dkr.ecr.us-east-1.amazonaws.com/a":   {},
		"123456789012.dkr.ecr.amazonaws.com/a":             {},
		"123456789012.dkr.ecr.us-east-1.amazonaws.com.x/a": {},
	} {
		got, ok := fargo.ParseImageName(image)
		if ok != (want != fargo.ImageName{}) || ok && got != want {
			t.Errorf("%s: %+v, %v; want %+v", image, got, ok, want)
		}
	}
}

func FuzzParseImageName(f *testing.F) {
	f.Add("123456789012.dkr.ecr.us-east-1.amazonaws.com/myapp/api:v1@sha256:00")
	f.Add("nginx:1")
	f.Fuzz(func(t *testing.T, image string) {
		n, ok := fargo.ParseImageName(image)
		if !ok {
			return
		}
		if n.Repository == "" || n.Reference == "" || len(n.Scope().Account) != 12 || n.Scope().Region == "" {
			t.Errorf("%q is %+v", image, n)
		}
	})
}

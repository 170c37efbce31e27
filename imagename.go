package fargo

import "strings"

// ImageName is a container image's name, taken apart.
type ImageName struct {
	Host       string // "123456789012.dkr.ecr.us-east-1.amazonaws.com"
	Repository string // "myapp/api"
	Reference  string // a tag, or a digest ("sha256:…"); "latest" when the name has neither
}

// ParseImageName takes the name of an image apart if its host is an ECR
// registry; ok is false for images of other registries.
func ParseImageName(image string) (n ImageName, ok bool) {
	host, rest, _ := strings.Cut(image, "/")
	if _, ok := ParseRegistryHost(host); !ok || rest == "" {
		return ImageName{}, false
	}
	n = ImageName{Host: host, Repository: rest, Reference: "latest"}
	if name, digest, ok := strings.Cut(rest, "@"); ok {
		n.Repository, n.Reference = name, digest
		n.Repository, _, _ = strings.Cut(n.Repository, ":")
	} else if name, tag, ok := strings.Cut(rest, ":"); ok {
		n.Repository, n.Reference = name, tag
	}
	return n, n.Repository != "" && n.Reference != ""
}

// Scope is the account and region of the registry that the name is of.
func (n ImageName) Scope() Scope {
	s, _ := ParseRegistryHost(n.Host)
	return s
}

// RegistryHost is the name of the ECR registry of an account and region.
func RegistryHost(s Scope) string { return s.Account + ".dkr.ecr." + s.Region + ".amazonaws.com" }

// ParseRegistryHost finds the account and region in the name of an ECR
// registry; ok is false when host is not one.
// Source: ECR user guide, "Amazon ECR private registry".
func ParseRegistryHost(host string) (s Scope, ok bool) {
	account, rest, _ := strings.Cut(host, ".")
	for _, form := range [...]struct{ before, after string }{
		{"dkr.ecr.", ".amazonaws.com"},
		{"dkr.ecr.", ".amazonaws.com.cn"},
		{"dkr-ecr.", ".on.aws"},
	} {
		region, ok := strings.CutPrefix(rest, form.before)
		if !ok {
			continue
		}
		if region, ok = strings.CutSuffix(region, form.after); ok && isAccount(account) && region != "" && !strings.Contains(region, ".") {
			return Scope{account, region}, true
		}
	}
	return Scope{}, false
}

func isAccount(s string) bool {
	return len(s) == 12 && strings.Trim(s, "0123456789") == ""
}

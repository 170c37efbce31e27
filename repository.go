package fargo

import (
	"strings"

	"fargo/aws/ecr"
)

// Repository is an ECR repository: a name that images are pushed under.
type Repository struct {
	Scope Scope
	// Repository is the user's intent, as DescribeRepositories shows it.
	Repository ecr.Repository
	Tags       []ecr.Tag `json:",omitempty"`
	// Policy and LifecyclePolicy are JSON texts as the user wrote them; empty
	// means none.
	Policy          string `json:",omitempty"`
	LifecyclePolicy string `json:",omitempty"`
}

// Key is the repository's place in the store.
func (r *Repository) Key() string { return r.Scope.Key(*r.Repository.RepositoryName) }

// Name is what the repository is called within its account and region.
func (r *Repository) Name() string { return *r.Repository.RepositoryName }

// RepositoryImage is one manifest in a repository. The record is the truth: a manifest on
// the registry's disk that no record names does not exist.
type RepositoryImage struct {
	Scope Scope
	// Image is what DescribeImages shows. A tag is on one image of a
	// repository at most.
	Image ecr.ImageDetail
	// Children are the digests of the manifests that an image index lists, if
	// this is one. They cannot be deleted before it.
	Children []string `json:",omitempty"`
}

// Key is the image's place in the store.
func (i *RepositoryImage) Key() string { return ImageKey(i.Scope, i.Repository(), i.Digest()) }

// Repository is the name of the repository the image is in.
func (i *RepositoryImage) Repository() string { return *i.Image.RepositoryName }

// Digest is that of the manifest: "sha256:…".
func (i *RepositoryImage) Digest() string { return *i.Image.ImageDigest }

// ImageKey is the store key of an image. With an empty digest it is the prefix
// of all images of the repository, and of no other's: a repository's name has
// no colon.
func ImageKey(s Scope, repository, digest string) string {
	if digest == "" {
		digest = "sha256:"
	}
	return s.Key(repository, digest)
}

// RegistryGrant says whom a password for the registry was given to.
type RegistryGrant struct {
	// Scope is where the password was asked for: the registry it opens unless
	// the client names another.
	Scope        Scope
	PrincipalARN string // "arn:aws:iam::123456789012:user/ann"
	PrincipalID  string // "AIDA…"
}

// RegistryKey is the installation's secret that passwords for the registry are
// signed with. There is one.
type RegistryKey struct{ Secret []byte }

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

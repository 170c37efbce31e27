package record

import (
	"time"

	"fargo"
	"fargo/aws/ecr"
)

// Registry is what an account has chosen for its registry in one region.
type Registry struct {
	Scope    fargo.Scope
	Settings map[string]string // by name; a setting that is not there has its default
}

// Key is the registry's place in the store.
func (r *Registry) Key() string { return r.Scope.Key() }

// Repository is an ECR repository: a name that images are pushed under.
type Repository struct {
	Scope fargo.Scope
	// Repository is the user's intent, as DescribeRepositories shows it.
	Repository ecr.Repository
	Tags       []ecr.Tag `json:",omitempty"`
	// Policy and LifecyclePolicy are JSON texts as the user wrote them; empty
	// means none.
	Policy          string `json:",omitempty"`
	LifecyclePolicy string `json:",omitempty"`
	// LifecyclePolicySetAt is when the user gave LifecyclePolicy. The controller notes
	// it for a policy that an older version kept.
	LifecyclePolicySetAt time.Time `json:",omitzero"`
	// LifecyclePolicyRunAt is when a policy was last carried out. Owner: the
	// lifecycle controller.
	LifecyclePolicyRunAt time.Time `json:",omitzero"`
	// LifecyclePreview is the last preview that was asked for.
	LifecyclePreview *LifecyclePreview `json:",omitempty"`
}

// LifecyclePreview is what a user wants to know: what Policy would do, with the
// images there were at a time.
type LifecyclePreview struct {
	Policy string // JSON text
	At     time.Time
}

// LifecycleEvaluated is when the policy that is in force was last carried out; zero
// when it was not yet.
func (r *Repository) LifecycleEvaluated() time.Time {
	if r.LifecyclePolicyRunAt.Before(r.LifecyclePolicySetAt) {
		return time.Time{}
	}
	return r.LifecyclePolicyRunAt
}

// Key is the repository's place in the store.
func (r *Repository) Key() string { return r.Scope.Key(*r.Repository.RepositoryName) }

// Name is what the repository is called within its account and region.
func (r *Repository) Name() string { return *r.Repository.RepositoryName }

// RepositoryImage is one manifest in a repository. The record is the truth: a manifest on
// the registry's disk that no record names does not exist.
type RepositoryImage struct {
	Scope fargo.Scope
	// Image is what DescribeImages shows. A tag is on one image of a
	// repository at most.
	Image ecr.ImageDetail
	// PushedAt is Image.ImagePushedAt, which is in whole seconds, as exactly as it is
	// known; zero in records of before.
	PushedAt time.Time `json:",omitzero"`
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

// Pushed is when the image was pushed.
func (i *RepositoryImage) Pushed() time.Time {
	if i.PushedAt.IsZero() {
		return *i.Image.ImagePushedAt
	}
	return i.PushedAt
}

// ImageKey is the store key of an image. With an empty digest it is the prefix
// of all images of the repository, and of no other's: a repository's name has
// no colon.
func ImageKey(s fargo.Scope, repository, digest string) string {
	if digest == "" {
		digest = "sha256:"
	}
	return s.Key(repository, digest)
}

// RegistryGrant says whom a password for the registry was given to.
type RegistryGrant struct {
	// Scope is where the password was asked for: the registry it opens unless
	// the client names another.
	Scope        fargo.Scope
	PrincipalARN string // "arn:aws:iam::123456789012:user/ann"
	PrincipalID  string // "AIDA…"
	AccessKeyID  string
	// What is known of a session that it was asked for with: see [Session].
	Role              string
	SessionPolicy     string
	SessionPolicyARNs []string
	SessionTags       map[string]string
	SourceIdentity    string
	FederatedBy       string
	// Task is the ARN of the ECS task whose credentials it was asked for with, if any.
	Task string
}

// RegistryKey is the installation's secret that passwords for the registry are
// signed with. There is one.
type RegistryKey struct{ Secret []byte }

package store

import "fargo"

// Repositories are the ECR repositories.
var Repositories = NewTable("repositories", (*fargo.Repository).Key)

// Images are the manifests in them.
var Images = NewTable("images", (*fargo.RepositoryImage).Key, Index[fargo.RepositoryImage]{
	Name: "tag",
	Values: func(i *fargo.RepositoryImage) []string {
		keys := make([]string, len(i.Image.ImageTags))
		for n, tag := range i.Image.ImageTags {
			keys[n] = imageTag(i.Scope, i.Repository(), tag)
		}
		return keys
	},
}, Index[fargo.RepositoryImage]{
	// child finds the indexes that list an image, by its key.
	Name: "child",
	Values: func(i *fargo.RepositoryImage) []string {
		keys := make([]string, len(i.Children))
		for n, digest := range i.Children {
			keys[n] = fargo.ImageKey(i.Scope, i.Repository(), digest)
		}
		return keys
	},
})

// RegistryKeys holds the one key that passwords for the registry are signed
// with.
var RegistryKeys = NewTable("registry-keys", func(*fargo.RegistryKey) string { return "key" }).Sealed()

func imageTag(s fargo.Scope, repository, tag string) string { return s.Key(repository) + ":" + tag }

// ImageByTag finds the image that has a tag in a repository.
func ImageByTag(r Reader, s fargo.Scope, repository, tag string) (*fargo.RepositoryImage, bool) {
	for i := range Images.By(r, "tag", imageTag(s, repository, tag)) {
		return i, true
	}
	return nil, false
}

// ResolveImage finds the image behind a tag or a digest ("sha256:…") of a
// repository, by the records alone: no registry, no network.
func ResolveImage(r Reader, s fargo.Scope, repository, reference string) (*fargo.RepositoryImage, bool) {
	if i, ok := Images.Get(r, fargo.ImageKey(s, repository, reference)); ok {
		return i, true
	}
	return ImageByTag(r, s, repository, reference)
}

package store

import (
	"fargo"
	"fargo/record"
)

// Repositories are the ECR repositories.
var Repositories = NewTable("repositories", (*record.Repository).Key)

// Images are the manifests in them.
var Images = NewTable("images", (*record.RepositoryImage).Key, Index[record.RepositoryImage]{
	Name: "tag",
	Values: func(i *record.RepositoryImage) []string {
		keys := make([]string, len(i.Image.ImageTags))
		for n, tag := range i.Image.ImageTags {
			keys[n] = imageTag(i.Scope, i.Repository(), tag)
		}
		return keys
	},
}, Index[record.RepositoryImage]{
	// child finds the indexes that list an image, by its key.
	Name: "child",
	Values: func(i *record.RepositoryImage) []string {
		keys := make([]string, len(i.Children))
		for n, digest := range i.Children {
			keys[n] = record.ImageKey(i.Scope, i.Repository(), digest)
		}
		return keys
	},
})

// RegistryKeys holds the one key that passwords for the registry are signed
// with.
var RegistryKeys = NewTable("registry-keys", func(*record.RegistryKey) string { return "key" }).Sealed()

func imageTag(s fargo.Scope, repository, tag string) string { return s.Key(repository) + ":" + tag }

// ImageByTag finds the image that has a tag in a repository.
func ImageByTag(r Reader, s fargo.Scope, repository, tag string) (*record.RepositoryImage, bool) {
	for i := range Images.By(r, "tag", imageTag(s, repository, tag)) {
		return i, true
	}
	return nil, false
}

// ResolveImage finds the image behind a tag or a digest ("sha256:…") of a
// repository, by the records alone: no registry, no network.
func ResolveImage(r Reader, s fargo.Scope, repository, reference string) (*record.RepositoryImage, bool) {
	if i, ok := Images.Get(r, record.ImageKey(s, repository, reference)); ok {
		return i, true
	}
	return ImageByTag(r, s, repository, reference)
}

// PushedDigest gives the digest that an image name of our own registry means now,
// "" for other registries' names and unknown images.
func PushedDigest(r Reader, image string) (digest string) {
	name, ours := fargo.ParseImageName(image)
	if !ours {
		return ""
	}
	found, ok := ResolveImage(r, name.Scope(), name.Repository, name.Reference)
	if !ok {
		return ""
	}
	return found.Digest()
}

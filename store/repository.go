package store

import (
	"iter"
	"slices"
	"time"

	"fargo"
	"fargo/aws/ecr"
	"fargo/record"
)

// Registries are the ECR registries whose owners have chosen settings.
var Registries = NewTable("registries", (*record.Registry).Key)

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
	// subject finds what refers to an image (signatures, attestations), by its key.
	Name: "subject",
	Values: func(i *record.RepositoryImage) []string {
		if i.Image.SubjectManifestDigest == nil {
			return nil
		}
		return []string{record.ImageKey(i.Scope, i.Repository(), *i.Image.SubjectManifestDigest)}
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

// IndexOf finds an index that lists an image.
func IndexOf(r Reader, i *record.RepositoryImage) (index *record.RepositoryImage, ok bool) {
	for index := range Images.By(r, "child", i.Key()) {
		return index, true
	}
	return nil, false
}

// Referrers finds the images whose subject is that of a digest, which need not be
// there.
func Referrers(r Reader, s fargo.Scope, repository, digest string) iter.Seq[*record.RepositoryImage] {
	return Images.By(r, "subject", record.ImageKey(s, repository, digest))
}

// DeleteImage deletes an image, and with it what refers to it, but for what an index
// lists.
// Source: ECR user guide, "Lifecycle policy evaluation rules", of reference artifacts.
func DeleteImage(tx *Tx, i *record.RepositoryImage) {
	Images.Delete(tx, i.Key())
	for _, referrer := range slices.Collect(Referrers(tx, i.Scope, i.Repository(), i.Digest())) {
		if _, listed := IndexOf(tx, referrer); !listed {
			DeleteImage(tx, referrer)
		}
	}
}

// ArchiveImage moves an image to the archive, from where it cannot be pulled, and with
// it what refers to it.
func ArchiveImage(tx *Tx, i *record.RepositoryImage, now time.Time) {
	now = now.UTC().Truncate(time.Second)
	archived := *i
	archived.Image.ImageStatus, archived.Image.LastArchivedAt = ecr.ImageStatusArchived, &now
	Images.Put(tx, &archived)
	for _, referrer := range slices.Collect(Referrers(tx, i.Scope, i.Repository(), i.Digest())) {
		if referrer.Image.ImageStatus != ecr.ImageStatusArchived {
			ArchiveImage(tx, referrer, now)
		}
	}
}

// RestoreImage moves an image back from the archive, and with it what refers to it.
func RestoreImage(tx *Tx, i *record.RepositoryImage, now time.Time) {
	now = now.UTC().Truncate(time.Second)
	restored := *i
	restored.Image.ImageStatus, restored.Image.LastActivatedAt = ecr.ImageStatusActive, &now
	Images.Put(tx, &restored)
	for _, referrer := range slices.Collect(Referrers(tx, i.Scope, i.Repository(), i.Digest())) {
		if referrer.Image.ImageStatus == ecr.ImageStatusArchived {
			RestoreImage(tx, referrer, now)
		}
	}
}

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

package registry

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/opencontainers/go-digest"

	"fargo/record"
)

// uploadTTL is how long an upload that nobody adds to can still be resumed.
const uploadTTL = 24 * time.Hour

// refresh sets the modification time of what a push is going to refer to: a blob and
// its links in the repository. It does nothing when they do not exist.
//
// Pushes and Collect run concurrently by this rule: a push first refreshes what it
// refers to and then checks that it exists; Collect removes a file only when it is
// still old, with the check and the removal under the same lock. So what a push has
// found is not removed during the grace.
func (s *Storage) refresh(name string, d digest.Digest) {
	s.refreshing.Lock()
	defer s.refreshing.Unlock()
	now := time.Now()
	for _, path := range []string{
		filepath.Join(s.blobDir(d), "data"),
		filepath.Join(s.linkDir(name, layersPart, d), "link"),
		filepath.Join(s.linkDir(name, revisionsPart, d), "link"),
	} {
		if err := os.Chtimes(path, now, now); err != nil && !errors.Is(err, fs.ErrNotExist) {
			s.logger.Warn("registry: cannot keep a blob from being collected", "path", path, "err", err)
		}
	}
}

// Collected counts what a collection removed.
type Collected struct{ Links, Blobs, Uploads int }

// Collect removes from disk the blobs that no image refers to and that no push has
// refreshed during the grace, and abandoned uploads. images are those of all accounts;
// they may be a snapshot that is older than the last pushes. It removes nothing when it
// cannot read the manifest of one of them.
func (s *Storage) Collect(ctx context.Context, images iter.Seq[*record.RepositoryImage]) (Collected, error) {
	c := collection{Storage: s, before: time.Now().Add(-s.grace), links: map[link]bool{}, blobs: map[digest.Digest]bool{}}
	for _, step := range []func(context.Context) error{
		func(ctx context.Context) error { return c.mark(ctx, images) },
		c.sweepRepositories,
		c.sweepBlobs,
	} {
		if err := step(ctx); err != nil {
			return c.done, fmt.Errorf("collect unused blobs: %w", err)
		}
	}
	return c.done, nil
}

// link is a link file: that a repository has a blob as a layer or a manifest.
type link struct {
	name, part string
	digest     digest.Digest
}

// collection is one run of Collect.
type collection struct {
	*Storage
	before time.Time // what was refreshed later is not removed
	links  map[link]bool
	blobs  map[digest.Digest]bool
	done   Collected
}

// mark finds all that images refer to.
func (c *collection) mark(ctx context.Context, images iter.Seq[*record.RepositoryImage]) error {
	for i := range images {
		if err := ctx.Err(); err != nil {
			return err
		}
		name := storedName(i.Scope, i.Repository())
		c.use(link{name, revisionsPart, digest.Digest(i.Digest())})
		text, err := c.Manifest(ctx, i.Scope, i.Repository(), i.Digest())
		if err != nil {
			return fmt.Errorf("image %s@%s: %w", name, i.Digest(), err)
		}
		refs, err := references(text)
		if err != nil {
			return fmt.Errorf("image %s@%s: %w", name, i.Digest(), err)
		}
		for _, d := range refs {
			// A child of an index is an image of its own; only what kind of link
			// it has is not known here.
			c.use(link{name, revisionsPart, d})
			c.use(link{name, layersPart, d})
		}
	}
	return nil
}

func (c *collection) use(l link) {
	c.links[l] = true
	c.blobs[l.digest] = true
}

// sweepRepositories removes links that were not marked, and abandoned uploads. The
// blob of a link that is too young to be removed is marked too.
func (c *collection) sweepRepositories(ctx context.Context) error {
	return c.walk(ctx, repositoriesDir, func(path, file string) error {
		if strings.Contains(path, "/"+uploadsPart+"/") {
			return c.sweepUpload(file)
		}
		name, part, d, ok := parseLink(path)
		if !ok || c.links[link{name, part, d}] {
			return nil
		}
		removed, err := c.removeOld(file, c.before)
		if err != nil {
			return err
		}
		if !removed {
			c.blobs[d] = true
			return nil
		}
		c.done.Links++
		return nil
	})
}

// sweepUpload removes the upload a file belongs to if nothing in it is young.
func (c *collection) sweepUpload(file string) error {
	if filepath.Base(file) != "startedat" {
		return nil // its directory is looked at once, by this file
	}
	dir := filepath.Dir(file)
	before := time.Now().Add(-uploadTTL)
	for _, f := range []string{file, filepath.Join(dir, "data")} {
		info, err := os.Stat(f)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if err == nil && info.ModTime().After(before) {
			return nil
		}
	}
	c.done.Uploads++
	return os.RemoveAll(dir)
}

// sweepBlobs removes the blobs that were not marked.
func (c *collection) sweepBlobs(ctx context.Context) error {
	return c.walk(ctx, blobsDir, func(path, file string) error {
		d, ok := parseBlob(path)
		if !ok || c.blobs[d] {
			return nil
		}
		removed, err := c.removeOld(file, c.before)
		if removed {
			c.done.Blobs++
		}
		return err
	})
}

// removeOld removes the directory of a file that was last refreshed before t.
func (c *collection) removeOld(file string, t time.Time) (removed bool, err error) {
	c.refreshing.Lock()
	defer c.refreshing.Unlock()
	info, err := os.Stat(file)
	if errors.Is(err, fs.ErrNotExist) {
		return true, nil
	}
	if err != nil || info.ModTime().After(t) {
		return false, err
	}
	return true, os.RemoveAll(filepath.Dir(file))
}

// walk calls f for each file below a directory of the storage, with its path
// from there and its whole path. Files may come and go meanwhile.
func (c *collection) walk(ctx context.Context, dir string, f func(path, file string) error) error {
	root := filepath.Join(c.dir, dir)
	return filepath.WalkDir(root, func(file string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil || ctx.Err() != nil {
			return errors.Join(err, ctx.Err())
		}
		if entry.IsDir() {
			return nil
		}
		path, err := filepath.Rel(root, file)
		if err != nil {
			return err
		}
		return f(path, file)
	})
}

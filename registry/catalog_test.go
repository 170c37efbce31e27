package registry_test

import (
	"context"
	"iter"
	"maps"
	"slices"
	"sync"

	"fargo"
	"fargo/aws/ecr"
	"fargo/aws/protocol"
	"fargo/record"
)

// catalog is a Catalog in memory. Its passwords are those it was given.
type catalog struct {
	mu     sync.Mutex
	grants map[string]record.RegistryGrant
	denied map[string]bool // action
	// images are by repository key, then digest; a repository exists when it has
	// an entry.
	images    map[string]map[string]*record.RepositoryImage
	immutable bool
	noMounts  bool
	pulls     int
	pullErr   error // of RecordPull
}

var home = fargo.Scope{Account: fargo.DefaultAccount, Region: fargo.DefaultRegion}

func newCatalog(repositories ...string) *catalog {
	c := &catalog{
		grants: map[string]record.RegistryGrant{"open": {Scope: home, PrincipalARN: "arn:aws:iam::123456789012:user/ann"}},
		denied: map[string]bool{},
		images: map[string]map[string]*record.RepositoryImage{},
	}
	for _, r := range repositories {
		c.create(home, r)
	}
	return c
}

func (c *catalog) create(s fargo.Scope, name string) {
	c.images[s.Key(name)] = map[string]*record.RepositoryImage{}
}

func (c *catalog) Login(_ context.Context, password string) (record.RegistryGrant, error) {
	if g, ok := c.grants[password]; ok {
		return g, nil
	}
	return record.RegistryGrant{}, protocol.Errorf("AccessDeniedException", "Your Authorization Token is invalid.")
}

func (c *catalog) Authorize(_ context.Context, g record.RegistryGrant, action string, s fargo.Scope, name string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.denied[action] {
		return protocol.Errorf("AccessDeniedException", "User: %s is not authorized to perform: %s", g.PrincipalARN, action)
	}
	if c.images[s.Key(name)] == nil {
		return ecr.RepositoryNotFoundException("The repository with name '%s' does not exist in the registry with id '%s'", name, s.Account)
	}
	return nil
}

func (c *catalog) FindImage(_ context.Context, s fargo.Scope, name, reference string) (*record.RepositoryImage, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for digest, i := range c.images[s.Key(name)] {
		if digest == reference || slices.Contains(i.Image.ImageTags, reference) {
			return i, nil
		}
	}
	return nil, ecr.ImageNotFoundException("Requested image not found")
}

func (c *catalog) MayMount(context.Context, fargo.Scope, string, string) bool { return !c.noMounts }

func (c *catalog) ListTags(_ context.Context, s fargo.Scope, name string) ([]string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var tags []string
	for _, i := range c.images[s.Key(name)] {
		tags = append(tags, i.Image.ImageTags...)
	}
	slices.Sort(tags)
	return tags, nil
}

func (c *catalog) RecordImage(_ context.Context, i *record.RepositoryImage, tag string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	images := c.images[i.Scope.Key(i.Repository())]
	if old := images[i.Digest()]; old != nil {
		i = old
	}
	if tag != "" {
		for _, other := range images {
			n := slices.Index(other.Image.ImageTags, tag)
			if n >= 0 && other != i && c.immutable {
				return ecr.ImageTagAlreadyExistsException("The image tag '%s' already exists in the '%s' repository and cannot be overwritten because the tag is immutable.", tag, i.Repository())
			}
			if n >= 0 {
				other.Image.ImageTags = slices.Delete(other.Image.ImageTags, n, n+1)
			}
		}
		i.Image.ImageTags = append(i.Image.ImageTags, tag)
	}
	images[i.Digest()] = i
	return nil
}

func (c *catalog) Referrers(_ context.Context, s fargo.Scope, name, digest string) ([]*record.RepositoryImage, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var found []*record.RepositoryImage
	for _, key := range slices.Sorted(maps.Keys(c.images[s.Key(name)])) {
		if i := c.images[s.Key(name)][key]; i.Image.SubjectManifestDigest != nil && *i.Image.SubjectManifestDigest == digest {
			found = append(found, i)
		}
	}
	return found, nil
}

func (c *catalog) DeleteImage(ctx context.Context, s fargo.Scope, name, reference string) error {
	i, err := c.FindImage(ctx, s, name, reference)
	if err != nil {
		return err
	}
	c.forget(s, name, i.Digest())
	return nil
}

func (c *catalog) RecordPull(context.Context, *record.RepositoryImage) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pulls++
	return c.pullErr
}

// failPulls makes RecordPull fail.
func (c *catalog) failPulls(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pullErr = err
}

func (c *catalog) AllImages() iter.Seq[*record.RepositoryImage] {
	c.mu.Lock()
	defer c.mu.Unlock()
	var all []*record.RepositoryImage
	for _, images := range c.images {
		all = slices.AppendSeq(all, maps.Values(images))
	}
	return slices.Values(all)
}

func (c *catalog) forget(s fargo.Scope, name, digest string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.images[s.Key(name)], digest)
}

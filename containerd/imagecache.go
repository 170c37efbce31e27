package containerd

import (
	"sync"

	"github.com/opencontainers/go-digest"
)

// maxImageCache is how much memory images may take, in bytes. An honest one takes
// a few kilobytes.
const maxImageCache = 32 << 20

// imageCache keeps images in memory. It is emptied when it gets too large. The
// zero value is ready to use.
type imageCache struct {
	mu struct {
		sync.Mutex
		images map[digest.Digest]*image
		size   int
	}
}

// get returns nil when the image is not kept.
func (c *imageCache) get(of digest.Digest) *image {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.mu.images[of]
}

// forget empties it.
func (c *imageCache) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.mu.images, c.mu.size = nil, 0
}

func (c *imageCache) put(of digest.Digest, i *image) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if size := i.size(); c.mu.images == nil || c.mu.size+size > maxImageCache {
		c.mu.images, c.mu.size = map[digest.Digest]*image{}, 0
	}
	if c.mu.images[of] == nil {
		c.mu.size += i.size()
	}
	c.mu.images[of] = i
}

// size is about how much memory an image takes, in bytes.
func (i *image) size() int {
	const each = 64 // of a string in a slice or map, and what is around it
	size := 1024 + len(i.passwd) + len(i.group)
	for _, list := range [][]string{i.config.Env, i.config.Cmd, i.config.Entrypoint} {
		for _, s := range list {
			size += each + len(s)
		}
	}
	return size
}

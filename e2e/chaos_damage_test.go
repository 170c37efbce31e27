//go:build e2e && chaos

package e2e

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// damageAttacks change files while no control plane runs, as a failing disk or a
// person would.
var damageAttacks = []attack{
	{name: "flip a byte at the end of the journal", run: func(c *chaos) {
		file := c.newestLog()
		c.damaged(file, func(content []byte) []byte {
			const blocks = 3 * 32 << 10
			at := max(0, len(content)-blocks) + c.rng.IntN(min(len(content), blocks))
			c.note("byte %d of %d in %s", at, len(content), filepath.Base(file))
			content[at] ^= 1 << c.rng.IntN(8)
			return content
		})
	}},
	{name: "cut the journal short by less than a record", run: func(c *chaos) {
		// As after a torn write, which was never acknowledged.
		c.untouched(c.newestLog(), func(content []byte) []byte {
			torn := make([]byte, 1+c.rng.IntN(6))
			for i := range torn {
				torn[i] = byte(c.rng.Uint32())
			}
			return append(content, torn...)
		})
	}},
	{name: "take the store away", run: func(c *chaos) {
		c.withoutControl(func() {
			store := filepath.Join(c.in.data, "store")
			c.rename(store, store+".away")
			c.refuses("store")
			c.rename(store+".away", store)
		})
	}},
	{name: "empty the instance's name", run: func(c *chaos) {
		c.damagedOrRefused("instance", func([]byte) []byte { return nil })
	}},
	{name: "put a path in the instance's name", run: func(c *chaos) {
		c.damagedOrRefused("instance", func([]byte) []byte { return []byte("../x\n") })
	}},
	{name: "leave strange files with the node", run: func(c *chaos) {
		for _, name := range []string{"stray", "tasks/stray", "tasks/stray.json"} {
			path := filepath.Join(c.in.data, "node", name)
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				c.t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte("\x00strange"), 0o600); err != nil {
				c.t.Fatal(err)
			}
		}
		c.killSome("node")
	}},
}

// newestLog is the journal's write-ahead log that was written last.
func (c *chaos) newestLog() string {
	c.t.Helper()
	logs, err := filepath.Glob(filepath.Join(c.in.data, "store", "*.log"))
	if err != nil || len(logs) == 0 {
		c.t.Fatal("no write-ahead log", err)
	}
	slices.Sort(logs)
	return logs[len(logs)-1]
}

// withoutControl kills the control plane, does something, and starts it again.
func (c *chaos) withoutControl(do func()) {
	c.t.Helper()
	c.user.paused.Lock()
	defer c.user.paused.Unlock()
	c.killSome("control")
	do()
	c.up("10")
}

// changed changes a file while look runs.
func (c *chaos) changed(path string, change func([]byte) []byte, look func()) {
	c.t.Helper()
	before, err := os.ReadFile(path)
	if err != nil {
		c.t.Fatal(err)
	}
	if err := os.WriteFile(path, change(bytes.Clone(before)), 0o600); err != nil {
		c.t.Fatal(err)
	}
	look()
	if err := os.WriteFile(path, before, 0o600); err != nil {
		c.t.Fatal(err)
	}
}

// damaged changes a file of the store: up must refuse to start and name the
// file, or start with everything that was acknowledged.
func (c *chaos) damaged(path string, change func([]byte) []byte) {
	c.t.Helper()
	store := filepath.Dir(path)
	c.withoutControl(func() {
		copied := store + ".copy"
		if err := os.CopyFS(copied, os.DirFS(store)); err != nil {
			c.t.Fatal(err)
		}
		c.changed(path, change, func() {
			_, from := c.upLog(0)
			if err := c.in.up("--speed", "10"); err == nil {
				c.note("started")
				c.user.verifyPaused("damage")
				c.kill("control")
				return
			}
			c.note("refused")
			if said, _ := c.upLog(from); !strings.Contains(said, filepath.Base(path)) || !strings.Contains(said, "fargo repair") {
				c.t.Errorf("up refused, and said neither which file nor what to do: %s", said)
			}
		})
		if err := os.RemoveAll(store); err != nil {
			c.t.Fatal(err)
		}
		c.rename(copied, store)
	})
}

// untouched changes a file in a way that must have no effect.
func (c *chaos) untouched(path string, change func([]byte) []byte) {
	c.t.Helper()
	c.withoutControl(func() {
		content, err := os.ReadFile(path)
		if err == nil {
			err = os.WriteFile(path, change(content), 0o600)
		}
		if err != nil {
			c.t.Fatal(err)
		}
	})
}

// damagedOrRefused changes a file of the data directory: up must refuse to start,
// and name it.
func (c *chaos) damagedOrRefused(name string, change func([]byte) []byte) {
	c.t.Helper()
	c.withoutControl(func() {
		c.changed(filepath.Join(c.in.data, name), change, func() { c.refuses(name) })
	})
}

// refuses starts up, which must fail with an error that contains what.
func (c *chaos) refuses(what string) {
	c.t.Helper()
	_, from := c.upLog(0)
	if err := c.in.up("--speed", "10"); err == nil {
		c.t.Fatalf("up started without %s", what)
	}
	if said, _ := c.upLog(from); !strings.Contains(said, what) {
		c.t.Errorf("up says nothing of %s: %s", what, said)
	}
}

func (c *chaos) rename(from, to string) {
	c.t.Helper()
	if err := os.Rename(from, to); err != nil {
		c.t.Fatal(err)
	}
}

package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"fargo/engine"
	"fargo/logs"
	"fargo/store/disk"
)

// errGone says that a part of a data directory was there and is not any more. A new
// one in its place would look as if nothing had ever been.
type errGone struct {
	part, without string
	seen          []string // what is there, and was made after it
}

// Error implements [error].
func (e *errGone) Error() string {
	return fmt.Sprintf("%s is gone, although %s are there: put it back, or start fargo up --begin-anew, %s", e.part, strings.Join(e.seen, ", "), e.without)
}

// made are the parts of a data directory in the order in which the first start makes
// them. What follows one that is missing shows that it was there once.
var made = []string{"store", "logs", "registry", "admin.json", "ca.pem", "endpoint", "node"}

// without says what starting without a part means.
var without = map[string]string{
	"store":    "which starts with an empty account and ends all tasks that run",
	"logs":     "which starts with no logs",
	"registry": "which forgets all images that were pushed",
}

// gone are the parts that were there once and are not, in the order of made.
func (i *instance) gone() (all []*errGone, err error) {
	there := map[string]bool{}
	for _, part := range made {
		if there[part], err = i.has(part); err != nil {
			return nil, err
		}
	}
	for n, part := range made[:len(without)] {
		if there[part] {
			continue
		}
		g := &errGone{part: i.path(part), without: without[part]}
		for _, later := range made[n+1:] {
			if there[later] {
				g.seen = append(g.seen, later)
			}
		}
		if g.seen != nil {
			all = append(all, g)
		}
	}
	return all, nil
}

// has reports whether a part is there and not empty.
func (i *instance) has(part string) (bool, error) {
	switch part {
	case "store":
		return disk.Exists(i.StoreDir())
	case "logs":
		return logs.Exists(i.LogsDir())
	}
	_, err := os.Stat(i.path(part))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// checkParts refuses to go on without a part that was there once, unless it is to be
// begun anew. That the registry is gone it only says: there may have been no image
// in it.
func (i *instance) checkParts(beginAnew bool) (registryGone bool, err error) {
	for _, dir := range []string{i.StoreDir(), i.LogsDir()} {
		if _, err := os.Stat(dir + engine.Repaired); err == nil {
			return false, fmt.Errorf("the repair of %s was not finished: fargo repair --data-dir %s goes on with it", dir, i.Dir)
		}
	}
	gone, err := i.gone()
	if err != nil {
		return false, err
	}
	for _, g := range gone {
		if g.part == i.RegistryDir() {
			registryGone = true
		} else if !beginAnew {
			return false, g
		}
	}
	if beginAnew && len(gone) == 0 {
		return false, fmt.Errorf("--begin-anew: nothing is gone from %s; start without it", i.Dir)
	}
	return registryGone, nil
}

// mendable adds to what is wrong with a store how it can be mended.
func (i *instance) mendable(err error) error {
	var damage *engine.Damage
	var key *disk.KeyLost
	switch {
	case errors.As(err, &damage):
		return fmt.Errorf("%w. Nothing was changed. fargo repair --data-dir %s keeps a copy, takes out all that can be read, and says what cannot", err, i.Dir)
	case errors.As(err, &key):
		return fmt.Errorf("%w. Nothing was changed. Put the key back, or give the records up: fargo repair --data-dir %s", err, i.Dir)
	}
	return err
}

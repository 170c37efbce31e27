package instance

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
)

// MissingError means that a part of a data directory has been lost. Fargo does not
// replace it by an empty one, which would look like a new installation.
type MissingError struct {
	// Part is the path of what is missing.
	Part string
	// Consequence says what a start without it means: "which starts with no logs".
	Consequence string
	// Seen is a part that exists and was created after it.
	Seen []string
}

// Error implements [error].
func (e *MissingError) Error() string {
	return fmt.Sprintf("%s is gone, although %s are there: put it back, or start fargo up --begin-anew, %s", e.Part, strings.Join(e.Seen, ", "), e.Consequence)
}

// A Part is one of those that make up a data directory.
type Part struct {
	// Name is that of its directory or file.
	Name string
	// Exists reports whether there is one at a path, and not an empty one; nil where
	// it is enough that the path exists.
	Exists func(path string) (bool, error)
	// Consequence is that of [MissingError]; empty where fargo up writes the part
	// again without a loss.
	Consequence string
}

// Missing are the parts that existed and do not any more. The parts are in the order
// in which the first start creates them: one that exists proves that those before it
// did.
func (i *Instance) Missing(parts []Part) ([]*MissingError, error) {
	exist := make([]bool, len(parts))
	for n, part := range parts {
		exists := part.Exists
		if exists == nil {
			exists = pathExists
		}
		var err error
		if exist[n], err = exists(i.path(part.Name)); err != nil {
			return nil, err
		}
	}
	return i.missing(parts, exist), nil
}

func (i *Instance) missing(parts []Part, exist []bool) (all []*MissingError) {
	for n, part := range parts {
		if exist[n] || part.Consequence == "" {
			continue
		}
		var seen []string
		for later := n + 1; later < len(parts); later++ {
			if exist[later] {
				seen = append(seen, parts[later].Name)
			}
		}
		if seen != nil {
			all = append(all, &MissingError{Part: i.path(part.Name), Consequence: part.Consequence, Seen: seen})
		}
	}
	return all
}

func pathExists(path string) (bool, error) {
	_, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

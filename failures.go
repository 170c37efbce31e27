package fargo

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/containerd/errdefs"
)

// Failures are the parts, by id, of a declared whole that could not be brought
// about. What is not among them is as it was declared.
type Failures map[string]error

// Error names every part.
func (f Failures) Error() string {
	texts := make([]string, 0, len(f))
	for _, part := range slices.Sorted(maps.Keys(f)) {
		texts = append(texts, fmt.Sprintf("%s: %v", part, f[part]))
	}
	return strings.Join(texts, "; ")
}

// Unwrap gives the errors of the parts.
func (f Failures) Unwrap() []error { return slices.Collect(maps.Values(f)) }

// ErrNotWritable holds for the error of a write that could not be made for a
// reason that is no caller's doing: the disk is full, or its driver has failed.
// Nothing was written; reads go on. The reason has been logged, once, by whoever
// found it, so who gets this error only hands it on. errdefs.IsUnavailable holds
// for it: what is not urgent is to be tried again.
var ErrNotWritable = errdefs.ErrUnavailable.WithMessage("cannot be written to now")

package host

import (
	"fmt"
	"maps"
	"slices"
	"strings"
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

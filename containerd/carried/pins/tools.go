//go:build tools

// Package pins holds the versions of what Fargo carries, apart from the main
// module's, so that neither moves the other.
package pins

import _ "github.com/opencontainers/runc"

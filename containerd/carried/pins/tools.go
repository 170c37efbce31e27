//go:build tools

// Package pins holds the versions of what Fargo carries, apart from the main
// module's, so that neither moves the other.
package pins

import (
	_ "github.com/containerd/containerd/v2/cmd/containerd-shim-runc-v2"
	_ "github.com/opencontainers/runc"
)

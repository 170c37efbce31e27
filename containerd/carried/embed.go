//go:build carried

package carried

import "embed"

//go:embed bundle/*
var bundle embed.FS

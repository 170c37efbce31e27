//go:build !carried

package carried

import "embed"

// bundle is empty in a build without the tag "carried".
var bundle embed.FS

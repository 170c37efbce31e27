package plan

import (
	"slices"
	"time"

	"fargo/record"
)

// APICertificateDue decides whether a certificate for the APIs under these names is to be
// issued now. There may be none yet. One that has more names stays: a machine that had
// other addresses may have them again.
func APICertificateDue(c *record.APICertificate, names []string, now time.Time) bool {
	if c == nil || !now.Before(c.NotAfter.Add(-renewBefore)) {
		return true
	}
	return slices.ContainsFunc(names, func(name string) bool { return !slices.Contains(c.Names, name) })
}

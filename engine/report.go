package engine

import (
	"fmt"
	"strings"
)

// Loss is something that was in a directory and cannot be had from it any more.
type Loss struct {
	File   string // its path
	Offset int64  // where in the file; -1 when that is not known
	Why    string
	// Writes is how many writes are lost, those that the owner makes for itself
	// included; -1 when that is not known.
	Writes int64
	// Keys are those that can still be made out, of what is lost: of a log, some
	// of them; of a table, the last one before and the first one after.
	Keys []string
}

// String is one line for people.
func (l Loss) String() string {
	var b strings.Builder
	b.WriteString(l.File)
	if l.Offset >= 0 {
		fmt.Fprintf(&b, " at offset %d", l.Offset)
	}
	fmt.Fprintf(&b, ": %s: ", l.Why)
	switch l.Writes {
	case -1:
		b.WriteString("how many writes are lost is not known")
	case 1:
		b.WriteString("1 write is lost")
	default:
		fmt.Fprintf(&b, "%d writes are lost", l.Writes)
	}
	if len(l.Keys) > 0 {
		fmt.Fprintf(&b, ": %s", strings.Join(l.Keys, ", "))
	}
	return b.String()
}

// Report is what came of a repair.
type Report struct {
	// Damage is why the directory could not be opened; nil if it could, and what
	// is damaged would have been noticed when it was read.
	Damage error
	Losses []Loss
	// Dropped are keys that the owner of the directory did not want to keep.
	Dropped []string
	Kept    int // keys
	// Backup is where the directory is now as it was; empty when nothing was
	// wrong, and so nothing was done.
	Backup string
}

// Whole reports whether there was nothing to repair.
func (r *Report) Whole() bool { return r.Damage == nil && len(r.Losses) == 0 && len(r.Dropped) == 0 }

package dns

import (
	"net/netip"
	"slices"
	"strings"

	"fargo/desired"
)

// ownerComment ends every line of an instance in a hosts file.
func ownerComment(instance string) string { return "\t# fargo " + instance }

// isOwn reports whether a line is this instance's: an address, names, and the owner
// comment. Any other line is left alone.
func isOwn(line, instance string) bool {
	entry, ok := strings.CutSuffix(strings.TrimRight(line, " \t\r"), ownerComment(instance))
	if !ok {
		return false
	}
	fields := strings.Fields(entry)
	if len(fields) < 2 || strings.Contains(entry, "#") {
		return false
	}
	_, err := netip.ParseAddr(fields[0])
	return err == nil
}

// edit returns text with lines in place of all that are the instance's own. They go
// where the first of those was, or else last, but before a last line without a line
// feed, which may be incomplete. All other lines stay byte for byte and in their
// order. When the own lines are lines already, nothing changes; edit with no lines
// undoes an earlier edit.
func edit(text, instance string, lines []string) string {
	var kept, had []string
	at := -1
	for _, line := range strings.Split(text, "\n") {
		if !isOwn(line, instance) {
			kept = append(kept, line)
			continue
		}
		had = append(had, line)
		if at < 0 {
			at = len(kept)
		}
	}
	if slices.Equal(had, lines) {
		return text
	}
	if at < 0 {
		at = len(kept) - 1
	}
	return strings.Join(slices.Insert(kept, at, lines...), "\n")
}

// linesOf are the lines of a hosts file for the records that the machine knows,
// one for each address.
func linesOf(records []desired.Record, instance string) []string {
	var out []string
	for i := range records {
		r := &records[i]
		addresses := r.Addresses
		switch {
		case !hostName(r.Name):
			continue
		case r.Public.IsValid():
			addresses = []netip.Addr{r.Public}
		case r.VPC != "":
			continue
		}
		for _, a := range addresses {
			if a.IsValid() {
				out = append(out, a.String()+"\t"+r.Name+ownerComment(instance))
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// hostName reports whether a name is valid in a hosts file. Source: hosts(5).
func hostName(name string) bool {
	return name != "" && !strings.ContainsFunc(name, func(c rune) bool {
		return (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' && c != '.' && c != '_'
	})
}

package dns

import (
	"net/netip"
	"slices"
	"strings"

	"fargo/desired"
)

// tag ends every line of ours in a hosts file: a comment to all who read it.
func tag(instance string) string { return "\t# fargo " + instance }

// mine tells whether a line is of this instance: an address, names, and the
// tag. Nothing else is ever taken for ours, so no line of others can be lost.
func mine(line, instance string) bool {
	entry, ok := strings.CutSuffix(strings.TrimRight(line, " \t\r"), tag(instance))
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

// edit gives text with lines in place of all that are mine. They go where mine
// were, or else last, but never behind a last line without an end, which
// somebody may yet go on writing. All other lines stay as they are, byte for
// byte and in their order. When mine are lines already, nothing changes; edit
// with no lines undoes an earlier edit.
func edit(text, instance string, lines []string) string {
	var kept, had []string
	at := -1
	for _, line := range strings.Split(text, "\n") {
		if !mine(line, instance) {
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
// one for each address: a name with several is looked up with all of them.
func linesOf(records []desired.Record, instance string) []string {
	var out []string
	for _, r := range records {
		if r.VPC != "" || !hostName(r.Name) {
			continue
		}
		for _, a := range r.Addresses {
			if a.IsValid() {
				out = append(out, a.String()+"\t"+r.Name+tag(instance))
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// hostName tells whether a name can stand in a hosts file. Source: hosts(5).
func hostName(name string) bool {
	return name != "" && !strings.ContainsFunc(name, func(c rune) bool {
		return (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' && c != '.' && c != '_'
	})
}

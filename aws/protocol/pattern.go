package protocol

import "regexp"

// equivalents are models' patterns that Go's regular expressions cannot say, and
// others that match the same. AWS's are Java's, which may look ahead.
var equivalents = map[string]string{
	// A label of a domain name does not begin with a hyphen; the last has two letters.
	`(\*\.)?(((?!-)[A-Za-z0-9-]{0,62}[A-Za-z0-9])\.)+((?!-)[A-Za-z0-9-]{1,62}[A-Za-z0-9])`: `(\*\.)?([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z0-9][A-Za-z0-9-]{0,61}[A-Za-z0-9]`,
	// No two hyphens follow each other. The length is also asked for by itself.
	`^[a-z0-9]([a-z0-9]|-(?!-)){1,61}[a-z0-9]$`: `[a-z0-9](-[a-z0-9]|[a-z0-9]-?[a-z0-9])(-?[a-z0-9])*`,
}

// javaEscape is a character by its number in Java's regular expressions: \u0020.
var javaEscape = regexp.MustCompile(`\\u([0-9A-Fa-f]{4})`)

// CompilePattern compiles a model's pattern, which is one of Java's and is for a whole
// value.
func CompilePattern(pattern string) (*regexp.Regexp, error) {
	if same, ok := equivalents[pattern]; ok {
		pattern = same
	}
	return regexp.Compile(`^(?:` + javaEscape.ReplaceAllString(pattern, `\x{$1}`) + `)$`)
}

package protocol

import "regexp"

// equivalents are models' patterns that Go's regular expressions cannot say, and
// others that match the same. AWS's are Java's, which may look ahead.
var equivalents = map[string]equivalent{
	// A label of a domain name does not begin with a hyphen; the last has two letters.
	`(\*\.)?(((?!-)[A-Za-z0-9-]{0,62}[A-Za-z0-9])\.)+((?!-)[A-Za-z0-9-]{1,62}[A-Za-z0-9])`: {match: `(\*\.)?([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z0-9][A-Za-z0-9-]{0,61}[A-Za-z0-9]`},
	// No two hyphens follow each other. The length is also asked for by itself.
	`^[a-z0-9]([a-z0-9]|-(?!-)){1,61}[a-z0-9]$`: {match: `[a-z0-9](-[a-z0-9]|[a-z0-9]-?[a-z0-9])(-?[a-z0-9])*`},
	// A line that is not blank.
	`^(?!\s*$).+`: {match: `.+`, not: `\s*`},
	// What AWS has for itself begins with "aws:", in any case.
	`^(?![aA]{1}[wW]{1}[sS]{1}:)([\p{L}\p{Z}\p{N}_.:/=+\-@]+)$`: {match: `[\p{L}\p{Z}\p{N}_.:/=+\-@]+`, not: `(?is)aws:.*`},
	// No part of a path begins with a dot.
	"^(\\/|(\\/(?!\\.)+[^$#<>;`|&?{}^*/\\n]+){1,4})$": {match: "/|(/[^.$#<>;`|&?{}^*/\\n][^$#<>;`|&?{}^*/\\n]*){1,4}"},
	// A name that is not AWS's, or a path into JSON.
	`^(?=[/\.\-_A-Za-z0-9]+)((?!aws\.).*)|(\$(\.[\w_-]+(\[(\d+|\*)\])*)*)$`: {match: `[/.\-_A-Za-z0-9].*|\$(\.[\w-]+(\[(\d+|\*)\])*)*`, not: `aws\..*`},
	// What XML can hold: the pair of surrogates is one range for Java.
	`[\u0020-\uD7FF\uE000-\uFFFD\uD800\uDC00-\uDBFF\uDFFF\r\n\t]*`: {match: `[\x{20}-\x{D7FF}\x{E000}-\x{FFFD}\x{10000}-\x{10FFFF}\r\n\t]*`},
	// No space at either end, nothing unprintable, and none of ":/|".
	`(?!((^[ ]+.*)|(.*([\u0000-\u001f]|[\u007f-\u009f]|[:/|])+.*)|(.*[ ]+$))).+`: {match: `.+`, not: ` .*|.*[\x00-\x1f\x7f-\x{9f}:/|].*|.* `},
	`\p{Print}+`: {match: `[\x20-\x7e]+`},
}

// equivalent is what values match, and what they do not.
type equivalent struct{ match, not string }

// Expression is a model's pattern, compiled.
type Expression struct{ match, not *regexp.Regexp }

// MatchString reports whether a whole value matches.
func (p *Expression) MatchString(value string) bool {
	return p.match.MatchString(value) && (p.not == nil || !p.not.MatchString(value))
}

// javaEscape is a character by its number in Java's regular expressions: \u0020.
var javaEscape = regexp.MustCompile(`\\u([0-9A-Fa-f]{4})`)

// CompilePattern compiles a model's pattern, which is one of Java's and is for a whole
// value.
func CompilePattern(pattern string) (*Expression, error) {
	same, ok := equivalents[pattern]
	if !ok {
		same.match = pattern
	}
	match, err := compileWhole(same.match)
	if err != nil || same.not == "" {
		return &Expression{match: match}, err
	}
	not, err := compileWhole(same.not)
	return &Expression{match, not}, err
}

func compileWhole(pattern string) (*regexp.Regexp, error) {
	return regexp.Compile(`^(?:` + javaEscape.ReplaceAllString(pattern, `\x{$1}`) + `)$`)
}

package routing

import (
	"regexp"
	"strings"
	"testing"
)

// FuzzGlob compares wildcards with the regular expressions they stand for.
func FuzzGlob(f *testing.F) {
	for _, s := range [][2]string{
		{"*", ""},
		{"?", ""},
		{"a*b?c", "axxbyc"},
		{"**a", "aa"},
		{"*.example.com", "x.example.com"},
		{"*a*a*a*b", "aaaaaaaaaaaaaaaaaaaa"},
		{`\*`, "*"},
		{`a\`, `a\`},
		{"/img/*", "/img/"},
	} {
		f.Add(s[0], s[1], true)
		f.Add(s[0], s[1], false)
	}
	f.Fuzz(func(t *testing.T, pattern, s string, escapes bool) {
		if len(pattern) > 50 || len(s) > 200 {
			return
		}
		var re strings.Builder
		re.WriteString(`\A`)
		for i := 0; i < len(pattern); i++ {
			switch c := pattern[i]; {
			case c == '\\' && escapes && i+1 < len(pattern):
				i++
				re.WriteString(literal(pattern[i]))
			case c == '?':
				re.WriteString(`.`)
			case c == '*':
				re.WriteString(`.*`)
			default:
				re.WriteString(literal(c))
			}
		}
		re.WriteString(`\z`)
		// as Latin-1, in which a byte is a character
		want := regexp.MustCompile("(?s)" + re.String()).MatchString(latin1(s))
		if got := compileGlob(pattern, escapes).match(s); got != want {
			t.Fatalf("%q, %q, escapes %v: got %v", pattern, s, escapes, got)
		}
	})
}

func literal(c byte) string { return regexp.QuoteMeta(string(rune(c))) }

func latin1(s string) string {
	var b strings.Builder
	for i := range len(s) {
		b.WriteRune(rune(s[i]))
	}
	return b.String()
}

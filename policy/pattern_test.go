package policy

import (
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// Wildcards mean what they mean in a regular expression that says the same.
func TestMatch(t *testing.T) {
	letters := rapid.SampledFrom([]rune("ab*?é€/"))
	rapid.Check(t, func(t *rapid.T) {
		written := rapid.StringOfN(letters, 0, 8, -1).Draw(t, "pattern")
		s := rapid.StringOfN(letters, 0, 8, -1).Draw(t, "text")
		same := regexp.QuoteMeta(written)
		same = strings.ReplaceAll(strings.ReplaceAll(same, `\*`, `(?s:.*)`), `\?`, `(?s:.)`)
		want := regexp.MustCompile(`\A` + same + `\z`).MatchString(s)
		p := compile(written, true)
		if got := p.matches(s, new(Request)); got != want {
			t.Errorf("%q matches %q: %v", written, s, got)
		}
		if got := match(mark.Replace(written), s); got != want {
			t.Errorf("marked, %q matches %q: %v", written, s, got)
		}
	})
}

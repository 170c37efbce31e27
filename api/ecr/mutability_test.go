package ecr

import (
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// matches agrees with a regular expression that says the same.
func TestMatches(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pattern := rapid.StringMatching(`[ab.*]{1,6}`).Draw(t, "pattern")
		tag := rapid.StringMatching(`[ab.]{0,8}`).Draw(t, "tag")
		same := regexp.MustCompile(`^` + strings.ReplaceAll(regexp.QuoteMeta(pattern), `\*`, `.*`) + `$`)
		if got, want := matches(pattern, tag), same.MatchString(tag); got != want {
			t.Errorf("matches(%q, %q) is %v", pattern, tag, got)
		}
	})
}

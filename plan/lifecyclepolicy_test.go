package plan_test

import (
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"fargo/plan"
)

// MatchesTagPattern agrees with a regular expression that says the same.
func TestMatchesTagPattern(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pattern := rapid.StringMatching(`[ab.*]{1,6}`).Draw(t, "pattern")
		tag := rapid.StringMatching(`[ab.]{0,8}`).Draw(t, "tag")
		same := regexp.MustCompile(`^` + strings.ReplaceAll(regexp.QuoteMeta(pattern), `\*`, `.*`) + `$`)
		if got, want := plan.MatchesTagPattern(pattern, tag), same.MatchString(tag); got != want {
			t.Errorf("MatchesTagPattern(%q, %q) is %v", pattern, tag, got)
		}
	})
}

package protocol_test

import (
	"testing"

	"fargo/aws/protocol"
)

// Java's patterns mean the same here, whatever of them Go's cannot say.
func TestPatterns(t *testing.T) {
	const (
		domain = `(\*\.)?(((?!-)[A-Za-z0-9-]{0,62}[A-Za-z0-9])\.)+((?!-)[A-Za-z0-9-]{1,62}[A-Za-z0-9])`
		alias  = `^[a-z0-9]([a-z0-9]|-(?!-)){1,61}[a-z0-9]$`
		latin  = `[\u0009\u000A\u000D\u0020-\u00FF]+`
	)
	for _, c := range []struct {
		pattern, value string
		matches        bool
	}{
		{domain, "example.com", true},
		{domain, "*.a.example.com", true},
		{domain, "a.xn--p1ai", true},
		{domain, "example.c", false},
		{domain, "com", false},
		{domain, "-a.example.com", false},
		{domain, "a-.example.com", false},
		{domain, "a.*.example.com", false},
		{domain, "a_b.example.com", false},
		{domain, "example.com.", false},
		{domain, "example.com\n", false},
		{alias, "abc", true},
		{alias, "a-b", true},
		{alias, "ab", false},
		{alias, "a--b", false},
		{alias, "-ab", false},
		{alias, "ab-", false},
		{latin, "a\tb\u00ff", true},
		{latin, "\u0100", false},
		{latin, "", false},
	} {
		re, err := protocol.CompilePattern(c.pattern)
		if err != nil {
			t.Fatal(err)
		}
		if re.MatchString(c.value) != c.matches {
			t.Errorf("%s matches %q: %v", c.pattern, c.value, !c.matches)
		}
	}
}

package protocol_test

import (
	"testing"

	"fargo/aws/protocol"
)

// Java's patterns mean the same here, whatever of them Go's cannot say.
func TestPatterns(t *testing.T) {
	const (
		domain   = `(\*\.)?(((?!-)[A-Za-z0-9-]{0,62}[A-Za-z0-9])\.)+((?!-)[A-Za-z0-9-]{1,62}[A-Za-z0-9])`
		alias    = `^[a-z0-9]([a-z0-9]|-(?!-)){1,61}[a-z0-9]$`
		latin    = `[\u0009\u000A\u000D\u0020-\u00FF]+`
		notBlank = `^(?!\s*$).+`
		tagKey   = `^(?![aA]{1}[wW]{1}[sS]{1}:)([\p{L}\p{Z}\p{N}_.:/=+\-@]+)$`
		path     = "^(\\/|(\\/(?!\\.)+[^$#<>;`|&?{}^*/\\n]+){1,4})$"
		name     = `^(?=[/\.\-_A-Za-z0-9]+)((?!aws\.).*)|(\$(\.[\w_-]+(\[(\d+|\*)\])*)*)$`
		xml      = `[\u0020-\uD7FF\uE000-\uFFFD\uD800\uDC00-\uDBFF\uDFFF\r\n\t]*`
		action   = `(?!((^[ ]+.*)|(.*([\u0000-\u001f]|[\u007f-\u009f]|[:/|])+.*)|(.*[ ]+$))).+`
		print    = `\p{Print}+`
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
		{notBlank, " a ", true},
		{notBlank, " \t", false},
		{notBlank, "", false},
		{notBlank, "a\nb", false},
		{tagKey, "awsome", true},
		{tagKey, "é: 1", true},
		{tagKey, "aWs:", false},
		{tagKey, "AWS:x", false},
		{tagKey, "a#", false},
		{path, "/", true},
		{path, "/a/b.c/d", true},
		{path, "/a/b/c/d/e", false},
		{path, "/.a", false},
		{path, "/a/", false},
		{name, "bus/aws.x", true},
		{name, "aws", true},
		{name, "aws.x", false},
		{name, "$.detail.a[0]", true},
		{name, "$x", false},
		{name, " a", false},
		{xml, "a\t\u00e9\U0001F600", true},
		{xml, "\x00", false},
		{xml, "\ufffe", false},
		{action, "a b", true},
		{action, " a", false},
		{action, "a ", false},
		{action, "a/b", false},
		{action, "a\u0085b", false},
		{print, "a b~", true},
		{print, "\u00e9", false},
		{print, "\x7f", false},
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

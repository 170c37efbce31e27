package ec2

import (
	"strings"
	"testing"
)

func TestPatterns(t *testing.T) {
	for _, test := range []struct {
		value, text string
		want        bool
	}{
		{"web", "web", true},
		{"web", "Web", false}, // values are case-sensitive
		{"w*", "web/1", true},
		{"*b*", "web\n1", true},
		{"w?b", "web", true},
		{"w?b", "wb", false},
		{"w?b", "wéb", true},
		{`\*amazon\?\\`, `*amazon?\`, true}, // the example of the user guide
		{`\*amazon\?\\`, `x amazon?\`, false},
		{`a\b`, "ab", true},
		{"[a-z]*", "b", false},
		{"a.b*", "axb", false},
		{"", "", true},
		{"*", "", true},
	} {
		if got := pattern(test.value)(test.text); got != test.want {
			t.Errorf("%q for %q: %v", test.value, test.text, got)
		}
	}
}

// FuzzPattern: everything is a pattern, and matches what it says literally.
func FuzzPattern(f *testing.F) {
	for _, s := range []string{"", "web", `*?\`, "[a-z]+(", "\xff*", "é?"} {
		f.Add(s)
	}
	escape := strings.NewReplacer(`*`, `\*`, `?`, `\?`, `\`, `\\`)
	f.Fuzz(func(t *testing.T, s string) {
		pattern(s)
		if !pattern(escape.Replace(s))(s) {
			t.Errorf("%q does not match itself", s)
		}
		if !pattern("*")(s) || !pattern(escape.Replace(s)+"*")(s+"x") {
			t.Errorf("* does not match what follows %q", s)
		}
	})
}

// A protocol is written in one way, whichever way it was given.
func TestProtocolsAreCanonical(t *testing.T) {
	for given, want := range map[string]string{
		"tcp": "tcp", "TCP": "tcp", "6": "tcp", "006": "tcp", "17": "udp", "1": "icmp", "58": "icmpv6", "ICMPv6": "icmpv6",
		"-1": "-1", "50": "50", "047": "47", "0": "0", "255": "255",
	} {
		got, err := ipProtocol(&given)
		if err != nil || got != want {
			t.Errorf("%s: %q, %v", given, got, err)
		}
		if again, err := ipProtocol(&got); err != nil || again != got {
			t.Errorf("%s, again: %q, %v", given, again, err)
		}
	}
}

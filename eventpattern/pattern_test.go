package eventpattern

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// A recordedCase is a pattern and an event, with what AWS made of them.
type recordedCase struct {
	Event, EventPattern json.RawMessage
}

var (
	comments = regexp.MustCompile(`(?m)^\s*//.*$`)
	trailing = regexp.MustCompile(`,(\s*[}\]])`)
)

// TestRecorded holds patterns to what AWS answered to TestEventPattern. A file's name
// ends with _NEG when the event does not match, and with _EXC when the pattern is refused.
// Source: LocalStack's test suite, run against AWS.
func TestRecorded(t *testing.T) {
	files, err := filepath.Glob("testdata/patterns/*.json5")
	if err != nil || len(files) < 100 {
		t.Fatal(len(files), err)
	}
	for _, path := range files {
		name := strings.TrimSuffix(filepath.Base(path), ".json5")
		t.Run(name, func(t *testing.T) {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			var c recordedCase
			if err := json.Unmarshal(trailing.ReplaceAll(comments.ReplaceAll(text, nil), []byte("$1")), &c); err != nil {
				t.Fatal(err)
			}
			p, err := Parse(string(c.EventPattern))
			if strings.HasSuffix(name, "_EXC") {
				if err == nil {
					t.Fatal("the pattern is taken")
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			e, err := ParseEvent(string(c.Event))
			if err != nil {
				t.Fatal(err)
			}
			if got, want := p.Matches(e), !strings.HasSuffix(name, "_NEG"); got != want {
				t.Errorf("matches: %v, want %v", got, want)
			}
		})
	}
}

// TestReasons compares the reasons with those that AWS gave, to the last character.
func TestReasons(t *testing.T) {
	text, err := os.ReadFile("testdata/reasons.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct{ Pattern, Reason string }
	if err := json.Unmarshal(text, &cases); err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		t.Run(c.Pattern, func(t *testing.T) {
			_, err := Parse(c.Pattern)
			if err == nil {
				t.Fatal("the pattern is taken")
			}
			if got := err.Error(); got != c.Reason {
				t.Errorf("got  %s\nwant %s", got, c.Reason)
			}
		})
	}
}

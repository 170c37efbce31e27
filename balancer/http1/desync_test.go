package http1

import (
	"os"
	"path/filepath"
	"testing"

	"go.yaml.in/yaml/v2"
)

// desyncCase is one request of AWS's library, in the parts that an HTTP parser
// would have made of it.
type desyncCase struct {
	Name, URI, Method, Version string
	Headers                    []struct{ Name, Value string }
	Expected                   struct{ Tier, Reason string }
}

// TestDesyncCases gives all requests in testdata/desync the class and reason
// that AWS's library gives them.
func TestDesyncCases(t *testing.T) {
	files, err := filepath.Glob("testdata/desync/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var cases []desyncCase
		if err := yaml.Unmarshal(content, &cases); err != nil {
			t.Fatal(file, err)
		}
		for _, c := range cases {
			f := c.judge()
			reason := f.Reason
			if f.Class == Compliant {
				reason = "Compliant"
			}
			if f.Class.String() != c.Expected.Tier || reason != c.Expected.Reason {
				t.Errorf("%s: %s: %v %s, want %+v", filepath.Base(file), c.Name, f.Class, reason, c.Expected)
			}
		}
	}
}

// judge does what Parse does once it has found the parts.
func (c *desyncCase) judge() Finding {
	r := Request{Method: c.Method, version: versionOf(c.Version)}
	for _, h := range c.Headers {
		f := r.nonStandardField(h.Name, trim(h.Value))
		r.takeField(&f)
	}
	r.measure()
	r.checkVersion()
	r.checkTarget(c.URI)
	r.checkMethod()
	return r.Finding
}

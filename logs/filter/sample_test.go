package filter

import (
	"errors"
	"fmt"
	"testing"
)

// Samples are what CloudWatch Logs makes of events. Source: CloudWatch Logs user guide,
// "Creating metrics from log events using filters" and "Publish dimensions with metrics".
func TestSampler(t *testing.T) {
	for _, c := range []struct {
		pattern, value string
		dimensions     map[string]string
		message, want  string // "" for none
	}{
		{"ERROR", "1", nil, "an ERROR", "1 map[]"},
		{"ERROR", "2.5", nil, "all is well", ""},
		{"", "1", nil, "anything", "1 map[]"},
		{`{ $.level = "error" }`, "$.size", nil, `{"level": "error", "size": 12.5}`, "12.5 map[]"},
		{`{ $.level = "error" }`, "$.size", nil, `{"level": "error", "size": "7"}`, "7 map[]"},
		{`{ $.level = "error" }`, "$.size", nil, `{"level": "error", "size": "big"}`, ""},
		{`{ $.level = "error" }`, "$.size", nil, `{"level": "error"}`, ""},
		{`{ $.level = "error" }`, "$.a.b[1]", map[string]string{"Level": "$.level", "Fixed": "x"}, `{"level": "error", "a": {"b": [1, 2]}}`, "2 map[Fixed:x Level:error]"},
		{`{ $.level = "error" }`, "1", map[string]string{"Host": "$.host"}, `{"level": "error"}`, ""},
		{"[ip, user, status = 4*, bytes]", "$bytes", map[string]string{"Status": "$status"}, "127.0.0.1 ann 404 1534", "1534 map[Status:404]"},
		{"[ip, user, status = 4*, bytes]", "$bytes", nil, "127.0.0.1 ann 200 1534", ""},
	} {
		s, err := NewSampler(c.pattern, c.value, c.dimensions)
		if err != nil {
			t.Errorf("%s: %v", c.pattern, err)
			continue
		}
		got := ""
		if s.Match(c.message) {
			if v, dimensions, ok := s.Sample(c.message); ok {
				got = fmt.Sprint(v, " ", dimensions)
			}
		}
		if got != c.want {
			t.Errorf("%s of %s: %q, want %q", c.pattern, c.message, got, c.want)
		}
	}
	for _, c := range [][2]string{{"{", "1"}, {"", "x"}, {"", "$.a["}} {
		if _, err := NewSampler(c[0], c[1], nil); !errors.Is(err, ErrPattern) {
			t.Errorf("%q: %v", c, err)
		}
	}
}

package plan

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
)

// jsonAt is the value at a path in a JSON text, as it is written there but without
// blanks; false when there is none, or the path is none.
func jsonAt(text, path string) (string, bool) {
	steps, ok := parseJSONPath(path)
	if !ok {
		return "", false
	}
	for _, s := range steps {
		if text, ok = s.of(text); !ok {
			return "", false
		}
	}
	var out bytes.Buffer
	if json.Compact(&out, []byte(text)) != nil {
		return "", false
	}
	return out.String(), true
}

// IsJSONPath reports whether a text is a path as EventBridge has them: $.detail.name,
// $.detail["a name"], $.resources[0].
func IsJSONPath(path string) bool {
	_, ok := parseJSONPath(path)
	return ok
}

// A pathStep goes from a value into one of its members or elements.
type pathStep struct {
	name  string
	index int // -1 for a member
}

func parseJSONPath(path string) (steps []pathStep, ok bool) {
	rest, ok := strings.CutPrefix(path, "$")
	for ok && rest != "" {
		var s pathStep
		if s, rest, ok = parsePathStep(rest); ok {
			steps = append(steps, s)
		}
	}
	return steps, ok
}

// parsePathStep reads the step that a path begins with.
func parsePathStep(path string) (s pathStep, rest string, ok bool) {
	s.index = -1
	if after, isMember := strings.CutPrefix(path, "."); isMember {
		end := strings.IndexAny(after, ".[")
		if end < 0 {
			end = len(after)
		}
		s.name = after[:end]
		return s, after[end:], s.name != ""
	}
	inner, isBracket := strings.CutPrefix(path, "[")
	if !isBracket {
		return s, "", false
	}
	for _, quote := range []string{`"`, `'`} {
		if name, isQuoted := strings.CutPrefix(inner, quote); isQuoted {
			s.name, rest, ok = strings.Cut(name, quote+"]")
			return s, rest, ok
		}
	}
	number, rest, ok := strings.Cut(inner, "]")
	n, err := strconv.Atoi(number)
	if !ok || err != nil || n < 0 {
		return s, "", false
	}
	s.index = n
	return s, rest, true
}

// of is the value that the step leads to.
func (s pathStep) of(text string) (value string, found bool) {
	if s.index >= 0 {
		var elements []json.RawMessage
		if json.Unmarshal([]byte(text), &elements) != nil || s.index >= len(elements) {
			return "", false
		}
		return string(elements[s.index]), true
	}
	eachMember(text, func(name, v string) {
		if name == s.name {
			value, found = v, true
		}
	})
	return value, found
}

// eachMember calls f with the members of a JSON object as they are written, in order; with
// none of what is no object.
func eachMember(text string, f func(name, value string)) {
	d := json.NewDecoder(strings.NewReader(text))
	if open, err := d.Token(); err != nil || open != json.Delim('{') {
		return
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return
		}
		var value json.RawMessage
		if d.Decode(&value) != nil {
			return
		}
		if key, ok := name.(string); ok {
			f(key, string(value))
		}
	}
}

package policy

import "strings"

// expand puts the request's values into a text with variables, ${aws:username}
// or ${key, 'default'}, as a pattern. What comes from the request is text: a '*'
// in it is no wildcard, as ${*}, ${?} and ${$} are not. ok is false when a
// variable has no single value: the statement then does not match.
func (d Document) expand(s string, r Request) (pattern []rune, ok bool) {
	if d.Version != "2012-10-17" {
		return glob(s), true
	}
	for {
		before, rest, found := strings.Cut(s, "${")
		pattern = append(pattern, glob(before)...)
		if !found {
			return pattern, true
		}
		name, after, closed := strings.Cut(rest, "}")
		if !closed {
			return append(pattern, glob("${"+rest)...), true
		}
		value, ok := variable(name, r)
		if !ok {
			return nil, false
		}
		pattern = append(pattern, []rune(value)...)
		s = after
	}
}

func variable(name string, r Request) (string, bool) {
	switch name {
	case "*", "?", "$":
		return name, true
	}
	key, fallback, hasDefault := strings.Cut(name, ",")
	if values := r.values(strings.TrimSpace(key)); len(values) == 1 {
		return values[0], true
	}
	fallback = strings.TrimSpace(fallback)
	if hasDefault && len(fallback) >= 2 && fallback[0] == '\'' && fallback[len(fallback)-1] == '\'' {
		return fallback[1 : len(fallback)-1], true
	}
	return "", false
}

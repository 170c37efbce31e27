package policy

import "strings"

// expand puts the request's values into a text with variables, ${aws:username}
// or ${key, 'default'}, and marks its wildcards. What comes from the request is
// text: a '*' in it is no wildcard, as ${*}, ${?} and ${$} are not. ok is false
// when a variable has no single value: the statement then does not match.
// Source: IAM user guide, "IAM policy elements: Variables and tags".
func expand(s string, r *Request) (marked string, ok bool) {
	var out strings.Builder
	for {
		before, rest, found := strings.Cut(s, "${")
		out.WriteString(mark.Replace(before))
		if !found {
			return out.String(), true
		}
		name, after, closed := strings.Cut(rest, "}")
		if !closed {
			out.WriteString(mark.Replace("${" + rest))
			return out.String(), true
		}
		value, ok := variable(name, r)
		if !ok {
			return "", false
		}
		out.WriteString(strings.ToValidUTF8(value, "\ufffd")) // so that no byte of it is a wildcard
		s = after
	}
}

func variable(name string, r *Request) (string, bool) {
	switch name {
	case "*", "?", "$":
		return name, true
	}
	key, fallback, hasDefault := strings.Cut(name, ",")
	if values := r.values(strings.ToLower(strings.TrimSpace(key))); len(values) == 1 {
		return values[0], true
	}
	fallback = strings.TrimSpace(fallback)
	if hasDefault && len(fallback) >= 2 && fallback[0] == '\'' && fallback[len(fallback)-1] == '\'' {
		return fallback[1 : len(fallback)-1], true
	}
	return "", false
}

package policy

import "strings"

// expand replaces the variables of a text, ${aws:username} or ${key, 'default'}, by
// the request's values, and marks its wildcards. A '*' in a value is not a
// wildcard, nor is ${*}, ${?} or ${$}. ok is false when a variable does not have
// exactly one value: the statement then does not match.
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

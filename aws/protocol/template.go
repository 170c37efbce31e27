package protocol

import (
	"maps"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"
)

// Template is an operation's path in a REST protocol:
// "/schedules/{Name}", "/{Bucket}/{Key+}?acl".
type Template struct {
	segments []string
	query    url.Values // parameters that must be there, with these values
	headers  []string   // that must be there
}

// ParseTemplate reads Operation.Path.
func ParseTemplate(path string) Template {
	path, query, _ := strings.Cut(path, "?")
	t := Template{segments: split(path)}
	t.query, _ = url.ParseQuery(query) // a model's own text
	return t
}

func split(path string) []string {
	path = strings.TrimPrefix(path, "/")
	if path == "" {
		return nil
	}
	return strings.Split(path, "/")
}

// Requiring gives a template that asks also for the parameters and headers that an
// operation's input must have. It tells operations apart that share a path.
func (t Template) Requiring(in any) Template {
	_, s := structure(in)
	query := maps.Clone(t.query)
	for i := range s.fields {
		switch f := &s.fields[i]; {
		case f.required && f.in == "querystring":
			if query == nil {
				query = url.Values{}
			}
			if !query.Has(f.name) {
				query.Set(f.name, "")
			}
		case f.required && f.in == "header":
			t.headers = append(t.headers, f.name)
		}
	}
	t.query = query
	return t
}

// HasHeaders reports whether a request has the headers that t asks for.
func (t Template) HasHeaders(h http.Header) bool {
	for _, name := range t.headers {
		if h.Get(name) == "" {
			return false
		}
	}
	return true
}

// Match takes a request's URL apart. labels is what the template's labels stand
// for, unescaped.
func (t Template) Match(u *url.URL) (labels map[string]string, ok bool) {
	if len(t.query) > 0 {
		q := u.Query()
		for name, values := range t.query {
			if !q.Has(name) || values[0] != "" && q.Get(name) != values[0] {
				return nil, false
			}
		}
	}
	labels = map[string]string{}
	parts := split(u.EscapedPath())
	for i, segment := range t.segments {
		label, greedy, isLabel := parseLabel(segment)
		switch {
		case i >= len(parts):
			return nil, false
		case greedy && len(parts) == len(t.segments) && parts[i] == "":
			return nil, false
		case greedy && len(parts) >= len(t.segments):
			// The rest of the path, less what the template has after the label.
			after := len(t.segments) - i - 1
			end := len(parts) - after
			labels[label] = unescape(strings.Join(parts[i:end], "/"))
			parts = append(parts[:i+1:i+1], parts[end:]...)
		case isLabel && parts[i] != "":
			labels[label] = unescape(parts[i])
		case isLabel || segment != parts[i]:
			return nil, false
		}
	}
	for _, value := range labels {
		if !utf8.ValidString(value) {
			return nil, false // strings on the wire are text
		}
	}
	rest := parts[len(t.segments):]
	return labels, len(rest) == 0 || len(rest) == 1 && rest[0] == ""
}

func parseLabel(segment string) (name string, greedy, ok bool) {
	if len(segment) < 2 || segment[0] != '{' || segment[len(segment)-1] != '}' {
		return "", false, false
	}
	name, greedy = strings.CutSuffix(segment[1:len(segment)-1], "+")
	return name, greedy, true
}

func unescape(s string) string {
	if plain, err := url.PathUnescape(s); err == nil {
		return plain
	}
	return s
}

// Before tells whether t is to be tried before u, as the more particular one:
// more parameters and headers asked for, then more words that are no labels, then
// longer.
func (t Template) Before(u Template) bool {
	if a, b := len(t.query)+len(t.headers), len(u.query)+len(u.headers); a != b {
		return a > b
	}
	if a, b := t.words(), u.words(); a != b {
		return a > b
	}
	return len(t.segments) > len(u.segments)
}

func (t Template) words() int {
	n := 0
	for _, segment := range t.segments {
		if _, _, label := parseLabel(segment); !label {
			n++
		}
	}
	return n
}

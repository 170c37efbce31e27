package policy

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
)

// ReplacePrincipals gives a document with other AWS principals: replace is asked
// about each. All else stays as it was written.
func ReplacePrincipals(doc string, replace func(principal string) string) string {
	d := json.NewDecoder(strings.NewReader(doc))
	var out strings.Builder
	var at position
	done := 0 // how much of doc is in out
	for {
		start := int(d.InputOffset())
		token, err := d.Token()
		if err != nil {
			return out.String() + doc[done:]
		}
		principal, isText := token.(string)
		if isKey := at.step(token); !isText || isKey || !at.isPrincipal() {
			continue
		}
		start += len(doc[start:]) - len(strings.TrimLeft(doc[start:], " \t\r\n:,"))
		if other := replace(principal); other != principal {
			out.WriteString(doc[done:start])
			out.Write(quoted(other))
			done = int(d.InputOffset())
		}
	}
}

// position is where in a document a decoder is: the objects and lists around it.
type position []struct {
	isObject bool
	key      string // of the member that comes, or is being read
	hasKey   bool
}

// step goes on over a token and reports whether it was a member's key.
func (at *position) step(token json.Token) (isKey bool) {
	if token == json.Delim('{') || token == json.Delim('[') {
		*at = append(*at, position{{isObject: token == json.Delim('{')}}...)
		return false
	}
	if token == json.Delim('}') || token == json.Delim(']') {
		*at = (*at)[:len(*at)-1]
	}
	if len(*at) == 0 {
		return false
	}
	inner := &(*at)[len(*at)-1]
	if key, isText := token.(string); inner.isObject && isText && !inner.hasKey {
		inner.key, inner.hasKey = key, true
		return true
	}
	inner.hasKey = false // the value is over
	return false
}

// isPrincipal reports whether a text here is an AWS principal of a statement.
func (at position) isPrincipal() bool {
	var keys []string
	for _, in := range at {
		if in.isObject {
			keys = append(keys, in.key)
		}
	}
	return len(keys) == 3 && keys[0] == "Statement" && slices.Contains([]string{"Principal", "NotPrincipal"}, keys[1]) && keys[2] == "AWS"
}

func quoted(s string) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(s) // a string can always be encoded
	return bytes.TrimRight(b.Bytes(), "\n")
}

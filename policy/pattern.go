package policy

import (
	"strings"
	"unicode/utf8"
)

// The wildcards of a marked text. They are bytes that do not occur in UTF-8, so
// that a '*' from a request is not taken for a wildcard.
const (
	anyRun = '\xff' // any characters
	anyOne = '\xfe' // one character
)

var (
	mark   = strings.NewReplacer("*", string([]byte{anyRun}), "?", string([]byte{anyOne}))
	unmark = strings.NewReplacer(string([]byte{anyRun}), "*", string([]byte{anyOne}), "?")
)

// pattern is a value of a policy, prepared for matching.
type pattern struct {
	text  string // with wildcards marked; with variables, as it was written
	kind  patternKind
	parts []string // of kind pieces
}

type patternKind uint8

const (
	wild       patternKind = iota // wildcards of both kinds anywhere
	exact                         // no wildcards
	pieces                        // parts, with any characters between them
	everything                    // "*"
	variables                     // the text has variables
)

// compile makes a pattern of a text. Variables are of the language of 2012.
func compile(s string, hasVariables bool) pattern {
	if hasVariables && strings.Contains(s, "${") {
		return pattern{text: s, kind: variables}
	}
	marked := mark.Replace(s)
	switch {
	case marked == s:
		return pattern{text: s, kind: exact}
	case s == "*":
		return pattern{text: marked, kind: everything}
	case !strings.Contains(s, "?"):
		return pattern{text: marked, kind: pieces, parts: strings.Split(s, "*")}
	}
	return pattern{text: marked, kind: wild}
}

func compileAll(texts []string, hasVariables bool) []pattern {
	if texts == nil {
		return nil
	}
	all := make([]pattern, len(texts))
	for i, s := range texts {
		all[i] = compile(s, hasVariables)
	}
	return all
}

// matches reports whether the pattern matches s. A pattern with a variable that has
// no value matches nothing.
func (p *pattern) matches(s string, r *Request) bool {
	switch p.kind {
	case exact:
		return p.text == s
	case pieces:
		return inOrder(p.parts, s)
	case everything:
		return true
	case variables:
		text, ok := expand(p.text, r)
		return ok && match(text, s)
	}
	return match(p.text, s)
}

// inOrder reports whether s consists of parts, at least two, with anything between
// them.
func inOrder(parts []string, s string) bool {
	first, last := parts[0], parts[len(parts)-1]
	if len(s) < len(first)+len(last) || s[:len(first)] != first || s[len(s)-len(last):] != last {
		return false
	}
	s = s[len(first) : len(s)-len(last)]
	for _, part := range parts[1 : len(parts)-1] {
		at := strings.Index(s, part)
		if at < 0 {
			return false
		}
		s = s[at+len(part):]
	}
	return true
}

// marked is the pattern as a text for [match].
func (p *pattern) marked(r *Request) (text string, ok bool) {
	if p.kind == variables {
		return expand(p.text, r)
	}
	return p.text, true
}

// match reports whether a marked text matches s. It backtracks only to the last '*',
// so it takes at most time in the product of the lengths.
func match(p, s string) bool {
	i, j, star, from := 0, 0, -1, 0
	for j < len(s) {
		switch {
		case i < len(p) && p[i] == anyRun:
			star, from = i, j
			i++
		case i < len(p) && p[i] == anyOne:
			i++
			j += width(s[j:])
		case i < len(p) && p[i] == s[j]:
			i++
			j++
		case star >= 0:
			from += width(s[from:])
			i, j = star+1, from
		default:
			return false
		}
	}
	for i < len(p) && p[i] == anyRun {
		i++
	}
	return i == len(p)
}

// width is how many bytes the first character of s has.
func width(s string) int {
	if s[0] < utf8.RuneSelf {
		return 1
	}
	_, n := utf8.DecodeRuneInString(s)
	return n
}

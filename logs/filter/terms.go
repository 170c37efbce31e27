package filter

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
)

// terms is a pattern for messages without structure.
type terms struct {
	all, none, some []term
}

// term is text to be found anywhere, or a regular expression.
type term struct {
	text   string
	regexp *regexp.Regexp
}

func (t term) in(message string) bool {
	if t.regexp != nil {
		return t.regexp.MatchString(message)
	}
	return strings.Contains(message, t.text)
}

// terms reads words, "phrases" and %regular expressions%: all must be there,
// except that of those with a question mark one suffices, and those with a
// minus must not be there. When there are terms of other kinds, those
// with a question mark are ignored, as in CloudWatch Logs.
func (p *parser) terms() (matcher, error) {
	var m terms
	for p.space(); p.rest != ""; p.space() {
		list := &m.all
		switch p.rest[0] {
		case '?':
			list, p.rest = &m.some, p.rest[1:]
		case '-':
			list, p.rest = &m.none, p.rest[1:]
		}
		t, err := p.term()
		if err != nil {
			return nil, err
		}
		*list = append(*list, t)
	}
	if len(m.all) > 0 || len(m.none) > 0 {
		m.some = nil
	}
	return m, nil
}

func (p *parser) term() (t term, err error) {
	switch {
	case p.rest == "":
		return t, ErrPattern
	case p.rest[0] == '"':
		t.text, err = p.quoted('"')
	case p.rest[0] == '%':
		t.regexp, err = p.regexp()
	default:
		t.text = p.span(func(r rune) bool { return !unicode.IsSpace(r) })
		if t.text == "" || strings.ContainsFunc(t.text, func(r rune) bool { return !isName(r) }) {
			err = badTerm(t.text)
		}
	}
	return t, err
}

// badTerm is an ErrPattern with a text of its own.
type badTerm string

func (e badTerm) Error() string        { return fmt.Sprintf("Invalid character(s) in term '%s'", string(e)) }
func (e badTerm) Is(target error) bool { return target == ErrPattern }

func (m terms) Match(message string) bool {
	for _, t := range m.none {
		if t.in(message) {
			return false
		}
	}
	for _, t := range m.all {
		if !t.in(message) {
			return false
		}
	}
	for _, t := range m.some {
		if t.in(message) {
			return true
		}
	}
	return len(m.some) == 0
}

// Extract returns nothing: terms have no names.
func (m terms) Extract(string) map[string]string { return map[string]string{} }

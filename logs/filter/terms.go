package filter

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
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
		if t.regexp, err = p.regexp(); err == nil {
			err = p.ended()
		}
	default:
		t.text = p.span(func(r rune) bool { return !unicode.IsSpace(r) })
		if t.text == "" {
			return t, ErrPattern
		}
		err = checkTerm(t.text)
	}
	return t, err
}

// ended sees that a term ends where a regular expression does.
func (p *parser) ended() error {
	if r, _ := utf8.DecodeRuneInString(p.rest); p.rest != "" && !unicode.IsSpace(r) {
		return badTerm("%")
	}
	return nil
}

// checkTerm refuses a term with other characters than a name has, which would have to
// be in quotes. The error shows the first of them, as public reports do:
// github.com/dougmoscrop/serverless-plugin-log-subscription/issues/47.
func checkTerm(text string) error {
	from := strings.IndexFunc(text, func(r rune) bool { return !isName(r) })
	if from < 0 {
		return nil
	}
	bad, rest := text[from:], strings.IndexFunc(text[from:], isName)
	if rest > 0 {
		bad = bad[:rest]
	}
	return badTerm(bad)
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

package filter

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// The bounds of a pattern. Source: as the package's, "Quotas"; the depth is ours.
const (
	maxRegexps = 2
	maxDepth   = 64
)

// parser holds what is left of a pattern.
type parser struct {
	rest    string
	regexps int
	depth   int
}

func (p *parser) space() { p.rest = strings.TrimLeftFunc(p.rest, unicode.IsSpace) }

// eat takes token, after white space, if it is next.
func (p *parser) eat(token string) bool {
	p.space()
	rest, ok := strings.CutPrefix(p.rest, token)
	if ok {
		p.rest = rest
	}
	return ok
}

// word takes a keyword, if it is next and ends there.
func (p *parser) word(keyword string) bool {
	p.space()
	if len(p.rest) < len(keyword) || !strings.EqualFold(p.rest[:len(keyword)], keyword) {
		return false
	}
	if r, _ := utf8.DecodeRuneInString(p.rest[len(keyword):]); len(p.rest) > len(keyword) && isName(r) {
		return false
	}
	p.rest = p.rest[len(keyword):]
	return true
}

// span takes the longest run of runes that ok accepts.
func (p *parser) span(ok func(rune) bool) string {
	n := strings.IndexFunc(p.rest, func(r rune) bool { return !ok(r) })
	if n < 0 {
		n = len(p.rest)
	}
	s := p.rest[:n]
	p.rest = p.rest[n:]
	return s
}

// quoted takes a string that begins with quote, which may be escaped inside by
// a backslash.
func (p *parser) quoted(quote byte) (string, error) {
	var b strings.Builder
	for i := 1; i < len(p.rest); i++ {
		switch c := p.rest[i]; {
		case c == quote:
			p.rest = p.rest[i+1:]
			return b.String(), nil
		case c == '\\' && i+1 < len(p.rest) && (p.rest[i+1] == quote || p.rest[i+1] == '\\'):
			i++
			b.WriteByte(p.rest[i])
		default:
			b.WriteByte(c)
		}
	}
	return "", ErrPattern
}

func isName(r rune) bool {
	return r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r)
}

// condition is an expression over the values V of one message.
type condition[V any] interface{ holds(v V) bool }

type (
	both[V any]   struct{ a, b condition[V] }
	either[V any] struct{ a, b condition[V] }
	not[V any]    struct{ c condition[V] }
)

func (c both[V]) holds(v V) bool   { return c.a.holds(v) && c.b.holds(v) }
func (c either[V]) holds(v V) bool { return c.a.holds(v) || c.b.holds(v) }
func (c not[V]) holds(v V) bool    { return !c.c.holds(v) }

// anyOf reads conditions joined by || and, more tightly, &&, with ! and
// parentheses; one reads a single condition.
func anyOf[V any](p *parser, one func() (condition[V], error)) (condition[V], error) {
	return joined(p, "||", func() (condition[V], error) { return allOf(p, one) },
		func(a, b condition[V]) condition[V] { return either[V]{a, b} })
}

func allOf[V any](p *parser, one func() (condition[V], error)) (condition[V], error) {
	return joined(p, "&&", func() (condition[V], error) { return unary(p, one) },
		func(a, b condition[V]) condition[V] { return both[V]{a, b} })
}

func joined[V any](p *parser, operator string, operand func() (condition[V], error), join func(a, b condition[V]) condition[V]) (condition[V], error) {
	a, err := operand()
	for err == nil && p.eat(operator) {
		var b condition[V]
		b, err = operand()
		a = join(a, b)
	}
	return a, err
}

func unary[V any](p *parser, one func() (condition[V], error)) (condition[V], error) {
	if p.depth++; p.depth > maxDepth {
		return nil, ErrPattern
	}
	defer func() { p.depth-- }()
	switch {
	case p.eat("!"):
		c, err := unary(p, one)
		return not[V]{c}, err
	case p.eat("("):
		c, err := anyOf(p, one)
		if err == nil && !p.eat(")") {
			err = ErrPattern
		}
		return c, err
	}
	return one()
}

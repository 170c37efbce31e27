package filter

import (
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// comparison is an operator and what stands to its right.
type comparison struct {
	operator string // = != < > <= >=
	value    value
}

// value is the right side of a comparison.
type value struct {
	text    string // stars stand for anything
	quoted  bool
	number  float64
	numeric bool
	regexp  *regexp.Regexp
}

// operators, the longer first.
var operators = []string{"!=", "<=", ">=", "=", "<", ">"}

// comparison reads an operator and a value; ends are the characters that end a
// value without quotes. found is false when there is no operator.
func (p *parser) comparison(ends string) (c comparison, found bool, err error) {
	for _, op := range operators {
		if p.eat(op) {
			c.operator, found = op, true
			break
		}
	}
	if !found {
		return c, false, nil
	}
	if c.value, err = p.value(ends); err != nil {
		return c, true, err
	}
	if c.operator != "=" && c.operator != "!=" && !c.value.numeric {
		return c, true, ErrPattern
	}
	return c, true, nil
}

func (p *parser) value(ends string) (v value, err error) {
	p.space()
	switch {
	case strings.HasPrefix(p.rest, `"`):
		v.quoted = true
		v.text, err = p.quoted('"')
		return v, err
	case strings.HasPrefix(p.rest, "%"):
		v.regexp, err = p.regexp()
		return v, err
	}
	v.text = p.span(func(r rune) bool { return !unicode.IsSpace(r) && !strings.ContainsRune(ends, r) })
	if v.text == "" {
		return v, ErrPattern
	}
	v.number, v.numeric = parseNumber(v.text)
	return v, nil
}

// regexp reads %…%. What is allowed inside is what CloudWatch Logs allows,
// which is less than RE2 does.
func (p *parser) regexp() (*regexp.Regexp, error) {
	end := -1
	for i := 1; i < len(p.rest) && end < 0; i++ {
		switch p.rest[i] {
		case '\\':
			i++
		case '%':
			end = i
		}
	}
	if end < 2 {
		return nil, badTerm("%")
	}
	body := p.rest[1:end]
	p.rest = p.rest[end+1:]
	if bad := foreignInRegexp(body); bad != "" {
		return nil, badTerm(bad)
	}
	if p.regexps++; p.regexps > maxRegexps || !balanced(body) {
		return nil, ErrPattern
	}
	re, err := regexp.Compile(body)
	if err != nil {
		return nil, ErrPattern
	}
	return re, nil
}

// foreignInRegexp gives the first character that CloudWatch Logs does not take in a
// regular expression, or nothing. Source: as the package's, "Supported regular
// expressions"; that such are refused as terms are:
// github.com/ministryofjustice/modernisation-platform-environments/pull/5137.
func foreignInRegexp(s string) string {
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\':
			i++
		case c >= '0' && c <= '9', c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z':
		case !strings.ContainsRune("_#=@/;,-: ^$?[]{}|*+.", rune(c)):
			r, _ := utf8.DecodeRuneInString(s[i:])
			return string(r)
		}
	}
	return ""
}

var (
	// escapedOrClass are the parts of a regular expression in which brackets and
	// braces mean themselves.
	escapedOrClass = regexp.MustCompile(`\\.|\[\^?\]?(\\.|[^\]\\])*\]`)
	repetition     = regexp.MustCompile(`\{[0-9]+(,[0-9]*)?\}`)
)

// balanced tells whether every bracket and brace has its counterpart. Go would take
// one that has none for itself.
func balanced(s string) bool {
	return !strings.ContainsAny(repetition.ReplaceAllString(escapedOrClass.ReplaceAllString(s, ""), ""), "[]{}")
}

// parseNumber reads a decimal number, not the other forms Go would take.
func parseNumber(s string) (float64, bool) {
	if s == "" || strings.Trim(s, "0123456789.+-eE") != "" {
		return 0, false
	}
	f, err := strconv.ParseFloat(s, 64)
	return f, err == nil
}

// holds compares text. A number compares as one when both sides are.
func (c comparison) holds(text string) bool {
	n, numeric := parseNumber(text)
	switch c.operator {
	case "=":
		return c.value.matches(text, n, numeric)
	case "!=":
		return !c.value.matches(text, n, numeric)
	case "<":
		return numeric && n < c.value.number
	case ">":
		return numeric && n > c.value.number
	case "<=":
		return numeric && n <= c.value.number
	}
	return numeric && n >= c.value.number
}

func (v value) matches(text string, n float64, numeric bool) bool {
	switch {
	case v.regexp != nil:
		return v.regexp.MatchString(text)
	case v.numeric && numeric && v.number == n:
		return true
	}
	return glob(v.text, text)
}

// glob reports whether text is pattern with something for each star.
func glob(pattern, text string) bool {
	parts := strings.Split(pattern, "*")
	first, last := parts[0], parts[len(parts)-1]
	if len(parts) == 1 {
		return text == pattern
	}
	if len(text) < len(first)+len(last) || !strings.HasPrefix(text, first) || !strings.HasSuffix(text, last) {
		return false
	}
	text = text[len(first) : len(text)-len(last)]
	for _, part := range parts[1 : len(parts)-1] {
		i := strings.Index(text, part)
		if i < 0 {
			return false
		}
		text = text[i+len(part):]
	}
	return true
}

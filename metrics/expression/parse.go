package expression

import (
	"fmt"
	"strconv"
	"strings"
)

// The kinds of tokens.
type tokenKind int

const (
	end tokenKind = iota
	numeral
	quoted
	name
	symbol
)

type token struct {
	kind tokenKind
	text string // of a quoted one, what is between the quotes
}

// maxNesting is how deeply an expression may nest.
const maxNesting = 50

// parser reads an expression, a token ahead.
type parser struct {
	text  string
	token token
	depth int
	bad   error // of the token
}

func (p *parser) next() {
	p.text = strings.TrimLeft(p.text, " \t\r\n")
	if p.text == "" {
		p.token = token{kind: end}
		return
	}
	n := 1
	kind := symbol
	switch c := p.text[0]; {
	case digit(c) || c == '.' && len(p.text) > 1 && digit(p.text[1]):
		kind, n = numeral, numeralLength(p.text)
	case letter(c):
		kind = name
		for n < len(p.text) && (letter(p.text[n]) || digit(p.text[n])) {
			n++
		}
	case c == '\'' || c == '"':
		i := strings.IndexByte(p.text[1:], c)
		if i < 0 {
			p.bad = fmt.Errorf("a text begins with %c and does not end", c)
			p.token, p.text = token{kind: end}, ""
			return
		}
		p.token, p.text = token{quoted, p.text[1 : 1+i]}, p.text[i+2:]
		return
	default:
		if len(p.text) > 1 && strings.Contains(" == != <= >= && || ", " "+p.text[:2]+" ") {
			n = 2
		}
	}
	p.token, p.text = token{kind, p.text[:n]}, p.text[n:]
}

func digit(c byte) bool  { return c >= '0' && c <= '9' }
func letter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' }

func numeralLength(s string) int {
	n := 0
	for n < len(s) && (digit(s[n]) || s[n] == '.') {
		n++
	}
	if n < len(s) && (s[n] == 'e' || s[n] == 'E') {
		at := n + 1
		if at < len(s) && (s[at] == '+' || s[at] == '-') {
			at++
		}
		if at < len(s) && digit(s[at]) {
			for n = at; n < len(s) && digit(s[n]); {
				n++
			}
		}
	}
	return n
}

func (p *parser) unexpected() error {
	switch {
	case p.bad != nil:
		return p.bad
	case p.token.kind == end:
		return fmt.Errorf("the expression ends too early")
	}
	return fmt.Errorf("'%s' is not expected here", p.token.text)
}

// at reports whether the token is one of symbols or words.
func (p *parser) at(texts ...string) bool {
	if p.token.kind != symbol && p.token.kind != name {
		return false
	}
	for _, t := range texts {
		if p.token.text == t {
			return true
		}
	}
	return false
}

// expect goes on behind a symbol.
func (p *parser) expect(text string) error {
	if !p.at(text) {
		return p.unexpected()
	}
	p.next()
	return nil
}

// chain reads operands with operators of one precedence between them.
func (p *parser) chain(operand func() (node, error), operators ...string) (node, error) {
	left, err := operand()
	for err == nil && p.at(operators...) {
		operator := p.token.text
		p.next()
		var right node
		right, err = operand()
		left = binary{operator, left, right}
	}
	return left, err
}

func (p *parser) or() (node, error) {
	if p.depth++; p.depth > maxNesting {
		return nil, fmt.Errorf("the expression is nested too deeply")
	}
	defer func() { p.depth-- }()
	return p.chain(p.and, "||", "OR")
}

func (p *parser) and() (node, error) { return p.chain(p.comparison, "&&", "AND") }

func (p *parser) comparison() (node, error) {
	return p.chain(p.sum, "==", "!=", "<=", ">=", "<", ">")
}

func (p *parser) sum() (node, error) { return p.chain(p.product, "+", "-") }

func (p *parser) product() (node, error) { return p.chain(p.unary, "*", "/") }

func (p *parser) unary() (node, error) {
	if p.depth++; p.depth > maxNesting {
		return nil, fmt.Errorf("the expression is nested too deeply")
	}
	defer func() { p.depth-- }()
	if p.at("-") {
		p.next()
		operand, err := p.unary()
		return negative{operand}, err
	}
	base, err := p.primary()
	if err != nil || !p.at("^") {
		return base, err
	}
	p.next()
	exponent, err := p.unary()
	return binary{"^", base, exponent}, err
}

func (p *parser) primary() (node, error) {
	t := p.token
	switch {
	case t.kind == numeral:
		v, err := strconv.ParseFloat(t.text, 64)
		if err != nil {
			return nil, fmt.Errorf("'%s' is not a number", t.text)
		}
		p.next()
		return constant(number(v)), nil
	case t.kind == quoted:
		p.next()
		return constant(Value{kind: words, text: t.text}), nil
	case p.at("("):
		p.next()
		inner, err := p.or()
		if err == nil {
			err = p.expect(")")
		}
		return inner, err
	case p.at("["):
		p.next()
		items, err := p.list("]")
		return array(items), err
	case t.kind == name:
		return p.named()
	}
	return nil, p.unexpected()
}

// named reads what begins with a name: a call, the id of a query, or a word such as
// REPEAT.
func (p *parser) named() (node, error) {
	name := p.token.text
	p.next()
	if !p.at("(") {
		if name[0] >= 'a' && name[0] <= 'z' {
			return variable(name), nil
		}
		if functions[name].call == nil && !keywords[name] {
			return nil, fmt.Errorf("'%s' is not known", name)
		}
		return constant(Value{kind: words, text: name}), nil
	}
	if missing[name] {
		return nil, fmt.Errorf("Fargo does not implement the function %s", name)
	}
	f, ok := functions[name]
	if !ok {
		return nil, fmt.Errorf("there is no function %s", name)
	}
	p.next()
	arguments, err := p.list(")")
	if err == nil && (len(arguments) < f.least || len(arguments) > f.most) {
		err = fmt.Errorf("the function %s does not have %d arguments", name, len(arguments))
	}
	return call{name, f, arguments}, err
}

// list reads items up to a symbol.
func (p *parser) list(until string) (items []node, err error) {
	for !p.at(until) {
		if len(items) > 0 {
			if err := p.expect(","); err != nil {
				return nil, err
			}
		}
		item, err := p.or()
		if err != nil {
			return nil, err
		}
		items = append(items, item)
	}
	p.next()
	return items, nil
}

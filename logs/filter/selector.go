package filter

import (
	"strconv"
	"strings"
	"unicode"
)

// selector is a path into a JSON document: $.a.b[0]['a.key'].c
type selector struct {
	text  string
	steps []step
}

// step goes to a member, to an element, or to all of either.
type step struct {
	name  string
	index int
	kind  stepKind
}

type stepKind int

const (
	toMember stepKind = iota
	toElement
	toAll
)

func (p *parser) selector() (*selector, error) {
	p.space()
	begin := p.rest
	if !p.eat("$") {
		return nil, ErrPattern
	}
	s := &selector{}
	for {
		st, ok, err := p.step()
		if err != nil {
			return nil, err
		}
		if !ok {
			break
		}
		s.steps = append(s.steps, st)
	}
	if len(s.steps) == 0 {
		return nil, ErrPattern
	}
	s.text = begin[:len(begin)-len(p.rest)]
	return s, nil
}

func (p *parser) step() (st step, ok bool, err error) {
	switch {
	case strings.HasPrefix(p.rest, ".["):
		p.rest = p.rest[1:]
		st, err = p.bracket()
	case strings.HasPrefix(p.rest, ".*"):
		p.rest = p.rest[2:]
		st.kind = toAll
	case strings.HasPrefix(p.rest, "."):
		p.rest = p.rest[1:]
		st.name = p.span(func(r rune) bool { return isName(r) || strings.ContainsRune("-@$:/#+", r) })
		if st.name == "" {
			err = ErrPattern
		}
	case strings.HasPrefix(p.rest, "["):
		st, err = p.bracket()
	default:
		return st, false, nil
	}
	return st, true, err
}

// bracket reads [0], [*], ['name'] or ["name"].
func (p *parser) bracket() (st step, err error) {
	p.eat("[")
	p.space()
	switch {
	case p.eat("*"):
		st.kind = toAll
	case strings.HasPrefix(p.rest, "'"), strings.HasPrefix(p.rest, `"`):
		if st.name, err = p.quoted(p.rest[0]); err != nil {
			return st, err
		}
	default:
		st.kind = toElement
		if st.index, err = strconv.Atoi(p.span(unicode.IsDigit)); err != nil {
			return st, ErrPattern
		}
	}
	if !p.eat("]") {
		return st, ErrPattern
	}
	return st, nil
}

// each calls fn for every value the selector finds, until fn says no.
func (s *selector) each(doc any, fn func(any) bool) { walk(doc, s.steps, fn) }

func walk(v any, steps []step, fn func(any) bool) (more bool) {
	if len(steps) == 0 {
		return fn(v)
	}
	st, steps := steps[0], steps[1:]
	switch v := v.(type) {
	case map[string]any:
		return walkObject(v, st, steps, fn)
	case []any:
		if st.kind == toElement && st.index < len(v) {
			return walk(v[st.index], steps, fn)
		}
		for i := 0; st.kind == toAll && i < len(v); i++ {
			if !walk(v[i], steps, fn) {
				return false
			}
		}
	}
	return true
}

func walkObject(v map[string]any, st step, steps []step, fn func(any) bool) (more bool) {
	switch st.kind {
	case toMember:
		if m, ok := v[st.name]; ok {
			return walk(m, steps, fn)
		}
	case toAll:
		for _, m := range v {
			if !walk(m, steps, fn) {
				return false
			}
		}
	}
	return true
}

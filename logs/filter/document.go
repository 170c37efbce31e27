package filter

import (
	"encoding/json"
	"io"
	"strconv"
	"strings"
)

// document is a pattern for messages that are JSON: { $.a = 1 && $.b[0] = "x*" }.
// A message that is not JSON matches none.
type document struct {
	condition condition[any]
	selectors []*selector
}

func (p *parser) document() (matcher, error) {
	p.eat("{")
	m := &document{}
	c, err := anyOf(p, func() (condition[any], error) { return p.property(m) })
	if err != nil {
		return nil, err
	}
	if !p.eat("}") || strings.TrimSpace(p.rest) != "" {
		return nil, ErrPattern
	}
	m.condition = c
	return m, nil
}

func (m *document) Match(message string) bool {
	doc, ok := parseJSON(message)
	return ok && m.condition.holds(doc)
}

// Extract returns the scalars that the pattern's selectors find.
func (m *document) Extract(message string) map[string]string {
	values := make(map[string]string)
	doc, ok := parseJSON(message)
	if !ok {
		return values
	}
	for _, s := range m.selectors {
		s.each(doc, func(v any) bool {
			if text, ok := scalar(v); ok {
				values[s.text] = text
			}
			return true
		})
	}
	return values
}

func parseJSON(message string) (doc any, ok bool) {
	if s := strings.TrimSpace(message); !strings.HasPrefix(s, "{") && !strings.HasPrefix(s, "[") {
		return nil, false
	}
	d := json.NewDecoder(strings.NewReader(message))
	d.UseNumber() // large integers compare by their digits
	if err := d.Decode(&doc); err != nil {
		return nil, false
	}
	_, err := d.Token()
	return doc, err == io.EOF
}

// scalar is the text of a JSON value that is neither object nor array.
func scalar(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case json.Number:
		return v.String(), true
	case bool:
		return strconv.FormatBool(v), true
	case nil:
		return "null", true
	}
	return "", false
}

// property reads one condition on what a selector finds.
func (p *parser) property(m *document) (condition[any], error) {
	s, err := p.selector()
	if err != nil {
		return nil, err
	}
	m.selectors = append(m.selectors, s)
	switch {
	case p.word("NOT"):
		if !p.word("EXISTS") {
			return nil, ErrPattern
		}
		return not[any]{found{s, exists}}, nil
	case p.word("EXISTS"):
		return found{s, exists}, nil
	case p.word("IS"):
		for word, is := range constants {
			if p.word(word) {
				return found{s, is}, nil
			}
		}
		return nil, ErrPattern
	}
	c, ok, err := p.comparison(`)&|}"`)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, ErrPattern
	}
	return found{s, c.holdsJSON}, nil
}

func exists(any) bool { return true }

var constants = map[string]func(any) bool{
	"NULL":  func(v any) bool { return v == nil },
	"TRUE":  func(v any) bool { return v == true },
	"FALSE": func(v any) bool { return v == false },
}

// found holds when one of the values that a selector finds satisfies the condition.
type found struct {
	selector *selector
	is       func(any) bool
}

func (c found) holds(doc any) bool {
	hit := false
	c.selector.each(doc, func(v any) bool {
		hit = c.is(v)
		return !hit
	})
	return hit
}

// holdsJSON compares a JSON value. A quoted value is text, which only strings are
// compared with; < and > compare numbers.
func (c comparison) holdsJSON(v any) bool {
	text, ok := scalar(v)
	if !ok {
		return false
	}
	_, isString := v.(string)
	_, isNumber := v.(json.Number)
	switch {
	case c.operator != "=" && c.operator != "!=":
		return isNumber && c.holds(text)
	case c.value.quoted && !isString:
		return c.operator == "!="
	}
	return c.holds(text)
}

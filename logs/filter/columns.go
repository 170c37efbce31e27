package filter

import (
	"strconv"
	"strings"
	"unicode"
)

// columns is a pattern for messages whose fields are separated by spaces:
// [ip, user, ..., status = 4*, bytes > 1000].
type columns struct {
	before, after []column // the ellipsis, if there is one
	ellipsis      bool
}

// column is a field's name and its condition; nil is none.
type column struct {
	name      string
	condition condition[string]
}

func (p *parser) columns() (matcher, error) {
	p.eat("[")
	m := &columns{}
	for {
		if p.eat("...") {
			if m.ellipsis {
				return nil, ErrPattern
			}
			m.ellipsis = true
		} else if c, err := p.column(); err != nil {
			return nil, err
		} else if m.ellipsis {
			m.after = append(m.after, c)
		} else {
			m.before = append(m.before, c)
		}
		if p.eat("]") {
			break
		}
		if !p.eat(",") {
			return nil, ErrPattern
		}
	}
	if strings.TrimSpace(p.rest) != "" {
		return nil, ErrPattern
	}
	return m, nil
}

// column reads a name, or conditions that all have the same name.
func (p *parser) column() (column, error) {
	var c column
	var named, bare bool
	one := func() (condition[string], error) {
		p.space()
		name := p.span(func(r rune) bool { return isName(r) || r == '-' || r == '.' })
		if name == "" || named && name != c.name {
			return nil, ErrPattern
		}
		c.name, named = name, true
		cmp, found, err := p.comparison(`,]&|)"`)
		bare = bare || !found
		return cmp, err
	}
	var err error
	if c.condition, err = anyOf(p, one); err != nil || !bare {
		return c, err
	}
	if _, alone := c.condition.(comparison); !alone {
		return c, ErrPattern // a name without a condition among conditions
	}
	c.condition = nil
	return c, nil
}

func (m *columns) Match(message string) bool {
	_, ok := m.place(message)
	return ok
}

// Extract returns every field by its name, and those of the ellipsis by their number
// from 1.
func (m *columns) Extract(message string) map[string]string {
	values := make(map[string]string)
	fields, ok := m.place(message)
	if !ok {
		return values
	}
	tail := len(fields) - len(m.after)
	for i, f := range fields {
		name := strconv.Itoa(i + 1)
		if i < len(m.before) {
			name = m.before[i].name
		} else if i >= tail {
			name = m.after[i-tail].name
		}
		values["$"+name] = f
	}
	return values
}

// place divides a message among the columns.
func (m *columns) place(message string) (fields []string, ok bool) {
	fields = split(message)
	least := len(m.before) + len(m.after)
	if len(fields) < least || len(fields) > least && !m.ellipsis {
		return nil, false
	}
	return fields, allHold(m.before, fields) && allHold(m.after, fields[len(fields)-len(m.after):])
}

func allHold(columns []column, fields []string) bool {
	for i, c := range columns {
		if c.condition != nil && !c.condition.holds(fields[i]) {
			return false
		}
	}
	return true
}

// split divides a message at white space. What is in double quotes or brackets
// is one field, without them.
func split(message string) (fields []string) {
	rest := message
	for {
		rest = strings.TrimLeftFunc(rest, unicode.IsSpace)
		if rest == "" {
			return fields
		}
		if closing, ok := map[byte]string{'"': `"`, '[': "]"}[rest[0]]; ok {
			if in, behind, ok := strings.Cut(rest[1:], closing); ok {
				fields, rest = append(fields, in), behind
				continue
			}
		}
		n := strings.IndexFunc(rest, unicode.IsSpace)
		if n < 0 {
			n = len(rest)
		}
		fields, rest = append(fields, rest[:n]), rest[n:]
	}
}

package expression

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"fargo/metrics"
)

// finder is the query of a SEARCH: a schema and terms.
// Source: CloudWatch user guide, "CloudWatch search expression syntax".
type finder struct {
	namespace  string   // "" is any
	dimensions []string // the names that a metric has, sorted; only with a namespace
	terms      term     // nil is none
}

// term is a condition on a metric.
type term func(*metrics.Metric) bool

func (f *finder) matches(m *metrics.Metric) bool {
	if f.namespace != "" {
		names := make([]string, len(m.Dimensions))
		for i, d := range m.Dimensions {
			names[i] = d.Name
		}
		if m.Namespace != f.namespace || !slices.Equal(names, f.dimensions) {
			return false
		}
	}
	return f.terms == nil || f.terms(m)
}

// parseSearch reads the query of a SEARCH.
func parseSearch(text string) (*finder, error) {
	f := new(finder)
	text = strings.TrimSpace(text)
	if rest, ok := strings.CutPrefix(text, "{"); ok {
		schema, rest, ok := strings.Cut(rest, "}")
		if !ok {
			return nil, fmt.Errorf("the schema of a search does not end")
		}
		for _, part := range strings.Split(schema, ",") {
			part = strings.Trim(strings.TrimSpace(part), `"`)
			if part == "" {
				return nil, fmt.Errorf("the schema of a search has an empty name")
			}
			f.dimensions = append(f.dimensions, part)
		}
		f.namespace, f.dimensions = f.dimensions[0], f.dimensions[1:]
		slices.Sort(f.dimensions)
		text = rest
	}
	p := searchParser{words: searchWords(text)}
	if len(p.words) == 0 {
		return f, nil
	}
	var err error
	if f.terms, err = p.or(); err == nil && len(p.words) > 0 {
		err = fmt.Errorf("'%s' is not expected in a search", p.words[0].text)
	}
	return f, err
}

// searchWord is a word, a quoted text, or one of ( ) =.
type searchWord struct {
	text   string
	quoted bool
}

func searchWords(text string) (all []searchWord) {
	for text = strings.TrimSpace(text); text != ""; text = strings.TrimSpace(text) {
		switch {
		case text[0] == '"':
			inside, rest, _ := strings.Cut(text[1:], `"`)
			all, text = append(all, searchWord{inside, true}), rest
		case strings.ContainsRune("()=", rune(text[0])):
			all, text = append(all, searchWord{text[:1], false}), text[1:]
		default:
			n := strings.IndexAny(text, " \t\n()=\"")
			if n < 0 {
				n = len(text)
			}
			all, text = append(all, searchWord{text[:n], false}), text[n:]
		}
	}
	return all
}

type searchParser struct {
	words []searchWord
	depth int
}

func (p *searchParser) at(text string) bool {
	return len(p.words) > 0 && !p.words[0].quoted && p.words[0].text == text
}

func (p *searchParser) or() (term, error) {
	if p.depth++; p.depth > maxNesting {
		return nil, fmt.Errorf("a search is nested too deeply")
	}
	defer func() { p.depth-- }()
	left, err := p.and()
	for err == nil && p.at("OR") {
		p.words = p.words[1:]
		a := left
		var b term
		b, err = p.and()
		left = func(m *metrics.Metric) bool { return a(m) || b(m) }
	}
	return left, err
}

func (p *searchParser) and() (term, error) {
	left, err := p.not()
	for err == nil && len(p.words) > 0 && !p.at("OR") && !p.at(")") {
		if p.at("AND") {
			p.words = p.words[1:]
		}
		a := left
		var b term
		b, err = p.not()
		left = func(m *metrics.Metric) bool { return a(m) && b(m) }
	}
	return left, err
}

func (p *searchParser) not() (term, error) {
	if !p.at("NOT") {
		return p.one()
	}
	p.words = p.words[1:]
	if p.depth++; p.depth > maxNesting {
		return nil, fmt.Errorf("a search is nested too deeply")
	}
	defer func() { p.depth-- }()
	t, err := p.not()
	return func(m *metrics.Metric) bool { return !t(m) }, err
}

func (p *searchParser) one() (term, error) {
	if len(p.words) == 0 || p.at("=") || p.at(")") || p.at("AND") || p.at("OR") {
		return nil, fmt.Errorf("a term of a search is missing")
	}
	if p.at("(") {
		p.words = p.words[1:]
		t, err := p.or()
		if err == nil && !p.at(")") {
			err = fmt.Errorf("a parenthesis of a search is not closed")
		}
		if err == nil {
			p.words = p.words[1:]
		}
		return t, err
	}
	w := p.words[0]
	p.words = p.words[1:]
	if !p.at("=") {
		return func(m *metrics.Metric) bool { return w.in(texts(m)...) }, nil
	}
	p.words = p.words[1:]
	return p.designated(w.text)
}

// designated reads what a property is to have: one term, or several in parentheses.
func (p *searchParser) designated(name string) (term, error) {
	if len(p.words) == 0 {
		return nil, fmt.Errorf("'%s=' has no value in a search", name)
	}
	if !p.at("(") {
		w := p.words[0]
		p.words = p.words[1:]
		return func(m *metrics.Metric) bool { return w.in(textsOf(m, name)...) }, nil
	}
	inner := searchParser{depth: p.depth}
	close := slices.IndexFunc(p.words, func(w searchWord) bool { return !w.quoted && w.text == ")" })
	if close < 0 {
		return nil, fmt.Errorf("a parenthesis of a search is not closed")
	}
	inner.words, p.words = slices.Clone(p.words[1:close]), p.words[close+1:]
	t, err := inner.or()
	return func(m *metrics.Metric) bool { return t(only(m, name)) }, err
}

// only is a metric with nothing but one property.
func only(m *metrics.Metric, name string) *metrics.Metric {
	part := new(metrics.Metric)
	for _, v := range textsOf(m, name) {
		part.Dimensions = append(part.Dimensions, metrics.Dimension{Value: v})
	}
	return part
}

// textsOf are the texts of a property of a metric, by its name in a search.
func textsOf(m *metrics.Metric, name string) []string {
	switch name {
	case "MetricName":
		return []string{m.Name}
	case "Namespace":
		return []string{m.Namespace}
	case ":aws.AccountId":
		return []string{m.Scope.Account}
	}
	for _, d := range m.Dimensions {
		if d.Name == name {
			return []string{d.Value}
		}
	}
	return nil
}

// texts are all that a term is looked for in.
func texts(m *metrics.Metric) []string {
	all := []string{m.Namespace, m.Name}
	for _, d := range m.Dimensions {
		all = append(all, d.Name, d.Value)
	}
	return all
}

// in reports whether a word is in one of several texts: as a whole text when it is quoted,
// and otherwise with all its parts.
func (w searchWord) in(texts ...string) bool {
	return slices.ContainsFunc(texts, func(text string) bool {
		if w.quoted {
			return text == w.text
		}
		if strings.EqualFold(text, w.text) {
			return true
		}
		has := parts(text)
		wanted := parts(w.text)
		return len(wanted) > 0 && !slices.ContainsFunc(wanted, func(part string) bool { return !slices.Contains(has, part) })
	})
}

// parts are what a text consists of, in lower case: its words, between what is no letter
// or digit, and the parts of words that begin with a capital.
func parts(text string) (all []string) {
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
		runes, begin := []rune(word), 0
		for i := 1; i <= len(runes); i++ {
			if i < len(runes) {
				before, here := runes[i-1], runes[i]
				starts := unicode.IsUpper(here) && (!unicode.IsUpper(before) || i+1 < len(runes) && unicode.IsLower(runes[i+1]))
				if !starts && unicode.IsDigit(before) == unicode.IsDigit(here) {
					continue
				}
			}
			all, begin = append(all, strings.ToLower(string(runes[begin:i]))), i
		}
		all = append(all, strings.ToLower(word))
	}
	return all
}

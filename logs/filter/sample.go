package filter

import (
	"fmt"
	"maps"
	"strconv"
	"strings"
)

// Sampler makes samples of messages, as a metric filter does.
type Sampler struct {
	pattern    *Pattern
	extra      []*Pattern // each extracts a field that the pattern does not name
	value      string
	dimensions map[string]string
}

// NewSampler makes a sampler of a pattern, a value and the values of dimensions by their
// names. Values are numbers or texts, or name a field of the message: "$.size" or
// "$size".
func NewSampler(pattern, value string, dimensions map[string]string) (*Sampler, error) {
	p, err := Parse(pattern)
	if err != nil {
		return nil, err
	}
	s := &Sampler{pattern: p, value: value, dimensions: dimensions}
	for _, v := range append([]string{value}, texts(dimensions)...) {
		if strings.HasPrefix(v, "$.") {
			field, err := Parse("{ " + v + " EXISTS }")
			if err != nil {
				return nil, err
			}
			s.extra = append(s.extra, field)
		}
	}
	if _, err := strconv.ParseFloat(value, 64); err != nil && !strings.HasPrefix(value, "$") {
		return nil, fmt.Errorf("%w: the value %s is neither a number nor a field", ErrPattern, value)
	}
	return s, nil
}

func texts(m map[string]string) (all []string) {
	for _, v := range m {
		all = append(all, v)
	}
	return all
}

// Match reports whether a message has a sample if its fields allow it.
func (s *Sampler) Match(message string) bool { return s.pattern.Match(message) }

// Sample is the sample of a message that matches; ok is false when the value is not a
// number there, or a dimension has none.
func (s *Sampler) Sample(message string) (value float64, dimensions map[string]string, ok bool) {
	fields := s.pattern.Extract(message)
	for _, e := range s.extra {
		maps.Copy(fields, e.Extract(message))
	}
	look := func(text string) (string, bool) {
		if !strings.HasPrefix(text, "$") {
			return text, true
		}
		found, ok := fields[text]
		return found, ok && found != ""
	}
	text, ok := look(s.value)
	if !ok {
		return 0, nil, false
	}
	if value, ok = parseNumber(strings.TrimSpace(text)); !ok {
		return 0, nil, false
	}
	dimensions = make(map[string]string, len(s.dimensions))
	for name, v := range s.dimensions {
		if dimensions[name], ok = look(v); !ok {
			return 0, nil, false
		}
	}
	return value, dimensions, true
}

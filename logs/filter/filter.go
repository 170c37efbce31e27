// Package filter implements CloudWatch Logs' filter patterns: which messages a
// pattern matches, and which fields it extracts. It does no I/O, and does not know
// where messages are stored.
//
// Source: CloudWatch Logs user guide, "Filter pattern syntax for metric
// filters, subscription filters, filter log events, and Live Tail".
package filter

import (
	"errors"
	"fmt"
	"strings"
)

// ErrPattern is the error of an invalid pattern. Its text, and that of the errors that
// wrap it, is what CloudWatch Logs answers.
var ErrPattern = errors.New("Invalid filter pattern")

// Pattern is a parsed filter pattern. It is immutable and may be shared.
type Pattern struct{ matcher }

// matcher is one of the three kinds of pattern: terms, document, columns.
type matcher interface {
	// Match reports whether a message matches.
	Match(message string) bool
	// Extract returns the fields that the pattern names in a message that matches, by
	// "$name" for columns and by selector ("$.a.b") for JSON.
	Extract(message string) map[string]string
}

// Parse reads a pattern. The empty pattern matches every message.
func Parse(pattern string) (*Pattern, error) {
	p := &parser{rest: strings.TrimSpace(pattern)}
	m, err := p.pattern()
	if err != nil {
		return nil, err
	}
	return &Pattern{m}, nil
}

func (p *parser) pattern() (matcher, error) {
	switch {
	case strings.HasPrefix(p.rest, "{"):
		if !strings.HasSuffix(p.rest, "}") {
			return nil, unclosed("{}")
		}
		return p.document()
	case strings.HasPrefix(p.rest, "["):
		if !strings.HasSuffix(p.rest, "]") {
			return nil, unclosed("[]")
		}
		return p.columns()
	}
	return p.terms()
}

// unclosed is an ErrPattern with a text of its own: the pattern begins with the first
// of two characters and does not end with the second.
// Source: github.com/jorgebastida/awslogs/issues/210.
type unclosed string

func (e unclosed) Error() string {
	return fmt.Sprintf("If a filter pattern starts with '%c' it must end with '%c'", e[0], e[1])
}
func (e unclosed) Is(target error) bool { return target == ErrPattern }

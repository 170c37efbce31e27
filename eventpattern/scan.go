package eventpattern

import (
	"fmt"
	"strings"
	"unicode/utf16"
)

// A token is one of JSON's.
type token int

const (
	endOfText token = iota
	startObject
	endObject
	startArray
	endArray
	fieldName
	stringValue
	numberValue
	trueValue
	falseValue
	nullValue
)

// maxDepth is how deep objects and arrays may be nested.
// Source: Jackson, StreamReadConstraints.
const maxDepth = 1000

// A scanner reads the tokens of a JSON text. It reads ahead as Jackson's
// ReaderBasedJsonParser does, because errors name the place that was reached: the name
// of a field is read together with the beginning of its value, and of a string only the
// opening quote, until its text is asked for. Its methods panic with a [syntaxError].
type scanner struct {
	text string
	pos  int // how much has been read
	// name is that of the field that was read last.
	name string
	// value is the text of the number or literal that was read last.
	value string
	// ahead is the value that was read with the name of its field.
	ahead token
	// inString is set while no more than the opening quote of a string has been read.
	inString bool
	// nested are the opening brackets that surround pos, and where they are.
	nested []bracket
	// comma is set when a comma or a closing bracket must come next.
	comma bool
}

type bracket struct {
	char byte
	at   int
}

// A syntaxError is the panic of a scanner and of what reads from it.
type syntaxError struct{ reason string }

// fail ends the reading with a reason, at the place that was reached.
func (s *scanner) fail(format string, args ...any) {
	s.failAt(s.pos, format, args...)
}

func (s *scanner) failAt(pos int, format string, args ...any) {
	panic(syntaxError{fmt.Sprintf(format, args...) + "\n at " + s.location(pos)})
}

// location is a place in the text, as Jackson writes it.
func (s *scanner) location(pos int) string {
	before := s.text[:pos]
	line := 1 + strings.Count(before, "\n")
	column := 1 + units(before[strings.LastIndexByte(before, '\n')+1:])
	const most = 500 // Source: Jackson, ErrorReportConfiguration
	source, rest := s.text, ""
	if n := units(source); n > most {
		source = string(utf16.Decode(utf16.Encode([]rune(source))[:most]))
		rest = fmt.Sprintf("[truncated %d chars]", n-most)
	}
	return fmt.Sprintf("[Source: (String)\"%s\"%s; line: %d, column: %d]", source, rest, line, column)
}

// units is the length of a text in Java's characters.
func units(text string) int {
	n := 0
	for _, r := range text {
		n += utf16.RuneLen(r)
	}
	return n
}

// next reads the next token; endOfText behind the last.
func (s *scanner) next() token {
	if s.ahead != endOfText {
		t := s.ahead
		s.ahead = endOfText
		return s.enter(t)
	}
	if s.inString {
		s.string()
	}
	if !s.skipSpace() {
		if len(s.nested) > 0 {
			s.failEnd()
		}
		return endOfText
	}
	if c := s.text[s.pos]; c == '}' || c == ']' {
		return s.leave(c)
	}
	if s.comma {
		s.separator()
	}
	if !s.inObject() {
		return s.enter(s.begin())
	}
	s.expect('"', "was expecting double-quote to start field name")
	s.name = s.string()
	s.mustSkipSpace()
	s.expect(':', "was expecting a colon to separate field name and value")
	s.mustSkipSpace()
	s.ahead = s.begin()
	return fieldName
}

func (s *scanner) inObject() bool {
	return len(s.nested) > 0 && s.nested[len(s.nested)-1].char == '{'
}

// expect reads one character, which must be c.
func (s *scanner) expect(c byte, why string) {
	if s.text[s.pos] != c {
		s.unexpected(why)
	}
	s.pos++
}

// separator reads the comma before a name or an element.
func (s *scanner) separator() {
	kind := "Array"
	if s.inObject() {
		kind = "Object"
	}
	s.expect(',', "was expecting comma to separate "+kind+" entries")
	s.mustSkipSpace()
	s.comma = false
}

// enter takes note of a value that begins.
func (s *scanner) enter(t token) token {
	s.comma = true
	switch t {
	case startObject, startArray:
		if len(s.nested) == maxDepth {
			s.fail("Document nesting depth (%d) exceeds the maximum allowed (%d, from `StreamReadConstraints.getMaxNestingDepth()`)", maxDepth+1, maxDepth)
		}
		s.nested = append(s.nested, bracket{s.text[s.pos-1], s.pos - 1})
		s.comma = false
	}
	return t
}

// leave reads a closing bracket.
func (s *scanner) leave(c byte) token {
	s.pos++
	open, t := byte('{'), endObject
	if c == ']' {
		open, t = '[', endArray
	}
	if len(s.nested) == 0 {
		s.fail("Unexpected close marker '%c': expected '%c' (for root starting at [Source: REDACTED])", c, open)
	}
	last := s.nested[len(s.nested)-1]
	if last.char != open {
		kind, want := "Object", '}'
		if last.char == '[' {
			kind, want = "Array", ']'
		}
		s.fail("Unexpected close marker '%c': expected '%c' (for %s starting at %s)", c, want, kind, s.location(last.at))
	}
	s.nested = s.nested[:len(s.nested)-1]
	s.comma = true
	return t
}

// skipSpace reads white space, and reports whether anything follows.
func (s *scanner) skipSpace() bool {
	for ; s.pos < len(s.text); s.pos++ {
		switch s.text[s.pos] {
		case ' ', '\t', '\r', '\n':
		default:
			return true
		}
	}
	return false
}

// mustSkipSpace reads white space that something must follow.
func (s *scanner) mustSkipSpace() {
	if !s.skipSpace() {
		s.failEnd()
	}
}

// failEnd says that the text ends too early.
func (s *scanner) failEnd() {
	if len(s.nested) == 0 {
		s.fail("Unexpected end-of-input")
	}
	last, kind := s.nested[len(s.nested)-1], "Object"
	if last.char == '[' {
		kind = "Array"
	}
	s.fail("Unexpected end-of-input: expected close marker for %s (start marker at %s)", kind, s.location(last.at))
}

package eventpattern

import (
	"encoding/json"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

const validValue = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')"

// unexpected says that the next character may not come here.
func (s *scanner) unexpected(why string) {
	r, _ := utf8.DecodeRuneInString(s.text[s.pos:])
	s.fail("Unexpected character ('%c' (code %d)): %s", r, r, why)
}

var literals = map[string]token{"true": trueValue, "false": falseValue, "null": nullValue}

// begin reads a number, a literal, or the first character of another value.
func (s *scanner) begin() token {
	switch c := s.text[s.pos]; {
	case c == '"':
		s.pos++
		s.inString = true
		return stringValue
	case c == '{':
		s.pos++
		return startObject
	case c == '[':
		s.pos++
		return startArray
	case c == '-' || '0' <= c && c <= '9':
		s.numberText()
		return numberValue
	}
	word := s.text[s.pos:]
	if end := strings.IndexFunc(word, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '_' && r != '$' }); end >= 0 {
		word = word[:end]
	}
	if word == "" {
		s.unexpected("expected a valid value " + validValue)
	}
	s.pos += len(word)
	t, ok := literals[word]
	if !ok {
		s.fail("Unrecognized token '%s': was expecting %s", word, validValue)
	}
	s.value = word
	return t
}

var numberPattern = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?`)

func (s *scanner) numberText() {
	n := numberPattern.FindString(s.text[s.pos:])
	if n == "" {
		s.pos++ // the sign
		s.fail("Invalid numeric value: expected digit (0-9) to follow minus sign, for valid numeric value")
	}
	s.pos += len(n)
	if strings.TrimLeft(n, "-") == "0" && s.pos < len(s.text) && '0' <= s.text[s.pos] && s.text[s.pos] <= '9' {
		s.fail("Invalid numeric value: Leading zeroes not allowed")
	}
	s.value = n
}

// valueText is the text of the value that was read last, which is read to its end.
func (s *scanner) valueText(t token) string {
	switch t {
	case stringValue:
		if s.inString {
			s.value = s.string()
		}
	case startObject, endObject, startArray, endArray:
		return s.text[s.pos-1 : s.pos]
	case fieldName:
		return s.name
	}
	return s.value
}

// string reads a string behind its opening quote.
func (s *scanner) string() string {
	s.inString = false
	start, escaped := s.pos, false
	for ; s.pos < len(s.text); s.pos++ {
		switch c := s.text[s.pos]; {
		case c == '"':
			s.pos++
			if !escaped {
				return s.text[start : s.pos-1]
			}
			var out string
			if json.Unmarshal([]byte(s.text[start-1:s.pos]), &out) != nil {
				s.fail("Unrecognized character escape")
			}
			return out
		case c == '\\':
			escaped = true
			s.pos++
		case c < ' ':
			s.fail("Illegal unquoted character ((CTRL-CHAR, code %d)): has to be escaped using backslash to be included in string value", c)
		}
	}
	s.pos = len(s.text)
	s.fail("Unexpected end-of-input in VALUE_STRING")
	return ""
}

package protocol

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"time"
	"unicode/utf8"
)

// xmlEncoder appends shapes as XML elements.
type xmlEncoder struct {
	millis bool // every timestamp has milliseconds, as EC2's do
}

// members appends the members of v that travel in the body.
func (e xmlEncoder) members(b []byte, v reflect.Value, s *shape) ([]byte, error) {
	for i := range s.fields {
		f := &s.fields[i]
		fv := v.Field(f.index)
		if f.in != "" || f.attribute || f.shape.kind == kindStream || absent(fv) {
			continue
		}
		var err error
		if b, err = e.member(b, fv, f); err != nil {
			return b, fmt.Errorf("%s: %w", f.name, err)
		}
	}
	return b, nil
}

func (e xmlEncoder) member(b []byte, v reflect.Value, f *field) ([]byte, error) {
	switch f.shape.kind {
	case kindList:
		return e.list(b, v, f)
	case kindMap:
		return e.mapping(b, v, f)
	}
	return e.element(b, v, f.shape, f.name, f.time)
}

// element appends v as one element.
func (e xmlEncoder) element(b []byte, v reflect.Value, s *shape, name, times string) ([]byte, error) {
	v = deref(v)
	b = append(append(b, '<'), name...)
	if s.kind == kindStructure {
		b = appendAttributes(b, v, s)
	}
	b = append(b, '>')
	var err error
	switch s.kind {
	case kindStructure:
		b, err = e.members(b, v, s)
	case kindList: // in a list or map
		b, err = e.list(b, v, &field{shape: s, flat: true, name: "member"})
	case kindMap:
		b, err = e.mapping(b, v, &field{shape: s, flat: true, name: "entry"})
	default:
		b, err = e.scalar(b, v, s, times)
	}
	return appendClose(b, name), err
}

// appendAttributes appends those members that are attributes, all of which are of the
// namespace xsi.
func appendAttributes(b []byte, v reflect.Value, s *shape) []byte {
	for i := range s.fields {
		if f := &s.fields[i]; f.attribute && !absent(v.Field(f.index)) {
			b = append(b, ` xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" `...)
			b = append(append(b, f.name...), `="`...)
			b = append(appendXMLText(b, deref(v.Field(f.index)).String()), '"')
		}
	}
	return b
}

func (e xmlEncoder) list(b []byte, v reflect.Value, f *field) ([]byte, error) {
	item := cmp.Or(f.item, "member")
	if f.flat {
		item = cmp.Or(f.item, f.name)
	} else {
		b = appendOpen(b, f.name)
	}
	for i := range v.Len() {
		var err error
		if b, err = e.element(b, v.Index(i), f.shape.elem, item, f.time); err != nil {
			return b, fmt.Errorf("[%d]: %w", i, err)
		}
	}
	if !f.flat {
		b = appendClose(b, f.name)
	}
	return b, nil
}

func (e xmlEncoder) mapping(b []byte, v reflect.Value, f *field) ([]byte, error) {
	entry := "entry"
	if f.flat {
		entry = f.name
	} else {
		b = appendOpen(b, f.name)
	}
	for _, key := range sortedKeys(v) {
		b = appendOpen(b, entry)
		b = appendElement(b, cmp.Or(f.key, "key"), key.String())
		var err error
		if b, err = e.element(b, addressable(v.MapIndex(key)), f.shape.elem, cmp.Or(f.value, "value"), ""); err != nil {
			return b, fmt.Errorf("%s: %w", key, err)
		}
		b = appendClose(b, entry)
	}
	if !f.flat {
		b = appendClose(b, f.name)
	}
	return b, nil
}

func (e xmlEncoder) scalar(b []byte, v reflect.Value, s *shape, times string) ([]byte, error) {
	if s.kind == kindTimestamp && times == "" {
		return appendISO(b, *v.Addr().Interface().(*time.Time), e.millis), nil
	}
	if s.kind == kindString {
		return appendXMLText(b, v.String()), nil
	}
	return appendText(b, v, s, times)
}

// appendText appends a scalar in its textual form, unescaped.
func appendText(b []byte, v reflect.Value, s *shape, times string) ([]byte, error) {
	switch s.kind {
	case kindString:
		return append(b, v.String()...), nil
	case kindInteger:
		return strconv.AppendInt(b, v.Int(), 10), nil
	case kindFloat:
		if n := v.Float(); math.IsInf(n, 0) {
			return append(b, map[bool]string{true: "Infinity", false: "-Infinity"}[n > 0]...), nil
		}
		return strconv.AppendFloat(b, v.Float(), 'f', -1, v.Type().Bits()), nil
	case kindBoolean:
		return strconv.AppendBool(b, v.Bool()), nil
	case kindBlob:
		return base64.StdEncoding.AppendEncode(b, v.Bytes()), nil
	case kindTimestamp:
		return appendTime(b, *v.Addr().Interface().(*time.Time), times), nil
	}
	return b, fmt.Errorf("a %s cannot travel as text", v.Type())
}

func appendOpen(b []byte, name string) []byte { return append(append(append(b, '<'), name...), '>') }

func appendClose(b []byte, name string) []byte {
	return append(append(append(b, "</"...), name...), '>')
}

func appendElement(b []byte, name, text string) []byte {
	return appendClose(appendXMLText(appendOpen(b, name), text), name)
}

func appendNamespace(b []byte, uri string) []byte {
	if uri == "" || uri == "/" {
		return b
	}
	return append(appendXMLText(append(b, ` xmlns="`...), uri), '"')
}

// appendXMLText appends s escaped. What XML 1.0 cannot hold becomes U+FFFD.
func appendXMLText(b []byte, s string) []byte {
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == '&':
			b = append(b, "&amp;"...)
		case r == '<':
			b = append(b, "&lt;"...)
		case r == '>':
			b = append(b, "&gt;"...)
		case r == '"':
			b = append(b, "&quot;"...)
		case r == '\r':
			b = append(b, "&#xD;"...)
		case !xmlRune(r), r == utf8.RuneError && n == 1:
			b = append(b, "\ufffd"...)
		default:
			b = append(b, s[i:i+n]...)
		}
		i += n
	}
	return b
}

// xmlRune tells whether XML 1.0 (section 2.2) can hold a character.
func xmlRune(r rune) bool {
	return r == '\t' || r == '\n' || r == '\r' ||
		' ' <= r && r <= 0xD7FF || 0xE000 <= r && r <= 0xFFFD || 0x10000 <= r && r <= 0x10FFFF
}

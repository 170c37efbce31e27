package protocol

import (
	"encoding/json"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// unmarshalJSON fills v from a JSON text. An empty text is an empty object, as AWS
// takes it. Members a shape does not have are skipped, null is absent. What does not
// fit is refused in the given words.
func unmarshalJSON(b []byte, v reflect.Value, s *shape, w mismatchWords) error {
	d := jsonDecoder{b: b, words: w}
	if d.peek() == 0 {
		return nil
	}
	if err := d.value(v, s, &field{}); err != nil {
		return err
	}
	if d.peek() != 0 || d.i < len(d.b) {
		return errSyntax
	}
	return nil
}

// jsonDecoder reads a JSON text straight into shapes, in one pass.
type jsonDecoder struct {
	b     []byte
	words mismatchWords
	i     int
	depth int
	items int // of all arrays, and members of all objects, so far
}

// peek skips white space and gives the next byte, 0 at the end.
func (d *jsonDecoder) peek() byte {
	for ; d.i < len(d.b); d.i++ {
		switch c := d.b[d.i]; c {
		case ' ', '\t', '\n', '\r':
		default:
			return c
		}
	}
	return 0
}

func (d *jsonDecoder) literal(word string) error {
	if len(d.b)-d.i < len(word) || string(d.b[d.i:d.i+len(word)]) != word {
		return errSyntax
	}
	d.i += len(word)
	return nil
}

// value reads any value into v.
func (d *jsonDecoder) value(v reflect.Value, s *shape, f *field) error {
	c := d.peek()
	if c == 'n' {
		return d.literal("null")
	}
	if s.kind == kindStream || s.kind == kindError {
		return d.skip()
	}
	v = alloc(v)
	if s.kind == kindDocument {
		return d.document(v)
	}
	switch c {
	case '{':
		switch s.kind {
		case kindStructure:
			return d.structure(v, s)
		case kindMap:
			return d.mapping(v, s)
		}
		return d.words.object()
	case '[':
		if s.kind == kindList {
			return d.list(v, s, f)
		}
		return d.words.list(s)
	case '"':
		text, err := d.str()
		if err != nil {
			return err
		}
		return d.text(v, s, f, text)
	case 't', 'f':
		return d.boolean(v, s, f, c == 't')
	}
	return d.number(v, s, f)
}

func (d *jsonDecoder) enter() error {
	if d.depth++; d.depth > maxDepth {
		return serialization("The request is nested too deeply.")
	}
	d.i++
	return nil
}

// item counts one that is read.
func (d *jsonDecoder) item() error {
	if d.items++; d.items > maxItems {
		return serialization("The request has too many items.")
	}
	return nil
}

// members calls each for every member of the object that begins here.
func (d *jsonDecoder) members(each func(key []byte) error) error {
	if err := d.enter(); err != nil {
		return err
	}
	defer func() { d.depth-- }()
	if d.peek() == '}' {
		d.i++
		return nil
	}
	for {
		if err := d.item(); err != nil {
			return err
		}
		if d.peek() != '"' {
			return errSyntax
		}
		key, err := d.str()
		if err != nil {
			return err
		}
		if d.peek() != ':' {
			return errSyntax
		}
		d.i++
		if err := each(key); err != nil {
			return err
		}
		switch d.peek() {
		case ',':
			d.i++
		case '}':
			d.i++
			return nil
		default:
			return errSyntax
		}
	}
}

// elements calls each for every item of the array that begins here.
func (d *jsonDecoder) elements(each func() error) error {
	if err := d.enter(); err != nil {
		return err
	}
	defer func() { d.depth-- }()
	if d.peek() == ']' {
		d.i++
		return nil
	}
	for {
		if err := d.item(); err != nil {
			return err
		}
		if err := each(); err != nil {
			return err
		}
		switch d.peek() {
		case ',':
			d.i++
		case ']':
			d.i++
			return nil
		default:
			return errSyntax
		}
	}
}

func (d *jsonDecoder) structure(v reflect.Value, s *shape) error {
	return d.members(func(key []byte) error {
		f := s.byName[string(key)]
		if f == nil || f.in != "" {
			return d.skip()
		}
		return d.value(v.Field(f.index), f.shape, f)
	})
}

func (d *jsonDecoder) mapping(v reflect.Value, s *shape) error {
	t := v.Type()
	if v.IsNil() {
		v.Set(reflect.MakeMap(t))
	}
	value := &field{}
	return d.members(func(key []byte) error {
		k := reflect.New(t.Key()).Elem()
		k.SetString(string(key))
		e := reflect.New(t.Elem()).Elem()
		if err := d.value(e, s.elem, value); err != nil {
			return err
		}
		v.SetMapIndex(k, e)
		return nil
	})
}

func (d *jsonDecoder) list(v reflect.Value, s *shape, f *field) error {
	v.Set(reflect.MakeSlice(v.Type(), 0, 0))
	item := &field{time: f.time}
	return d.elements(func() error {
		n := v.Len()
		if n == v.Cap() {
			v.Grow(1)
		}
		v.SetLen(n + 1)
		v.Index(n).SetZero()
		return d.value(v.Index(n), s.elem, item)
	})
}

// numeral takes the number that begins here, by JSON's grammar.
func (d *jsonDecoder) numeral() (text string, whole bool, err error) {
	start := d.i
	digits := func() bool {
		from := d.i
		for d.i < len(d.b) && '0' <= d.b[d.i] && d.b[d.i] <= '9' {
			d.i++
		}
		return d.i > from
	}
	next := func(set string) bool {
		if d.i < len(d.b) && strings.IndexByte(set, d.b[d.i]) >= 0 {
			d.i++
			return true
		}
		return false
	}
	next("-")
	if !next("0") && !digits() {
		return "", false, errSyntax
	}
	whole = true
	if next(".") {
		if whole = false; !digits() {
			return "", false, errSyntax
		}
	}
	if next("eE") {
		whole = false
		next("+-")
		if !digits() {
			return "", false, errSyntax
		}
	}
	return string(d.b[start:d.i]), whole, nil
}

// str takes the string that begins here. What it gives may be a part of the
// body, so it must be copied if it is kept.
func (d *jsonDecoder) str() ([]byte, error) {
	d.i++
	start := d.i
	for ; d.i < len(d.b); d.i++ {
		switch c := d.b[d.i]; {
		case c == '"':
			d.i++
			return d.b[start : d.i-1], nil
		case c == '\\':
			return d.escaped(append([]byte(nil), d.b[start:d.i]...))
		case c < ' ':
			return nil, errSyntax
		}
	}
	return nil, errSyntax
}

// escaped goes on with a string at its first backslash.
func (d *jsonDecoder) escaped(out []byte) ([]byte, error) {
	for d.i < len(d.b) {
		c := d.b[d.i]
		d.i++
		switch {
		case c == '"':
			return out, nil
		case c < ' ':
			return nil, errSyntax
		case c != '\\':
			out = append(out, c)
			continue
		}
		if d.i == len(d.b) {
			break
		}
		c = d.b[d.i]
		d.i++
		if c == 'u' {
			r, err := d.hex4()
			if err != nil {
				return nil, err
			}
			out = utf8.AppendRune(out, d.surrogate(r))
			continue
		}
		at := strings.IndexByte(`"\/bfnrt`, c)
		if at < 0 {
			return nil, errSyntax
		}
		out = append(out, "\"\\/\b\f\n\r\t"[at])
	}
	return nil, errSyntax
}

func (d *jsonDecoder) hex4() (rune, error) {
	if len(d.b)-d.i < 4 {
		return 0, errSyntax
	}
	n, err := strconv.ParseUint(string(d.b[d.i:d.i+4]), 16, 16)
	if err != nil {
		return 0, errSyntax
	}
	d.i += 4
	return rune(n), nil
}

// surrogate joins r with the other half that may follow it. Half a pair alone
// becomes U+FFFD.
func (d *jsonDecoder) surrogate(r rune) rune {
	if !utf16.IsSurrogate(r) {
		return r
	}
	at := d.i
	if len(d.b)-d.i >= 6 && d.b[d.i] == '\\' && d.b[d.i+1] == 'u' {
		d.i += 2
		if low, err := d.hex4(); err == nil {
			if joined := utf16.DecodeRune(r, low); joined != utf8.RuneError {
				return joined
			}
		}
		d.i = at
	}
	return utf8.RuneError
}

// skip passes over a value.
func (d *jsonDecoder) skip() error {
	switch d.peek() {
	case '{':
		return d.members(func([]byte) error { return d.skip() })
	case '[':
		return d.elements(d.skip)
	case '"':
		_, err := d.str()
		return err
	case 't':
		return d.literal("true")
	case 'f':
		return d.literal("false")
	case 'n':
		return d.literal("null")
	}
	_, _, err := d.numeral()
	return err
}

// document reads a value without a shape: objects as map[string]any, numbers as
// json.Number, so that none loses digits.
func (d *jsonDecoder) document(v reflect.Value) error {
	start := d.i
	if err := d.skip(); err != nil {
		return err
	}
	dec := json.NewDecoder(strings.NewReader(string(d.b[start:d.i])))
	dec.UseNumber()
	var doc any
	if err := dec.Decode(&doc); err != nil {
		return errSyntax
	}
	v.Set(reflect.ValueOf(&doc).Elem())
	return nil
}

package protocol

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"
)

// appendJSONStructure appends the members of v that travel in the body. Empty
// lists and maps are written, nil ones left out. times is the format of all times in
// it, "" for each in its own.
func appendJSONStructure(b []byte, v reflect.Value, s *shape, times string) ([]byte, error) {
	b = append(b, '{')
	first := true
	for i := range s.fields {
		f := &s.fields[i]
		fv := v.Field(f.index)
		if f.in != "" || f.shape.kind == kindStream || absent(fv) {
			continue
		}
		if !first {
			b = append(b, ',')
		}
		first = false
		b = append(b, f.jsonKey...)
		var err error
		if b, err = appendJSON(b, fv, f.shape, cmp.Or(times, f.time)); err != nil {
			return b, fmt.Errorf("%s: %w", f.name, err)
		}
	}
	return append(b, '}'), nil
}

func appendJSON(b []byte, v reflect.Value, s *shape, times string) ([]byte, error) {
	v = deref(v)
	switch s.kind {
	case kindStructure:
		return appendJSONStructure(b, v, s, inherited(times))
	case kindList:
		return appendJSONList(b, v, s, times)
	case kindMap:
		return appendJSONMap(b, v, s, inherited(times))
	case kindString:
		return appendJSONString(b, v.String()), nil
	case kindInteger:
		return strconv.AppendInt(b, v.Int(), 10), nil
	case kindFloat:
		return appendJSONFloat(b, v.Float(), v.Type().Bits()), nil
	case kindBoolean:
		return strconv.AppendBool(b, v.Bool()), nil
	case kindBlob:
		b = append(b, '"')
		b = base64.StdEncoding.AppendEncode(b, v.Bytes())
		return append(b, '"'), nil
	case kindTimestamp:
		return appendJSONTime(b, v.Addr().Interface().(*time.Time), times), nil
	case kindDocument:
		doc, err := json.Marshal(v.Interface())
		return append(b, doc...), err
	case kindError:
		return appendJSONError(b, v.Addr().Interface().(*Error), "")
	}
	return b, fmt.Errorf("a %s cannot travel in JSON", v.Type())
}

// inherited is the format of times that what is inside has too: only the one of whole
// documents.
func inherited(times string) string {
	if times == milliseconds {
		return times
	}
	return ""
}

func appendJSONList(b []byte, v reflect.Value, s *shape, times string) ([]byte, error) {
	b = append(b, '[')
	for i := range v.Len() {
		if i > 0 {
			b = append(b, ',')
		}
		var err error
		if b, err = appendJSON(b, v.Index(i), s.elem, times); err != nil {
			return b, fmt.Errorf("[%d]: %w", i, err)
		}
	}
	return append(b, ']'), nil
}

func appendJSONMap(b []byte, v reflect.Value, s *shape, times string) ([]byte, error) {
	b = append(b, '{')
	for i, key := range sortedKeys(v) {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(appendJSONString(b, key.String()), ':')
		var err error
		if b, err = appendJSON(b, addressable(v.MapIndex(key)), s.elem, times); err != nil {
			return b, fmt.Errorf("%s: %w", key, err)
		}
	}
	return append(b, '}'), nil
}

func appendJSONTime(b []byte, t *time.Time, format string) []byte {
	if format == "" || format == epoch {
		return appendEpoch(b, *t)
	}
	return append(appendTime(append(b, '"'), *t, format), '"')
}

// addressable copies a map's value to where the codecs can take its address.
func addressable(v reflect.Value) reflect.Value {
	p := reflect.New(v.Type()).Elem()
	p.Set(v)
	return p
}

// sortedKeys gives a map's keys in order, so that equal values have equal texts.
func sortedKeys(v reflect.Value) []reflect.Value {
	keys := v.MapKeys()
	slices.SortFunc(keys, func(a, b reflect.Value) int {
		if a.String() < b.String() {
			return -1
		}
		return 1
	})
	return keys
}

func appendJSONFloat(b []byte, n float64, bits int) []byte {
	switch {
	case math.IsNaN(n):
		return append(b, `"NaN"`...)
	case math.IsInf(n, 1):
		return append(b, `"Infinity"`...)
	case math.IsInf(n, -1):
		return append(b, `"-Infinity"`...)
	}
	if whole := int64(n); bits == 64 && math.Abs(n) < 1<<53 && float64(whole) == n && whole != 0 { // the same digits, found faster
		return strconv.AppendInt(b, whole, 10)
	}
	format := byte('f')
	if size := math.Abs(n); size != 0 && (size < 1e-6 || size >= 1e21) {
		format = 'e'
	}
	return strconv.AppendFloat(b, n, format, -1, bits)
}

// plain tells which bytes a JSON string holds as they are.
var plain = func() (t [256]bool) {
	for c := ' '; c < utf8.RuneSelf; c++ {
		t[c] = c != '"' && c != '\\'
	}
	return t
}()

// appendJSONString appends s quoted. Bytes that are no UTF-8 become U+FFFD.
func appendJSONString(b []byte, s string) []byte {
	const hex = "0123456789abcdef"
	b = append(b, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if plain[c] {
			i++
			continue
		}
		if c >= utf8.RuneSelf {
			r, n := utf8.DecodeRuneInString(s[i:])
			if r != utf8.RuneError || n > 1 {
				i += n
				continue
			}
			b = append(append(b, s[start:i]...), "\ufffd"...)
			i++
			start = i
			continue
		}
		b = append(b, s[start:i]...)
		switch c {
		case '"', '\\':
			b = append(b, '\\', c)
		case '\n':
			b = append(b, '\\', 'n')
		case '\r':
			b = append(b, '\\', 'r')
		case '\t':
			b = append(b, '\\', 't')
		default:
			b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
		i++
		start = i
	}
	return append(append(b, s[start:]...), '"')
}

// appendJSONError appends an error's structure. name, if there is one, becomes
// its __type.
func appendJSONError(b []byte, e *Error, name string) ([]byte, error) {
	b = append(b, '{')
	if name != "" {
		b = append(appendJSONString(append(b, `"__type":`...), name), ',')
	}
	b = appendJSONString(append(b, `"message":`...), e.Message)
	for _, key := range sortedKeys(reflect.ValueOf(e.Fields)) {
		value, err := json.Marshal(e.Fields[key.String()])
		if err != nil {
			return b, fmt.Errorf("%s: %w", key, err)
		}
		b = append(append(appendJSONString(append(b, ','), key.String()), ':'), value...)
	}
	return append(b, '}'), nil
}

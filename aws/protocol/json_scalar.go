package protocol

import (
	"encoding/base64"
	"math"
	"reflect"
	"strconv"
	"strings"
)

// text gives a JSON string to a value.
func (d *jsonDecoder) text(v reflect.Value, s *shape, f *field, text []byte) error {
	switch s.kind {
	case kindString:
		v.SetString(strings.ToValidUTF8(string(text), "\ufffd"))
		return nil
	case kindBlob:
		raw := make([]byte, base64.StdEncoding.DecodedLen(len(text)))
		n, err := base64.StdEncoding.Decode(raw, text)
		if err != nil {
			return serialization("Unable to decode Base64 value")
		}
		v.SetBytes(raw[:n])
		return nil
	case kindFloat:
		switch string(text) {
		case "NaN", "Infinity", "-Infinity":
			n, _ := strconv.ParseFloat(string(text), 64)
			v.SetFloat(n)
			return nil
		}
		return serialization("STRING_VALUE can not be converted to a Float")
	case kindTimestamp:
		if f.time == "" || f.time == epoch {
			return serialization("STRING_VALUE can not be converted to milliseconds since epoch")
		}
		t, err := parseTime(string(text), f.time)
		if err != nil {
			return serialization("Unable to parse date: %s", text)
		}
		v.Set(reflect.ValueOf(t))
		return nil
	}
	return unexpected("STRING_VALUE", s)
}

func (d *jsonDecoder) boolean(v reflect.Value, s *shape, value bool) error {
	word := "false"
	if value {
		word = "true"
	}
	if err := d.literal(word); err != nil {
		return err
	}
	if s.kind != kindBoolean {
		return unexpected(strings.ToUpper(word)+"_VALUE", s)
	}
	v.SetBool(value)
	return nil
}

// unexpected is AWS's error for a scalar where the shape has something else.
func unexpected(got string, s *shape) error {
	switch s.kind {
	case kindStructure:
		return serialization("Expected null")
	case kindList:
		return serialization("Expected list or null")
	case kindMap:
		return serialization("Expected map or null")
	case kindInteger:
		if s.typ.Kind() == reflect.Int64 {
			return serialization("%s can not be converted to a Long", got)
		}
		return serialization("%s can not be converted to an Integer", got)
	case kindFloat:
		return serialization("%s can not be converted to a Float", got)
	case kindBoolean:
		return serialization("%s can not be converted to a Boolean", got)
	case kindTimestamp:
		return serialization("%s can not be converted to milliseconds since epoch", got)
	case kindBlob:
		return serialization("%s can not be converted to a Blob", got)
	}
	return serialization("%s can not be converted to a String", got)
}

// number reads a JSON number.
func (d *jsonDecoder) number(v reflect.Value, s *shape) error {
	text, whole, err := d.numeral()
	if err != nil {
		return err
	}
	switch s.kind {
	case kindInteger:
		n, err := integer(text, whole)
		if err != nil || v.OverflowInt(n) {
			return serialization("%s is out of range", text)
		}
		v.SetInt(n)
		return nil
	case kindFloat:
		n, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return serialization("%s is out of range", text)
		}
		v.SetFloat(n)
		return nil
	case kindTimestamp:
		n, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return serialization("%s is out of range", text)
		}
		t, err := fromEpoch(n)
		if err != nil {
			return serialization("%s is out of range", text)
		}
		v.Set(reflect.ValueOf(t))
		return nil
	}
	return unexpected("NUMBER_VALUE", s)
}

// integer reads a whole number. AWS cuts off the fraction of one that is not.
func integer(text string, whole bool) (int64, error) {
	if whole {
		return strconv.ParseInt(text, 10, 64)
	}
	n, err := strconv.ParseFloat(text, 64)
	if err != nil || n >= math.MaxInt64 || n <= math.MinInt64 {
		return 0, strconv.ErrRange
	}
	return int64(n), nil
}

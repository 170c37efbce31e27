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
	case kindTimestamp:
		if f.time == "" || f.time == epoch {
			return d.words.scalar("STRING_VALUE", s, f)
		}
		t, err := parseTime(string(text), f.time)
		if err != nil {
			return serialization("Unable to parse date: %s", text)
		}
		v.Set(reflect.ValueOf(t))
		return nil
	}
	return d.words.scalar("STRING_VALUE", s, f)
}

func (d *jsonDecoder) boolean(v reflect.Value, s *shape, f *field, value bool) error {
	word := "false"
	if value {
		word = "true"
	}
	if err := d.literal(word); err != nil {
		return err
	}
	if s.kind != kindBoolean {
		return d.words.scalar(strings.ToUpper(word)+"_VALUE", s, f)
	}
	v.SetBool(value)
	return nil
}

// number reads a JSON number.
func (d *jsonDecoder) number(v reflect.Value, s *shape, f *field) error {
	text, whole, err := d.numeral()
	if err != nil {
		return err
	}
	switch s.kind {
	case kindInteger:
		n, err := integer(text, whole)
		if err != nil || v.OverflowInt(n) {
			return outOfRange(text)
		}
		v.SetInt(n)
		return nil
	case kindFloat:
		n, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return outOfRange(text)
		}
		v.SetFloat(n)
		return nil
	case kindTimestamp:
		n, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return outOfRange(text)
		}
		t, err := fromEpoch(n)
		if err != nil {
			return outOfRange(text)
		}
		v.Set(reflect.ValueOf(t))
		return nil
	}
	token := "NUMBER_VALUE"
	if !whole {
		token = "DECIMAL_VALUE"
	}
	return d.words.scalar(token, s, f)
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

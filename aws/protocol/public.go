package protocol

import (
	"encoding/base64"
	"encoding/json"
	"reflect"
	"strconv"
	"time"
)

// hidden is what stands for a value that only its owner may know.
const hidden = `"HIDDEN_DUE_TO_SECURITY_REASONS"`

// private are members that are hidden without being sensitive in the models: tokens that
// whoever has them may use, and users' own data.
var private = map[string]bool{"SessionToken": true, "TokenValue": true, "logEvents": true, "Entries": true}

// maxPublicBlob is the largest blob, in bytes, that [AppendPublic] writes.
const maxPublicBlob = 256

// AppendPublic appends an operation's input or output as JSON for readers who may not
// know what is sensitive in it: such values are replaced by
// "HIDDEN_DUE_TO_SECURITY_REASONS". Names of members begin in lower case, and times are
// ISO 8601, as in CloudTrail's records. Bodies, streams and long blobs are left out. v is
// a pointer to a structure of this package's shapes.
// Source: CloudTrail user guide, "CloudTrail record contents".
func AppendPublic(b []byte, v any) []byte {
	if isNil(v) {
		return append(b, "null"...)
	}
	at, s := structure(v)
	return appendPublicStructure(b, at, s)
}

func appendPublicStructure(b []byte, v reflect.Value, s *shape) []byte {
	b = append(b, '{')
	first := true
	for i := range s.fields {
		f := &s.fields[i]
		fv := v.Field(f.index)
		if absent(fv) || !f.shape.isPublic(fv) {
			continue
		}
		if !first {
			b = append(b, ',')
		}
		first = false
		b = append(b, f.publicKey...)
		if f.sensitive || private[f.name] {
			b = append(b, hidden...)
			continue
		}
		b = appendPublic(b, deref(fv), f.shape)
	}
	return append(b, '}')
}

// isPublic reports whether a value is written at all.
func (s *shape) isPublic(v reflect.Value) bool {
	switch s.kind {
	case kindStream, kindBody, kindError:
		return false
	case kindBlob:
		return deref(v).Len() <= maxPublicBlob
	}
	return true
}

func appendPublic(b []byte, v reflect.Value, s *shape) []byte {
	switch s.kind {
	case kindStructure:
		return appendPublicStructure(b, v, s)
	case kindList:
		b = append(b, '[')
		for i := range v.Len() {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendPublic(b, deref(v.Index(i)), s.elem)
		}
		return append(b, ']')
	case kindMap:
		b = append(b, '{')
		for i, key := range sortedKeys(v) {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(appendJSONString(b, key.String()), ':')
			b = appendPublic(b, deref(v.MapIndex(key)), s.elem)
		}
		return append(b, '}')
	case kindString:
		return appendJSONString(b, v.String())
	case kindInteger:
		return strconv.AppendInt(b, v.Int(), 10)
	case kindFloat:
		return appendJSONFloat(b, v.Float(), v.Type().Bits())
	case kindBoolean:
		return strconv.AppendBool(b, v.Bool())
	case kindBlob:
		b = base64.StdEncoding.AppendEncode(append(b, '"'), v.Bytes())
		return append(b, '"')
	case kindTimestamp:
		at, _ := v.Interface().(time.Time)
		return append(at.UTC().AppendFormat(append(b, '"'), time.RFC3339), '"')
	case kindDocument:
		if document, err := json.Marshal(v.Interface()); err == nil {
			return append(b, document...)
		}
	}
	return append(b, "null"...)
}

// AppendJSONString appends s quoted as JSON. Bytes that are no UTF-8 become U+FFFD.
func AppendJSONString(b []byte, s string) []byte { return appendJSONString(b, s) }

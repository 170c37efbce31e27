package protocol

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// javaString prints a value as the services do, which are written in Java.
func javaString(v reflect.Value, s *shape) string {
	switch s.kind {
	case kindList:
		items := make([]string, v.Len())
		for i := range items {
			items[i] = javaString(deref(v.Index(i)), s.elem)
		}
		return "[" + strings.Join(items, ", ") + "]"
	case kindMap:
		var entries []string
		for _, key := range sortedKeys(v) {
			entries = append(entries, key.String()+"="+javaString(deref(v.MapIndex(key)), s.elem))
		}
		return "{" + strings.Join(entries, ", ") + "}"
	case kindBlob:
		return fmt.Sprintf("java.nio.HeapByteBuffer[pos=0 lim=%d cap=%[1]d]", v.Len())
	case kindStructure:
		return javaStructure(v, s)
	case kindFloat:
		text := strconv.FormatFloat(v.Float(), 'f', -1, v.Type().Bits())
		if !strings.ContainsAny(text, ".NI") { // a double always has a fraction
			text += ".0"
		}
		return text
	case kindTimestamp:
		return v.Interface().(time.Time).UTC().Format("Mon Jan 02 15:04:05 UTC 2006")
	}
	return fmt.Sprint(v.Interface())
}

// javaStructure prints a structure with all of its members: "Tag(key=a, value=null)", as
// recorded of CloudWatch Logs' PutMetricFilter.
func javaStructure(v reflect.Value, s *shape) string {
	members := make([]string, len(s.fields))
	for i := range s.fields {
		f := &s.fields[i]
		text := "null"
		switch fv := v.Field(f.index); {
		case absent(fv):
		case f.sensitive:
			text = "*** Sensitive Data Redacted ***"
		default:
			text = javaString(deref(fv), f.shape)
		}
		members[i] = lowerFirst(f.name) + "=" + text
	}
	return s.typ.Name() + "(" + strings.Join(members, ", ") + ")"
}

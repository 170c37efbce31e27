package protocol

import (
	"fmt"
	"io"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"
)

// kind is what a shape is on the wire.
type kind uint8

const (
	kindStructure kind = iota
	kindList
	kindMap
	kindString // enums too
	kindInteger
	kindFloat
	kindBoolean
	kindBlob
	kindBody // a blob that is read and written as it travels
	kindTimestamp
	kindDocument
	kindStream
	kindError
)

// shape is all that the codecs and the validator need to know of a Go type,
// worked out once per type. A pointer's shape is that of what it points to.
type shape struct {
	kind   kind
	typ    reflect.Type
	elem   *shape // a list's item, a map's value, a stream's event
	fields []field
	byName map[string]*field // by name on the wire
	check  bool              // something in here can be violated
}

// field is one member of a structure.
type field struct {
	index   int
	name    string // on the wire
	query   string // in ec2Query input
	jsonKey string // `"name":`
	// publicKey is jsonKey with the name in the case of CloudTrail.
	publicKey string
	shape     *shape

	required  bool
	flat      bool
	item      string // "" means the protocol's default
	key       string
	value     string
	in        string
	payload   bool
	stream    bool
	time      string
	exception bool
	attribute bool
	sensitive bool

	own   bounds // of the member itself
	items bounds // of the strings or numbers in a list
}

// registry caches shapes by Go type. Building is serialised because shapes may
// be recursive: one becomes visible when all that it reaches is complete.
var registry struct {
	shapes sync.Map // reflect.Type → *shape
	build  sync.Mutex
}

// shapeOf gives the shape of a type. A type that the package comment does not
// describe is a bug in a generated package, and panics.
func shapeOf(t reflect.Type) *shape {
	if s, ok := registry.shapes.Load(t); ok {
		return s.(*shape)
	}
	registry.build.Lock()
	defer registry.build.Unlock()
	b := builder{}
	s := b.shape(t)
	b.markChecks()
	for t, s := range b {
		registry.shapes.LoadOrStore(t, s)
	}
	registry.shapes.LoadOrStore(t, s)
	return s
}

// builder holds the shapes of one build by type.
type builder map[reflect.Type]*shape

var (
	timeType  = reflect.TypeFor[time.Time]()
	bytesType = reflect.TypeFor[[]byte]()
	bodyType  = reflect.TypeFor[io.ReadCloser]()
	errorType = reflect.TypeFor[Error]()
)

func (b builder) shape(t reflect.Type) *shape {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if s, ok := registry.shapes.Load(t); ok {
		return s.(*shape)
	}
	if s, ok := b[t]; ok {
		return s
	}
	s := &shape{typ: t}
	b[t] = s
	switch t {
	case timeType:
		s.kind = kindTimestamp
		return s
	case bytesType:
		s.kind = kindBlob
		return s
	case bodyType:
		s.kind = kindBody
		return s
	case errorType:
		s.kind = kindError
		return s
	}
	switch t.Kind() {
	case reflect.Struct:
		s.kind = kindStructure
		b.fields(s)
	case reflect.Slice:
		s.kind, s.elem = kindList, b.shape(t.Elem())
	case reflect.Map:
		s.kind, s.elem = kindMap, b.shape(t.Elem())
	case reflect.Chan:
		s.kind, s.elem = kindStream, b.shape(t.Elem())
	case reflect.String:
		s.kind = kindString
	case reflect.Int32, reflect.Int64:
		s.kind = kindInteger
	case reflect.Float32, reflect.Float64:
		s.kind = kindFloat
	case reflect.Bool:
		s.kind = kindBoolean
	case reflect.Interface:
		s.kind = kindDocument
	default:
		panic(fmt.Sprintf("protocol: type %s is no shape", t))
	}
	return s
}

func (b builder) fields(s *shape) {
	s.fields = make([]field, 0, s.typ.NumField())
	for i := range s.typ.NumField() {
		if sf := s.typ.Field(i); sf.Tag.Get("aws") != "" {
			f := parseField(sf)
			f.index, f.shape = i, b.shape(sf.Type)
			s.fields = append(s.fields, f)
		}
	}
	s.byName = make(map[string]*field, len(s.fields))
	for i := range s.fields {
		s.byName[s.fields[i].name] = &s.fields[i]
	}
}

// parseField reads a field's tags.
func parseField(sf reflect.StructField) field {
	name, options, _ := strings.Cut(sf.Tag.Get("aws"), ",")
	f := field{name: name, query: sf.Tag.Get("query"), jsonKey: strconv.Quote(name) + ":", publicKey: strconv.Quote(lowerFirst(name)) + ":"}
	if f.query == "" {
		f.query = upperFirst(name)
	}
	for option := range strings.SplitSeq(options, ",") {
		word, value, _ := strings.Cut(option, "=")
		switch word {
		case "required":
			f.required = true
		case "flat":
			f.flat = true
		case "item":
			f.item = value
		case "key":
			f.key = value
		case "value":
			f.value = value
		case "in":
			f.in = value
		case "payload":
			f.payload = true
		case "stream":
			f.stream = true
		case "time":
			f.time = value
		case "exception":
			f.exception = true
		case "attribute":
			f.attribute = true
		case "", "token":
		default:
			panic(fmt.Sprintf("protocol: field %s: unknown option %q", sf.Name, option))
		}
	}
	f.sensitive = sf.Tag.Get("sensitive") != ""
	f.own = parseBounds(sf.Tag, "")
	f.items = parseBounds(sf.Tag, "item")
	return f
}

// markChecks finds the shapes whose values need looking at. Shapes may be
// recursive, so it repeats until nothing changes.
func (b builder) markChecks() {
	for changed := true; changed; {
		changed = false
		for _, s := range b {
			if !s.check && s.needsCheck() {
				s.check, changed = true, true
			}
		}
	}
}

func (s *shape) needsCheck() bool {
	if s.elem != nil && s.elem.check {
		return true
	}
	for i := range s.fields {
		f := &s.fields[i]
		if f.required || f.own.any || f.items.any || f.shape.check {
			return true
		}
	}
	return false
}

// deref follows a pointer; v must not be nil.
func deref(v reflect.Value) reflect.Value {
	for v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	return v
}

// alloc gives the value to fill: what v points to, made if it is nil.
func alloc(v reflect.Value) reflect.Value {
	for v.Kind() == reflect.Pointer {
		if v.IsNil() {
			v.Set(reflect.New(v.Type().Elem()))
		}
		v = v.Elem()
	}
	return v
}

// absent tells whether a structure's member has no value.
func absent(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map, reflect.Interface, reflect.Chan:
		return v.IsNil()
	case reflect.String:
		return v.Len() == 0
	}
	return false
}

// structure gives the structure a pointer from outside leads to, and its shape.
func structure(p any) (reflect.Value, *shape) {
	v := deref(reflect.ValueOf(p))
	return v, shapeOf(v.Type())
}

// isNil tells whether an operation's output is a nil pointer or nothing at all.
func isNil(out any) bool {
	if out == nil {
		return true
	}
	v := reflect.ValueOf(out)
	return v.Kind() == reflect.Pointer && v.IsNil()
}

func upperFirst(s string) string { return mapFirst(s, unicode.ToUpper) }
func lowerFirst(s string) string { return mapFirst(s, unicode.ToLower) }

func mapFirst(s string, f func(rune) rune) string {
	r, n := utf8.DecodeRuneInString(s)
	if c := f(r); c != r {
		return string(c) + s[n:]
	}
	return s
}

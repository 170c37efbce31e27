package protocol

import (
	"fmt"
	"math"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/fxamacker/cbor/v2"
)

// rpcCBOR is Smithy's RPC v2 CBOR: the operation is named in the path, all else
// is one CBOR map (RFC 8949).
type rpcCBOR struct{}

// maxCBORItems is how many items a body may have. They are more than those of JSON that
// maxItems is for: names count too, and a tag is one.
const maxCBORItems = 3 * maxItems

var cborMode = func() cbor.DecMode {
	mode, err := cbor.DecOptions{
		MaxNestedLevels:  maxDepth,
		MaxArrayElements: maxItems,
		MaxMapPairs:      maxItems,
		DefaultMapType:   reflect.TypeFor[map[string]any](),
		IntDec:           cbor.IntDecConvertSignedOrFail,
	}.DecMode()
	if err != nil {
		panic(err) // the options are constants
	}
	return mode
}()

func (rpcCBOR) Decode(r *Request, in any) error {
	if len(r.Body) == 0 {
		return nil
	}
	if cborItems(r.Body) > maxCBORItems {
		return serialization("The request has too many items.")
	}
	var tree any
	if err := cborMode.Unmarshal(r.Body, &tree); err != nil {
		return errSyntax
	}
	v, s := structure(in)
	return assign(v, s, tree)
}

// cborItems counts the items of a body, as far as it is one: each of those in an array or a
// map becomes much larger than its one byte. Source: RFC 8949, section 3.
func cborItems(b []byte) (n int) {
	for len(b) > 0 {
		n++
		major, argument := b[0]&0xe0, uint64(b[0]&0x1f)
		b = b[1:]
		if size := 1 << (argument - 24); argument >= 24 && argument < 28 {
			if size > len(b) {
				return n
			}
			argument = 0
			for _, c := range b[:size] {
				argument = argument<<8 | uint64(c)
			}
			b = b[size:]
		} else if argument >= 28 {
			continue // the items that follow, until a break, are a part of this one
		}
		if major == cborBytes || major == cborText {
			b = b[min(argument, uint64(len(b))):]
		}
	}
	return n
}

// assign gives a decoded value to v. Members a shape does not have are skipped.
func assign(v reflect.Value, s *shape, tree any) error {
	if tree == nil || s.kind == kindStream || s.kind == kindError {
		return nil
	}
	v = alloc(v)
	switch s.kind {
	case kindStructure:
		return assignStructure(v, s, tree)
	case kindMap:
		return assignMap(v, s, tree)
	case kindList:
		return assignList(v, s, tree)
	case kindDocument:
		v.Set(reflect.ValueOf(tree))
		return nil
	}
	return assignScalar(v, s, tree)
}

func assignStructure(v reflect.Value, s *shape, tree any) error {
	members, ok := tree.(map[string]any)
	if !ok {
		return misfit(tree, s)
	}
	for name, value := range members {
		if f := s.byName[name]; f != nil {
			if err := assign(v.Field(f.index), f.shape, value); err != nil {
				return err
			}
		}
	}
	return nil
}

func assignMap(v reflect.Value, s *shape, tree any) error {
	entries, ok := tree.(map[string]any)
	if !ok {
		return misfit(tree, s)
	}
	t := v.Type()
	v.Set(reflect.MakeMapWithSize(t, len(entries)))
	for name, value := range entries {
		key, e := reflect.New(t.Key()).Elem(), reflect.New(t.Elem()).Elem()
		key.SetString(name)
		if err := assign(e, s.elem, value); err != nil {
			return err
		}
		v.SetMapIndex(key, e)
	}
	return nil
}

func assignList(v reflect.Value, s *shape, tree any) error {
	items, ok := tree.([]any)
	if !ok {
		return misfit(tree, s)
	}
	v.Set(reflect.MakeSlice(v.Type(), len(items), len(items)))
	for i, item := range items {
		if err := assign(v.Index(i), s.elem, item); err != nil {
			return err
		}
	}
	return nil
}

func assignScalar(v reflect.Value, s *shape, tree any) error {
	switch value := tree.(type) {
	case string:
		if s.kind == kindString {
			v.SetString(value)
			return nil
		}
	case bool:
		if s.kind == kindBoolean {
			v.SetBool(value)
			return nil
		}
	case []byte:
		if s.kind == kindBlob {
			v.SetBytes(value)
			return nil
		}
	case time.Time:
		if s.kind == kindTimestamp {
			t, err := writable(value.Round(time.Millisecond))
			if err != nil {
				return outOfRange(value.Unix())
			}
			v.Set(reflect.ValueOf(t))
			return nil
		}
	case int64:
		return assignNumber(v, s, float64(value), value, true)
	case float64:
		whole := value == math.Trunc(value) && math.Abs(value) < math.MaxInt64
		return assignNumber(v, s, value, int64(value), whole)
	}
	return misfit(tree, s)
}

// assignNumber takes a number both ways; n counts only if it is whole.
func assignNumber(v reflect.Value, s *shape, f float64, n int64, whole bool) error {
	switch {
	case s.kind == kindInteger && whole && !v.OverflowInt(n):
		v.SetInt(n)
	case s.kind == kindFloat:
		v.SetFloat(f)
	case s.kind == kindTimestamp:
		t, err := fromEpoch(f)
		if err != nil {
			return outOfRange(f)
		}
		v.Set(reflect.ValueOf(t))
	default:
		return misfit(f, s)
	}
	return nil
}

// misfit refuses a value of another kind than its shape, in the words of JSON.
func misfit(got any, s *shape) error {
	var w newerWords
	switch got := got.(type) {
	case map[string]any, map[any]any:
		return w.object()
	case []any:
		return w.list(s)
	case bool:
		return w.scalar(strings.ToUpper(strconv.FormatBool(got))+"_VALUE", s, nil)
	case int64, float64:
		return w.scalar("NUMBER_VALUE", s, nil)
	case []byte:
		return w.scalar("BLOB_VALUE", s, nil)
	case time.Time:
		return w.scalar("TIMESTAMP_VALUE", s, nil)
	}
	return w.scalar("STRING_VALUE", s, nil)
}

func (rpcCBOR) Encode(r *Request, out any, a *Answer) error {
	cborHeader(r, a, http.StatusOK)
	if isNil(out) {
		a.Body = cborHead(a.Body, cborMap, 0)
		return nil
	}
	v, s := structure(out)
	var err error
	a.Body, err = appendCBOR(a.Body, v, s)
	return err
}

func (rpcCBOR) EncodeError(r *Request, e *Error, a *Answer) {
	name, query := r.Service.names(e.Code)
	cborHeader(r, a, e.status())
	if r.Service.QueryCompatible {
		setHeader(a, "X-Amzn-Query-Error", query+";"+e.side())
	}
	members := map[string]any{}
	for field, value := range e.Fields {
		members[field] = value
	}
	members["__type"] = r.Service.absolute(name)
	if e.Message != "" { // recorded of CloudWatch's ResourceNotFound
		members["message"] = e.Message
	}
	body, err := cbor.Marshal(members)
	if err != nil { // a field that is no CBOR: the error still arrives, without its fields
		body, _ = cbor.Marshal(map[string]any{"__type": members["__type"], "message": e.Message})
	}
	a.Body = append(a.Body, body...)
}

// absolute is the name of an error's shape as CBOR has it. Of errors that no model has it
// is recorded of CloudWatch for one.
func (s *Service) absolute(shape string) string {
	switch {
	case shape == commonErrors["ValidationError"]:
		return "com.amazon.coral.validate#" + shape
	case s.Namespace == "" || !slices.ContainsFunc(s.Errors, func(e ErrorShape) bool { return e.Name == shape }):
		return shape
	}
	return s.Namespace + "#" + shape
}

func cborHeader(r *Request, a *Answer, status int) {
	setHeader(a, "Content-Type", "application/cbor")
	setHeader(a, "Smithy-Protocol", "rpc-v2-cbor")
	setHeader(a, "X-Amzn-Requestid", r.ID)
	a.Status = status
}

// The major types of CBOR, RFC 8949 section 3.1.
const (
	cborUint  = 0 << 5
	cborNint  = 1 << 5
	cborBytes = 2 << 5
	cborText  = 3 << 5
	cborArray = 4 << 5
	cborMap   = 5 << 5
	cborTag   = 6 << 5

	cborFalse   = 0xf4
	cborTrue    = 0xf5
	cborFloat32 = 0xfa
	cborFloat64 = 0xfb

	cborEpoch = 1 // the tag of a time in seconds
)

// cborHead appends an item's head: its major type and a number.
func cborHead(b []byte, major byte, n uint64) []byte {
	switch {
	case n < 24:
		return append(b, major|byte(n))
	case n <= math.MaxUint8:
		return append(b, major|24, byte(n))
	case n <= math.MaxUint16:
		return append(b, major|25, byte(n>>8), byte(n))
	case n <= math.MaxUint32:
		return append(b, major|26, byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
	}
	return append(b, major|27, byte(n>>56), byte(n>>48), byte(n>>40), byte(n>>32), byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
}

func cborString(b []byte, s string) []byte {
	return append(cborHead(b, cborText, uint64(len(s))), s...)
}

func cborInt(b []byte, n int64) []byte {
	if n < 0 {
		return cborHead(b, cborNint, uint64(-1-n))
	}
	return cborHead(b, cborUint, uint64(n))
}

func cborFloat(b []byte, f float64) []byte {
	n := math.Float64bits(f)
	return append(b, cborFloat64, byte(n>>56), byte(n>>48), byte(n>>40), byte(n>>32), byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
}

// cborTime appends a time: whole seconds as a number without a fraction.
func cborTime(b []byte, t time.Time) []byte {
	b = cborHead(b, cborTag, cborEpoch)
	if ms := t.UnixMilli(); ms%1000 != 0 {
		return cborFloat(b, float64(ms)/1000)
	}
	return cborInt(b, t.Unix())
}

// appendCBOR appends a value.
func appendCBOR(b []byte, v reflect.Value, s *shape) ([]byte, error) {
	v = deref(v)
	switch s.kind {
	case kindStructure:
		return cborStructure(b, v, s)
	case kindMap:
		return cborMapping(b, v, s)
	case kindList:
		b = cborHead(b, cborArray, uint64(v.Len()))
		for i := range v.Len() {
			var err error
			if b, err = appendCBOR(b, v.Index(i), s.elem); err != nil {
				return b, fmt.Errorf("[%d]: %w", i, err)
			}
		}
		return b, nil
	case kindString:
		return cborString(b, v.String()), nil
	case kindInteger:
		return cborInt(b, v.Int()), nil
	case kindFloat:
		if v.Type().Bits() == 32 {
			n := math.Float32bits(float32(v.Float()))
			return append(b, cborFloat32, byte(n>>24), byte(n>>16), byte(n>>8), byte(n)), nil
		}
		return cborFloat(b, v.Float()), nil
	case kindBoolean:
		if v.Bool() {
			return append(b, cborTrue), nil
		}
		return append(b, cborFalse), nil
	case kindBlob:
		return append(cborHead(b, cborBytes, uint64(v.Len())), v.Bytes()...), nil
	case kindTimestamp:
		return cborTime(b, *v.Addr().Interface().(*time.Time)), nil
	}
	return b, fmt.Errorf("a %s cannot travel in CBOR", v.Type())
}

func cborStructure(b []byte, v reflect.Value, s *shape) ([]byte, error) {
	present := 0
	for i := range s.fields {
		if !absent(v.Field(s.fields[i].index)) {
			present++
		}
	}
	b = cborHead(b, cborMap, uint64(present))
	for i := range s.fields {
		f := &s.fields[i]
		fv := v.Field(f.index)
		if absent(fv) {
			continue
		}
		var err error
		if b, err = appendCBOR(cborString(b, f.name), fv, f.shape); err != nil {
			return b, fmt.Errorf("%s: %w", f.name, err)
		}
	}
	return b, nil
}

func cborMapping(b []byte, v reflect.Value, s *shape) ([]byte, error) {
	b = cborHead(b, cborMap, uint64(v.Len()))
	for _, key := range sortedKeys(v) {
		var err error
		if b, err = appendCBOR(cborString(b, key.String()), addressable(v.MapIndex(key)), s.elem); err != nil {
			return b, fmt.Errorf("%s: %w", key, err)
		}
	}
	return b, nil
}

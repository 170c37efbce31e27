package protocol

import (
	"fmt"
	"math"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"
)

// Rule is what a model can ask of a value.
type Rule uint8

// The rules.
const (
	Required Rule = iota
	MinLength
	MaxLength
	MinValue
	MaxValue
	Pattern
	Enum
)

// Violation is one value that is not what its model asks for.
type Violation struct {
	// Path leads to the value in names on the wire, in camel case, with
	// "1.member" for the first item of a list:
	// "containerDefinitions.1.member.name".
	Path  string
	Query string // the member's own name in ec2Query input
	Null  bool   // there is no value
	Value string // as Java prints it: 'a', '[a, b]'
	Rule  Rule
	Want  string // the bound, the pattern, or the enum's values: "A, B"
	Item  bool   // the value is a list, one of whose items breaks the rule
}

// Validate checks an input, a pointer to a structure, against its model. It gives
// what is wrong in the order of the members; nil is well.
func Validate(in any) []Violation {
	v, s := structure(in)
	if !s.check {
		return nil
	}
	c := checker{}
	c.structure(v, s, "")
	return c.found
}

// bounds are the rules a field's tags state for one value.
type bounds struct {
	any      bool
	min, max *float64
	pattern  string
	regexp   func() *regexp.Regexp // compiled when first needed
	enum     []string
}

func parseBounds(tag reflect.StructTag, prefix string) bounds {
	var b bounds
	number := func(key string) *float64 {
		n, err := strconv.ParseFloat(tag.Get(prefix+key), 64)
		if err != nil {
			return nil
		}
		b.any = true
		return &n
	}
	b.min, b.max = number("min"), number("max")
	if b.pattern = tag.Get(prefix + "pattern"); b.pattern != "" {
		b.any = true
		b.regexp = sync.OnceValue(func() *regexp.Regexp {
			// A pattern is for the whole value. The generator leaves out those
			// that Go cannot compile; nil lets everything pass.
			re, _ := regexp.Compile(`^(?:` + b.pattern + `)$`)
			return re
		})
	}
	if values := tag.Get(prefix + "enum"); values != "" {
		b.any = true
		b.enum = strings.Split(values, "|")
	}
	return b
}

// checker collects what is wrong.
type checker struct {
	found []Violation
}

func (c *checker) structure(v reflect.Value, s *shape, path string) {
	for i := range s.fields {
		f := &s.fields[i]
		if !f.required && !f.own.any && !f.items.any && !f.shape.check {
			continue
		}
		fv := v.Field(f.index)
		if absent(fv) {
			if f.required {
				c.add(Violation{Path: join(path, f.name), Query: f.query, Null: true, Rule: Required})
			}
			continue
		}
		c.member(deref(fv), f, join(path, f.name))
	}
}

func join(path, name string) string {
	name = lowerFirst(name)
	if path == "" {
		return name
	}
	return path + "." + name
}

func (c *checker) add(v Violation) { c.found = append(c.found, v) }

func (c *checker) member(v reflect.Value, f *field, path string) {
	f.own.check(v, f.shape, func(r Rule, want string) {
		c.add(Violation{Path: path, Query: f.query, Value: javaString(v, f.shape), Rule: r, Want: want})
	})
	if f.items.any && f.shape.kind == kindList {
		c.items(v, f, path)
	}
	if f.shape.check {
		c.inside(v, f.shape, path)
	}
}

// items checks the strings or numbers of a list; AWS reports each broken rule
// once, about the list.
func (c *checker) items(v reflect.Value, f *field, path string) {
	var seen []Rule
	for i := range v.Len() {
		f.items.check(deref(v.Index(i)), f.shape.elem, func(r Rule, want string) {
			if !slices.Contains(seen, r) {
				seen = append(seen, r)
				c.add(Violation{Path: path, Query: f.query, Value: javaString(v, f.shape), Rule: r, Want: want, Item: true})
			}
		})
	}
}

// inside checks what a list, map or structure holds.
func (c *checker) inside(v reflect.Value, s *shape, path string) {
	switch s.kind {
	case kindStructure:
		c.structure(v, s, path)
	case kindList:
		for i := range v.Len() {
			c.inside(deref(v.Index(i)), s.elem, path+"."+strconv.Itoa(i+1)+".member")
		}
	case kindMap:
		for _, key := range sortedKeys(v) {
			c.inside(deref(v.MapIndex(key)), s.elem, path+"."+key.String()+".member")
		}
	}
}

// check reports the rules that v breaks.
func (b *bounds) check(v reflect.Value, s *shape, report func(Rule, string)) {
	if !b.any {
		return
	}
	low, high, size := MinLength, MaxLength, 0.0
	switch s.kind {
	case kindInteger:
		low, high, size = MinValue, MaxValue, float64(v.Int())
	case kindFloat:
		low, high, size = MinValue, MaxValue, v.Float()
	case kindString:
		size = float64(utf8.RuneCountInString(v.String()))
	case kindList, kindMap, kindBlob:
		size = float64(v.Len())
	default:
		return
	}
	if b.max != nil && !(size <= *b.max) {
		report(high, number(*b.max))
	}
	if b.min != nil && !(size >= *b.min) {
		report(low, number(*b.min))
	}
	if s.kind != kindString {
		return
	}
	if b.regexp != nil {
		if re := b.regexp(); re != nil && !re.MatchString(v.String()) {
			report(Pattern, b.pattern)
		}
	}
	if b.enum != nil && !slices.Contains(b.enum, v.String()) {
		report(Enum, strings.Join(b.enum, ", "))
	}
}

func number(n float64) string {
	if n == math.Trunc(n) && math.Abs(n) < 1e18 {
		return strconv.FormatInt(int64(n), 10)
	}
	return strconv.FormatFloat(n, 'f', -1, 64)
}

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
		return s.typ.Name()
	}
	return fmt.Sprint(v.Interface())
}

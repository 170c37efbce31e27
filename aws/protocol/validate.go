package protocol

import (
	"math"
	"reflect"
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
	// Items is all that the model asks of a list's items, one of which breaks the
	// rule: "Member must have length less than or equal to 3, Member must …".
	Items string
	// Secret is set if the value must not be shown.
	Secret bool
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
	regexp   func() *Expression // compiled when first needed
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
		b.regexp = sync.OnceValue(func() *Expression {
			re, err := CompilePattern(b.pattern)
			if err != nil {
				panic("protocol: " + err.Error()) // the generator lets none pass
			}
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
	f.own.check(v, f.shape, func(r Rule, want string) { c.add(f.violation(v, path, r, want)) })
	if f.items.any && f.shape.kind == kindList {
		c.items(v, f, path)
	}
	if f.shape.check {
		c.inside(v, f.shape, path)
	}
}

// violation is that of a rule by a member's value.
func (f *field) violation(v reflect.Value, path string, r Rule, want string) Violation {
	broken := Violation{Path: path, Query: f.query, Rule: r, Want: want, Secret: f.sensitive}
	if !f.sensitive {
		broken.Value = javaString(v, f.shape)
	}
	return broken
}

// items checks the strings or numbers of a list. AWS reports them once, about the
// list, with all that is asked of an item.
func (c *checker) items(v reflect.Value, f *field, path string) {
	var broken []Violation
	for i := range v.Len() {
		f.items.check(deref(v.Index(i)), f.shape.elem, func(r Rule, want string) {
			broken = append(broken, f.violation(v, path, r, want))
		})
		if broken != nil {
			broken[0].Items = f.items.demands(f.shape.elem)
			c.add(broken[0])
			return
		}
	}
}

// demands is all that is asked of a value, in the order in which AWS says it.
// Source: terraform-provider-aws, pull request 14782, of ACM's domain names.
func (b *bounds) demands(s *shape) string {
	low, high := MinLength, MaxLength
	if s.kind == kindInteger || s.kind == kindFloat {
		low, high = MinValue, MaxValue
	}
	var all []string
	say := func(r Rule, want string) { all = append(all, "Member "+demand(r, want)) }
	if b.max != nil {
		say(high, number(*b.max))
	}
	if b.min != nil {
		say(low, number(*b.min))
	}
	if b.pattern != "" {
		say(Pattern, b.pattern)
	}
	if b.enum != nil {
		say(Enum, strings.Join(b.enum, ", "))
	}
	return strings.Join(all, ", ")
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

// check reports the rules that v breaks, in the order in which AWS does: the pattern
// before the length, as recorded of EventBridge's CreateConnection.
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
	if b.regexp != nil && s.kind == kindString && !b.regexp().MatchString(v.String()) {
		report(Pattern, b.pattern)
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

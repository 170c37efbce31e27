package eventpattern

import (
	"maps"
	"slices"
)

// maxBranches is how many combinations the $or of a pattern may make.
// Source: EventBridge user guide, "Using Or in event patterns".
const maxBranches = 1000

// A Pattern is an event pattern that was compiled. It is read only.
type Pattern struct {
	branches []branch
}

// A branch is a way to match: all leaves do. $or makes several of one pattern.
type branch []leaf

// A leaf is what a pattern says of one field: one of the tests holds for its value.
type leaf struct {
	path   string // the names of the field and of those that it is in, with dots between
	tests  []test
	absent bool // it also matches when the field is absent
}

// A SyntaxError says why a pattern is none, in AWS's words.
type SyntaxError struct{ Reason string }

func (e *SyntaxError) Error() string { return e.Reason }

// Parse compiles a pattern. The error is a [*SyntaxError].
func Parse(text string) (p *Pattern, err error) {
	defer func() {
		if caught := recover(); caught != nil {
			failure, ours := caught.(syntaxError)
			if !ours {
				panic(caught)
			}
			p, err = nil, &SyntaxError{failure.reason}
		}
	}()
	c := compiler{scanner: &scanner{text: text}}
	if c.next() != startObject {
		c.fail("Filter is not an object")
	}
	c.object("", false)
	p = &Pattern{}
	for _, fields := range c.fields {
		b := branch{}
		for _, path := range slices.Sorted(maps.Keys(fields)) {
			b = append(b, fields[path])
		}
		p.branches = append(p.branches, b)
	}
	return p, p.checkComplexity()
}

// A compiler reads a pattern. Its fields are the branches as far as they are known, of
// which each has a leaf by path: the last one that the pattern has for it, as in
// event-ruler.
type compiler struct {
	*scanner
	fields []map[string]leaf
}

// reservedInOr are the names that no field may have inside of $or.
// Source: github.com/aws/event-ruler, Constants.
var reservedInOr = []string{
	"exactly", "equals-ignore-case", "prefix", "suffix", "anything-but", "exists", "wildcard", "numeric", "cidr",
	"=", "<", "<=", ">", ">=", "regex", "not-wildcard", "not-equals-ignore-case", "date-after", "date-on-or-after",
	"date-before", "date-on-or-before", "in-date-range", "ip-address-in-range", "ip-address-not-in-range",
}

// object reads the fields of an object that has begun.
func (c *compiler) object(path string, inOr bool) {
	empty := true
	for c.next() != endObject {
		empty = false
		name := c.name
		if name == "$or" {
			c.or(path)
			continue
		}
		if inOr && slices.Contains(reservedInOr, name) {
			c.fail("%s is Ruler reserved fieldName which cannot be used inside $or.", name)
		}
		switch c.next() {
		case startObject:
			c.object(join(path, name), inOr)
		case startArray:
			c.leaf(join(path, name))
		default:
			c.fail(`"%s" must be an object or an array`, name)
		}
	}
	if empty {
		c.fail("Empty objects are not allowed")
	}
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// or reads the value of $or: every branch so far goes on in each of its objects.
func (c *compiler) or(path string) {
	if c.next() != startArray {
		c.fail("It must be an Array followed with $or.")
	}
	before := c.fields
	if len(before) == 0 {
		before = []map[string]leaf{{}}
	}
	var after []map[string]leaf
	objects := 0
	for t := c.next(); t != endArray; t = c.next() {
		if t != startObject {
			c.fail("Only JSON object is allowed in array of $or relationship.")
		}
		objects++
		c.fields = nil
		for _, fields := range before {
			c.fields = append(c.fields, maps.Clone(fields))
		}
		c.object(path, true)
		if after = append(after, c.fields...); len(after) > maxBranches {
			c.fail("Fargo takes at most %d combinations of $or", maxBranches)
		}
	}
	if objects < 2 {
		c.fail("There must have at least 2 Objects in $or relationship.")
	}
	c.fields = after
}

// leaf reads the values of a field, whose array has begun.
func (c *compiler) leaf(path string) {
	l := leaf{path: path}
	for t := c.next(); t != endArray; t = c.next() {
		switch t {
		case startObject:
			c.expression(&l)
		case stringValue:
			l.tests = append(l.tests, equalText(c.valueText(t)))
		case numberValue:
			l.tests = append(l.tests, equalNumber(c.valueText(t)))
		case trueValue, falseValue, nullValue:
			l.tests = append(l.tests, literal(t))
		default:
			c.fail("Match value must be String, number, true, false, or null")
		}
	}
	if len(l.tests) == 0 && !l.absent {
		c.fail("Empty arrays are not allowed")
	}
	if len(c.fields) == 0 {
		c.fields = []map[string]leaf{{}}
	}
	for _, fields := range c.fields {
		fields[path] = l
	}
}

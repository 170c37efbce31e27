package eventpattern

import "errors"

const (
	equalsIgnoreCase = "equals-ignore-case"
	oneKey           = "Only one key allowed in match expression"
	tooManyElements  = "Too many elements in numeric expression"
)

// expression reads an object that says how values match.
func (c *compiler) expression(l *leaf) {
	if c.next() != fieldName {
		c.fail("Match expression name not found")
	}
	var x test
	switch name := c.name; name {
	case "exactly":
		x = equalText(c.text1("exact"))
	case "prefix", "suffix":
		x = c.affix(name == "suffix")
	case "numeric":
		if c.next() != startArray {
			c.fail("Value of numeric must be an array.")
		}
		x = c.numeric()
		c.end(tooManyElements)
	case "anything-but":
		x = c.anythingBut()
	case "exists":
		switch c.next() {
		case trueValue:
			x = exists{}
		case falseValue:
			l.absent = true
		default:
			c.fail("exists match pattern must be either true or false.")
		}
		c.end(oneKey)
	case "cidr":
		text := c.stringAfter(c.next(), "prefix match pattern must be a string")
		prefix, err := parseCIDR(text)
		if err != nil {
			panic(syntaxError{err.Error()}) // without a place, as recorded
		}
		x = prefix
		c.end(oneKey)
	case equalsIgnoreCase:
		x = equalFold(c.text1(equalsIgnoreCase))
	case "wildcard":
		x = c.wildcard(c.stringAfter(c.next(), "wildcard match pattern must be a string"))
		c.end(oneKey)
	default:
		c.fail("Unrecognized match type %s", name)
	}
	if x != nil {
		l.tests = append(l.tests, x)
	}
}

// end reads the end of an object.
func (c *compiler) end(otherwise string) {
	if c.next() != endObject {
		c.fail("%s", otherwise)
	}
}

// stringAfter is the text of a token that must be a string.
func (c *compiler) stringAfter(t token, otherwise string) string {
	if t != stringValue {
		c.fail("%s", otherwise)
	}
	return c.valueText(t)
}

// text1 reads a string and the end of the object that it is in.
func (c *compiler) text1(kind string) string {
	text := c.stringAfter(c.next(), kind+" match pattern must be a string")
	c.end(oneKey)
	return text
}

// affix reads the value of prefix or suffix: a string, or an object that says to ignore
// its case.
func (c *compiler) affix(suffix bool) test {
	kind, title := "prefix", "Prefix"
	if suffix {
		kind, title = "suffix", "Suffix"
	}
	t := c.next()
	if t != startObject {
		text := c.stringAfter(t, kind+" match pattern must be a string")
		c.end(oneKey)
		return affix{text, suffix, false}
	}
	if c.next() != fieldName {
		c.fail("%s expression name not found", title)
	}
	if c.name != equalsIgnoreCase {
		c.fail("Unsupported %s pattern: %s", kind, c.name)
	}
	text := c.text1(equalsIgnoreCase)
	c.end(oneKey)
	return affix{text, suffix, true}
}

func (c *compiler) wildcard(text string) wildcard {
	w, err := parseWildcard(text)
	if err != nil {
		c.fail("%s", err)
	}
	return w
}

// number is the number that was just read.
func (c *compiler) number() float64 {
	n, ok := comparableNumber(c.value)
	if !ok {
		panic(syntaxError{"Cannot compare number : " + c.value})
	}
	return n
}

// numeric reads the array of numeric behind its opening bracket.
func (c *compiler) numeric() test {
	if t := c.next(); t != stringValue {
		c.fail("Invalid member in numeric match: %s", c.valueText(t))
	}
	operator := c.valueText(stringValue)
	t := c.next()
	r := everyNumber()
	switch operator {
	case "=", ">=", ">", "<=", "<":
		if t != numberValue {
			if operator == "=" {
				operator = "equals"
			}
			c.fail("Value of %s must be numeric", operator)
		}
		n := c.located(c.number)
		r.limit(operator, n)
		t = c.next()
	default:
		c.fail("Unrecognized numeric range operator: %s", operator)
	}
	if t == endArray {
		return r
	}
	if operator != ">" && operator != ">=" {
		c.fail(tooManyElements)
	}
	c.numericTop(t, &r)
	return r
}

// numericTop reads the upper bound of a range.
func (c *compiler) numericTop(t token, r *numberRange) {
	if t != stringValue {
		c.fail("Bad value in numeric range: %s", c.valueText(t))
	}
	operator := c.valueText(t)
	if operator != "<" && operator != "<=" {
		c.fail("Bad numeric range operator: %s", operator)
	}
	if c.next() != numberValue {
		c.fail("Value of %s must be numeric", operator)
	}
	r.limit(operator, c.located(c.number))
	if c.next() != endArray {
		c.fail("Too many terms in numeric range expression")
	}
	if r.low >= r.high {
		c.fail("Bottom must be less than top")
	}
}

// located calls fn, and adds the place that was reached to the reason if it fails.
func (c *compiler) located(fn func() float64) float64 {
	defer c.addLocation()
	return fn()
}

// addLocation adds the place that was reached to the reason of a panic. event-ruler
// does it for lists, so that reasons have the place twice there.
func (c *compiler) addLocation() {
	if caught := recover(); caught != nil {
		if failure, ours := caught.(syntaxError); ours {
			c.fail("%s", failure.reason)
		}
		panic(caught)
	}
}

// anythingBut reads what follows that name, up to the end of the object it is in.
func (c *compiler) anythingBut() test {
	t, kind := c.next(), ""
	if t == startObject {
		if c.next() != fieldName {
			c.fail("Anything-But expression name not found")
		}
		kind = c.name
		switch kind {
		case equalsIgnoreCase, "prefix", "suffix", "wildcard":
		default:
			c.fail("Unsupported anything-but pattern: %s", kind)
		}
		t = c.next()
	}
	x := anythingBut{}
	switch t {
	case startArray:
		x = c.anythingButList(kind)
	case stringValue, numberValue:
		x = append(x, c.excluded(kind, t))
	default:
		c.fail("Value of anything-but must be an array or single string/number value.")
	}
	c.end(tooManyElements)
	if kind != "" {
		c.end(tooManyElements)
	}
	return x
}

// anythingButList reads the list of what is excluded behind its opening bracket.
func (c *compiler) anythingButList(kind string) (x anythingBut) {
	strings, numbers := false, false
	func() {
		defer c.addLocation()
		for t := c.next(); t != endArray; t = c.next() {
			strings, numbers = strings || t == stringValue, numbers || t == numberValue
			x = append(x, c.excluded(kind, t))
		}
	}()
	if strings == numbers {
		c.fail("Inside anything but list, either all values are number or string, mixed type is not supported")
	}
	return x
}

// excluded reads a value of anything-but.
func (c *compiler) excluded(kind string, t token) test {
	if kind == "" {
		switch t {
		case stringValue:
			return equalText(c.valueText(t))
		case numberValue:
			return equalNumberOnly(c.number())
		}
		c.fail("Inside anything but list, start|null|boolean is not supported.")
	}
	if kind == equalsIgnoreCase {
		return equalFold(c.stringAfter(t, "Inside anything-but/equals-ignore-case list, number|start|null|boolean is not supported."))
	}
	if kind == "wildcard" {
		return c.wildcard(c.stringAfter(t, "wildcard match pattern must be a string"))
	}
	text := c.stringAfter(t, "prefix/suffix match pattern must be a string")
	if text == "" {
		c.fail("Null prefix/suffix not allowed")
	}
	return affix{text, kind == "suffix", false}
}

var errCIDR = errors.New("Malformed CIDR, one '/' required")

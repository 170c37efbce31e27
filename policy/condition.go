package policy

import (
	"cmp"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
)

// operator is a condition operator. has compares a value of the policy, with its
// variables expanded and its wildcards marked, with a value of the request.
type operator struct {
	has      func(marked, value string) bool
	negated  bool
	quantity string // "ForAnyValue", "ForAllValues" or none
	ifExists bool
	null     bool
}

// Source: IAM user guide, "IAM JSON policy elements: Condition operators".
var comparisons = map[string]func(string, string) bool{
	"StringEquals":             func(p, v string) bool { return plain(p) == v },
	"StringEqualsIgnoreCase":   func(p, v string) bool { return strings.EqualFold(plain(p), v) },
	"StringLike":               func(p, v string) bool { return match(p, v) },
	"NumericEquals":            number(func(c int) bool { return c == 0 }),
	"NumericLessThan":          number(func(c int) bool { return c < 0 }),
	"NumericLessThanEquals":    number(func(c int) bool { return c <= 0 }),
	"NumericGreaterThan":       number(func(c int) bool { return c > 0 }),
	"NumericGreaterThanEquals": number(func(c int) bool { return c >= 0 }),
	"DateEquals":               date(func(c int) bool { return c == 0 }),
	"DateLessThan":             date(func(c int) bool { return c < 0 }),
	"DateLessThanEquals":       date(func(c int) bool { return c <= 0 }),
	"DateGreaterThan":          date(func(c int) bool { return c > 0 }),
	"DateGreaterThanEquals":    date(func(c int) bool { return c >= 0 }),
	"Bool":                     func(p, v string) bool { return strings.EqualFold(plain(p), v) },
	"BinaryEquals":             func(p, v string) bool { return plain(p) == v },
	"IpAddress":                inNetwork,
	"ArnEquals":                arnLike,
	"ArnLike":                  arnLike,
}

// negations are the operators that are true when their opposite is false.
var negations = map[string]string{
	"StringNotEquals": "StringEquals", "StringNotEqualsIgnoreCase": "StringEqualsIgnoreCase",
	"StringNotLike": "StringLike", "NumericNotEquals": "NumericEquals", "DateNotEquals": "DateEquals",
	"NotIpAddress": "IpAddress", "ArnNotEquals": "ArnEquals", "ArnNotLike": "ArnLike",
}

// operatorOf parses an operator's name: "ForAnyValue:StringLikeIfExists".
func operatorOf(name string) (o operator, ok bool) {
	if q, rest, found := strings.Cut(name, ":"); found {
		if q != "ForAnyValue" && q != "ForAllValues" {
			return o, false
		}
		o.quantity, name = q, rest
	}
	if name == "Null" {
		o.null = true
		return o, true
	}
	name, o.ifExists = strings.CutSuffix(name, "IfExists")
	if positive, found := negations[name]; found {
		o.negated, name = true, positive
	}
	o.has, ok = comparisons[name]
	return o, ok
}

// condition is a condition prepared for evaluation.
type condition struct {
	operator
	key    string // in lower case
	values []pattern
}

// compile prepares a condition. Parse has refused unknown operators.
func (c Condition) compile(hasVariables bool) condition {
	o, _ := operatorOf(c.Operator)
	return condition{o, strings.ToLower(c.Key), compileAll(c.Values, hasVariables)}
}

// holds reports whether the request fulfils a condition. For the operators of sets, a
// lone empty text is no value.
func (c *condition) holds(r *Request) bool {
	values := r.values(c.key)
	has := func(v string) bool { return c.compare(v, r) }
	if c.quantity != "" && len(values) == 1 && values[0] == "" {
		values = nil
	}
	switch {
	case c.null:
		return slices.ContainsFunc(c.values, func(v pattern) bool { return strings.EqualFold(v.text, strconv.FormatBool(len(values) == 0)) })
	case len(values) == 0 && c.ifExists:
		return true
	case c.quantity == "ForAnyValue":
		return slices.ContainsFunc(values, has)
	case c.quantity == "ForAllValues":
		return all(values, has)
	case len(values) == 0:
		return c.negated
	case c.negated:
		return all(values, has)
	}
	return slices.ContainsFunc(values, has)
}

func all(values []string, has func(string) bool) bool {
	for _, v := range values {
		if !has(v) {
			return false
		}
	}
	return true
}

// compare compares one value of the request with all values of the condition: one
// must match, or none if the operator is negated.
func (c *condition) compare(value string, r *Request) bool {
	for i := range c.values {
		marked, ok := c.values[i].marked(r)
		if ok && c.has(marked, value) {
			return !c.negated
		}
	}
	return c.negated
}

// plain is a marked text as it was written, for operators without wildcards.
func plain(marked string) string {
	if strings.IndexByte(marked, anyRun) < 0 && strings.IndexByte(marked, anyOne) < 0 {
		return marked
	}
	return unmark.Replace(marked)
}

func number(keep func(int) bool) func(p, v string) bool {
	return func(p, v string) bool {
		want, err1 := strconv.ParseFloat(plain(p), 64)
		have, err2 := strconv.ParseFloat(v, 64)
		return err1 == nil && err2 == nil && keep(cmp.Compare(have, want))
	}
}

func date(keep func(int) bool) func(p, v string) bool {
	return func(p, v string) bool {
		want, ok1 := parseDate(plain(p))
		have, ok2 := parseDate(v)
		return ok1 && ok2 && keep(have.Compare(want))
	}
}

// parseDate reads ISO 8601 or seconds since the epoch.
func parseDate(s string) (time.Time, bool) {
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04Z07:00", "2006-01-02"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t, true
		}
	}
	seconds, err := strconv.ParseInt(s, 10, 64)
	return time.Unix(seconds, 0), err == nil
}

func inNetwork(p, v string) bool {
	address, err := netip.ParseAddr(v)
	if err != nil {
		return false
	}
	if network, err := netip.ParsePrefix(plain(p)); err == nil {
		return network.Contains(address)
	}
	one, err := netip.ParseAddr(plain(p))
	return err == nil && one == address
}

// arnLike compares part by part: wildcards do not reach across the first five
// colons. A lone "*" is any ARN.
func arnLike(p, v string) bool {
	if p == string([]byte{anyRun}) {
		return true
	}
	for range 5 {
		want, restOfP, ok1 := strings.Cut(p, ":")
		have, restOfV, ok2 := strings.Cut(v, ":")
		if !ok1 || !ok2 || !match(want, have) {
			return false
		}
		p, v = restOfP, restOfV
	}
	return match(p, v)
}

package policy

import (
	"cmp"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
)

// operator is one way to compare: has tells whether a value of the request is
// what the pattern, a value of the policy with variables expanded, says.
type operator struct {
	has      func(pattern []rune, value string) bool
	negated  bool
	quantity string // "ForAnyValue", "ForAllValues" or none
	ifExists bool
	null     bool
}

// Source: IAM user guide, "IAM JSON policy elements: Condition operators".
var comparisons = map[string]func([]rune, string) bool{
	"StringEquals":             func(p []rune, v string) bool { return plain(p) == v },
	"StringEqualsIgnoreCase":   func(p []rune, v string) bool { return strings.EqualFold(plain(p), v) },
	"StringLike":               func(p []rune, v string) bool { return matchGlob(p, []rune(v)) },
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
	"Bool":                     func(p []rune, v string) bool { return strings.EqualFold(plain(p), v) },
	"BinaryEquals":             func(p []rune, v string) bool { return plain(p) == v },
	"IpAddress":                inNetwork,
	"ArnEquals":                arnLike,
	"ArnLike":                  arnLike,
}

// negations are the operators that hold when their opposite does not.
var negations = map[string]string{
	"StringNotEquals": "StringEquals", "StringNotEqualsIgnoreCase": "StringEqualsIgnoreCase",
	"StringNotLike": "StringLike", "NumericNotEquals": "NumericEquals", "DateNotEquals": "DateEquals",
	"NotIpAddress": "IpAddress", "ArnNotEquals": "ArnEquals", "ArnNotLike": "ArnLike",
}

// operatorOf takes an operator's name apart: "ForAnyValue:StringLikeIfExists".
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

// holds reports whether the request fulfils a condition.
func (d Document) holds(c Condition, r Request) bool {
	o, ok := operatorOf(c.Operator)
	if !ok {
		return false
	}
	values := r.values(c.Key)
	switch {
	case o.null:
		return len(c.Values) == 1 && strings.EqualFold(c.Values[0], strconv.FormatBool(len(values) == 0))
	case o.quantity == "ForAnyValue":
		return slices.ContainsFunc(values, func(v string) bool { return d.compare(o, c, v, r) })
	case o.quantity == "ForAllValues":
		return !slices.ContainsFunc(values, func(v string) bool { return !d.compare(o, c, v, r) })
	case len(values) == 0:
		return o.negated || o.ifExists
	case o.negated:
		return !slices.ContainsFunc(values, func(v string) bool { return !d.compare(o, c, v, r) })
	}
	return slices.ContainsFunc(values, func(v string) bool { return d.compare(o, c, v, r) })
}

// compare sets one value of the request against all values of the condition:
// one must match, or none when the operator is negated.
func (d Document) compare(o operator, c Condition, value string, r Request) bool {
	for _, v := range c.Values {
		pattern, ok := d.expand(v, r)
		if ok && o.has(pattern, value) {
			return !o.negated
		}
	}
	return o.negated
}

// plain is a pattern as text, for operators without wildcards.
func plain(p []rune) string {
	out := make([]rune, len(p))
	for i, r := range p {
		switch r {
		case anyRun:
			r = '*'
		case anyOne:
			r = '?'
		}
		out[i] = r
	}
	return string(out)
}

func number(keep func(int) bool) func([]rune, string) bool {
	return func(p []rune, v string) bool {
		want, err1 := strconv.ParseFloat(plain(p), 64)
		have, err2 := strconv.ParseFloat(v, 64)
		return err1 == nil && err2 == nil && keep(cmp.Compare(have, want))
	}
}

func date(keep func(int) bool) func([]rune, string) bool {
	return func(p []rune, v string) bool {
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

func inNetwork(p []rune, v string) bool {
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
func arnLike(p []rune, v string) bool {
	if slices.Equal(p, []rune{anyRun}) {
		return true
	}
	parts := strings.SplitN(v, ":", 6)
	if len(parts) != 6 {
		return false
	}
	for i, part := range parts {
		want := p
		if i < 5 {
			colon := slices.Index(p, ':')
			if colon < 0 {
				return false
			}
			want, p = p[:colon], p[colon+1:]
		}
		if !matchGlob(want, []rune(part)) {
			return false
		}
	}
	return true
}

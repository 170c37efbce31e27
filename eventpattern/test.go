package eventpattern

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"net/netip"
	"strconv"
	"strings"
)

// A value is one that a field of an event has.
type value struct {
	kind   token // stringValue, numberValue, trueValue, falseValue or nullValue
	text   string
	number float64 // NaN when it is too large to be one
}

// A test says whether a value matches.
type test interface {
	matches(v value) bool
}

// exact is a string.
type exact string

func (x exact) matches(v value) bool { return v.kind == stringValue && v.text == string(x) }

// address is an IP address: it matches however it is written.
type address struct{ netip.Addr }

func (x address) matches(v value) bool {
	if v.kind != stringValue {
		return false
	}
	a, err := netip.ParseAddr(v.text)
	return err == nil && a == x.Addr
}

func equalText(text string) test {
	if a, err := netip.ParseAddr(text); err == nil && a.Zone() == "" {
		return address{a}
	}
	return exact(text)
}

// exactNumber is a number: by its value, if that can be compared, or as it is written.
type exactNumber struct {
	text   string
	number float64 // NaN when it cannot be compared
}

func (x exactNumber) matches(v value) bool {
	return v.kind == numberValue && (v.number == x.number || v.text == x.text)
}

func equalNumber(text string) test {
	n, ok := comparableNumber(text)
	if !ok {
		n = math.NaN()
	}
	return exactNumber{text, n}
}

func equalNumberOnly(n float64) test { return exactNumber{number: n} }

// comparableNumber is the number that a text stands for, unless it has more digits than can be
// compared: those of a float64.
// Source: github.com/aws/event-ruler, ComparableNumber.
func comparableNumber(text string) (float64, bool) {
	n, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return 0, false // too large
	}
	if n == 0 {
		mantissa, _, _ := strings.Cut(strings.ToLower(text), "e")
		return 0, !strings.ContainsAny(mantissa, "123456789") // too small otherwise
	}
	if len(text) > 1024 { // more digits than a float64 ever has
		return 0, false
	}
	written, ok := new(big.Rat).SetString(text)
	if !ok {
		return 0, false
	}
	shortest, ok := new(big.Rat).SetString(strconv.FormatFloat(n, 'g', -1, 64))
	return n, ok && written.Cmp(shortest) == 0
}

// literal is true, false or null.
type literal token

func (x literal) matches(v value) bool { return v.kind == token(x) }

// exists matches every value.
type exists struct{}

func (exists) matches(value) bool { return true }

// affix is what strings begin or end with.
type affix struct {
	text   string
	suffix bool
	fold   bool // letters match in either case
}

func (x affix) matches(v value) bool {
	if v.kind != stringValue {
		return false
	}
	if !x.fold {
		if x.suffix {
			return strings.HasSuffix(v.text, x.text)
		}
		return strings.HasPrefix(v.text, x.text)
	}
	text, want := []rune(v.text), []rune(x.text)
	if len(text) < len(want) {
		return false
	}
	if x.suffix {
		return strings.EqualFold(string(text[len(text)-len(want):]), x.text)
	}
	return strings.EqualFold(string(text[:len(want)]), x.text)
}

// equalFold is a string whose letters match in either case.
type equalFold string

func (x equalFold) matches(v value) bool {
	return v.kind == stringValue && strings.EqualFold(v.text, string(x))
}

// anythingBut matches what none of its tests does.
type anythingBut []test

func (x anythingBut) matches(v value) bool {
	for _, t := range x {
		if t.matches(v) {
			return false
		}
	}
	return true
}

// numberRange are the numbers between two, of which either may be in it.
type numberRange struct {
	low, high         float64
	openLow, openHigh bool
}

func everyNumber() numberRange { return numberRange{low: math.Inf(-1), high: math.Inf(1)} }

// limit takes a comparison into account.
func (r *numberRange) limit(operator string, n float64) {
	switch operator {
	case "=":
		r.low, r.high = n, n
	case ">", ">=":
		r.low, r.openLow = n, operator == ">"
	case "<", "<=":
		r.high, r.openHigh = n, operator == "<"
	}
}

func (r numberRange) matches(v value) bool {
	if v.kind != numberValue || math.IsNaN(v.number) {
		return false
	}
	return (v.number > r.low || v.number == r.low && !r.openLow) && (v.number < r.high || v.number == r.high && !r.openHigh)
}

// cidr are the addresses of a network.
type cidr struct{ netip.Prefix }

func (x cidr) matches(v value) bool {
	if v.kind != stringValue {
		return false
	}
	a, err := netip.ParseAddr(v.text)
	return err == nil && x.Contains(a)
}

// parseCIDR reads a network. Its errors are event-ruler's (CIDR).
func parseCIDR(text string) (cidr, error) {
	ip, mask, slash := strings.Cut(text, "/")
	if !slash || mask == "" || strings.Contains(mask, "/") {
		return cidr{}, errCIDR
	}
	bits, err := strconv.Atoi(mask)
	if err != nil {
		return cidr{}, errors.New("Malformed CIDR, mask bits must be an integer")
	}
	if bits < 0 {
		return cidr{}, errors.New("Malformed CIDR, mask bits must not be negative")
	}
	a, err := netip.ParseAddr(ip)
	switch {
	case err != nil && strings.Trim(ip, "0123456789.") == "" && strings.Count(ip, ".") == 3:
		return cidr{}, fmt.Errorf("Invalid IP address: %s", ip)
	case err != nil && strings.Trim(ip, "0123456789abcdefABCDEF:") == "" && strings.Contains(ip, ":"):
		return cidr{}, fmt.Errorf("Invalid IP address: %s", ip)
	case err != nil || a.Zone() != "":
		return cidr{}, fmt.Errorf("Nonstandard IP address: %s", ip)
	case a.Is4() && bits > 31:
		return cidr{}, errors.New("IPv4 mask bits must be < 32")
	case bits > 127:
		return cidr{}, errors.New("IPv6 mask bits must be < 128")
	}
	p, err := a.Prefix(bits)
	return cidr{p}, err
}

package policy

import (
	"regexp"
	"strconv"
	"strings"
)

// isoDate is what the older parser takes for a date of ISO 8601: a year, and as much
// more as there is.
var isoDate = regexp.MustCompile(`(?i)^(-?\d{1,9})(-(0?[1-9]|1[0-2])(-(0?[1-9]|[12]\d|3[01]))?)?` +
	`(t(([01]?\d|2[0-3])(:[0-5]?\d(:[0-5]?\d(\.\d{1,9})?)?)?(z|[+-]([01]\d|2[0-3])(:[0-5]\d)?)?)?)?$`)

// The years that the older parser can tell: those of a count of milliseconds in 64
// bits.
const (
	firstYear = -292275054
	lastYear  = 292278993
)

// hasBadDate reports whether a condition compares with what is no date.
func (d Document) hasBadDate() bool {
	for _, s := range d.Statements {
		for _, c := range s.Conditions {
			if !comparesDates(c.Operator) {
				continue
			}
			for _, v := range c.Values {
				if !isDate(v) {
					return true
				}
			}
		}
	}
	return false
}

func comparesDates(operator string) bool {
	if _, name, found := strings.Cut(operator, ":"); found {
		operator = name
	}
	return strings.HasPrefix(operator, "Date")
}

// isDate reports whether a text is a date, seconds since the epoch, or has a
// variable in it.
func isDate(s string) bool {
	if strings.Contains(s, "${") {
		return true
	}
	if !strings.ContainsAny(s, "tT-") {
		seconds, err := strconv.ParseInt(s, 10, 64)
		return err == nil && seconds >= 0
	}
	parts := isoDate.FindStringSubmatch(s)
	if parts == nil {
		return false
	}
	year, err := strconv.Atoi(parts[1])
	return err == nil && year >= firstYear && year <= lastYear
}

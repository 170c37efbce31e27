package schedule

import (
	"strconv"
	"strings"
)

// A domain are the values of a field of a cron expression.
type domain struct {
	low, high int
	names     []string // of the values from low
}

var (
	minuteDomain     = domain{low: 0, high: 59}
	hourDomain       = domain{low: 0, high: 23}
	dayOfMonthDomain = domain{low: 1, high: 31}
	monthDomain      = domain{1, 12, []string{"JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"}}
	dayOfWeekDomain  = domain{1, 7, []string{"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"}}
	yearDomain       = domain{low: firstYear, high: lastYear}
)

// parseCron reads what is in the parentheses of cron(…).
// Source: EventBridge user guide, "Cron expressions", whose rules are Quartz's.
func parseCron(text string) (*cron, error) {
	fields := strings.Split(strings.ToUpper(text), " ")
	if len(fields) != 6 {
		return nil, ErrInvalid
	}
	c, ok := &cron{}, true
	read := func(to *set, d domain, field string) {
		s, valid := d.set(field)
		*to, ok = s, ok && valid
	}
	read(&c.minutes, minuteDomain, fields[0])
	read(&c.hours, hourDomain, fields[1])
	read(&c.months, monthDomain, fields[3])
	years, valid := yearDomain.set(fields[5])
	c.years, ok = years, ok && valid
	daysOfMonth, daysOfWeek := fields[2], fields[4]
	if !ok || (daysOfMonth == "?") == (daysOfWeek == "?") {
		return nil, ErrInvalid
	}
	if daysOfMonth == "?" {
		c.dayOfWeek, ok = parseDayOfWeek(daysOfWeek)
	} else {
		c.dayOfMonth, ok = parseDayOfMonth(daysOfMonth)
	}
	if !ok {
		return nil, ErrInvalid
	}
	return c, nil
}

// set reads a list of values, ranges and steps. Bits of years count from firstYear. A
// range whose end is before its beginning goes on from the lowest value, as in Quartz,
// but for years.
func (d domain) set(field string) (s set, ok bool) {
	for part := range strings.SplitSeq(field, ",") {
		low, high, step, ok := d.part(part)
		if !ok || high < low && d.low == firstYear {
			return s, false
		}
		if high < low {
			high += d.high - d.low + 1
		}
		for n := low; n <= high; n += step {
			s.add(d.bit(n))
		}
	}
	return s, true
}

// bit is the bit of a value, which may be one round further.
func (d domain) bit(n int) int {
	if n > d.high {
		n -= d.high - d.low + 1
	}
	if d.low == firstYear {
		return n - firstYear
	}
	return n
}

// part reads one value, range or step.
func (d domain) part(part string) (low, high, step int, ok bool) {
	values, every, stepped := strings.Cut(part, "/")
	step = 1
	if stepped {
		n, err := strconv.Atoi(every)
		if err != nil || n < 1 || n > d.high-d.low+1 || every[0] == '+' {
			return 0, 0, 0, false
		}
		step = n
	}
	if values == "*" {
		return d.low, d.high, step, true
	}
	from, to, isRange := strings.Cut(values, "-")
	low, ok = d.value(from)
	if !ok {
		return 0, 0, 0, false
	}
	switch {
	case isRange:
		high, ok = d.value(to)
	case stepped:
		high = d.high
	default:
		high = low
	}
	return low, high, step, ok
}

// value reads a number or a name.
func (d domain) value(text string) (int, bool) {
	for i, name := range d.names {
		if text == name {
			return d.low + i, true
		}
	}
	if text == "" || strings.Trim(text, "0123456789") != "" || len(text) > 4 {
		return 0, false
	}
	n, err := strconv.Atoi(text)
	return n, err == nil && d.low <= n && n <= d.high
}

// parseDayOfMonth reads days of a month: a list, L, LW, or a day and W.
func parseDayOfMonth(field string) (d dayOfMonth, ok bool) {
	switch {
	case field == "L":
		return dayOfMonth{last: true}, true
	case field == "LW":
		return dayOfMonth{last: true, nearest: true}, true
	case strings.HasSuffix(field, "W"):
		d.nearest = true
		d.weekday, ok = dayOfMonthDomain.value(strings.TrimSuffix(field, "W"))
		return d, ok
	}
	d.days, ok = dayOfMonthDomain.set(field)
	return d, ok
}

// parseDayOfWeek reads days of a week: a list, L for Saturday, a day and L, or a day, #
// and a number.
func parseDayOfWeek(field string) (d dayOfWeek, ok bool) {
	d.given = true
	day, nth, numbered := strings.Cut(field, "#")
	switch {
	case numbered:
		d.nth, ok = domain{low: 1, high: 5}.value(nth)
	case field == "L":
		day, ok = "SAT", true
	case strings.HasSuffix(field, "L"):
		day, d.last, ok = strings.TrimSuffix(field, "L"), true, true
	default:
		d.days, ok = dayOfWeekDomain.set(field)
		return d, ok
	}
	n, valid := dayOfWeekDomain.value(day)
	d.days.add(n)
	return d, ok && valid
}

package schedule

import "time"

// A cron is a cron expression: minutes, hours, days of the month, months, days of the
// week and years. Each set has a bit for each value.
type cron struct {
	minutes, hours, months set
	dayOfMonth             dayOfMonth // the zero value when dayOfWeek says which days
	dayOfWeek              dayOfWeek
	years                  set // from firstYear
}

// The years of cron expressions. Source: EventBridge user guide, "Cron expressions".
const (
	firstYear = 1970
	lastYear  = 2199
)

// A set is one of small numbers.
type set [4]uint64

func (s *set) add(n int)      { s[n/64] |= 1 << (n % 64) }
func (s *set) has(n int) bool { return s[n/64]&(1<<(n%64)) != 0 }

// dayOfMonth are days of a month.
type dayOfMonth struct {
	days    set
	last    bool // L: the last day
	nearest bool // W: the day from Monday to Friday that is next to weekday, or to the last day
	weekday int
}

func (d *dayOfMonth) has(day time.Time) bool {
	if !d.last && !d.nearest {
		return d.days.has(day.Day())
	}
	lastDay := time.Date(day.Year(), day.Month()+1, 0, 0, 0, 0, 0, time.UTC).Day()
	want := d.weekday
	if d.last {
		want = lastDay
	}
	if d.nearest && want <= lastDay {
		want = nearestWeekday(day, want, lastDay)
	}
	return day.Day() == want
}

// nearestWeekday is the day from Monday to Friday that is next to a day of the month,
// in the same month.
func nearestWeekday(month time.Time, day, lastDay int) int {
	switch time.Date(month.Year(), month.Month(), day, 0, 0, 0, 0, time.UTC).Weekday() {
	case time.Saturday:
		if day == 1 {
			return 3
		}
		return day - 1
	case time.Sunday:
		if day == lastDay {
			return day - 2
		}
		return day + 1
	}
	return day
}

// dayOfWeek are days of a week, Sunday being 1.
type dayOfWeek struct {
	given bool
	days  set
	last  bool // nL: the last one of the month
	nth   int  // n#m: the mth one of the month; 0 for every one
}

func (d *dayOfWeek) has(day time.Time) bool {
	if !d.days.has(int(day.Weekday()) + 1) {
		return false
	}
	if d.last {
		return day.AddDate(0, 0, 7).Month() != day.Month()
	}
	return d.nth == 0 || (day.Day()-1)/7+1 == d.nth
}

// on reports whether the expression is due on a day at all.
func (c *cron) on(day time.Time) bool {
	if c.dayOfWeek.given {
		return c.dayOfWeek.has(day)
	}
	return c.dayOfMonth.has(day)
}

// next is the first time after a time that the expression has, in a zone. Days and
// clock times are written as if they were UTC.
func (c *cron) next(after time.Time, zone *time.Location) (time.Time, bool) {
	local := after.In(zone)
	day := time.Date(local.Year(), local.Month(), local.Day(), 0, 0, 0, 0, time.UTC)
	if day.Year() < firstYear {
		day = time.Date(firstYear, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	for day.Year() <= lastYear {
		switch {
		case !c.years.has(day.Year() - firstYear):
			day = time.Date(day.Year()+1, 1, 1, 0, 0, 0, 0, time.UTC)
			continue
		case !c.months.has(int(day.Month())):
			day = time.Date(day.Year(), day.Month()+1, 1, 0, 0, 0, 0, time.UTC)
			continue
		}
		if c.on(day) {
			if due, ok := c.nextOn(day, after, zone); ok {
				return due, true
			}
		}
		day = day.AddDate(0, 0, 1)
	}
	return time.Time{}, false
}

// nextOn is the first time on a day that is after another.
func (c *cron) nextOn(day, after time.Time, zone *time.Location) (time.Time, bool) {
	for hour := range 24 {
		if !c.hours.has(hour) {
			continue
		}
		for minute := range 60 {
			if !c.minutes.has(minute) {
				continue
			}
			due, ok := instant(day.Add(time.Duration(hour)*time.Hour+time.Duration(minute)*time.Minute), zone)
			if ok && due.After(after) {
				return due, true
			}
		}
	}
	return time.Time{}, false
}
